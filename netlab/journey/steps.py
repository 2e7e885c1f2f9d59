"""Steps: what happened to a packet at one place, with the evidence for it and the command that would show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from netlab.capture.headers import Headers
from netlab.capture.packet import Packet
from netlab.kernel.netfilter import Connection
from netlab.language import say

Kind = Literal[
    "lookup", "socket", "route", "arp", "out", "in", "bridge", "rules", "nat", "conntrack", "encapsulate", "decapsulate",
    "deliver", "answer", "end",
]  # fmt: skip
Way = Literal["there", "back"]
Leg = Literal["lookup", "request"]
# captured: seen on an interface; traced: netfilter reported it; noted: conntrack reported it; asked: the kernel answered a
# question about it afterwards; answered: the probe's own system call said so; inferred: the kernel gives no evidence.
Evidence = Literal["captured", "traced", "noted", "asked", "answered", "inferred"]


@dataclass(frozen=True, slots=True)
class Change:
    """One field of the headers that is not what it was a step before."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Met:
    """One rule that a packet met, with its verdict; `handle` is None for a chain's policy."""

    family: str
    table: str
    chain: str
    handle: int | None
    text: str
    comment: str | None
    verdict: str
    iptables: str = ""  # the line with the same meaning, for rules of the engine


@dataclass(frozen=True)
class Step:
    """One step of a journey."""

    way: Way
    leg: Leg
    place: str
    kind: Kind
    english: str
    japanese: str
    evidence: Evidence
    command: str = ""
    interface: str = ""
    packet: Packet | None = field(default=None, repr=False)
    headers: Headers | None = field(default=None, repr=False)
    changes: tuple[Change, ...] = ()
    rules: tuple[Met, ...] = ()
    connection: Connection | None = None
    number: int = 0

    @property
    def text(self) -> str:
        """What happened, in a sentence."""
        return say(en=self.english, ja=self.japanese)

    @property
    def nanoseconds(self) -> int | None:
        """The kernel's time, since 1970; None for a step that no interface saw."""
        return self.packet.nanoseconds if self.packet else None

    @property
    def element(self) -> str | None:
        """The id of the interface in the lab's diagram."""
        return f"interface/{self.place}/{self.interface}" if self.interface else None

    def layers(self) -> Any:
        """Return the packet as scapy dissects it, or None for a step that no interface saw: `.show()`, `[TCP]`, …"""
        if self.packet is None or self.leg != "lookup":
            return self.packet.scapy if self.packet else None
        from netlab.capture.dissection import read_as_dns  # noqa: PLC0415 - scapy is for those who look

        return read_as_dns(self.packet.scapy)

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        found = self.headers
        return {
            "number": self.number,
            "way": self.way,
            "leg": self.leg,
            "place": self.place,
            "kind": self.kind,
            "text": self.text,
            "evidence": self.evidence,
            "command": self.command,
            "interface": self.interface or None,
            "element": self.element,
            "nanoseconds": self.nanoseconds,
            "source": _end(found.source, found.source_port) if found else None,
            "destination": _end(found.destination, found.destination_port) if found else None,
            "ttl": found.ttl if found else None,
            "flags": found.flags if found else None,
            "changes": [{"field": one.field, "before": one.before, "after": one.after} for one in self.changes],
            "rules": [
                {
                    "family": one.family,
                    "table": one.table,
                    "chain": one.chain,
                    "handle": one.handle,
                    "text": one.text,
                    "comment": one.comment,
                    "verdict": one.verdict,
                    "iptables": one.iptables or None,
                }
                for one in self.rules
            ],
        }


_FIELDS = (
    ("source_mac", "source MAC"),
    ("destination_mac", "destination MAC"),
    ("source", "source"),
    ("destination", "destination"),
    ("source_port", "source port"),
    ("destination_port", "destination port"),
    ("ttl", "TTL"),
)

JAPANESE_FIELDS = {
    "source MAC": "送信元 MAC",
    "destination MAC": "宛先 MAC",
    "source": "送信元",
    "destination": "宛先",
    "source port": "送信元ポート",
    "destination port": "宛先ポート",
    "outer": "外側",
}
"""What the fields of a packet are called in Japanese texts, by the name that `Change.field` has."""


def changes(before: Headers | None, after: Headers) -> tuple[Change, ...]:
    """Return the fields that differ; what a rule trace does not show (hardware addresses) is left out."""
    if before is None:
        return ()
    one, other = before.innermost, after.innermost
    found = []
    for name, title in _FIELDS:
        old, new = getattr(one, name), getattr(other, name)
        if old != new and old not in ("", 0) and new not in ("", 0):
            found.append(Change(title, str(old), str(new)))
    return tuple(found)


def _end(address: str, port: int) -> str:
    where = f"[{address}]" if ":" in address and port else address
    return f"{where}:{port}" if port else where
