"""Settings of gunicorn, which reads this file automatically. Arguments on its command line come first."""

import os
import socket
import struct
import sys
from typing import Any

worker_class = "gthread"
threads = 4
# A thread that waits for the rest of a request can serve nobody else. So a client that sends nothing for this many
# seconds is hung up on. A proxy in front should read requests whole before it passes them on (docs/operations.md).
SECONDS_OF_SILENCE = int(os.environ.get("SECONDS_OF_SILENCE", "10"))


def when_ready(server: Any) -> None:
    """Set the longest silence on the sockets that listen; on Linux, each connection has it from there."""
    if sys.platform != "linux":
        return
    silence = struct.pack("@ll", SECONDS_OF_SILENCE, 0)
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, silence)
