"""The packet that is thought of: what rules and routes look at, and how a place has noted its connection."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Flow = tuple[str, str, str, int, int]  # protocol, source, destination, source port, destination port
SomeState = Literal["new", "established", "related", "invalid", "untracked"]


@dataclass(frozen=True, slots=True)
class Packet:
    """The first packet of a connection, or the answer to it. Ports are 0 for ICMP; `size` is in bytes, with its IP header."""

    protocol: Literal["icmp", "tcp", "udp"]
    source: str
    destination: str
    source_port: int = 0
    destination_port: int = 0
    answer: bool = False
    size: int = 60
    mark: int = 0

    @property
    def version(self) -> Literal[4, 6]:
        return 6 if ":" in self.destination else 4

    @property
    def flow(self) -> Flow:
        return self.protocol, self.source, self.destination, self.source_port, self.destination_port

    def reply(self, size: int) -> Packet:
        """Return what answers it."""
        return Packet(
            self.protocol,
            self.destination,
            self.source,
            self.destination_port,
            self.source_port,
            answer=True,
            size=size,
        )

    def with_destination(self, address: str, port: int) -> Packet:
        return replace(self, destination=address, destination_port=port)

    def with_source(self, address: str, port: int) -> Packet:
        return replace(self, source=address, source_port=port)

    def __str__(self) -> str:
        if self.protocol == "icmp":
            return f"{self.source} → {self.destination}"
        return f"{_end(self.source, self.source_port)} → {_end(self.destination, self.destination_port)}"


def _end(address: str, port: int) -> str:
    where = f"[{address}]" if ":" in address else address
    return f"{where}:{port}" if port else where


@dataclass(slots=True)
class Noted:
    """A connection as conntrack of one place notes it: its first packet before and after translation."""

    original: Packet
    translated: Packet

    def answered_by(self, packet: Packet) -> bool:
        """Whether a packet is the answer to what the place sent on."""
        there = self.translated
        back = (there.protocol, there.destination, there.source, there.destination_port, there.source_port)
        return packet.flow == back


class Connections:
    """What conntrack of each place would have noted, had the packet been sent (conntrack(8))."""

    def __init__(self) -> None:
        self._noted: dict[str, list[Noted]] = {}

    def find(self, place: str, packet: Packet) -> Noted | None:
        """Return the connection of a packet at a place, whichever its direction."""
        return next(
            (
                one
                for one in self._noted.get(place, ())
                if one.answered_by(packet) or (not packet.answer and one.original.flow == packet.flow)
            ),
            None,
        )

    def note(self, place: str, packet: Packet) -> Noted:
        """Note a packet's connection at its first step through a place."""
        one = Noted(packet, packet)
        self._noted.setdefault(place, []).append(one)
        return one
