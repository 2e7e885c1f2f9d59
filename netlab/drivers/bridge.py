"""The bridge driver: what it takes to make a bridge network, and to connect a container to it."""

from __future__ import annotations

from dataclasses import dataclass

from netlab import ops

TABLE = "docker-bridges"


@dataclass(frozen=True, slots=True)
class BridgeNetwork:
    """A bridge on a host, with its subnet and its gateway address."""

    host: str
    bridge: str
    subnet: str
    gateway: str
    prefix_length: int
    mac: str
    index: int = 0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A container's connection to a network: both ends of the veth pair, and the address.

    `index` is the number of the container's end; the host's end has the next one.
    """

    container: str
    interface: str
    veth: str
    index: int
    address: str
    mac: str


def make(network: BridgeNetwork) -> list[ops.Operation]:
    """Return the operations that make the bridge, its address and its masquerade rule."""
    host, bridge = network.host, network.bridge
    return [
        ops.AddBridge(host, bridge, index=network.index, mac=network.mac, up=True),
        ops.AddAddress(host, bridge, f"{network.gateway}/{network.prefix_length}"),
        ops.NftRules(host, masquerade(network.subnet, bridge)),
    ]


def masquerade(subnet: str, bridge: str) -> str:
    """Return the nft script that hides a subnet behind the host's address on its way out.

    Table and chain have the names that Docker's nftables backend gives them. They are not those of `iptables -t nat`, which
    refuses to work on a table that holds another tool's rules.
    """
    rule = f'ip saddr {subnet} oifname != "{bridge}" counter masquerade comment "MASQUERADE"'
    return "\n".join(
        [
            f"add table ip {TABLE}",
            f"add chain ip {TABLE} nat-POSTROUTING {{ type nat hook postrouting priority srcnat; policy accept; }}",
            f"add rule ip {TABLE} nat-POSTROUTING {rule}",
        ]
    )


def connect(network: BridgeNetwork, endpoint: Endpoint) -> list[ops.Operation]:
    """Return the operations that connect a container's namespace to the bridge."""
    container, interface = endpoint.container, endpoint.interface
    return [
        ops.AddVeth(
            network.host,
            endpoint.veth,
            interface,
            container,
            index=endpoint.index + 1,
            peer_index=endpoint.index,
            peer_mac=endpoint.mac,
            master=network.bridge,
            up=True,
            one_queue=True,
        ),
        ops.SetUp(container, "lo"),
        ops.SetUp(container, interface),
        ops.AddAddress(container, interface, f"{endpoint.address}/{network.prefix_length}"),
        ops.AddRoute(container, "default", network.gateway),
    ]
