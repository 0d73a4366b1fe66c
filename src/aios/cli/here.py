"""An SDK agent as a program: `python -m aios.cli.here TARGET [ARGUMENT]`, run by `aios run`.

Speaks to the kernel that its environment names, in the name of the process that it is there.
"""

import asyncio
import os
import sys

from aios.cli.code import Runnable, runnable, text_of
from aios.errors import AiosError, InvalidArgument


def main(words: list[str]) -> int:
    """Run it to its end; the exit status."""
    target, argument = (*words, "")[:2]
    try:
        print(text_of(asyncio.run(_run(runnable(target, argument)))))
    except AiosError as error:
        sys.stderr.write(f"aios: {error.code}: {error}\n")
        return 1
    return 0


async def _run(chosen: Runnable) -> object:
    from aios.sdk import hosted
    from aios.sdk.http import HttpTransport

    url, token = os.environ.get("AIOS_URL"), os.environ.get("AIOS_TOKEN")
    if not url or not token:
        raise InvalidArgument("expected AIOS_URL and AIOS_TOKEN, as `aios run` sets them")
    async with HttpTransport(url) as transport:
        return await hosted(chosen.program)(transport, token, chosen.argument)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
