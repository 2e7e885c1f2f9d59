"""The bridge driver: what it takes to make a bridge network, and to connect a container to it."""

from __future__ import annotations

from dataclasses import dataclass

from netlab import ops

LINK_LOCAL_GATEWAY = "fe80::1/64"


@dataclass(frozen=True, slots=True)
class BridgeNetwork:
    """A bridge on a host, with its gateway addresses, as 172.18.0.1/16."""

    host: str
    bridge: str
    mac: str
    gateways: tuple[str, ...]
    index: int = 0
    mtu: int = 0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A container's connection to a network: both ends of the veth pair, and its addresses, as 172.18.0.2/16.

    `index` is the number of the container's end; the other end has the next one, and is in
    `veth_place`: the host, or the namespace of an overlay network.
    """

    container: str
    interface: str
    veth: str
    index: int
    addresses: tuple[str, ...]
    mac: str
    aliases: tuple[str, ...] = ()
    veth_place: str = ""

    def address(self, version: int = 4) -> str | None:
        """Return its IPv4 or IPv6 address without the length, if it has one."""
        plain = (one.partition("/")[0] for one in self.addresses)
        return next((one for one in plain if (":" in one) == (version == 6)), None)


def make(network: BridgeNetwork) -> list[ops.Operation]:
    """Return the operations that make the bridge and its addresses; its rules are in `rules`.

    With IPv6 it also has fe80::1, as every bridge of an engine.
    """
    host, bridge = network.host, network.bridge
    gateways = network.gateways
    if any(":" in one for one in gateways):
        gateways = (*gateways, LINK_LOCAL_GATEWAY)
    return [
        ops.AddBridge(host, bridge, index=network.index, mac=network.mac, up=True),
        *([ops.SetMtu(host, bridge, network.mtu)] if network.mtu else []),
        *(ops.AddAddress(host, bridge, gateway, nodad=":" in gateway) for gateway in gateways),
    ]


def connect(network: BridgeNetwork, endpoint: Endpoint) -> list[ops.Operation]:
    """Return the operations that connect a container's namespace to the bridge; a default route is not among them."""
    return plugged_in(endpoint, network.host, network.bridge, network.mtu)


def plugged_in(endpoint: Endpoint, place: str, bridge: str, mtu: int) -> list[ops.Operation]:
    """Return the operations that make a container's cable to a bridge in some place, and give it its addresses."""
    container, interface = endpoint.container, endpoint.interface
    return [
        ops.AddVeth(
            place,
            endpoint.veth,
            interface,
            container,
            index=endpoint.index + 1,
            peer_index=endpoint.index,
            peer_mac=endpoint.mac,
            mtu=mtu,
            master=bridge,
            up=True,
            queues=1,
        ),
        ops.SetUp(container, interface),
        *addresses_given(endpoint),
    ]


def addresses_given(endpoint: Endpoint) -> list[ops.Operation]:
    """Return the operations that give a container's interface its addresses; it has no IPv6 unless one is among them."""
    container, interface = endpoint.container, endpoint.interface
    given: list[ops.Operation] = []
    if endpoint.address(6) is not None:
        given.append(ops.SetSysctl(container, f"net.ipv6.conf.{interface}.disable_ipv6", "0"))
    return given + [ops.AddAddress(container, interface, one, nodad=":" in one) for one in endpoint.addresses]
