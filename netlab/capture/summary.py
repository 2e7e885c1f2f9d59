"""A packet in a line: what a table of packets says of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netlab.capture.headers import ARP, ICMP, ICMP6, TCP, UDP, Headers
from netlab.capture.packet import Packet
from netlab.view.tables import Table

_ICMP = {
    0: "echo reply",
    3: "destination unreachable",
    5: "redirect",
    8: "echo request",
    11: "time exceeded",
}
_ICMP6 = {
    1: "destination unreachable",
    2: "packet too big",
    3: "time exceeded",
    128: "echo request",
    129: "echo reply",
    133: "router solicitation",
    134: "router advertisement",
    135: "neighbour solicitation",
    136: "neighbour advertisement",
}
_FLAGS = {"S": "SYN", "A": "ACK", "F": "FIN", "R": "RST", "P": "PSH", "U": "URG"}


@dataclass(frozen=True, slots=True)
class Row:
    """One packet in a table; `time` in seconds since the first."""

    time: str
    place: str
    interface: str
    way: str  # in | out
    source: str
    destination: str
    protocol: str
    length: int
    info: str


def table(packets: Sequence[Packet], first: int | None = None) -> Table[Row]:
    """Return packets as a table; `first` is the time that others are counted from, that of the first packet by default."""
    began = first if first is not None else packets[0].nanoseconds if packets else 0
    return Table(row(packet, began) for packet in packets)


def row(packet: Packet, began: int) -> Row:
    """Return a packet's line."""
    found = packet.headers
    shown = found.innermost
    protocol = shown.protocol + (f" in VXLAN {found.network}" if found.network is not None else "")
    return Row(
        f"{(packet.nanoseconds - began) / 1e9:.6f}",
        packet.place,
        packet.interface,
        "out" if packet.outgoing else "in",
        _end(shown.source or shown.source_mac, shown.source_port),
        _end(shown.destination or shown.destination_mac, shown.destination_port),
        protocol,
        packet.length,
        info(shown),
    )


def info(found: Headers) -> str:
    """Say in a few words what a packet is."""
    if found.protocol == ARP:
        asks = f"who has {found.destination}? tell {found.source}"
        return asks if found.kind == 1 else f"{found.source} is at {found.payload.hex(':')}"
    if found.protocol == TCP:
        flags = ",".join(_FLAGS[letter] for letter in found.flags if letter in _FLAGS)
        return f"{flags} {_first_line(found.payload)}".strip() + (
            f" ({len(found.payload)} bytes)" if found.payload else ""
        )
    if found.protocol in (ICMP, ICMP6):
        kinds = _ICMP if found.protocol == ICMP else _ICMP6
        said = kinds.get(found.kind, f"type {found.kind}")
        if found.is_error:
            about = found.inner
            mtu = f", MTU {found.mtu}" if found.mtu else ""
            return f"{said} (code {found.code}{mtu})" + (
                f" about {about.source} → {about.destination}" if about else ""
            )
        return f"{said} id {found.echo} seq {found.sequence}" if found.echo else said
    if found.protocol == UDP:
        return f"{_name_asked(found)}{len(found.payload)} bytes"
    return ""


def _first_line(payload: bytes) -> str:
    line = payload[:80].partition(b"\r\n")[0]
    return line.decode("ascii") if (line.isascii() and line[:5].isalnum()) or line[:4] == b"HTTP" else ""


def _name_asked(found: Headers) -> str:
    """Return the name in a DNS message's question (RFC 1035, 4.1.2)."""
    if 53 not in (found.source_port, found.destination_port) or len(found.payload) < 17:
        return ""
    labels, at, payload = [], 12, found.payload
    while at < len(payload) and 0 < payload[at] < 64:
        labels.append(payload[at + 1 : at + 1 + payload[at]].decode(errors="replace"))
        at += 1 + payload[at]
    return f"DNS {'answer' if payload[2] & 0x80 else 'question'} {'.'.join(labels)}, "


def _end(address: str, port: int) -> str:
    where = f"[{address}]" if ":" in address and port else address
    return f"{where}:{port}" if port else where
