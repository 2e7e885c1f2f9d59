"""Faults of addresses, routes and neighbours."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from netlab.faults.fault import (
    Break,
    Command,
    Situation,
    bridge_port,
    default_again,
    default_route,
    fault,
    main_address,
    main_interface,
)


@fault("wrong-mask", 2, "address", "no-route", "arp-unanswered")
def wrong_mask(at: Situation) -> Iterator[Break]:
    """Give a container its address with a mask that has nobody else in it."""
    for way in at.ways:
        for state in at.inhabitants(way):
            one, address = main_interface(state), main_address(state)
            if one is not None and address is not None and address.prefix_length < 32:
                wrong = f"{address.address}/32"
                right = f"{address} broadcast +" if state.kind == "container" else str(address)  # as the engine does
                commands = (
                    Command(state.name, f"ip address delete {address} dev {one.name}"),
                    Command(state.name, f"ip address add {wrong} dev {one.name}"),
                )
                repair = (
                    Command(state.name, f"ip address delete {wrong} dev {one.name}"),
                    Command(state.name, f"ip address add {right} dev {one.name}"),
                    *default_again(state),
                )
                yield Break(way, commands, repair)


@fault("missing-route", 1, "route", "no-route")
def missing_route(at: Situation) -> Iterator[Break]:
    """Take a container's default route away."""
    for way in at.ways:
        for state in at.inhabitants(way):
            route = default_route(state)
            if route is not None and _uses_gateway(way.explanation, state.name):
                repair = Command(state.name, f"ip route add default via {route.gateway}")
                yield Break(way, (Command(state.name, "ip route delete default"),), (repair,))


@fault("wrong-gateway", 2, "route", "arp-unanswered")
def wrong_gateway(at: Situation) -> Iterator[Break]:
    """Let a container's default route lead to an address that nobody has."""
    taken = {a.address for state in at.snapshot.places for one in state.interfaces for a in one.addresses}
    for way in at.ways:
        for state in at.inhabitants(way):
            address, route = main_address(state), default_route(state)
            if route is None or address is None or not _uses_gateway(way.explanation, state.name):
                continue
            *_, last = ipaddress.ip_network(f"{address.address}/28", strict=False).hosts()
            if str(last) not in taken and last in ipaddress.ip_interface(str(address)).network:
                wrong = Command(state.name, f"ip route replace default via {last}")
                yield Break(way, (wrong,), tuple(default_again(state)))


def _uses_gateway(explanation: object, place: str) -> bool:
    return any(
        one.place == place and one.kind == "route" and " via " in one.evidence
        for one in explanation  # type: ignore[attr-defined]  # an Explanation
    )


@fault("no-forwarding", 1, "route", "not-forwarding")
def no_forwarding(at: Situation) -> Iterator[Break]:
    """Switch forwarding off on a host."""
    for way in at.ways:
        for host in at.forwarding_hosts(way):
            off, on = (Command(host.name, f"sysctl -w net.ipv4.ip_forward={number}") for number in (0, 1))
            yield Break(way, (off,), (on,))


@fault("blackhole", 2, "route", "route-refuses")
def blackhole(at: Situation) -> Iterator[Break]:
    """Let a host throw away what is for the servers of the internet."""
    for way in at.ways:
        for host in at.hosts(way):
            if way.end == "www":
                words = "blackhole 198.51.100.0/24"
                add, delete = (Command(host.name, f"ip route {word} {words}") for word in ("add", "delete"))
                yield Break(way, (add,), (delete,))


@fault("reverse-path", 3, "route", "reverse-path")
def reverse_path(at: Situation) -> Iterator[Break]:
    """Let a host believe that a container is elsewhere, and check where packets come from."""
    for way in at.ways:
        for host in at.forwarding_hosts(way):
            state = at.state(way.source)
            end = bridge_port(at, state)
            own = main_address(state)
            uplink = default_route(host)
            if state.kind != "container" or end is None or own is None or uplink is None or end[0] != host.name:
                continue
            key = f"net.ipv4.conf.{end[1].master}.rp_filter"
            commands = (
                Command(host.name, f"sysctl -w {key}=1"),
                Command(host.name, f"ip route add {own.address}/32 via {uplink.gateway}"),
            )
            repair = (
                Command(host.name, f"ip route delete {own.address}/32 via {uplink.gateway}"),
                Command(host.name, f"sysctl -w {key}=0"),
            )
            yield Break(way, commands, repair)


@fault("wrong-neighbour", 3, "address", "neighbour-wrong")
def wrong_neighbour(at: Situation) -> Iterator[Break]:
    """Write down a hardware address for a neighbour that is not its own."""
    for way in at.ways:
        state = at.state(way.source)
        own = main_interface(state)
        first = next((one for one in way.explanation if one.kind == "neighbour" and one.place == state.name), None)
        if own is None or first is None or state.kind not in ("container", "namespace"):
            continue
        neighbour = first.evidence.split()[0]
        words = f"{neighbour} dev {own.name}"
        wrong = Command(state.name, f"ip neigh replace {words} lladdr 02:00:5e:00:53:99 nud permanent")
        yield Break(way, (wrong,), (Command(state.name, f"ip neigh delete {words}"),))


@fault("duplicate-address", 3, "address", "own-source", "duplicate-address")
def duplicate_address(at: Situation) -> Iterator[Break]:
    """Give a container the address of a neighbour as well: what comes from the neighbour seems to come from itself."""
    for way in at.ways:
        victim, thief = at.state(way.source), at.state(way.end)
        theirs, address = main_interface(thief), main_address(victim)
        ends = bridge_port(at, victim), bridge_port(at, thief)
        if address is None or theirs is None or ends[0] is None or ends[1] is None or victim.name == thief.name:
            continue
        if (ends[0][0], ends[0][1].master) == (ends[1][0], ends[1][1].master):
            add, delete = (
                Command(thief.name, f"ip address {word} {address} dev {theirs.name}") for word in ("add", "delete")
            )
            yield Break(way, (add,), (delete,))
