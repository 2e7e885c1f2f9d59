"""Putting together what was seen of one packet in many places: by what it carries, not by where it should have gone.

Translation changes addresses and ports, routers change the time to live; the rest of a packet stays what it is. So a packet
is known by its protocol, IP identification, length, and TCP's numbers, the type of an ICMP message, or the beginning of a
UDP payload. A retransmission has an identification of its own, and is another packet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from netlab.capture.headers import ICMP, ICMP6, TCP, UDP, Headers, network
from netlab.capture.packet import Packet
from netlab.journey.gathering import Observation
from netlab.kernel.netfilter import TABLE, Connection, TraceEvent

Key = tuple[object, ...]
_TRACED_PAYLOAD = 12  # bytes of a UDP payload that a rule trace shows


@dataclass(slots=True)
class Run:
    """One packet's way through one base chain and those that it leads to: `events` in order."""

    place: str
    order: int
    headers: Headers
    events: list[TraceEvent]
    ours: bool  # the chain is one that only watches

    @property
    def incoming(self) -> int | None:
        return self.events[0].incoming

    @property
    def outgoing(self) -> int | None:
        return self.events[0].outgoing

    @property
    def dropped(self) -> TraceEvent | None:
        """The rule or the policy that dropped the packet, if one did."""
        return next((event for event in self.events if event.verdict == "drop"), None)


@dataclass(slots=True)
class Passage:
    """One packet, with everything that was seen of it: captures in the order of the clock, and runs through chains."""

    key: Key
    captures: list[Packet] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    @property
    def headers(self) -> Headers:
        """The packet as it was first seen."""
        return self.captures[0].headers.innermost if self.captures else self.runs[0].headers

    @property
    def began(self) -> float:
        """When it was first seen; a packet that no interface saw has no time."""
        return self.captures[0].nanoseconds if self.captures else float("inf")

    def sights(self) -> Iterator[Packet | Run]:
        """Yield captures and runs in the order in which they happened."""
        slots: dict[int, list[Run]] = {}
        last: dict[str, int] = {}
        for run in self.runs:  # in each place in the kernel's own order
            last[run.place] = max(self._slot(run, last.get(run.place)), last.get(run.place, 0))
            slots.setdefault(last[run.place], []).append(run)
        for position, capture in enumerate(self.captures):
            yield from slots.get(position, ())
            yield capture
        yield from slots.get(len(self.captures), ())

    def _slot(self, run: Run, before: int | None) -> int:
        """Return before which capture the chains were passed.

        A chain of which only the policy is reported says nothing of interfaces: it comes where the one before it came.
        """
        incoming = [at for at, one in enumerate(self.captures) if one.place == run.place and not one.outgoing]
        outgoing = [at for at, one in enumerate(self.captures) if one.place == run.place and one.outgoing]
        if run.incoming is None and run.outgoing is None and before is not None:
            return before
        if run.incoming is not None and incoming:  # a bridge lends its name to packets that only pass its ports
            return next((at for at in reversed(incoming) if self.captures[at].index == run.incoming), incoming[0]) + 1
        if outgoing:
            return next((at for at in outgoing if self.captures[at].index == run.outgoing), outgoing[0])
        return incoming[-1] + 1 if incoming else len(self.captures)


def key_of(headers: Headers) -> Key | None:
    """Return what stays the same of a packet wherever it goes, or None for what is no IP packet."""
    found = headers.innermost
    if not found.source or found.protocol == "arp":
        return None
    own: tuple[object, ...]
    if found.protocol == TCP:
        own = (found.sequence, found.acknowledgement, found.flags)
    elif found.protocol == UDP:
        own = (found.payload[:_TRACED_PAYLOAD],)
    else:
        own = (found.kind, found.code) if found.is_error else (found.kind, found.code, found.sequence)
    return (found.protocol, found.identification, found.size, *own)


def runs_of(seen: Observation) -> list[Run]:
    """Put the events of rule traces together: the first of each base chain carries the packet's headers."""
    runs: list[Run] = []
    current: dict[tuple[str, int], Run] = {}
    for report in seen.reports:
        event = report.event
        if not isinstance(event, TraceEvent) or (event.table.startswith(TABLE) and event.table != seen.table):
            continue
        where = (report.place, event.packet)
        if event.network_header:
            headers = network(event.network_header, event.transport_header)
            current[where] = Run(report.place, report.order, headers, [event], event.table == seen.table)
            runs.append(current[where])
        elif where in current:
            current[where].events.append(event)
    for run in runs:
        # At the end of a chain the kernel reports a rule without a number; it says nothing.
        run.events = [event for event in run.events if event.kind != "rule" or event.handle] or run.events
    return runs


def passages(seen: Observation) -> list[Passage]:
    """Return the packets of the probe, its answers and errors about it, in the order in which they were first seen."""
    runs = runs_of(seen)
    keys = {
        key_of(headers)
        for headers in [*(packet.headers for packet in seen.packets), *(run.headers for run in runs)]
        if _belongs(headers.innermost, seen)
    } - {None}
    return _by_key(seen, runs, keys)


def handshake(seen: Observation, source_port: int, destination_port: int) -> tuple[list[Passage], list[Passage]]:
    """Return the packets that began another TCP connection, and those that answered them."""
    found = []
    for ports, flags in (((source_port, destination_port), "S"), ((destination_port, source_port), "SA")):
        keys = {
            key_of(one.headers)
            for one in seen.packets
            if one.headers.innermost.flags == flags
            and (one.headers.innermost.source_port, one.headers.innermost.destination_port) == ports
        }
        found.append(_by_key(seen, [], keys))
    return found[0], found[1]


def _by_key(seen: Observation, runs: list[Run], keys: set[Key | None]) -> list[Passage]:
    found: dict[Key, Passage] = {}
    for packet in seen.packets:
        key = key_of(packet.headers)
        if key in keys and key is not None:
            found.setdefault(key, Passage(key)).captures.append(packet)
    for run in runs:
        key = key_of(run.headers)
        if key in keys and key is not None:
            found.setdefault(key, Passage(key)).runs.append(run)
    return sorted(found.values(), key=lambda passage: passage.began)


def _belongs(headers: Headers, seen: Observation) -> bool:
    if headers.is_error:
        return headers.inner is not None and _belongs(headers.inner, seen)
    if headers.protocol in (ICMP, ICMP6):
        return seen.target.protocol == "icmp" and headers.echo == seen.outcome.port
    ports = (headers.source_port, headers.destination_port)
    if headers.protocol == seen.target.protocol and seen.outcome.port in ports:
        return True
    return is_question(headers, seen)


def is_question(headers: Headers, seen: Observation) -> bool:
    """Whether it is the probe's question to a name server, asked by itself or on its behalf, or an answer to it."""
    if headers.protocol != UDP or seen.outcome.lookup.by != "dns":
        return False
    return headers.payload[:2] == seen.outcome.question.to_bytes(2, "big")


def connections(seen: Observation, place: str) -> list[Connection]:
    """Return the connections that conntrack noted in a place meanwhile."""
    return [one.event for one in seen.reports if one.place == place and isinstance(one.event, Connection)]
