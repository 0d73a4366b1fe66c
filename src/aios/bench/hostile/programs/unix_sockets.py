"""Class 27. Connects to a service by the path of its socket, as one would to Docker or an agent.

A breach: it is reached.
"""

import os
import socket
from contextlib import suppress

PLACES = [os.environ["AIM_UNIX"], "/proc/1/root" + os.environ["AIM_UNIX"]]
if "AIM_CONFINED" in os.environ:
    PLACES += ["/run/docker.sock", "/run/dbus/system_bus_socket", "/run/systemd/private"]
for path in PLACES:
    with suppress(OSError), socket.socket(socket.AF_UNIX) as one:
        one.connect(path)
        print(f"BREACH connected to {path}")
