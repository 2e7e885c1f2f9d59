"""The overlay driver: one network over several hosts, whose packets travel in UDP packets from host to host (VXLAN).

On each host that has containers on it, the network has a namespace of its own with a bridge, the mouth of the tunnel and
the host's ends of the containers' veth pairs. What is behind the tunnel is written down beforehand, an entry for each
container of the other hosts, so nothing is ever called out to all of them. Learning is left on, as in the engine: what is
permanent is not learned over.

Source: moby/moby daemon/libnetwork/drivers/overlay (ov_network.go, ov_utils.go, peerdb.go); RFC 7348.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from netlab import ops
from netlab.drivers.bridge import Endpoint, plugged_in

PORT = 4789
FIRST_NUMBER = 4097  # 4096 is that of ingress
POOL = ("10.0.0.0/8", 24)
INGRESS = "10.0.0.0/24"
MTU = 1450  # 1500 less 14 bytes of the inner Ethernet header, 8 of VXLAN's, 8 of UDP's and 20 of IP's
NUMBER_OPTION = "com.docker.network.driver.overlay.vxlanid_list"
GATEWAY_NETWORK = "docker_gwbridge"
GATEWAY_OPTIONS = {
    "com.docker.network.bridge.enable_icc": "false",
    "com.docker.network.bridge.enable_ip_masquerade": "true",
    "com.docker.network.bridge.name": GATEWAY_NETWORK,
}
_BRIDGE, _TUNNEL = "br0", "vxlan0"


@dataclass(frozen=True, slots=True)
class Mouth:
    """An overlay network on one host: the place that is its namespace there, its number, and the bridge's addresses."""

    host: str
    place: str
    number: int
    mac: str
    gateways: tuple[str, ...]
    mtu: int = MTU
    silences_ipv6: bool = True  # as far as the kernel has it: else the bridge calls out by it


@dataclass(frozen=True, slots=True)
class Peer:
    """A container as the other hosts must know it: its addresses, and the address of the host that it is on."""

    host: str
    host_address: str
    mac: str
    addresses: tuple[str, ...]


def sandbox_name(network: str) -> str:
    """Return the name of the namespace that a network has on each host, by the network's id."""
    return f"1-{network[:10]}"  # the engine counts on when it makes the namespace again: 2-, 3-


def make(mouth: Mouth) -> list[ops.Operation]:
    """Return the operations that furnish the namespace of a network on a host; the namespace itself is there already."""
    place = mouth.place
    silence = [ops.SetSysctl(place, "net.ipv6.conf.all.disable_ipv6", "1")] if mouth.silences_ipv6 else []
    return [
        *silence,
        ops.SetUp(place, "lo"),
        ops.AddBridge(place, _BRIDGE, mac=mouth.mac, up=True),
        *(ops.AddAddress(place, _BRIDGE, gateway) for gateway in mouth.gateways),
        ops.AddVxlan(mouth.host, _TUNNEL, place, mouth.number, PORT, mouth.mtu),
        ops.SetMaster(place, _TUNNEL, _BRIDGE),
        ops.SetUp(place, _TUNNEL),
    ]


def unmake(mouth: Mouth) -> list[ops.Operation]:
    """Return the operations that take a network off a host.

    The tunnel goes first: a namespace ends in its own time, and until then nobody else could have the tunnel's number.
    """
    return [
        ops.DeleteLink(mouth.place, _TUNNEL),
        ops.DeleteNamespace(mouth.host, ops.namespace_name(mouth.place)),
    ]


def connect(mouth: Mouth, endpoint: Endpoint) -> list[ops.Operation]:
    """Return the operations that connect a container's namespace to that of the network, on its own host."""
    return plugged_in(endpoint, mouth.place, _BRIDGE, mouth.mtu)


def learn(place: str, peers: Iterable[Peer]) -> list[ops.Operation]:
    """Return the operations that let a host know containers of other hosts: where they are, and their hardware address."""
    done: list[ops.Operation] = []
    for peer in peers:
        done += [ops.AddNeighbour(place, _TUNNEL, address, peer.mac) for address in peer.addresses]
        done.append(ops.AddForwarding(place, _TUNNEL, peer.mac, peer.host_address))
    return done
