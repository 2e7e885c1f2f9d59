"""Looking at a whole lab: asks the kernel in every place and puts the answers together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from netlab.errors import LabClosed, MissingTool, NotFound
from netlab.kernel import nft, observe, pairing, sockets
from netlab.kernel.netlink import RouteSocket
from netlab.model import Chain, Interface, PlaceState, Process, Snapshot, Socket
from netlab.sandbox.client import AgentRefusal
from netlab.world import Entry, World

# What a place can be asked for: a table, or one interface by its number. "learned" is "forwarding" that can wait a little.
Table = Literal[
    "links",
    "addresses",
    "routes",
    "neighbours",
    "forwarding",
    "learned",
    "chains",
    "sockets",
    "ip_forward",
    "processes",
]
Topic = Table | int
EVERYTHING: frozenset[Topic] = frozenset(get_args(Table))

_NETLINK, _RAW = 16, 3  # AF_NETLINK, SOCK_RAW


class _Processes:
    """All processes of the sandbox, by the namespace that they are in and by the sockets that they hold."""

    def __init__(self, world: World, *, with_sockets: bool) -> None:
        self.by_namespace: dict[int, list[Process]] = {}
        self.by_socket: dict[int, Process] = {}
        for one in world.processes(with_sockets=with_sockets):
            process = Process(one["pid"], one["name"], one["command"])
            self.by_namespace.setdefault(one["namespace"], []).append(process)
            for inode in one.get("sockets", ()):
                self.by_socket[inode] = process


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one place said: its state but for the other ends of its cables, which only all places together can tell."""

    state: PlaceState
    seen: list[observe.Seen]


class Observer:
    """Looks at a world again and again, and asks only for what may have changed. For one thread.

    What is as it was at the last look is the same object, down to the single interface.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._readings: dict[str, _Reading] = {}
        self._pairing = pairing.Pairing()
        self._processes: _Processes | None = None
        self._places: dict[str, PlaceState] = {}

    def look(
        self, lab: str, networks: Mapping[tuple[str, str], str], asked: Mapping[str, Collection[Topic]] | None = None
    ) -> Snapshot:
        """Return all that the kernel reports of all places; what is not `asked`, by place, is as at the last look.

        Places that are new since are always asked for everything; None asks all for everything. Raises LabClosed, also when
        the lab is closed while it is looked at.
        """
        self._world.refresh()
        entries = {entry.name: entry for entry in self._world}  # kept to the end, and with them their descriptors
        known = {
            name: one
            for name, one in self._readings.items()
            if name in entries and entries[name].inode == one.state.inode
        }
        wanted = {name: EVERYTHING if asked is None or name not in known else asked.get(name, ()) for name in entries}
        processes = self._processes
        if processes is None or any("processes" in topics for topics in wanted.values()):
            processes = self._processes = _Processes(self._world, with_sockets=True)
        readings = {}
        for name, topics in wanted.items():
            try:
                before = known.get(name)
                readings[name] = (
                    self._read(entries[name], before, topics, processes) if topics or not before else before
                )
            except (OSError, ValueError, NotFound):
                continue  # the place went while it was looked at
        self._world.check()  # what went did not go with the whole world
        holds = {name: (entries[name].route_socket, entries[name].descriptor) for name in readings}
        paired = self._pairing.pair({name: one.seen for name, one in readings.items()}, holds)
        places = {name: self._whole(one.state, paired[name], processes) for name, one in readings.items()}
        self._readings, self._places = readings, places
        return Snapshot(lab, tuple(places.values()), dict(networks))

    def _read(self, entry: Entry, known: _Reading | None, topics: Collection[Topic], processes: _Processes) -> _Reading:
        """Ask one place for some topics; the rest is as it was."""
        if known is None:
            known, topics = _Reading(PlaceState(entry.name, entry.kind, entry.inode), []), EVERYTHING
        route_socket = entry.route_socket
        seen = _seen_again(route_socket, known.seen, topics)
        names = {one.interface.index: one.interface.name for one in seen}
        if names != {one.interface.index: one.interface.name for one in known.seen}:
            topics = EVERYTHING  # tables call interfaces by their names
        state = known.state
        ask: dict[Topic, Callable[[], object]] = {
            "routes": lambda: tuple(observe.routes(route_socket, names)),
            "neighbours": lambda: tuple(observe.neighbours(route_socket, names)),
            "forwarding": lambda: tuple(observe.forwarding(route_socket, names)),
            "chains": lambda: tuple(_chains_if_any(self._world, entry)),
            "sockets": lambda: tuple(_sockets(self._world, entry.name, processes)),
            "ip_forward": lambda: observe.ip_forward(route_socket),
        }
        if "learned" in topics:
            topics = {*topics, "forwarding"}
        said: dict[str, Any] = {str(topic): ask[topic]() for topic in ask if topic in topics}
        said |= {"host": entry.host, "label": entry.label}
        new = {field: value for field, value in said.items() if value != getattr(state, field)}
        return _Reading(replace(state, **new) if new else state, seen)

    def _whole(self, state: PlaceState, interfaces: tuple[Interface, ...], processes: _Processes) -> PlaceState:
        """Return a place's state with what only all places together tell; the same object if all is as it was."""
        running = tuple(processes.by_namespace.get(state.inode, ()))
        whole = replace(state, interfaces=interfaces, processes=running)
        known = self._places.get(state.name)
        return known if known == whole else whole


def _seen_again(route_socket: RouteSocket, known: list[observe.Seen], topics: Collection[Topic]) -> list[observe.Seen]:
    """Return the interfaces of a place: those whose numbers are among the topics asked anew, or all if it must be."""
    by_number = {one.interface.index: one for one in known}
    numbers = [topic for topic in topics if isinstance(topic, int)]
    if not numbers and not {"links", "addresses"} & set(topics):
        return known
    names = {number: one.interface.name for number, one in by_number.items()}
    found: dict[int, observe.Seen] = {}
    if not {"links", "addresses"} & set(topics) and all(number in by_number for number in numbers):
        for number in numbers:
            one = observe.interface(route_socket, number, names, by_number[number].interface.addresses)
            if one is None or one.interface.name != names[number]:
                break  # others may call it by its name
            found[number] = one
        else:
            return [_same(one, found.get(number, one)) for number, one in by_number.items()]
    return [_same(by_number.get(one.interface.index), one) for one in observe.interfaces(route_socket)]


def _same(old: observe.Seen | None, new: observe.Seen) -> observe.Seen:
    return old if old is not None and old == new else new


def snapshot(world: World, lab: str, networks: Mapping[tuple[str, str], str]) -> Snapshot:
    """Return all that the kernel reports of all places."""
    return Observer(world).look(lab, networks)


def interfaces_of_all(world: World) -> dict[str, list[Interface]]:
    """Return the interfaces of every place, the two ends of each veth pair matched."""
    seen = {}
    holds = {}
    entries = list(world)  # kept to the end, and with them their descriptors
    for entry in entries:
        try:
            seen[entry.name] = observe.interfaces(entry.route_socket)
        except (OSError, ValueError):
            continue  # the place went while it was looked at
        holds[entry.name] = (entry.route_socket, entry.descriptor)
    return {place: list(ones) for place, ones in pairing.Pairing().pair(seen, holds).items()}


def chains(world: World, place: str) -> list[Chain]:
    """Return the nftables chains of a place with their rules; raises MissingTool where `nft` is not installed."""
    _, listing, _ = world.nft(place, "list ruleset")
    return nft.parse(listing)


def _chains_if_any(world: World, entry: Entry) -> list[Chain]:
    """Return a host's chains; none where `nft` is not installed, for then nobody can have made any."""
    try:
        return chains(world, entry.name) if entry.kind == "host" else []
    except MissingTool:
        return []


def listening_sockets(world: World, place: str) -> list[Socket]:
    """Return the listening sockets of a place, with the processes that hold them."""
    return _sockets(world, place, _Processes(world, with_sockets=True))


def _sockets(world: World, place: str, processes: _Processes) -> list[Socket]:
    try:
        diagnosis = world.open_socket(place, _NETLINK, _RAW, sockets.SOCK_DIAG_PROTOCOL)
    except (AgentRefusal, LabClosed, NotFound):
        return []
    with diagnosis:
        found = []
        for one, inode in sockets.listening(diagnosis):
            holder = processes.by_socket.get(inode)
            name, pid = (holder.name, holder.pid) if holder else (None, None)
            found.append(Socket(one.protocol, one.address, one.port, name, pid))
        return found


def processes_of(world: World, place: str) -> list[Process]:
    """Return the processes whose network namespace is the place's."""
    inode = world.entry(place).inode
    return _Processes(world, with_sockets=False).by_namespace.get(inode, [])
