"""Faults of interfaces, cables and bridges."""

from __future__ import annotations

from collections.abc import Iterator

from netlab.faults.fault import Break, Command, Situation, bridge_port, default_again, fault, main_interface


@fault("link-down", 1, "link", "link-down", "no-route")
def link_down(at: Situation) -> Iterator[Break]:
    """Switch an interface of a container off."""
    for way in at.ways:
        for state in at.inhabitants(way):
            one = main_interface(state)
            if one is not None:
                name = state.name
                repair = (Command(name, f"ip link set {one.name} up"), *default_again(state))
                yield Break(way, (Command(name, f"ip link set {one.name} down"),), repair)


@fault("cable-end-down", 1, "link", "link-down")
def cable_end_down(at: Situation) -> Iterator[Break]:
    """Switch off the end of a container's veth pair that is on the host."""
    for way in at.ways:
        for state in at.inhabitants(way):
            if (end := bridge_port(at, state)) is not None:
                place, port = end
                down, up = (Command(place, f"ip link set {port.name} {word}") for word in ("down", "up"))
                yield Break(way, (down,), (up,))


@fault("lo-down", 2, "link", "link-down")
def lo_down(at: Situation) -> Iterator[Break]:
    """Switch lo off where the name server is asked at 127.0.0.11."""
    for way in at.ways:
        if way.by_name and any(one.evidence.startswith("127.0.0.0/8") for one in way.explanation):
            place = way.source
            yield Break(way, (Command(place, "ip link set lo down"),), (Command(place, "ip link set lo up"),))


@fault("bridge-down", 1, "bridge", "link-down")
def bridge_down(at: Situation) -> Iterator[Break]:
    """Switch a bridge off."""
    for way in at.ways:
        for state in at.inhabitants(way):
            if (end := bridge_port(at, state)) is not None:
                place, port = end
                down, up = (Command(place, f"ip link set {port.master} {word}") for word in ("down", "up"))
                yield Break(way, (down,), (up,))


@fault("not-attached", 2, "bridge", "not-attached")
def not_attached(at: Situation) -> Iterator[Break]:
    """Take a container's cable off its bridge."""
    for way in at.ways:
        for state in at.inhabitants(way):
            if (end := bridge_port(at, state)) is not None:
                place, port = end
                repair = Command(place, f"ip link set {port.name} master {port.master}")
                yield Break(way, (Command(place, f"ip link set {port.name} nomaster"),), (repair,))


@fault("port-blocked", 3, "bridge", "port-blocked")
def port_blocked(at: Situation) -> Iterator[Break]:
    """Disable a bridge's port."""
    for way in at.ways:
        for state in at.inhabitants(way):
            if (end := bridge_port(at, state)) is not None:
                place, port = end
                block, forward = (
                    Command(place, f"bridge link set dev {port.name} state {number}") for number in (0, 3)
                )
                yield Break(way, (block,), (forward,))


@fault("ports-isolated", 3, "bridge", "port-blocked")
def ports_isolated(at: Situation) -> Iterator[Break]:
    """Isolate two ports of a bridge from each other."""
    for way in at.ways:
        ends = [end for state in at.inhabitants(way) if (end := bridge_port(at, state)) is not None]
        if len(ends) == 2 and ends[0][0] == ends[1][0] and ends[0][1].master == ends[1][1].master:
            commands = [
                tuple(Command(place, f"bridge link set dev {port.name} isolated {word}") for place, port in ends)
                for word in ("on", "off")
            ]
            yield Break(way, commands[0], commands[1])


@fault("mtu", 3, "link", "mtu-black-hole")
def mtu(at: Situation) -> Iterator[Break]:
    """Make the host's end of a web server's cable carry small packets only: pings pass, pages do not."""
    for way in at.ways:
        end = bridge_port(at, at.state(way.end)) if way.is_page and at.state(way.end).kind == "container" else None
        if end is not None:
            place, port = end
            small, usual = (Command(place, f"ip link set {port.name} mtu {number}") for number in (120, port.mtu))
            yield Break(way, (small,), (usual,))
