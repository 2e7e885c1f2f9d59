"""Looking at a whole lab: asks the kernel in every place and puts the answers together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from netlab.errors import LabClosed, MissingTool, NotFound
from netlab.kernel import nft, observe, pairing, sockets
from netlab.model import Chain, Interface, PlaceState, Process, Snapshot, Socket
from netlab.sandbox.client import AgentRefusal
from netlab.world import Entry, World

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
    """Looks at a world again and again, and asks only those places that may have changed. For one thread."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._readings: dict[str, _Reading] = {}
        self._paired: dict[str, list[Interface]] = {}

    def look(self, lab: str, networks: Mapping[tuple[str, str], str], asked: Collection[str] | None = None) -> Snapshot:
        """Return all that the kernel reports of all places; those that are not `asked` are as at the last look.

        Places that are new since are always asked; None asks all.
        """
        self._world.refresh()
        entries = {entry.name: entry for entry in self._world}  # kept to the end, and with them their descriptors
        processes = _Processes(self._world, with_sockets=True)
        readings = {}
        for name, entry in entries.items():
            known = self._readings.get(name)
            if known is not None and known.state.inode == entry.inode and asked is not None and name not in asked:
                readings[name] = known
                continue
            try:
                readings[name] = _read(self._world, entry, processes)
            except (OSError, ValueError, NotFound):
                continue  # the place went while it was looked at
        if {name: one.seen for name, one in readings.items()} != {n: one.seen for n, one in self._readings.items()}:
            holds = {name: (entries[name].route_socket, entries[name].descriptor) for name in readings}
            self._paired = pairing.pair({name: one.seen for name, one in readings.items()}, holds)
        self._readings = readings
        places = (
            replace(
                one.state,
                interfaces=tuple(self._paired[name]),
                processes=tuple(processes.by_namespace.get(one.state.inode, ())),
            )
            for name, one in readings.items()
        )
        return Snapshot(lab, tuple(places), dict(networks))


def snapshot(world: World, lab: str, networks: Mapping[tuple[str, str], str]) -> Snapshot:
    """Return all that the kernel reports of all places."""
    return Observer(world).look(lab, networks)


def _read(world: World, entry: Entry, processes: _Processes) -> _Reading:
    route_socket = entry.route_socket
    seen = observe.interfaces(route_socket)
    names = {one.interface.index: one.interface.name for one in seen}
    state = PlaceState(
        name=entry.name,
        kind=entry.kind,
        inode=entry.inode,
        host=entry.host,
        label=entry.label,
        routes=tuple(observe.routes(route_socket, names)),
        neighbours=tuple(observe.neighbours(route_socket, names)),
        forwarding=tuple(observe.forwarding(route_socket, names)),
        chains=tuple(_chains_if_any(world, entry)),
        sockets=tuple(_sockets(world, entry.name, processes)),
        ip_forward=observe.ip_forward(route_socket),
    )
    return _Reading(state, seen)


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
    return pairing.pair(seen, holds)


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
