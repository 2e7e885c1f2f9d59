"""One message on the socket between owner and agent: a JSON object, with descriptors riding along.

Used on both sides: standard library only.
"""

from __future__ import annotations

import array
import json
import os
import socket
import struct
from collections.abc import Sequence
from typing import Any

MAX_MESSAGE = 1 << 17  # bytes; a SEQPACKET message must fit the socket's send buffer
MAX_DESCRIPTORS = 16
_CREDENTIALS = struct.Struct("3i")


def memory_file(data: bytes) -> int:
    """Return a descriptor of a file in memory with these contents: for what may be too large for a message."""
    descriptor = os.memfd_create("netlab", os.MFD_CLOEXEC)
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def read_file(descriptor: int) -> bytes:
    """Return the contents of such a file from its beginning; the descriptor stays open."""
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        return file.read()


def send(
    control: socket.socket, message: dict[str, Any], descriptors: Sequence[int] = (), sender: int | None = None
) -> None:
    """Send one message whole, with descriptors (SCM_RIGHTS, unix(7)), and in the name of another process if one is given."""
    ancillary: list[tuple[int, int, bytes | array.array[int]]] = []
    if descriptors:
        ancillary.append((socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors)))
    if sender is not None:
        ancillary.append((socket.SOL_SOCKET, socket.SCM_CREDENTIALS, _CREDENTIALS.pack(sender, 0, 0)))
    control.sendmsg([json.dumps(message).encode()], ancillary)


def receive(control: socket.socket) -> tuple[dict[str, Any] | None, list[int], int]:
    """Receive one message: the object (None at the end), its descriptors, and the sender's pid where that is asked for."""
    space = socket.CMSG_SPACE(4 * MAX_DESCRIPTORS) + socket.CMSG_SPACE(_CREDENTIALS.size)
    data, ancillary, _, _ = control.recvmsg(MAX_MESSAGE, space, socket.MSG_CMSG_CLOEXEC)
    descriptors: list[int] = []
    sender = 0
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            received = array.array("i")
            received.frombytes(content[: len(content) - len(content) % received.itemsize])
            descriptors.extend(received)
        elif level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
            sender = _CREDENTIALS.unpack(content[: _CREDENTIALS.size])[0]
    return (json.loads(data) if data else None), descriptors, sender
