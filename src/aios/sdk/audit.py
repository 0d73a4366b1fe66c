"""`client.audit`: the record of every decision. A method is named after its verb."""

from aios.sdk.caller import Family, verb
from aios.syscalls.audit import AuditRecords, VerifyAudit


class AuditClient(Family):
    """The audit family over one client."""

    list = verb(AuditRecords)
    verify = verb(VerifyAudit)
