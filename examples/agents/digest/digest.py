"""An agent package: `aios agents install examples/agents/digest`, then `aios run digest FILE`.

Without a file it tells what it has read so far, on whatever day that was.
"""

import asyncio
import os
from pathlib import Path

from aios.sdk import Client


async def program(client: Client, path: str) -> str:
    if not path:
        found = await client.notes.search("digest", limit=20)
        return "\n".join(one.note.text for one in found.notes) or "nothing read yet"
    whole = await asyncio.to_thread(Path(path).read_text)
    text = whole[: int(os.environ["DIGEST_CHARACTERS"])]
    answer = await client.chat(f"Say in one sentence what this text is about:\n\n{text}")
    await client.notes.add(f"digest of {path}: {answer.text.strip()}")
    return answer.text.strip()
