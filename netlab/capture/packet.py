"""One captured packet, and its headers: decoded by hand, only as far as a table or a journey needs; scapy opens the rest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from netlab.capture import headers
from netlab.capture.headers import Headers

OUTGOING, OTHER_HOST = 4, 3  # PACKET_OUTGOING, PACKET_OTHERHOST (packet(7))
_NO_HARDWARE_ADDRESSES = 65534  # ARPHRD_NONE: a tun interface


@dataclass(frozen=True)
class Packet:
    """A packet as it passed one interface. `nanoseconds` since 1970; `data` may be shorter than `length`."""

    place: str
    interface: str
    index: int
    kind: int
    nanoseconds: int
    length: int
    data: bytes
    hardware: int = 1

    @property
    def outgoing(self) -> bool:
        """Whether it left the place here, or came in."""
        return self.kind == OUTGOING

    @property
    def bare(self) -> bool:
        """Whether it begins with its IP header, as on a tun interface."""
        return self.hardware == _NO_HARDWARE_ADDRESSES

    @cached_property
    def headers(self) -> Headers:
        """Its headers, as far as they are known here."""
        return headers.network(self.data) if self.bare else headers.ethernet(self.data)

    @property
    def scapy(self) -> Any:
        """The packet as scapy dissects it: `.show()`, `.layers()`, `packet.scapy[TCP]`."""
        from netlab.capture import dissection  # noqa: PLC0415 - scapy takes a while to load

        return dissection.dissect(self.data, bare=self.bare)
