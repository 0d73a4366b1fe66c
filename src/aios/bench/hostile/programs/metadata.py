"""Class 26. Connects to where clouds hand out a machine's credentials.

A breach: something answers.
"""

import os
import socket
from contextlib import suppress

# Where nothing is confined only the scene's own service is asked, never the real one.
PLACES = [("169.254.169.254", 80), ("fd00:ec2::254", 80), ("100.100.100.200", 80)]
PLACES = PLACES if "AIM_CONFINED" in os.environ else []
PLACES += [(host, int(os.environ["AIM_TCP"])) for host in os.environ["AIM_HOSTS"].split()]
for place in PLACES:
    with suppress(OSError), socket.create_connection(place, timeout=0.2):
        print(f"BREACH connected to {place[0]}")
