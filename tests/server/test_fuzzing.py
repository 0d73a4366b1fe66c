"""Schemathesis in all its phases over the generated OpenAPI: nothing it sends makes a 5xx."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.cli.served import served
from tests.server.house import lived

pytest.importorskip("schemathesis")
EXAMPLES = os.environ.get("AIOS_FUZZ_EXAMPLES", "2")
SEED = os.environ.get("AIOS_FUZZ_SEED", "1")
LIMIT_S = 80.0 + 20.0 * int(EXAMPLES)
ROOT = Path(__file__).parents[2]
HOOKS = "tests.server.fuzz_hooks"


@pytest.mark.timeout(0)
def test_no_request_that_the_schema_inspires_breaks_the_server(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as home:
            command = (
                sys.executable, "-m", "schemathesis.cli", "run", f"{home.url}/openapi.json",
                "--header", f"authorization: Bearer {home.first}",
                "--phases", "examples,coverage,fuzzing,stateful",
                "--checks", "not_a_server_error", "--max-examples", EXAMPLES, "--seed", SEED,
                "--request-timeout", "10", "--generation-database", "none", "--no-color",
                "--no-shrink", "--continue-on-failure", "--warnings", "off", "--max-failures", "20",
            )  # fmt: skip
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": HOOKS},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            told, _ = await process.communicate()
            assert process.returncode == 0, told.decode()[-8_000:]

    lived(main, LIMIT_S)
