"""MetaGPT: a role of two actions, writing code and running it."""

import asyncio
import sys

from metagpt.actions import Action
from metagpt.roles.role import Role, RoleReactMode
from metagpt.schema import Message


class WriteCode(Action):
    name: str = "WriteCode"

    async def run(self, task: str) -> str:
        told = await self._aask(f"{task}\nAnswer by a program that prints it: ```python code ```")
        return told.partition("```python")[2].partition("```")[0]


class RunCode(Action):
    name: str = "RunCode"

    async def run(self, code: str) -> str:
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
        )
        return (await program.communicate())[0].decode()


class Coder(Role):
    name: str = "Coder"
    profile: str = "Coder"

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.set_actions([WriteCode, RunCode])
        self._set_react_mode(react_mode=RoleReactMode.BY_ORDER.value)

    async def _act(self) -> Message:
        said = await self.rc.todo.run(self.get_memories(k=1)[0].content)
        message = Message(content=said, role=self.profile, cause_by=type(self.rc.todo))
        self.rc.memory.add(message)
        return message


async def answer() -> str:
    return (await Coder().run("What is 123 * 47?")).content


def main() -> str:
    return asyncio.run(answer())


if __name__ == "__main__":
    print(main())
