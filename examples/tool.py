"""A tool in ten lines, run by the kernel: checked arguments, side by side where effects allow."""

import asyncio

from aios.kernel import Kernel
from aios.sdk import Agent, Client, tool

accounts = {"ann": 100, "bob": 20}


# The tool: nine lines. Transfers between different accounts run side by side.
@tool(inline=True, writes=("account:{payer}", "account:{payee}"), final=True)
def transfer(payer: str, payee: str, amount: int) -> str:
    """Move money from one account to another.

    Args:
        amount: in whole coins
    """
    accounts[payer] -= amount
    accounts[payee] += amount
    return f"moved {amount}"


async def main(kernel: Kernel) -> None:
    client = Client(kernel, kernel.token)
    teller = Agent("teller", tools=["local/transfer"], temperature=0.0, max_tokens=128)
    print(await teller(client, "Move 30 coins from ann to bob."))
    print("accounts:", accounts)
    wrong = await client.tools.call("local/transfer", {"payer": "ann", "payee": "bob", "amout": 3})
    print(wrong.text.partition(".")[0])


if __name__ == "__main__":
    from aios.kernel.boot import boot

    async def start() -> None:
        async with boot(model="pocket", tools=[transfer]) as kernel:
            await main(kernel)

    asyncio.run(start())
