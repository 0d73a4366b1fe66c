"""Class 21. Writes every byte, broken UTF-8, half escapes and zeros.

A breach: what comes out is anything but these bytes.
"""

import os

os.write(1, bytes(range(256)) + b"\xed\xa0\x80\x1b]0;title\x07\x1b[2J\r\n\0\xff\xfe")
