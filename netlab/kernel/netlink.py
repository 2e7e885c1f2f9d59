"""Talking to the kernel over rtnetlink (rtnetlink(7)): messages as bytes, and a socket that sends many at once.

By hand because the vocabulary is closed and small, and because it decides how long a student waits: one message takes a few
microseconds to write (`encode`) and a few dozen to read (`observe`).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
import threading
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from netlab.interrupts import held_back

NEWLINK, DELLINK, GETLINK, SETLINK = 16, 17, 18, 19
NEWADDR, DELADDR, GETADDR = 20, 21, 22
NEWROUTE, DELROUTE, GETROUTE = 24, 25, 26
NEWNEIGH, DELNEIGH, GETNEIGH = 28, 29, 30
GETNSID = 90
GETNETCONF = 82

REQUEST, ACK, DUMP = 1, 4, 0x300
CREATE, EXCLUSIVE = 0x400, 0x200
IFF_UP = 1

_ERROR, _DONE, _LAST_CONTROL = 2, 3, 15
_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port (struct nlmsghdr)
_ATTRIBUTE = struct.Struct("=HH")  # length, type (struct nlattr)
_SOL_NETLINK, _CAP_ACK, _EXT_ACK = 270, 10, 11
_ACK_TEXTS, _ACK_CAPPED, _ACK_MESSAGE = 0x200, 0x100, 1
_RECEIVE = 1 << 17
_SIOCGIFINDEX, _SIOCETHTOOL, _LONGEST_NAME = 0x8933, 0x8946, 15
_INTERFACE_REQUEST = struct.Struct("=16si20x")  # struct ifreq: name, index
_INTERFACE_QUESTION = struct.Struct("@16sP16x")  # struct ifreq: name, address of what is asked
_ETHTOOL_GLINK = 0x0A


@dataclass(frozen=True, slots=True)
class Refusal:
    """One message that the kernel refused: its place in the batch, the error number and the kernel's words, if any."""

    position: int
    errno: int
    words: str = ""


def attribute(kind: int, value: bytes) -> bytes:
    """Return one attribute with its padding."""
    return _ATTRIBUTE.pack(4 + len(value), kind) + value + bytes(-len(value) % 4)


def text(kind: int, value: str) -> bytes:
    """Return an attribute that holds a string."""
    return attribute(kind, value.encode() + b"\0")


def number(kind: int, value: int) -> bytes:
    """Return an attribute that holds a 32-bit number."""
    return attribute(kind, struct.pack("=I", value))


def link_body(index: int = 0, flags: int = 0, change: int = 0) -> bytes:
    """Return the fixed part of a link message (struct ifinfomsg)."""
    return struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, flags, change)


class RouteSocket:
    """A netlink socket that lives in one network namespace, whoever holds it. Safe to use from several threads."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._lock = threading.Lock()
        self._sequence = 0
        for option in (_CAP_ACK, _EXT_ACK):
            self._socket.setsockopt(_SOL_NETLINK, option, 1)

    def close(self) -> None:
        """Close the socket, and with it a hold on the namespace."""
        self._socket.close()

    __del__ = close

    def send(self, messages: Sequence[tuple[int, int, bytes]]) -> list[Refusal]:
        """Send messages (type, flags, body) in one go; return those that were refused, in order.

        The kernel handles them one after the other and goes on after a refused one.
        """
        with self._lock:
            first = self._sequence + 1
            self._sequence += len(messages)
            last = len(messages) - 1
            parts = []
            for position, (kind, flags, body) in enumerate(messages):
                asked = flags | REQUEST | (ACK if position == last else 0)
                parts.append(_HEADER.pack(16 + len(body), kind, asked, first + position, 0))
                parts.append(body)
            self._socket.send(b"".join(parts))
            return self._collect(first, self._sequence)

    def _collect(self, first: int, last: int) -> list[Refusal]:
        refusals = []
        while True:
            data = self._socket.recv(_RECEIVE)
            length, kind, flags, sequence, _ = _HEADER.unpack_from(data)
            if kind != _ERROR or not first <= sequence <= last:
                continue  # an answer to something that was interrupted
            (code,) = struct.unpack_from("=i", data, 16)
            if code:
                refusals.append(Refusal(sequence - first, -code, _kernel_words(data[:length], flags)))
            if sequence == last:
                return refusals

    def dump(self, kind: int, body: bytes) -> list[bytes]:
        """Ask for all entries of a kind; return the datagrams as they came, for a decoder.

        It is read to its end even when an interrupt comes: the kernel refuses the next while one is under way.
        """
        with held_back(), self._lock:
            self._sequence += 1
            wanted = self._sequence
            self._socket.send(_HEADER.pack(16 + len(body), kind, REQUEST | DUMP, wanted, 0) + body)
            datagrams = []
            while True:
                data = self._socket.recv(_RECEIVE)
                if _HEADER.unpack_from(data)[3] != wanted:
                    continue
                if _HEADER.unpack_from(data)[1] == _ERROR:
                    (code,) = struct.unpack_from("=i", data, 16)
                    raise OSError(-code, os.strerror(-code))
                datagrams.append(data)
                if _ends(data):
                    return datagrams

    def get(self, kind: int, body: bytes) -> bytes | None:
        """Ask for one entry; return its message, or None when there is none."""
        with self._lock:
            self._sequence += 1
            wanted = self._sequence
            self._socket.send(_HEADER.pack(16 + len(body), kind, REQUEST, wanted, 0) + body)
            while True:
                data = self._socket.recv(_RECEIVE)
                _, answered, _, sequence, _ = _HEADER.unpack_from(data)
                if sequence == wanted:
                    return None if answered == _ERROR else data

    def index_of(self, name: str) -> int | None:
        """Return the number of the interface of that name, or None.

        Asked by ioctl (netdevice(7)), which waits for nobody; a netlink request would queue up behind those that change links.
        """
        asked = _INTERFACE_REQUEST.pack(name.encode()[:_LONGEST_NAME], 0)
        try:
            answer = fcntl.ioctl(self._socket, _SIOCGIFINDEX, asked)
        except OSError:
            return None
        found: int = _INTERFACE_REQUEST.unpack(answer)[1]
        return found

    def settle(self, name: str) -> None:
        """Let the kernel work out now whether an interface has a signal; harmless when there is none of that name.

        By itself it takes up to a second to see that a new bridge has none, and reports UNKNOWN until then; and a busy machine
        takes its time to see that one has a signal now, and drops what is sent there until then (linkwatch).

        Equivalent to: `ethtool NAME`, which asks for the signal.
        """
        asked = array("I", [_ETHTOOL_GLINK, 0])  # struct ethtool_value
        question = _INTERFACE_QUESTION.pack(name.encode()[:_LONGEST_NAME], asked.buffer_info()[0])
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._socket, _SIOCETHTOOL, question)

    def delete_link(self, index: int) -> None:
        """Delete the interface of that number, whatever its name is by now; harmless when there is none.

        Equivalent to: `ip link delete NAME`.
        """
        self.send([(DELLINK, 0, link_body(index))])

    def namespace_id(self, namespace: int) -> int | None:
        """Return the number by which this namespace knows another, given as a descriptor; None if it has no name for it."""
        data = self.get(GETNSID, struct.pack("=Bxxx", socket.AF_UNSPEC) + number(3, namespace))  # NETNSA_FD
        if data is None:
            return None
        for kind, value in attributes(data, 20):
            if kind == 1:  # NETNSA_NSID
                found: int = struct.unpack("=i", value)[0]
                return found if found >= 0 else None
        return None


def messages(datagrams: Sequence[bytes]) -> Iterator[bytes]:
    """Yield what follows the header of each message of a dump, without control messages."""
    for data in datagrams:
        offset = 0
        while offset + 16 <= len(data):
            length, kind, *_ = _HEADER.unpack_from(data, offset)
            if kind > _LAST_CONTROL:
                yield data[offset + 16 : offset + length]
            offset += max(16, (length + 3) & ~3)


def attributes(data: bytes, offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield type and value of each attribute from `offset` on."""
    end = len(data)
    while offset + 4 <= end:
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < 4:
            break
        yield kind & 0x3FFF, data[offset + 4 : offset + length]
        offset += (length + 3) & ~3


def _ends(data: bytes) -> bool:
    offset = 0
    while offset + 16 <= len(data):
        length, kind, *_ = _HEADER.unpack_from(data, offset)
        if kind == _DONE:
            return True
        offset += max(16, (length + 3) & ~3)
    return False


def _kernel_words(data: bytes, flags: int) -> str:
    """Return the kernel's own explanation of a refusal (NLMSGERR_ATTR_MSG), or an empty text."""
    if not flags & _ACK_TEXTS:
        return ""
    refused_length = struct.unpack_from("=I", data, 20)[0]
    start = 36 if flags & _ACK_CAPPED else 20 + ((refused_length + 3) & ~3)
    for kind, value in attributes(data, start):
        if kind == _ACK_MESSAGE:
            return value.rstrip(b"\0").decode(errors="replace")
    return ""
