"""What the guard has to say of tools: who sees which, and that no secret leaves with a result."""

from typing import Any

from aios.errors import AiosError
from aios.kernel.guard.guard import Guard
from aios.kernel.guard.vault import Vault
from aios.kernel.process import Process
from aios.syscalls.base import Syscall
from aios.syscalls.tool import CallTool, ToolResult


class ToolWarden:
    """Of one kernel. Without a home the vault is empty."""

    def __init__(self, guard: Guard, vault: Vault) -> None:
        self._guard = guard
        self._vault = vault

    def sees(self, process: Process, name: str) -> bool:
        return self._guard.would_let(process, CallTool(name=name))

    def lets(self, process: Process, call: Syscall[Any]) -> bool:
        return self._guard.lets(process, call)

    def hears(self, process: Process, call: CallTool, result: ToolResult) -> None:
        self._guard.hears(process, call, result)

    def secret(self, agent: str, name: str) -> str:
        return self._vault.secret(name)

    def hidden(self, result: ToolResult) -> ToolResult:
        return self._vault.result(result)

    def told(self, error: AiosError) -> AiosError:
        return self._vault.error(error)
