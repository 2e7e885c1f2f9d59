"""Reading what the kernel reports, as `netlab.model` values. Decoding is left to pyroute2."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from netlab.kernel.netlink import GETADDR, GETLINK, GETNEIGH, GETROUTE, RouteSocket, link_body
from netlab.model import Address, ForwardingEntry, Interface, Neighbour, Route

_AF_INET, _AF_INET6, _AF_BRIDGE = 2, 10, 7
_UP, _LOWER_UP, _LOOPBACK = 0x1, 0x10000, 0x8
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
_STATES = {0: "disabled", 1: "listening", 2: "learning", 3: "forwarding", 4: "blocking"}
_MAIN_TABLE = 254
_NOT_LEARNED = 0x80 | 0x40  # NUD_PERMANENT, NUD_NOARP
_DETAILS = {
    "IFLA_VXLAN_ID": "id",
    "IFLA_VXLAN_PORT": "port",
    "IFLA_VXLAN_LOCAL": "local",
    "IFLA_VXLAN_GROUP": "remote",
    "IFLA_MACVLAN_MODE": "mode",
    "IFLA_IPVLAN_MODE": "mode",
    "IFLA_VLAN_ID": "id",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """An interface as one namespace sees it: what its link points at is known only by number."""

    interface: Interface
    link_namespace: int | None  # the number by which this namespace knows the one of the other end; None: this one


@cache
def _marshal() -> Any:
    from pyroute2.netlink.rtnl.marshal import MarshalRtnl  # noqa: PLC0415 - takes 0.2 s, and many runs never read

    return MarshalRtnl()


def prepare() -> None:
    """Load the decoder, which takes a moment the first time."""
    _marshal()


def _entries(route_socket: RouteSocket, kind: int, body: bytes) -> Iterator[Any]:
    for datagram in route_socket.dump(kind, body):
        for message in _marshal().parse(datagram):
            if message["header"]["type"] > 15:  # below are control messages
                yield message


def _attributes(message: Any) -> dict[str, Any]:
    return {name: value for name, value, *_ in message["attrs"]} if message and "attrs" in message else {}


def interfaces(route_socket: RouteSocket) -> list[Seen]:
    """Return the interfaces of a namespace with their addresses (`ip -d address`)."""
    addresses: dict[int, list[Address]] = {}
    for message in _entries(route_socket, GETADDR, struct.pack("=BBBBi", 0, 0, 0, 0, 0)):
        addresses.setdefault(message["index"], []).append(_address(message))
    messages = list(_entries(route_socket, GETLINK, link_body()))
    names = {message["index"]: _attributes(message)["IFLA_IFNAME"] for message in messages}
    return [_interface(message, names, tuple(addresses.get(message["index"], ()))) for message in messages]


def _address(message: Any) -> Address:
    attributes = _attributes(message)
    text = attributes.get("IFA_LOCAL") or attributes["IFA_ADDRESS"]
    family = 4 if message["family"] == _AF_INET else 6
    return Address(text, message["prefixlen"], family, _SCOPES.get(message["scope"], "global"))  # type: ignore[arg-type]


def _interface(message: Any, names: Mapping[int, str], addresses: tuple[Address, ...]) -> Seen:
    attributes = _attributes(message)
    info = _attributes(attributes.get("IFLA_LINKINFO"))
    flags = message["flags"]
    kind = info.get("IFLA_INFO_KIND") or ("loopback" if flags & _LOOPBACK else "ethernet")
    port = _attributes(info.get("IFLA_INFO_SLAVE_DATA")) if info.get("IFLA_INFO_SLAVE_KIND") == "bridge" else {}
    data = info.get("IFLA_INFO_DATA")
    details = _attributes(data) if not isinstance(data, str | bytes | None) else {}
    interface = Interface(
        name=attributes["IFLA_IFNAME"],
        index=message["index"],
        kind=kind,
        mac=attributes.get("IFLA_ADDRESS") or "",
        mtu=attributes.get("IFLA_MTU", 0),
        up=bool(flags & _UP),
        carrier=bool(flags & _LOWER_UP),
        state=str(attributes.get("IFLA_OPERSTATE", "unknown")).lower(),
        master=names.get(attributes.get("IFLA_MASTER", 0)),
        port_state=_STATES.get(port["IFLA_BRPORT_STATE"]) if "IFLA_BRPORT_STATE" in port else None,
        peer_index=attributes.get("IFLA_LINK") or None,
        addresses=addresses,
        details=tuple((_DETAILS[name], str(value)) for name, value in details.items() if name in _DETAILS),
    )
    return Seen(interface, attributes.get("IFLA_LINK_NETNSID"))


class _Ends:
    """The ends of all veth pairs, by the two numbers that they carry."""

    def __init__(self, seen: Mapping[str, list[Seen]], holds: Mapping[str, tuple[RouteSocket, int]]) -> None:
        self._holds = holds
        self._by_numbers: dict[tuple[int, int | None], list[tuple[str, str]]] = {}
        for place, ones in seen.items():
            for one in ones:
                if one.interface.kind == "veth":
                    key = (one.interface.index, one.interface.peer_index)
                    self._by_numbers.setdefault(key, []).append((place, one.interface.name))

    def other(self, place: str, one: Seen) -> tuple[str, str] | None:
        """Return place and name of the other end, if somebody in the lab has it.

        Numbers alone may match by accident, so the kernel is asked whether the namespace is the one that it means.
        """
        for candidate, name in self._by_numbers.get((one.interface.peer_index or 0, one.interface.index), ()):
            if one.link_namespace is None:
                if candidate == place:
                    return candidate, name
            elif self._holds[place][0].namespace_id(self._holds[candidate][1]) == one.link_namespace:
                return candidate, name
        return None


def pair(seen: Mapping[str, list[Seen]], holds: Mapping[str, tuple[RouteSocket, int]]) -> dict[str, list[Interface]]:
    """Find for each veth where its other end is, and return the interfaces of each place with that filled in.

    `holds` gives each place's netlink socket and a descriptor of its namespace (RTM_GETNSID, rtnetlink(7)).
    """
    ends = _Ends(seen, holds)
    paired: dict[str, list[Interface]] = {place: [] for place in seen}
    for place, ones in seen.items():
        for one in ones:
            end = ends.other(place, one) if one.interface.kind == "veth" else None
            found = replace(one.interface, peer_place=end[0], peer_name=end[1]) if end else one.interface
            paired[place].append(found)
    return paired


def routes(route_socket: RouteSocket) -> list[Route]:
    """Return the main routing tables of a namespace, IPv4 and then IPv6 (`ip route; ip -6 route`)."""
    names = _names(route_socket)
    found = []
    for family in (_AF_INET, _AF_INET6):
        for message in _entries(route_socket, GETROUTE, struct.pack("=BBBBBBBBI", family, *[0] * 8)):
            attributes = _attributes(message)
            kind = _ROUTE_KINDS.get(message["type"], str(message["type"]))
            if attributes.get("RTA_TABLE", message["table"]) == _MAIN_TABLE and kind not in ("local", "broadcast"):
                found.append(_route(message, attributes, kind, names))
    return found


def _route(message: Any, attributes: dict[str, Any], kind: str, names: Mapping[int, str]) -> Route:
    destination = attributes.get("RTA_DST")
    return Route(
        destination=f"{destination}/{message['dst_len']}" if destination else "default",
        gateway=attributes.get("RTA_GATEWAY"),
        interface=names.get(attributes.get("RTA_OIF", 0)),
        source=attributes.get("RTA_PREFSRC"),
        scope=_SCOPES.get(message["scope"], str(message["scope"])),
        protocol=_PROTOCOLS.get(message["proto"], str(message["proto"])),
        metric=attributes.get("RTA_PRIORITY", 0),
        kind=kind,
        family=4 if message["family"] == _AF_INET else 6,
    )


def neighbours(route_socket: RouteSocket) -> list[Neighbour]:
    """Return the neighbour table of a namespace, without multicast entries (`ip neigh`)."""
    names = _names(route_socket)
    found = []
    for message in _entries(route_socket, GETNEIGH, struct.pack("=BxxxiHBB", 0, 0, 0, 0, 0)):
        if message["family"] in (_AF_INET, _AF_INET6) and message["state"] in _NEIGHBOUR_STATES:
            attributes = _attributes(message)
            interface = names.get(message["ifindex"], "")
            state = _NEIGHBOUR_STATES[message["state"]]
            found.append(Neighbour(attributes.get("NDA_DST", ""), attributes.get("NDA_LLADDR"), interface, state))
    return found


def forwarding(route_socket: RouteSocket) -> list[ForwardingEntry]:
    """Return the forwarding tables of all bridges and tunnels of a namespace (`bridge fdb`)."""
    names = _names(route_socket)
    found = []
    for message in _entries(route_socket, GETNEIGH, struct.pack("=BxxxiHBB", _AF_BRIDGE, 0, 0, 0, 0)):
        attributes = _attributes(message)
        found.append(
            ForwardingEntry(
                mac=attributes.get("NDA_LLADDR", ""),
                interface=names.get(message["ifindex"], ""),
                bridge=names.get(attributes.get("NDA_MASTER", 0)),
                learned=not message["state"] & _NOT_LEARNED,
                destination=attributes.get("NDA_DST"),
            )
        )
    return found


def _names(route_socket: RouteSocket) -> dict[int, str]:
    return {
        message["index"]: _attributes(message)["IFLA_IFNAME"]
        for message in _entries(route_socket, GETLINK, link_body())
    }
