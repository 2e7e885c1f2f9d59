"""Listening sockets of a namespace, asked of the kernel by sock_diag(7)."""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Iterator
from typing import Literal

from netlab.model import Socket

SOCK_DIAG_PROTOCOL = 4  # NETLINK_SOCK_DIAG
_BY_FAMILY, _DONE, _ERROR = 20, 3, 2
_LISTEN, _CLOSE = 10, 7
_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBxI48x")
_PROTOCOLS: tuple[tuple[Literal["tcp", "udp"], int, int], ...] = (
    ("tcp", socket.IPPROTO_TCP, _LISTEN),
    ("udp", socket.IPPROTO_UDP, _CLOSE),
)


def listening(diagnosis: socket.socket) -> list[tuple[Socket, int]]:
    """Return the listening TCP and bound UDP sockets of the namespace that `diagnosis` lives in, each with its inode."""
    found: list[tuple[Socket, int]] = []
    for name, protocol, state in _PROTOCOLS:
        for family in (socket.AF_INET, socket.AF_INET6):
            body = _REQUEST.pack(family, protocol, 0, 1 << state)
            diagnosis.send(_HEADER.pack(16 + len(body), _BY_FAMILY, 0x301, 1, 0) + body)
            found.extend((Socket(name, address, port), inode) for address, port, inode in _answers(diagnosis))
    return sorted(found, key=lambda one: (one[0].port, one[0].protocol, ":" in one[0].address))


def _answers(diagnosis: socket.socket) -> Iterator[tuple[str, int, int]]:
    while True:
        data = diagnosis.recv(1 << 16)
        offset = 0
        while offset + 16 <= len(data):
            length, kind, *_ = _HEADER.unpack_from(data, offset)
            if kind in (_DONE, _ERROR):
                return
            yield _socket(data[offset + 16 : offset + length])
            offset += (length + 3) & ~3


def _socket(message: bytes) -> tuple[str, int, int]:
    """Read address, port and inode from a struct inet_diag_msg."""
    family = message[0]
    (port,) = struct.unpack_from("!H", message, 4)
    raw = message[8:12] if family == socket.AF_INET else message[8:24]
    (inode,) = struct.unpack_from("=I", message, 68)
    return str(ipaddress.ip_address(raw)), port, inode
