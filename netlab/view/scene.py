"""A snapshot made ready for drawing: who is joined to whom, who owns a namespace, which colour a network has."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from netlab.view.words import INTERNET_KINDS, is_off

if TYPE_CHECKING:
    from netlab.language import Language
    from netlab.model import Interface, PlaceState, Snapshot

End = tuple[str, int]  # an interface: the name of its place, and its index there


class Paint(NamedTuple):
    """The colour of a network: of its lines, and of the paper behind its bridge."""

    line: str
    paper: str


# After Okabe and Ito and Paul Tol: colour-blind readers tell them apart; no red (trouble) and no yellow (NAT).
NETWORK_PAINTS = (
    Paint("#0072b2", "#e4f2fb"),
    Paint("#00755a", "#e0f4ed"),
    Paint("#a8429a", "#f9ebf6"),
    Paint("#a85400", "#fcf0dc"),
    Paint("#332288", "#eae8f6"),
    Paint("#3f4300", "#f1f4d8"),
    Paint("#0b3d56", "#dff0f6"),
    Paint("#5b1efa", "#f0eaff"),
)
PLAIN = Paint("#64748b", "#eef2f6")
HIGHLIGHT = "#e69f00"


class Joint(NamedTuple):
    """A veth pair: its two ends, the one that was reported first in front."""

    first: End
    second: End


def fold_id(bridge: str) -> str:
    """Return the id of the box that stands for all that hangs from a bridge: `fold/host/docker0`."""
    return "fold/" + bridge.removeprefix("interface/")


@dataclass(frozen=True)
class Scene:
    """A snapshot with its cross references resolved."""

    snapshot: Snapshot
    language: Language
    highlight: frozenset[str] = field(default_factory=frozenset)
    folded: frozenset[str] = field(default_factory=frozenset)  # ids of the bridges whose networks are one box each
    widths: dict[str, float] = field(default_factory=dict, compare=False)  # of boxes already measured, by name

    @cached_property
    def position(self) -> dict[str, int]:
        """Where each place stands in the snapshot: the order of everything that is drawn."""
        return {place.name: number for number, place in enumerate(self.snapshot.places)}

    @cached_property
    def owners(self) -> dict[str, PlaceState]:
        """For each place the one that owns its network namespace; a host goes before the containers that share it."""
        first: dict[int, PlaceState] = {}
        for place in sorted(self.snapshot.places, key=lambda one: one.kind != "host"):
            if place.inode:
                first.setdefault(place.inode, place)
        return {place.name: first.get(place.inode, place) for place in self.snapshot.places}

    @cached_property
    def hosts(self) -> tuple[PlaceState, ...]:
        return tuple(place for place in self.snapshot.places if place.kind == "host")

    @cached_property
    def internet(self) -> tuple[PlaceState, ...]:
        return tuple(place for place in self.snapshot.places if place.kind in INTERNET_KINDS)

    def owns(self, place: PlaceState) -> bool:
        """Whether the place has a network namespace of its own."""
        return self.owners[place.name] is place

    def is_room(self, place: PlaceState) -> bool:
        """Whether the place is drawn as a room with furniture: a host, or a namespace with a bridge in it."""
        return place.kind == "host" or (self.owns(place) and any(one.kind == "bridge" for one in place.interfaces))

    def home(self, place: PlaceState) -> str | None:
        """Return the host that a container or a namespace is drawn in."""
        if place.kind == "host" or place.kind in INTERNET_KINDS:
            return None
        if place.host and place.host in self.position:
            return place.host
        return self.hosts[0].name if self.hosts else None

    def inside(self, host: str | None) -> list[PlaceState]:
        """Return what is drawn inside a host's room, or beside all of them."""
        return [
            place
            for place in self.snapshot.places
            if place.kind != "host"
            and place.kind not in INTERNET_KINDS
            and self.home(place) == host
            and self.fold_of(place) is None
        ]

    # ── folding ────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _hanging(self) -> dict[str, list[str]]:
        """For each bridge that can be folded, by its id, the places that are on it and on nothing else."""
        found: dict[str, list[str]] = {}
        for place in self.snapshot.places:
            bridges = {self._bridge_of(one) for one in place.interfaces if one.kind != "loopback"}
            if place.kind in ("container", "namespace") and len(bridges) == 1 and not self.is_room(place):
                (bridge,) = bridges
                if bridge is not None:
                    found.setdefault(bridge, []).append(place.name)
        return found

    def _bridge_of(self, interface: Interface) -> str | None:
        other = self.peer(interface)
        return f"interface/{other[0].name}/{other[1].master}" if other and other[1].master else None

    def with_folded(self, folded: frozenset[str]) -> Scene:
        """Return the scene with other networks folded; what does not depend on that is not found out again."""
        other = replace(self, folded=folded)
        shared = ("position", "owners", "hosts", "internet", "_hanging", "_by_number", "joints", "_paints")
        vars(other).update({name: getattr(self, name) for name in shared})
        return other

    @property
    def foldable(self) -> dict[str, int]:
        """The bridges, by id, whose networks can be folded, with the number of places behind each."""
        return {bridge: len(places) for bridge, places in self._hanging.items()}

    @cached_property
    def folds(self) -> dict[str, list[str]]:
        """The places behind each box that stands for a folded network, by the box's id."""
        return {fold_id(bridge): places for bridge, places in self._hanging.items() if bridge in self.folded}

    @cached_property
    def _fold_of(self) -> dict[str, str]:
        return {name: fold for fold, names in self.folds.items() for name in names}

    def fold_of(self, place: PlaceState) -> str | None:
        """Return the id of the box that stands for the place, or None when it is drawn itself."""
        return self._fold_of.get(self.owners[place.name].name if self._fold_of else "")

    def peer(self, interface: Interface) -> tuple[PlaceState, Interface] | None:
        """Return the other end of a veth, or None when nobody in the lab has it."""
        if interface.kind != "veth" or interface.peer_place not in self.owners:
            return None
        place = self.owners[interface.peer_place]
        end = self._by_number.get((place.name, interface.peer_index or 0))
        end = end or place.interface(interface.peer_name or "")
        return (place, end) if end else None

    @cached_property
    def _by_number(self) -> dict[End, Interface]:
        return {(place.name, one.index): one for place in self.snapshot.places for one in reversed(place.interfaces)}

    @cached_property
    def joints(self) -> tuple[Joint, ...]:
        """All veth pairs with both ends in the lab, each once."""
        found: dict[frozenset[End], Joint] = {}
        for place in self.snapshot.places:
            for interface in place.interfaces if self.owns(place) else ():
                if other := self.peer(interface):
                    ends = (place.name, interface.index), (other[0].name, other[1].index)
                    found.setdefault(frozenset(ends), Joint(*ends))
        return tuple(found.values())

    def interface(self, end: End) -> Interface:
        return self._by_number[end]

    def broken(self, joint: Joint) -> bool:
        """Whether one of the two ends does not work."""
        return any(is_off(self.interface(end)) for end in joint)

    @cached_property
    def _paints(self) -> dict[tuple[str, str], Paint]:
        bridges = [
            (place.name, one.name)
            for place in self.snapshot.places
            if place.kind not in INTERNET_KINDS and self.owns(place)
            for one in sorted(place.interfaces, key=lambda interface: interface.index)
            if one.kind == "bridge"
        ]
        named: dict[str, Paint] = {}
        paints: dict[tuple[str, str], Paint] = {}
        for bridge in bridges:
            # One overlay network has a bridge on every host: same name, same colour.
            network = self.snapshot.networks.get(bridge, "/".join(bridge))
            named.setdefault(network, NETWORK_PAINTS[len(named) % len(NETWORK_PAINTS)])
            paints[bridge] = named[network]
        return paints

    def paint(self, place: PlaceState, interface: Interface) -> Paint:
        """Return the colour of the network that the interface belongs to."""
        name = interface.name if interface.kind == "bridge" else interface.master
        if name and (place.name, name) in self._paints:
            return self._paints[place.name, name]
        other = self.peer(interface)
        if other and other[1].master:
            return self._paints.get((other[0].name, other[1].master), PLAIN)
        return PLAIN
