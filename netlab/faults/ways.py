"""Ways: who can reach what in a lab. What worked before a fault must work again after its repair, and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from netlab.errors import NotFound
from netlab.language import say
from netlab.model import PlaceState, Snapshot
from netlab.places.place import Place
from netlab.why.explanation import Explanation

Explain = Callable[[Sequence[tuple[str, str]]], list[Explanation]]
_MOST_SOURCES = 6
_MOST_WAYS = 40
_AT_ONCE = 8
_OUTSIDE = "http://www.example.com"


class Lab(Protocol):
    """A lab, as faults see it."""

    def snapshot(self) -> Snapshot:
        """Return all that the kernel reports."""

    def __getitem__(self, name: str) -> Place:
        """Return a place."""


@dataclass(frozen=True)
class Way:
    """A place that reaches a target, with what was found on the way there and back."""

    source: str
    target: str
    explanation: Explanation

    @property
    def places(self) -> list[str]:
        """The places that packets pass, in the order in which they are met first."""
        return list(dict.fromkeys(one.place for one in self.explanation))

    @property
    def end(self) -> str:
        """The place whose socket or kernel answers."""
        return next(
            (one.place for one in reversed(self.explanation.conditions) if one.kind in ("socket", "delivery")),
            self.source,
        )

    @property
    def by_name(self) -> bool:
        """Whether a name has to be resolved."""
        return any(one.kind == "name" for one in self.explanation)

    @property
    def is_page(self) -> bool:
        return self.target.startswith("http")

    @property
    def complaint(self) -> str:
        """What a user says when it does not work."""
        if self.source == "client":
            return say(
                en=f"Customers on the internet say that {self.target} is down.",
                ja=f"インターネットのお客様から「{self.target} につながらない」と連絡がありました。",
            )
        if self.target == _OUTSIDE:
            return say(
                en=f"{self.source} reports that nothing on the internet can be reached: {self.target} does not load.",
                ja=f"{self.source} から「インターネットに出られない。{self.target} が開かない」と報告がありました。",
            )
        if self.is_page:
            return say(
                en=f"{self.source} reports that {self.target} does not load.",
                ja=f"{self.source} から「{self.target} が開かない」と報告がありました。",
            )
        wanted = self.target.removeprefix("ping ")
        return say(
            en=f"{self.source} reports that {wanted} does not answer.",
            ja=f"{self.source} から「{wanted} から応答がない」と報告がありました。",
        )


def probe(lab: Lab, source: str, target: str) -> bool:
    """Send a real probe; return whether an answer came."""
    place = lab[source]
    if target.startswith("http"):
        return place.http(target, timeout=2).status is not None
    return place.ping(target.removeprefix("ping ")).ok


def probe_all(lab: Lab, ways: Sequence[Way]) -> list[bool]:
    """Send a real probe along each way, side by side: most of it is waiting. A place that is gone reaches nobody."""

    def works(way: Way) -> bool:
        try:
            return probe(lab, way.source, way.target)
        except NotFound:
            return False

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="netlab-probe") as pool:
        return list(pool.map(works, ways))


def survey(snapshot: Snapshot, explain: Explain) -> tuple[list[Way], list[tuple[str, str]]]:
    """Return the ways that work in a lab, and the pairs that must not reach each other."""
    questions = list(_questions(snapshot))[:_MOST_WAYS]
    asked = [(source, target) for source, targets in questions for target in targets]
    answers = dict(zip(asked, explain(asked), strict=True))
    works, closed = [], []
    for source, targets in questions:
        good = next((target for target in targets if answers[source, target].ok), None)
        if good is not None:
            works.append(Way(source, good, answers[source, good]))
        elif all(answers[source, target].ok is False for target in targets):
            closed.append((source, targets[-1]))
    return works, closed


def _questions(snapshot: Snapshot) -> Iterator[tuple[str, list[str]]]:
    """Yield who could want to reach what, each by a name if there is one, and by an address."""
    inhabitants = _inhabitants(snapshot)
    yield from _from_outside(snapshot)
    for one in inhabitants[:_MOST_SOURCES]:
        for other in inhabitants:
            if other.inode != one.inode:
                address = _address(other) or ""
                if _is_web_server(other):
                    yield one.name, [f"http://{other.name}", f"http://{address}"]
                else:
                    yield one.name, [f"ping {other.name}", f"ping {address}"]
        yield one.name, [_OUTSIDE]
    for one in inhabitants:
        yield "client", [f"ping {_address(one)}"]


def _from_outside(snapshot: Snapshot) -> Iterator[tuple[str, list[str]]]:
    for host in snapshot.places:
        proxies = [one for one in host.sockets if one.process == "docker-proxy" and one.protocol == "tcp"]
        for one in proxies if host.kind == "host" else ():
            address = next((a.address for i in host.interfaces if i.name == "eth0" for a in i.addresses), "")
            if one.address == "0.0.0.0":
                yield "client", [f"http://{address}:{one.port}"]
            if ":" not in one.address:
                yield host.name, [f"http://127.0.0.1:{one.port}"]


def _inhabitants(snapshot: Snapshot) -> list[PlaceState]:
    """Return the containers and namespaces that have an address, each namespace once."""
    found: dict[int, PlaceState] = {one.inode: one for one in snapshot.places if one.kind == "host"}
    hosts = set(found)
    for one in snapshot.places:
        tunnel = any(interface.kind == "vxlan" for interface in one.interfaces)
        if one.kind in ("container", "namespace") and _address(one) and not tunnel:
            found.setdefault(one.inode, one)
    return [one for inode, one in found.items() if inode not in hosts]


def _address(state: PlaceState) -> str | None:
    return next(
        (a.address for i in state.interfaces if i.kind != "loopback" for a in i.addresses if a.family == 4), None
    )  # fmt: skip


def _is_web_server(state: PlaceState) -> bool:
    return any(one.protocol == "tcp" and one.port == 80 and not one.address.startswith("127.") for one in state.sockets)
