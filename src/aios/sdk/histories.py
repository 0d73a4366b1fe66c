"""`client.history`: an agent's conversations. A method is named after its verb."""

from collections.abc import Sequence

from aios.sdk.caller import Family, verb
from aios.sdk.generation import Prompt, messages_of
from aios.syscalls import history
from aios.syscalls.llm import Message


class HistoryClient(Family):
    """The history family over one client."""

    read = verb(history.Turns)
    fork = verb(history.Fork)
    rollback = verb(history.Rollback)
    drop = verb(history.Drop)
    list = verb(history.Histories)
    assemble = verb(history.Assemble)

    async def extend(
        self,
        name: str,
        messages: Prompt,
        base: int | None = None,
        owner: str = "",
        key: str = "",
    ) -> history.History:
        """Add messages; a text is one message of the user."""
        call = history.Extend(name=name, messages=messages_of(messages), base=base, owner=owner)
        return await self._client.call(call, key=key)

    async def messages(self, name: str, owner: str = "") -> Sequence[Message]:
        """All messages; a convenience for `read`."""
        return (await self.read(name, owner=owner)).messages
