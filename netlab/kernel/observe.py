"""Reading what the kernel reports over rtnetlink, as `netlab.model` values.

Decoded by hand, as `encode` packs by hand: only what the model holds is looked at, and a diagram of a hundred containers has
a thousand messages behind it.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from netlab.kernel.netlink import (
    GETADDR,
    GETLINK,
    GETNEIGH,
    GETNETCONF,
    GETROUTE,
    RouteSocket,
    attributes,
    link_body,
    messages,
    number,
)
from netlab.model import Address, ForwardingEntry, Interface, Neighbour, Route

_AF_BRIDGE = 7
_UP, _LOWER_UP, _LOOPBACK = 0x1, 0x10000, 0x8
_OPERATIONAL = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")
_SCOPES = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
_PROTOCOLS = {0: "unspec", 1: "redirect", 2: "kernel", 3: "boot", 4: "static", 9: "ra", 16: "dhcp"}
_ROUTE_KINDS = {1: "unicast", 2: "local", 3: "broadcast", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
_NEIGHBOUR_STATES = {
    1: "incomplete",
    2: "reachable",
    4: "stale",
    8: "delay",
    16: "probe",
    32: "failed",
    128: "permanent",
}
_PORT_STATES = {0: "disabled", 1: "listening", 2: "learning", 3: "forwarding", 4: "blocking"}
_MAIN_TABLE = 254
_NOT_LEARNED = 0x80 | 0x40  # NUD_PERMANENT, NUD_NOARP

# Attribute numbers, from <linux/if_link.h>, <linux/if_addr.h>, <linux/rtnetlink.h>, <linux/neighbour.h> and <linux/netconf.h>.
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_LINK, _IFLA_MASTER = 1, 3, 4, 5, 10
_IFLA_OPERSTATE, _IFLA_LINKINFO, _IFLA_LINK_NETNSID = 16, 18, 37
_INFO_KIND, _INFO_DATA, _INFO_SLAVE_KIND, _INFO_SLAVE_DATA, _BRPORT_STATE = 1, 2, 4, 5, 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_PREFSRC, _RTA_TABLE = 1, 4, 5, 6, 7, 15
_NDA_DST, _NDA_LLADDR, _NDA_MASTER = 1, 2, 9
_NETCONFA_IFINDEX, _NETCONFA_FORWARDING, _ALL_INTERFACES = 1, 2, 0xFFFFFFFF

_LINK, _ADDRESS = struct.Struct("=BxHiII"), struct.Struct("=BBBBI")
_ROUTE, _NEIGHBOUR = struct.Struct("=BBBBBBBBI"), struct.Struct("=BxxxiHBB")

Names = Mapping[int, str]
Attributes = dict[int, bytes]


@dataclass(frozen=True, slots=True)
class Seen:
    """An interface as one namespace sees it: what its link points at is known only by number."""

    interface: Interface
    link_namespace: int | None  # the number by which this namespace knows the one of the other end; None: this one


# ── values ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _number(value: bytes) -> int:
    """Return a number in the machine's byte order, of whatever width."""
    return int.from_bytes(value, sys.byteorder)


def _name(value: bytes) -> str:
    return value.rstrip(b"\0").decode(errors="replace")


def _ip(value: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(value) == 4 else socket.AF_INET6, value)


def _mac(value: bytes | None) -> str:
    return value.hex(":") if value else ""


_MACVLAN_MODES = {1: "private", 2: "vepa", 4: "bridge", 8: "passthru", 16: "source"}
_IPVLAN_MODES = {0: "l2", 1: "l3", 2: "l3s"}


def _macvlan_mode(value: bytes) -> str:
    return _MACVLAN_MODES.get(_number(value), str(_number(value)))


def _ipvlan_mode(value: bytes) -> str:
    return _IPVLAN_MODES.get(_number(value), str(_number(value)))


def _decimal(value: bytes) -> str:
    return str(_number(value))


def _port(value: bytes) -> str:
    return str(int.from_bytes(value, "big"))


# What is told of some kinds of interfaces: the attribute, its name in the model, and how it is read.
_DETAILS: dict[str, dict[int, tuple[str, Callable[[bytes], str]]]] = {
    "vxlan": {
        1: ("id", _decimal),
        2: ("remote", _ip),
        4: ("local", _ip),
        15: ("port", _port),
        16: ("remote", _ip),
        17: ("local", _ip),
    },
    "macvlan": {1: ("mode", _macvlan_mode)},
    "macvtap": {1: ("mode", _macvlan_mode)},
    "ipvlan": {1: ("mode", _ipvlan_mode)},
    "vlan": {1: ("id", _decimal)},
}


# ── interfaces ─────────────────────────────────────────────────────────────────────────────────────────────────────


def interfaces(route_socket: RouteSocket) -> list[Seen]:
    """Return the interfaces of a namespace with their addresses (`ip -d address`)."""
    addresses: dict[int, list[Address]] = {}
    for body in messages(route_socket.dump(GETADDR, _ADDRESS.pack(0, 0, 0, 0, 0))):
        index, address = _address(body)
        addresses.setdefault(index, []).append(address)
    links = [_link(body) for body in messages(route_socket.dump(GETLINK, link_body()))]
    names = {index: _name(found[_IFLA_IFNAME]) for index, _, found in links}
    return [_interface(*link, names, tuple(addresses.get(link[0], ()))) for link in links]


def interface(route_socket: RouteSocket, index: int, names: Names, addresses: tuple[Address, ...]) -> Seen | None:
    """Return one interface by its number, or None when it is gone (`ip -d link show`).

    `names` are those of all interfaces, `addresses` its own: both are known from an earlier look at all of them.
    """
    answer = route_socket.get(GETLINK, link_body(index))
    return _interface(*_link(next(messages([answer]))), names, addresses) if answer is not None else None


def _link(body: bytes) -> tuple[int, int, Attributes]:
    """Return an interface's number, its flags and its attributes."""
    _, _, index, flags, _ = _LINK.unpack_from(body)
    return index, flags, dict(attributes(body, _LINK.size))


def _address(body: bytes) -> tuple[int, Address]:
    family, prefix_length, _, scope, index = _ADDRESS.unpack_from(body)
    found = dict(attributes(body, _ADDRESS.size))
    text = _ip(found.get(_IFA_LOCAL) or found[_IFA_ADDRESS])
    return index, Address(text, prefix_length, _version(family), _SCOPES.get(scope, "global"))


def _version(family: int) -> Literal[4, 6]:
    return 4 if family == socket.AF_INET else 6


def _interface(index: int, flags: int, found: Attributes, names: Names, addresses: tuple[Address, ...]) -> Seen:
    info = dict(attributes(found.get(_IFLA_LINKINFO, b"")))
    kind = _name(info.get(_INFO_KIND, b"")) or ("loopback" if flags & _LOOPBACK else "ethernet")
    is_port = _name(info.get(_INFO_SLAVE_KIND, b"")) == "bridge"
    port = dict(attributes(info.get(_INFO_SLAVE_DATA, b""))) if is_port else {}
    master, link, namespace = found.get(_IFLA_MASTER), found.get(_IFLA_LINK), found.get(_IFLA_LINK_NETNSID)
    state = _number(found.get(_IFLA_OPERSTATE, b""))
    interface = Interface(
        name=_name(found[_IFLA_IFNAME]),
        index=index,
        kind=kind,
        mac=_mac(found.get(_IFLA_ADDRESS)),
        mtu=_number(found.get(_IFLA_MTU, b"")),
        up=bool(flags & _UP),
        carrier=bool(flags & _LOWER_UP),
        state=_OPERATIONAL[state] if state < len(_OPERATIONAL) else "unknown",
        master=names.get(_number(master)) if master else None,
        port_state=_PORT_STATES.get(_number(port[_BRPORT_STATE])) if _BRPORT_STATE in port else None,
        peer_index=(_number(link) or None) if link else None,
        addresses=addresses,
        details=tuple(_details(kind, info.get(_INFO_DATA, b""))),
    )
    return Seen(interface, _number(namespace) if namespace else None)


def _details(kind: str, data: bytes) -> Iterator[tuple[str, str]]:
    wanted = _DETAILS.get(kind)
    if wanted:
        for attribute, value in attributes(data):
            if attribute in wanted:
                name, read = wanted[attribute]
                yield name, read(value)


# ── tables ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def names_of(route_socket: RouteSocket) -> dict[int, str]:
    """Return the names of a namespace's interfaces by their numbers."""
    links = [_link(body) for body in messages(route_socket.dump(GETLINK, link_body()))]
    return {index: _name(found[_IFLA_IFNAME]) for index, _, found in links}


def routes(route_socket: RouteSocket, names: Names | None = None) -> list[Route]:
    """Return the main routing tables of a namespace, IPv4 and then IPv6 (`ip route; ip -6 route`).

    `names` are those of its interfaces, if the caller has them already; so below.
    """
    names = names_of(route_socket) if names is None else names
    found = []
    for family in (socket.AF_INET, socket.AF_INET6):
        for body in messages(route_socket.dump(GETROUTE, _ROUTE.pack(family, *[0] * 8))):
            route = _route(body, names)
            if route is not None:
                found.append(route)
    return found


def _route(body: bytes, names: Names) -> Route | None:
    """Return a route of the main table that a person would call one, or None."""
    family, prefix_length, _, _, table, protocol, scope, kind, _ = _ROUTE.unpack_from(body)
    found = dict(attributes(body, _ROUTE.size))
    word = _ROUTE_KINDS.get(kind, str(kind))
    if (_number(found[_RTA_TABLE]) if _RTA_TABLE in found else table) != _MAIN_TABLE or word in ("local", "broadcast"):
        return None
    destination, gateway, source = found.get(_RTA_DST), found.get(_RTA_GATEWAY), found.get(_RTA_PREFSRC)
    return Route(
        destination=f"{_ip(destination)}/{prefix_length}" if destination else "default",
        gateway=_ip(gateway) if gateway else None,
        interface=names.get(_number(found.get(_RTA_OIF, b""))),
        source=_ip(source) if source else None,
        scope=_SCOPES.get(scope, str(scope)),
        protocol=_PROTOCOLS.get(protocol, str(protocol)),
        metric=_number(found.get(_RTA_PRIORITY, b"")),
        kind=word,
        family=_version(family),
    )


def neighbours(route_socket: RouteSocket, names: Names | None = None) -> list[Neighbour]:
    """Return the neighbour table of a namespace, without multicast entries (`ip neigh`)."""
    names = names_of(route_socket) if names is None else names
    neighbours = []
    for body in messages(route_socket.dump(GETNEIGH, _NEIGHBOUR.pack(0, 0, 0, 0, 0))):
        family, index, state, _, _ = _NEIGHBOUR.unpack_from(body)
        if family in (socket.AF_INET, socket.AF_INET6) and state in _NEIGHBOUR_STATES:
            found = dict(attributes(body, _NEIGHBOUR.size))
            address = _ip(found[_NDA_DST]) if _NDA_DST in found else ""
            mac = _mac(found.get(_NDA_LLADDR)) or None
            neighbours.append(Neighbour(address, mac, names.get(index, ""), _NEIGHBOUR_STATES[state]))
    return neighbours


def forwarding(route_socket: RouteSocket, names: Names | None = None) -> list[ForwardingEntry]:
    """Return the forwarding tables of all bridges and tunnels of a namespace (`bridge fdb`)."""
    names = names_of(route_socket) if names is None else names
    entries = []
    for body in messages(route_socket.dump(GETNEIGH, _NEIGHBOUR.pack(_AF_BRIDGE, 0, 0, 0, 0))):
        _, index, state, _, _ = _NEIGHBOUR.unpack_from(body)
        found = dict(attributes(body, _NEIGHBOUR.size))
        entries.append(
            ForwardingEntry(
                mac=_mac(found.get(_NDA_LLADDR)),
                interface=names.get(index, ""),
                bridge=names.get(_number(found.get(_NDA_MASTER, b""))),
                learned=not state & _NOT_LEARNED,
                destination=_ip(found[_NDA_DST]) if _NDA_DST in found else None,
            )
        )
    return entries


def ip_forward(route_socket: RouteSocket) -> bool:
    """Whether a namespace passes packets on from one interface to another (net.ipv4.ip_forward)."""
    asked = struct.pack("=Bxxx", socket.AF_INET) + number(_NETCONFA_IFINDEX, _ALL_INTERFACES)
    answer = route_socket.get(GETNETCONF, asked)
    return answer is not None and bool(_number(dict(attributes(answer, 20)).get(_NETCONFA_FORWARDING, b"")))
