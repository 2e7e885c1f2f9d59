"""How the thought comes to its end: at a condition that is not fulfilled, or at something that is not understood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from netlab.language import say
from netlab.reasons import Finding

Kind = Literal[
    "name", "interface", "route", "neighbour", "frame", "tunnel", "rules", "nat", "forwarding", "reverse path", "delivery",
    "socket", "answer", "size",
]  # fmt: skip
Leg = Literal["lookup", "request", "answer"]


@dataclass(frozen=True, slots=True)
class Repair:
    """A command that repairs it, and the place where to run it."""

    place: str
    command: str

    def __str__(self) -> str:
        return f"{self.place}$ {self.command}"


@dataclass(frozen=True)
class Condition:
    """One condition of reachability. `fulfilled` is None where it cannot be known without sending."""

    kind: Kind
    place: str
    fulfilled: bool | None
    english: str
    japanese: str
    command: str  # that shows it, to be run in `place`
    evidence: str = ""  # what the kernel reports, in its own words
    leg: Leg = "request"
    finding: Finding | None = None
    repair: tuple[Repair, ...] = ()

    @property
    def text(self) -> str:
        """The condition, in a sentence; of one that is not fulfilled, what is wrong."""
        return self.finding.text if self.finding else say(en=self.english, ja=self.japanese)

    @property
    def reason(self) -> str | None:
        """The key in netlab.reasons of why it is not fulfilled."""
        return self.finding.code if self.finding else None


class Failed(Exception):
    """A condition that is not fulfilled: the packet ends here."""

    def __init__(self, kind: Kind, finding: Finding, *repair: Repair) -> None:
        super().__init__(finding.code)
        self.kind: Kind = kind
        self.finding = finding
        self.repair = repair


class Unsure(Exception):
    """Something that is not understood, or that only sending could tell."""

    def __init__(self, kind: Kind, place: str, english: str, japanese: str, command: str) -> None:
        super().__init__(english)
        self.kind: Kind = kind
        self.place, self.english, self.japanese, self.command = place, english, japanese, command
