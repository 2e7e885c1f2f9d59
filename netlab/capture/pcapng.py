"""Writing captures for Wireshark and tcpdump: pcapng with interface names, nanoseconds, directions and comments.

Source: draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

from netlab.capture.packet import Packet

_SECTION, _INTERFACE, _PACKET, _STATISTICS = 0x0A0D0D0A, 1, 6, 5
_COMMENT, _PROGRAM, _NAME, _RESOLUTION, _FLAGS, _DROPPED = 1, 4, 2, 9, 2, 5
_ETHERNET, _RAW = 1, 101  # LINKTYPE_ETHERNET, LINKTYPE_RAW
_INBOUND, _OUTBOUND = 1, 2
_LONGEST = 1 << 18


def write(
    path: str | Path,
    packets: Iterable[Packet],
    comments: Mapping[int, str] | None = None,
    lost: Mapping[str, int] | None = None,
) -> Path:
    """Write packets to a file and return its path; `comments` by the packet's position, `lost` by place.

    An interface is called PLACE/NAME, as the places have interfaces of the same names.
    """
    comments = comments or {}
    numbers: dict[tuple[str, str], int] = {}
    blocks = [_section()]
    last = 0
    for position, packet in enumerate(packets):
        key = (packet.place, packet.interface)
        if key not in numbers:
            numbers[key] = len(numbers)
            blocks.append(_interface(f"{packet.place}/{packet.interface}", bare=packet.bare))
        blocks.append(_packet(packet, numbers[key], comments.get(position, "")))
        last = packet.nanoseconds
    for (place, _), number in numbers.items():
        if (lost or {}).get(place):
            blocks.append(_lost(number, last, (lost or {})[place]))
    target = Path(path)
    target.write_bytes(b"".join(blocks))
    return target


def _section() -> bytes:
    return _block(_SECTION, struct.pack("=IHHq", 0x1A2B3C4D, 1, 0, -1), _option(_PROGRAM, b"netlab"))


def _interface(name: str, *, bare: bool) -> bytes:
    options = _option(_NAME, name.encode()) + _option(_RESOLUTION, b"\x09")  # nanoseconds
    return _block(_INTERFACE, struct.pack("=HHI", _RAW if bare else _ETHERNET, 0, _LONGEST), options)


def _packet(packet: Packet, interface: int, comment: str) -> bytes:
    high, low = packet.nanoseconds >> 32, packet.nanoseconds & 0xFFFFFFFF
    body = struct.pack("=IIIII", interface, high, low, len(packet.data), packet.length)
    options = _option(_FLAGS, struct.pack("=I", _OUTBOUND if packet.outgoing else _INBOUND))
    if comment:
        options = _option(_COMMENT, comment.encode()) + options
    return _block(_PACKET, body + _padded(packet.data), options)


def _lost(interface: int, nanoseconds: int, count: int) -> bytes:
    body = struct.pack("=III", interface, nanoseconds >> 32, nanoseconds & 0xFFFFFFFF)
    return _block(_STATISTICS, body, _option(_DROPPED, struct.pack("=Q", count)))


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("=HH", code, len(value)) + _padded(value)


def _block(kind: int, body: bytes, options: bytes) -> bytes:
    content = body + options + bytes(4)  # opt_endofopt
    length = 12 + len(content)
    return struct.pack("=II", kind, length) + content + struct.pack("=I", length)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
