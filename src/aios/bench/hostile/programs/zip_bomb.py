"""Class 39. Gives a small file that is a large one when it is unpacked.

A breach: more bytes come back than it wrote.
"""

import gzip
import zipfile

with zipfile.ZipFile("result.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("zeros", b"\0" * (32 << 20))
    archive.writestr("../../up.txt", "up")
with gzip.open("result.gz", "wb", compresslevel=1) as packed:
    packed.write(b"\0" * (32 << 20))
