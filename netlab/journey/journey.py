"""A journey: the steps of a probe and its answer, and why it ended where it ended."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from netlab.capture import pcapng
from netlab.journey import view
from netlab.journey.diagnosis import Diagnosis
from netlab.journey.facts import Facts
from netlab.journey.gathering import Observation
from netlab.journey.joining import Passage, is_question, passages
from netlab.journey.proxy import beyond
from netlab.journey.steps import Leg, Step, Way
from netlab.journey.walking import Walk, arrived
from netlab.reasons import REASONS, Finding


class Screen(Protocol):
    """What shows packets that move: a live diagram."""

    def packets(self, moves: Sequence[Any]) -> None:
        """Let packets travel; each has the `message` that the page gets."""


@dataclass(frozen=True, slots=True)
class _Move:
    message: dict[str, Any]


class Journey:
    """Every hop that a probe really took. A sequence of steps; shown as a table, in a notebook step by step.

    `reason` says why no answer came, and is None when one did.
    """

    def __init__(self, seen: Observation, facts: Facts) -> None:
        self._seen = seen
        self.place, self.target = seen.place, seen.target
        self.outcome = seen.outcome
        self.lost = seen.lost
        sorter = _Sorter(seen, facts)
        diagnosis = Diagnosis(seen, facts, sorter.lookups, sorter.there, sorter.back)
        self.reason: Finding | None = diagnosis.finding()
        self.delivered = diagnosis.delivered_datagram()
        told = [*_lookup(seen, facts, sorter), *_request(seen, facts, sorter)]
        told.append(_answer(seen) if self.reason is None else _death(self.reason, told))
        self.steps: tuple[Step, ...] = tuple(replace(step, number=at) for at, step in enumerate(told, start=1))

    @property
    def ok(self) -> bool:
        """Whether the answer came; for a datagram, whether it was handed to a socket."""
        return self.reason is None

    @property
    def milliseconds(self) -> float | None:
        """From the first packet of the request to its answer."""
        return self.outcome.milliseconds

    def __bool__(self) -> bool:
        return self.ok

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, number: int) -> Step:
        """Return a step by its number, as the table counts: from 1. Negative numbers count from the end."""
        return self.steps[number - 1 if number > 0 else number]

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    @property
    def places(self) -> list[str]:
        """The places that the request came through, in order."""
        there = [
            step.place for step in self.steps if (step.way, step.leg) == ("there", "request") and step.kind != "end"
        ]
        return [place for at, place in enumerate(there) if at == 0 or there[at - 1] != place]

    @property
    def edges(self) -> list[list[str]]:
        """The interfaces that each packet passed, as ids of the lab's diagram (`interface/web/eth0`), packet by packet."""
        return [ids for _, _, ids in self._moves()]

    def _moves(self) -> Iterator[tuple[Leg, Way, list[str]]]:
        legs = list(dict.fromkeys((step.leg, step.way) for step in self.steps))
        for leg, way in legs:
            passed = [
                step.element for step in self.steps
                if (step.leg, step.way) == (leg, way) and step.kind in ("out", "in") and step.element
            ]  # fmt: skip
            ids = [one for at, one in enumerate(passed) if at == 0 or passed[at - 1] != one]
            if ids:
                yield leg, way, ids

    def play(self, diagram: Screen, milliseconds: int = 1200) -> None:
        """Let the packets of the journey travel through a live diagram (`lab.show()`), one after the other."""
        moves = list(self._moves())
        last = len(moves) - 1
        diagram.packets(
            [
                _Move(
                    {
                        "packet": f"journey-{at}",
                        "label": "DNS" if leg == "lookup" else self.target.protocol,
                        "kind": "lost" if self.reason and at == last else "reply" if way == "back" else "request",
                        "delay": at * milliseconds,
                        "duration": milliseconds,
                        "steps": ids,
                    }
                )
                for at, (leg, way, ids) in enumerate(moves)
            ]
        )

    # ── other forms ────────────────────────────────────────────────────────────────────────────────────────────────

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as what JSON can hold."""
        return {
            "from": self.place,
            "to": str(self.target),
            "ok": self.ok,
            "status": self.outcome.status or None,
            "address": self.outcome.address or None,
            "milliseconds": self.milliseconds,
            "reason": self.reason.to_dict() if self.reason else None,
            "places": self.places,
            "edges": self.edges,
            "lost": self.lost,
            "steps": [step.to_dict() for step in self.steps],
        }

    def json(self) -> str:
        """Return all of it as JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2)

    def pcapng(self, path: str | Path) -> Path:
        """Write every packet that was captured meanwhile for Wireshark, those of the steps with a comment; return the path."""
        comments = {id(step.packet): f"{step.number}. {step.place}: {step.text}" for step in self.steps if step.packet}
        return pcapng.write(
            path,
            self._seen.packets,
            {at: comments[id(one)] for at, one in enumerate(self._seen.packets) if id(one) in comments},
        )

    def __repr__(self) -> str:
        return view.text(self)

    def _repr_html_(self) -> str:
        return view.page(self)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


class _Sorter:
    """The packets of a probe by what they are for."""

    def __init__(self, seen: Observation, facts: Facts) -> None:
        self.lookups: list[Passage] = []
        self.there: list[Passage] = []
        self.back: list[Passage] = []
        self._seen = seen
        self._port = seen.outcome.port
        for one in passages(seen):
            one.captures = [capture for capture in one.captures if not facts.overheard(capture)]
            if self._is_lookup(one):
                self.lookups.append(one)
            else:
                (self.there if self.goes(one) == "there" else self.back).append(one)

    def _is_lookup(self, passage: Passage) -> bool:
        headers = passage.headers.inner if passage.headers.is_error and passage.headers.inner else passage.headers
        return is_question(headers, self._seen) and self._port not in (headers.source_port, headers.destination_port)

    def goes(self, passage: Passage) -> Way:
        """Whether a packet is a request or an answer."""
        headers = passage.headers
        if headers.is_error:
            return "back"
        if headers.protocol in ("icmp", "icmp6"):
            return "there" if headers.kind in (8, 128) else "back"
        if self._is_lookup(passage):
            return "back" if headers.payload[2:3] >= b"\x80" else "there"  # the bit QR of RFC 1035
        return "there" if headers.source_port == self._port else "back"


def _lookup(seen: Observation, facts: Facts, sorter: _Sorter) -> Iterator[Step]:
    lookup = seen.outcome.lookup
    if lookup.by == "literal":
        return
    if lookup.by == "hosts":
        yield Step(
            "there", "lookup", seen.place, "lookup", f"/etc/hosts says {lookup.name} is {lookup.addresses[0]}",
            f"/etc/hosts によると {lookup.name} は {lookup.addresses[0]} です", "answered", f"getent hosts {lookup.name}",
        )  # fmt: skip
        return
    command = f"dig {lookup.name} @{lookup.asked}" if lookup.asked else "cat /etc/resolv.conf"
    servers = ", ".join(lookup.servers) or "?"
    yield Step(
        "there", "lookup", seen.place, "lookup", f"/etc/resolv.conf: ask {servers} what {lookup.name} is",
        f"/etc/resolv.conf に従い、{lookup.name} を {servers} に問い合わせます", "answered", command,
    )  # fmt: skip
    shown: set[tuple[Way, str, str]] = set()
    for one in sorter.lookups:
        way = sorter.goes(one)
        ends = (way, one.headers.source, one.headers.destination)
        if ends not in shown:  # a second question, for AAAA or after a silence, takes the same way
            shown.add(ends)
            yield from Walk(seen, facts, one, way, "lookup").steps()
    if lookup.addresses:
        found = ", ".join(lookup.addresses)
        yield Step(
            "back", "lookup", seen.place, "lookup", f"{lookup.asked} says {lookup.name} is {found}",
            f"{lookup.asked} によると {lookup.name} は {found} です", "answered", command,
        )  # fmt: skip


def _request(seen: Observation, facts: Facts, sorter: _Sorter) -> Iterator[Step]:
    outcome = seen.outcome
    if not outcome.lookup.addresses:
        return
    yield _opened(seen)
    shown: list[Passage] = []
    for first in (*sorter.there[:1], *sorter.back[:1]):
        shown.append(first)
        yield from Walk(seen, facts, first, sorter.goes(first), "request").steps()
    if sorter.there:
        yield from beyond(seen, facts, sorter.there[0])
    if outcome.ok or outcome.stage == "connect":
        return
    later: Sequence[Passage] = [one for one in (*sorter.there, *sorter.back) if one not in shown]
    for one in later:  # the connection was made, and something bigger died afterwards
        if not arrived(one) or one.headers.is_error:
            yield from Walk(seen, facts, one, sorter.goes(one), "request").steps()
            return


def _opened(seen: Observation) -> Step:
    outcome, target = seen.outcome, seen.target
    if target.protocol == "icmp":
        english = f"an echo request with id {outcome.port} to {outcome.address}"
        japanese = f"{outcome.address} へのエコー要求 (id {outcome.port})"
    else:
        word = "connection" if target.protocol == "tcp" else "datagram"
        japanese_word = "接続" if target.protocol == "tcp" else "データグラム"
        english = f"a {target.protocol.upper()} {word} from port {outcome.port} to {outcome.address}:{target.port}"
        japanese = (
            f"ポート {outcome.port} から {outcome.address}:{target.port} への {target.protocol.upper()} {japanese_word}"
        )
    return Step("there", "request", seen.place, "socket", english, japanese, "answered", target.command)


def _death(reason: Finding, told: list[Step]) -> Step:
    """Return the step that ends a journey, on the way on which the packet was."""
    way, leg = (told[-1].way, told[-1].leg) if told else ("there", "request")
    return Step(way, leg, reason.place, "end", *_said(reason), "asked", reason.command)


def _answer(seen: Observation) -> Step:
    outcome, target = seen.outcome, seen.target
    if outcome.status:
        english = f"the page came: {outcome.status}, {outcome.octets} bytes"
        japanese = f"ページが届きました: {outcome.status}、{outcome.octets} バイト"
    elif target.protocol == "icmp":
        english, japanese = f"{outcome.address} answered", f"{outcome.address} から応答がありました"
    elif target.protocol == "tcp":
        english, japanese = "the connection is made", "接続が確立しました"
    elif outcome.octets:
        english, japanese = f"an answer came: {outcome.octets} bytes", f"応答が届きました: {outcome.octets} バイト"
    else:
        english = "the datagram was handed to the server; it need not answer"
        japanese = "データグラムはサーバーに渡りました (応答があるとは限りません)"
    return Step("back", "request", seen.place, "answer", english, japanese, "answered", target.command)


def _said(reason: Finding) -> tuple[str, str]:
    """Return a reason's sentence in both languages."""
    english, japanese = REASONS[reason.code].said
    facts = {"place": reason.place, **reason.facts}
    return english.format_map(facts), japanese.format_map(facts)
