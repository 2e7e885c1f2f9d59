"""What a fault is: a name, a level, and the places of a lab where it could strike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from shlex import quote

from netlab import observer
from netlab.faults.ways import Way
from netlab.model import Address, Interface, PlaceState, Route, Rule, Snapshot
from netlab.why.trouble import Repair
from netlab.world import World

Command = Repair  # a command, and the place where to run it


@dataclass(frozen=True)
class Break:
    """One way to inflict a fault: the commands that do it, those that undo it, and a way that it interrupts."""

    way: Way
    commands: tuple[Command, ...]
    repair: tuple[Command, ...]

    @property
    def by_engine(self) -> bool:
        """Whether its repair has the engine set a container up anew, with all that was broken in it before."""
        return any(one.command.startswith("docker ") for one in self.repair)


@dataclass(frozen=True)
class Situation:
    """A lab as it is before something breaks: what the kernel reports, and the ways that work."""

    world: World
    snapshot: Snapshot
    ways: Sequence[Way]

    def state(self, place: str) -> PlaceState:
        """Return what is reported of a place."""
        state = self.snapshot.place(place)
        if state is None:
            raise KeyError(place)
        return next(one for one in self.snapshot.places if one.inode == state.inode)

    def inhabitants(self, way: Way) -> Iterator[PlaceState]:
        """Yield the containers and namespaces at the two ends of a way."""
        for name in dict.fromkeys((way.source, way.end)):
            state = self.state(name)
            if state.kind in ("container", "namespace"):
                yield state

    def hosts(self, way: Way) -> Iterator[PlaceState]:
        """Yield the hosts that a way leads through."""
        for name in way.places:
            if (state := self.state(name)).kind == "host" and name not in (way.source, way.end):
                yield state

    def forwarding_hosts(self, way: Way) -> Iterator[PlaceState]:
        """Yield those of the hosts that pass the packets of a way on."""
        for host in self.hosts(way):
            if any(one.kind == "forwarding" and one.place == host.name for one in way.explanation):
                yield host

    def rules(self, place: str) -> list[Rule]:
        """Return the nftables rules of a place, of a container as well."""
        return [rule for chain in observer.chains(self.world, place) for rule in chain.rules]

    def file(self, place: str, path: str) -> str:
        """Return a file of a place."""
        return self.world.read_file(place, f"/proc/{self.world.entry(place).pid}/root{path}")


Strike = Callable[[Situation], Iterator[Break]]


@dataclass(frozen=True)
class Fault:
    """One fault. `level` is 1 to 3; `reasons` are the keys of netlab.reasons that an explanation may name for it."""

    name: str
    level: int
    kind: str  # link, address, route, rules, name, bridge, server or tunnel
    reasons: frozenset[str]
    strikes: Strike = field(repr=False)


FAULTS: dict[str, Fault] = {}


def fault(name: str, level: int, kind: str, *reasons: str) -> Callable[[Strike], Strike]:
    """Enter a function that yields breaks as the fault of that name."""

    def enter(strikes: Strike) -> Strike:
        FAULTS[name] = Fault(name, level, kind, frozenset(reasons), strikes)
        return strikes

    return enter


# ── what several faults need ───────────────────────────────────────────────────────────────────────────────────────


def main_interface(state: PlaceState) -> Interface | None:
    """Return the first interface of a place that has an IPv4 address, but lo."""
    return next(
        (one for one in state.interfaces if one.kind != "loopback" and any(a.family == 4 for a in one.addresses)), None
    )  # fmt: skip


def main_address(state: PlaceState) -> Address | None:
    """Return the first IPv4 address of a place, but those of lo."""
    one = main_interface(state)
    return next(address for address in one.addresses if address.family == 4) if one is not None else None


def default_route(state: PlaceState) -> Route | None:
    """Return the IPv4 default route of a place."""
    return next((one for one in state.routes if one.destination == "default" and one.family == 4 and one.gateway), None)


def default_again(state: PlaceState) -> list[Command]:
    """Return the command that gives a place the default route that it has now."""
    route = default_route(state)
    return [Command(state.name, f"ip route replace default via {route.gateway}")] if route else []


def bridge_port(situation: Situation, state: PlaceState) -> tuple[str, Interface] | None:
    """Return the other end of a place's cable, if that is a bridge's port: the place that it is in, and the interface."""
    one = main_interface(state)
    if one is None or not one.peer_place or not one.peer_name:
        return None
    there = situation.state(one.peer_place)
    port = there.interface(one.peer_name)
    return (there.name, port) if port is not None and port.master else None


def written(place: str, path: str, text: str) -> Command:
    """Return the command that writes a file."""
    return Command(place, f"printf %s {quote(text)} > {path}")


def table_with(name: str, hook: str, rule: str) -> tuple[str, str]:
    """Return the commands that make a table with one chain at a hook and one rule, and that delete it."""
    script = f"table inet {name} {{ chain {name} {{ type filter hook {hook}; {rule}; }}; }}"
    return f"nft {quote(script)}", f"nft delete table inet {name}"
