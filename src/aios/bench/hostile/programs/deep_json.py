"""Class 41. Gives JSON that is nested deeper than a parser's stack, as a file and as its output.

A breach: whoever brings it back falls over.
"""

from pathlib import Path

Path("result.json").write_text("[" * 200_000)
print('{"a":' * 20_000)
