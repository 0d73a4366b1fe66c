"""Class 50. Changes the interpreter: its files, its builtins, its modules, its start.

A breach: a file of it opens for writing, or the next program notices anything.
"""

import builtins
import os
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

paths = sysconfig.get_paths()
FILES = [sys.executable, os.path.realpath(sys.executable), os.__file__]
FILES += [f"{paths['stdlib']}/json/__init__.py", f"{paths['stdlib']}/site.py"]
for name in FILES:
    with suppress(OSError):
        os.close(os.open(name, os.O_WRONLY))
        print(f"BREACH opened {name}")
for folder in {paths["purelib"], paths["stdlib"], *(path for path in sys.path if path)}:
    path = Path(folder, f"{os.environ['AIM_MARK']}.txt")
    with suppress(OSError):
        path.touch()
        path.unlink()
        print(f"BREACH made {path}")
setattr(builtins, "print", lambda *_: os.write(1, b"hijacked\n"))  # noqa: B010
sys.modules["json"] = sys.modules["os"]
os.environ["PYTHONSTARTUP"] = os.environ["LD_PRELOAD"] = "/tmp/hijack"
