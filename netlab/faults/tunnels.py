"""Faults of overlay networks."""

from __future__ import annotations

from collections.abc import Iterator

from netlab.faults.fault import Break, Command, Situation, fault, main_interface, table_with
from netlab.faults.ways import Way


def _tunnelled(at: Situation) -> Iterator[tuple[Way, str, str]]:
    """Yield the ways that lead through a tunnel, with the place and the name of its mouth on the sender's side."""
    for way in at.ways:
        source, end = at.state(way.source), at.state(way.end)
        if source.host is None or end.host is None or source.host == end.host:
            continue
        for state in at.snapshot.places:
            for one in state.interfaces:
                own = main_interface(source)
                if one.kind == "vxlan" and own is not None and own.peer_place == state.name:
                    yield way, state.name, one.name


@fault("tunnel-forgets", 3, "tunnel", "tunnel-ignorant")
def tunnel_forgets(at: Situation) -> Iterator[Break]:
    """Take the entry away that tells a tunnel behind which host a container is, and let it learn nothing anew."""
    for way, place, mouth in _tunnelled(at):
        theirs = main_interface(at.state(way.end))
        for entry in at.state(place).forwarding:
            if theirs is not None and entry.mac == theirs.mac and entry.interface == mouth and entry.destination:
                words = f"{entry.mac} dev {mouth} dst {entry.destination} self"
                commands = (
                    Command(place, f"ip link set {mouth} type vxlan nolearning"),
                    Command(place, f"bridge fdb delete {words}"),
                )
                repair = (
                    Command(place, f"bridge fdb append {words} permanent"),
                    Command(place, f"ip link set {mouth} type vxlan learning"),
                )
                yield Break(way, commands, repair)


@fault("tunnel-dropped", 3, "tunnel", "rule-dropped")
def tunnel_dropped(at: Situation) -> Iterator[Break]:
    """Let a host drop the UDP packets that carry a tunnel."""
    for way, _, _ in _tunnelled(at):
        host = at.state(way.end).host
        if host is not None:
            do, undo = table_with("hardening", "prerouting priority -300", "udp dport 4789 drop")
            yield Break(way, (Command(host, do),), (Command(host, undo),))


@fault("tunnel-end-down", 2, "tunnel", "link-down")
def tunnel_end_down(at: Situation) -> Iterator[Break]:
    """Switch the mouth of a tunnel off."""
    for way, place, mouth in _tunnelled(at):
        down, up = (Command(place, f"ip link set {mouth} {word}") for word in ("down", "up"))
        # An interface that goes down forgets its neighbours, also those that the engine has written down.
        known = (
            Command(place, f"ip neigh replace {one.address} lladdr {one.mac} dev {mouth} nud permanent")
            for one in at.state(place).neighbours
            if one.interface == mouth and one.state == "permanent"
        )
        yield Break(way, (down,), (up, *known))
