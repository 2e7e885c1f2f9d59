"""Listening on all interfaces of one namespace: a packet socket with a ring that the kernel fills (packet(7)).

The ring (TPACKET_V3) is read a block at a time and copied as it is; what is in a block is only looked at when somebody asks.
Time stamps are the kernel's own, in nanoseconds, and as all namespaces share one kernel, they share one clock.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from netlab.capture.packet import Packet
from netlab.errors import NotFound
from netlab.kernel import observe
from netlab.kernel.netlink import RouteSocket
from netlab.sandbox.command import Completed

Program = Sequence[tuple[int, int, int, int]]  # of a socket filter: code, jump if true, jump if false, number

_AF_PACKET, _SOCK_RAW, _EVERY_PROTOCOL = 17, 3, 3
_SOL_PACKET, _RX_RING, _STATISTICS, _VERSION, _V3 = 263, 5, 6, 10, 2
_ATTACH_FILTER = 26
_FRAME = 2048
_OURS, _KERNELS = 1, 0
_BLOCK = struct.Struct("=8xIIII")  # status, packets, offset of the first, length (struct tpacket_block_desc)
_PACKET = struct.Struct("=IIIIIIHH")  # next, seconds, nanoseconds, kept, length, status, offsets (struct tpacket3_hdr)
_ADDRESS = struct.Struct("=HHiHB")  # family, protocol, interface, hardware, kind of packet (struct sockaddr_ll)
_ADDRESS_OFFSET = 48
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a ring: blocks, bytes of each, and the milliseconds after which one is handed over that is not full.

    All of them together are how long the reader may be kept from reading: a busy machine does that for a while.
    """

    blocks: int
    block: int
    milliseconds: int


SMALL = Size(64, 1 << 14, 5)
LARGE = Size(64, 1 << 18, 20)


class Ground(Protocol):
    """What a capture needs of the places: `World` has it, and another process has it of a lab."""

    def open_socket(self, place: str, family: int, kind: int, protocol: int) -> socket.socket:
        """Return a new socket that lives in a place's namespace; raises OSError."""

    def route_socket(self, place: str) -> RouteSocket:
        """Return a netlink socket of a place; raises NotFound."""

    def run_command(self, place: str, argv: Sequence[str], *, timeout: float | None = None) -> Completed:
        """Run a program in a place to its end."""


class Tap:
    """Everything that passes one namespace's interfaces, from now on until it is closed."""

    def __init__(self, world: Ground, place: str, program: Program = (), size: Size = SMALL) -> None:
        self.place = place
        self.lost = 0
        self._world = world
        self._size = size
        self._names = dict(observe.names_of(world.route_socket(place)))
        self._next = 0
        self._received = self._taken = 0
        # Bound last: a packet socket that has a protocol from the start hears before its filter is there.
        self._socket = world.open_socket(place, _AF_PACKET, _SOCK_RAW, 0)
        try:
            self._listen(program)
        except BaseException:
            self._socket.close()
            raise

    def _listen(self, program: Program) -> None:
        if program:
            _attach(self._socket, program)
        self._socket.setsockopt(_SOL_PACKET, _VERSION, _V3)
        blocks, block = self._size.blocks, self._size.block
        ring = struct.pack("=7I", block, blocks, _FRAME, blocks * block // _FRAME, self._size.milliseconds, 0, 0)
        _set_ring(self._socket, ring)
        self._ring = mmap.mmap(self._socket.fileno(), blocks * block)
        _bind_to_all(self._socket)

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when there are packets."""
        return self._socket.fileno()

    def take(self) -> list[bytes]:
        """Return the blocks that the kernel has handed over since the last time; does not wait."""
        taken: list[bytes] = []
        while True:
            start = self._next * self._size.block
            status, packets, _, length = _BLOCK.unpack_from(self._ring, start)
            if not status & _OURS:
                return taken
            taken.append(self._ring[start : start + length])
            self._taken += packets
            struct.pack_into("=I", self._ring, start + 8, _KERNELS)
            self._next = (self._next + 1) % self._size.blocks

    @property
    def pending(self) -> bool:
        """Whether packets have come that the kernel has not handed over yet; it does so within a few milliseconds."""
        self.count_lost()
        return self._received > self._taken + self.lost

    def packets(self, block: bytes) -> Iterator[Packet]:
        """Yield the packets of a block."""
        _, count, offset, _ = _BLOCK.unpack_from(block)
        for _ in range(count):
            ahead, seconds, nanoseconds, kept, length, _, start, _ = _PACKET.unpack_from(block, offset)
            _, _, index, hardware, kind = _ADDRESS.unpack_from(block, offset + _ADDRESS_OFFSET)
            yield Packet(
                place=self.place,
                interface=self.interface(index),
                index=index,
                kind=kind,
                nanoseconds=seconds * 1_000_000_000 + nanoseconds,
                length=length,
                data=block[offset + start : offset + start + kept],
                hardware=hardware,
            )
            offset += ahead

    def interface(self, index: int) -> str:
        """Return an interface's name by its number, also when it came after the tap."""
        if index not in self._names:
            with contextlib.suppress(OSError, NotFound):  # the place may have gone meanwhile
                self._names.update(observe.names_of(self._world.route_socket(self.place)))
        return self._names.setdefault(index, f"#{index}")

    def count_lost(self) -> int:
        """Return how many packets came when the ring was full, since the beginning."""
        if self._socket.fileno() >= 0:
            received, dropped, _ = struct.unpack("=III", self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 12))
            self._received += received  # with the lost ones; asking sets the kernel's counts to 0
            self.lost += dropped
        return self.lost

    def close(self) -> None:
        """Stop listening. The kernel takes some milliseconds to be sure that nobody uses the socket any more."""
        self._ring.close()
        self._socket.close()


def _set_ring(listener: socket.socket, ring: bytes) -> None:
    """Give a packet socket its ring; the kernel waits for a grace period, and Python's own call would keep its lock."""
    if _libc.setsockopt(listener.fileno(), _SOL_PACKET, _RX_RING, ring, len(ring)) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _bind_to_all(listener: socket.socket) -> None:
    """Have every interface heard; Python's own `bind` wants the name of one."""
    address = struct.pack("=HHiHBB8s", _AF_PACKET, socket.htons(_EVERY_PROTOCOL), 0, 0, 0, 0, b"")
    if _libc.bind(listener.fileno(), address, len(address)) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _attach(listener: socket.socket, program: Program) -> None:
    """Attach a classic socket filter (SO_ATTACH_FILTER, socket(7)); raises OSError for one that the kernel refuses."""
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    held = ctypes.create_string_buffer(code, len(code))
    listener.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("@HP", len(program), ctypes.addressof(held)))
