"""Run netlab's internet name server beside a real engine: on port 53, with the names as JSON and an address."""

from __future__ import annotations

import os
import runpy
import socket
import sys

_UDP, _TCP = 3, 4  # the descriptors where it finds its sockets

if __name__ == "__main__":
    for kind, descriptor in ((socket.SOCK_DGRAM, _UDP), (socket.SOCK_STREAM, _TCP)):
        bound = socket.socket(socket.AF_INET, kind)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((sys.argv[2], 53))
        if kind == socket.SOCK_STREAM:
            bound.listen()
        kept = bound.detach()
        if kept != descriptor:
            os.dup2(kept, descriptor)
            os.close(kept)
    runpy.run_module("netlab.servers.dns", run_name="__main__")
