"""Operations as netlink messages: the one place that knows which message does what."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable
from typing import Protocol

from netlab import ops
from netlab.errors import NotFound
from netlab.kernel.netlink import (
    CREATE,
    DELADDR,
    DELLINK,
    DELNEIGH,
    DELROUTE,
    EXCLUSIVE,
    IFF_UP,
    NEWADDR,
    NEWLINK,
    NEWNEIGH,
    NEWROUTE,
    SETLINK,
    attribute,
    link_body,
    number,
    text,
)

Message = tuple[int, int, bytes]

_ADDRESS, _IFNAME, _MTU, _MASTER, _LINKINFO, _NET_NS_FD = 1, 3, 4, 10, 18, 28
_NUM_TX_QUEUES, _NUM_RX_QUEUES = 31, 32
_INFO_KIND, _INFO_DATA, _VETH_PEER = 1, 2, 1
_LINK, _MACVLAN_MODE = 5, 1
MACVLAN_MODES = {"private": 1, "vepa": 2, "bridge": 4, "passthru": 8}
_VXLAN_ID, _VXLAN_LEARNING, _VXLAN_PROXY, _VXLAN_L2MISS, _VXLAN_L3MISS, _VXLAN_PORT = 1, 7, 11, 13, 14, 15
_NDA_DST, _NDA_LLADDR = 1, 2
_PERMANENT, _SELF = 0x80, 0x02  # NUD_PERMANENT, NTF_SELF
_AF_BRIDGE = 7
_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST = 1, 2, 4
_RTA_DST, _RTA_OIF, _RTA_GATEWAY = 1, 4, 5
_NODAD = 0x02  # IFA_F_NODAD
_MAIN_TABLE, _BOOT, _STATIC_KINDS = 254, 3, {"unicast": 1, "blackhole": 6, "unreachable": 7, "prohibit": 8}
_SCOPE_GLOBAL, _SCOPE_LINK, _SCOPE_HOST, _SCOPE_NOWHERE = 0, 253, 254, 255


class Surroundings(Protocol):
    """What encoding must know of the world: interface numbers and namespaces."""

    def index(self, place: str, name: str) -> int:
        """Return the number of an interface; raises NotFound."""

    def namespace(self, place: str) -> int:
        """Return a descriptor of the place's network namespace; raises NotFound."""


def _mac(value: str) -> bytes:
    return bytes.fromhex(value.replace(":", ""))


def _add_veth(op: ops.AddVeth, around: Surroundings) -> Message:
    queues = number(_NUM_TX_QUEUES, op.queues) + number(_NUM_RX_QUEUES, op.queues) if op.queues else b""
    peer = [link_body(op.peer_index), text(_IFNAME, op.peer), queues]
    if op.peer_mac:
        peer.append(attribute(_ADDRESS, _mac(op.peer_mac)))
    if op.mtu:
        peer.append(number(_MTU, op.mtu))
    if op.peer_place and op.peer_place != op.place:
        peer.append(number(_NET_NS_FD, around.namespace(op.peer_place)))
    up = IFF_UP if op.up else 0
    parts = [link_body(op.index, up, up), text(_IFNAME, op.name), queues]
    if op.mac:
        parts.append(attribute(_ADDRESS, _mac(op.mac)))
    if op.mtu:
        parts.append(number(_MTU, op.mtu))
    if op.master:
        parts.append(number(_MASTER, around.index(op.place, op.master)))
    data = attribute(_INFO_DATA, attribute(_VETH_PEER, b"".join(peer)))
    parts.append(attribute(_LINKINFO, text(_INFO_KIND, "veth") + data))
    return NEWLINK, CREATE | EXCLUSIVE, b"".join(parts)


def _add_bridge(op: ops.AddBridge, _: Surroundings) -> Message:
    up = IFF_UP if op.up else 0
    body = link_body(op.index, up, up) + text(_IFNAME, op.name)
    if op.mac:
        body += attribute(_ADDRESS, _mac(op.mac))
    return NEWLINK, CREATE | EXCLUSIVE, body + attribute(_LINKINFO, text(_INFO_KIND, "bridge"))


def _add_macvlan(op: ops.AddMacvlan, around: Surroundings) -> Message:
    parts = [link_body(op.index), text(_IFNAME, op.name), number(_LINK, around.index(op.place, op.parent))]
    if op.mac:
        parts.append(attribute(_ADDRESS, _mac(op.mac)))
    if op.target != op.place:
        parts.append(number(_NET_NS_FD, around.namespace(op.target)))
    data = attribute(_INFO_DATA, number(_MACVLAN_MODE, MACVLAN_MODES[op.mode]))
    parts.append(attribute(_LINKINFO, text(_INFO_KIND, "macvlan") + data))
    return NEWLINK, CREATE | EXCLUSIVE, b"".join(parts)


def _add_vxlan(op: ops.AddVxlan, around: Surroundings) -> Message:
    parts = [link_body(), text(_IFNAME, op.name)]
    if op.mtu:
        parts.append(number(_MTU, op.mtu))
    if op.target != op.place:
        parts.append(number(_NET_NS_FD, around.namespace(op.target)))
    data = number(_VXLAN_ID, op.number) + attribute(_VXLAN_PORT, struct.pack("!H", op.port))
    data += attribute(_VXLAN_LEARNING, b"\1")
    for flag in (_VXLAN_PROXY, _VXLAN_L2MISS, _VXLAN_L3MISS) if op.proxy else ():
        data += attribute(flag, b"\1")
    parts.append(attribute(_LINKINFO, text(_INFO_KIND, "vxlan") + attribute(_INFO_DATA, data)))
    return NEWLINK, CREATE | EXCLUSIVE, b"".join(parts)


def _forwarding_body(op: ops.AddForwarding | ops.DeleteForwarding, around: Surroundings) -> bytes:
    fixed = struct.pack("=BxxxiHBB", _AF_BRIDGE, around.index(op.place, op.name), _PERMANENT, _SELF, 0)
    there = ipaddress.ip_address(op.destination).packed
    return fixed + attribute(_NDA_LLADDR, _mac(op.mac)) + attribute(_NDA_DST, there)


def _add_forwarding(op: ops.AddForwarding, around: Surroundings) -> Message:
    return NEWNEIGH, CREATE | EXCLUSIVE, _forwarding_body(op, around)


def _delete_forwarding(op: ops.DeleteForwarding, around: Surroundings) -> Message:
    return DELNEIGH, 0, _forwarding_body(op, around)


def _neighbour_body(op: ops.AddNeighbour | ops.DeleteNeighbour, around: Surroundings) -> bytes:
    address = ipaddress.ip_address(op.address)
    family = 2 if address.version == 4 else 10
    fixed = struct.pack("=BxxxiHBB", family, around.index(op.place, op.name), _PERMANENT, 0, 0)
    return fixed + attribute(_NDA_DST, address.packed) + attribute(_NDA_LLADDR, _mac(op.mac))


def _add_neighbour(op: ops.AddNeighbour, around: Surroundings) -> Message:
    return NEWNEIGH, CREATE | EXCLUSIVE, _neighbour_body(op, around)


def _delete_neighbour(op: ops.DeleteNeighbour, around: Surroundings) -> Message:
    return DELNEIGH, 0, _neighbour_body(op, around)


def _delete_link(op: ops.DeleteLink, around: Surroundings) -> Message:
    return DELLINK, 0, link_body(around.index(op.place, op.name))


def _set_up(op: ops.SetUp, around: Surroundings) -> Message:
    return SETLINK, 0, link_body(around.index(op.place, op.name), IFF_UP, IFF_UP)


def _set_down(op: ops.SetDown, around: Surroundings) -> Message:
    return SETLINK, 0, link_body(around.index(op.place, op.name), 0, IFF_UP)


def _set_master(op: ops.SetMaster, around: Surroundings) -> Message:
    master = around.index(op.place, op.master) if op.master else 0
    return SETLINK, 0, link_body(around.index(op.place, op.name)) + number(_MASTER, master)


def _move_link(op: ops.MoveLink, around: Surroundings) -> Message:
    target = number(_NET_NS_FD, around.namespace(op.target))
    return SETLINK, 0, link_body(around.index(op.place, op.name)) + target


def _rename_link(op: ops.RenameLink, around: Surroundings) -> Message:
    return SETLINK, 0, link_body(around.index(op.place, op.name)) + text(_IFNAME, op.new)


def _set_mtu(op: ops.SetMtu, around: Surroundings) -> Message:
    return SETLINK, 0, link_body(around.index(op.place, op.name)) + number(_MTU, op.mtu)


def _set_mac(op: ops.SetMac, around: Surroundings) -> Message:
    return SETLINK, 0, link_body(around.index(op.place, op.name)) + attribute(_ADDRESS, _mac(op.mac))


def _address_body(op: ops.AddAddress | ops.DeleteAddress, around: Surroundings) -> bytes:
    interface = ipaddress.ip_interface(op.address)
    family = 2 if interface.version == 4 else 10
    index = around.index(op.place, op.name)
    packed = interface.ip.packed
    scope = _SCOPE_HOST if family == 2 and interface.is_loopback else _SCOPE_GLOBAL
    flags = _NODAD if isinstance(op, ops.AddAddress) and op.nodad else 0
    parts = [struct.pack("=BBBBi", family, interface.network.prefixlen, flags, scope, index)]
    parts += [attribute(_IFA_LOCAL, packed), attribute(_IFA_ADDRESS, packed)]
    if family == 2 and interface.network.prefixlen < 31:
        parts.append(attribute(_IFA_BROADCAST, interface.network.broadcast_address.packed))
    return b"".join(parts)


def _add_address(op: ops.AddAddress, around: Surroundings) -> Message:
    return NEWADDR, CREATE | EXCLUSIVE, _address_body(op, around)


def _delete_address(op: ops.DeleteAddress, around: Surroundings) -> Message:
    return DELADDR, 0, _address_body(op, around)


def _route_body(op: ops.AddRoute, around: Surroundings, *, adding: bool) -> bytes:
    subnet = None if op.destination == "default" else ipaddress.ip_network(op.destination, strict=False)
    gateway = ipaddress.ip_address(op.gateway) if op.gateway else None
    version = subnet.version if subnet else gateway.version if gateway else 4
    scope = _SCOPE_GLOBAL if gateway or op.kind != "unicast" else _SCOPE_LINK
    fixed = struct.pack(
        "=BBBBBBBBI",
        2 if version == 4 else 10,
        subnet.prefixlen if subnet else 0,
        0,
        0,
        _MAIN_TABLE,
        _BOOT if adding else 0,
        scope if adding else _SCOPE_NOWHERE,
        _STATIC_KINDS[op.kind],
        0,
    )
    parts = [fixed]
    if subnet:
        parts.append(attribute(_RTA_DST, subnet.network_address.packed))
    if gateway:
        parts.append(attribute(_RTA_GATEWAY, gateway.packed))
    if op.name:
        parts.append(number(_RTA_OIF, around.index(op.place, op.name)))
    return b"".join(parts)


def _add_route(op: ops.AddRoute, around: Surroundings) -> Message:
    return NEWROUTE, CREATE | EXCLUSIVE, _route_body(op, around, adding=True)


def _delete_route(op: ops.DeleteRoute, around: Surroundings) -> Message:
    return DELROUTE, 0, _route_body(op, around, adding=False)


_ENCODERS: dict[type[ops.Operation], Callable[..., Message]] = {
    ops.AddVeth: _add_veth,
    ops.AddBridge: _add_bridge,
    ops.AddMacvlan: _add_macvlan,
    ops.AddVxlan: _add_vxlan,
    ops.AddForwarding: _add_forwarding,
    ops.DeleteForwarding: _delete_forwarding,
    ops.AddNeighbour: _add_neighbour,
    ops.DeleteNeighbour: _delete_neighbour,
    ops.DeleteLink: _delete_link,
    ops.SetUp: _set_up,
    ops.SetDown: _set_down,
    ops.SetMaster: _set_master,
    ops.MoveLink: _move_link,
    ops.RenameLink: _rename_link,
    ops.SetMtu: _set_mtu,
    ops.SetMac: _set_mac,
    ops.AddAddress: _add_address,
    ops.DeleteAddress: _delete_address,
    ops.AddRoute: _add_route,
    ops.DeleteRoute: _delete_route,
}


def is_netlink(op: ops.Operation) -> bool:
    """Whether an operation is done by a netlink message."""
    return type(op) in _ENCODERS


def encode(op: ops.Operation, around: Surroundings) -> Message:
    """Return the message that does an operation; raises NotFound when it names an interface that is not there."""
    return _ENCODERS[type(op)](op, around)


__all__ = ["Message", "NotFound", "Surroundings", "encode", "is_netlink"]
