"""What the kernel reports: plain, frozen values.

Diagrams, checks and explanations read only these. Whatever made the state (netlab, a command typed by hand, a process in
a terminal), it shows up here, so a drawing cannot lie.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

PlaceKind = Literal["host", "container", "namespace", "router", "server", "client"]


@dataclass(frozen=True, slots=True)
class Address:
    """One address of an interface (`ip addr`)."""

    address: str
    prefix_length: int
    family: Literal[4, 6]
    scope: str = "global"  # global | link | host

    def __str__(self) -> str:
        return f"{self.address}/{self.prefix_length}"


@dataclass(frozen=True, slots=True)
class Interface:
    """One network interface (`ip -d link`)."""

    name: str
    index: int
    kind: str  # loopback | veth | bridge | vxlan | macvlan | ipvlan | tun | ethernet | …, as `ip -d link` names it
    mac: str
    mtu: int
    up: bool  # switched on by the administrator (flag UP)
    carrier: bool  # there is a signal (flag LOWER_UP)
    state: str  # up | down | lowerlayerdown | unknown | dormant, as the kernel says
    master: str | None = None  # the bridge that it is a port of
    port_state: str | None = None  # disabled | listening | learning | forwarding | blocking, for a bridge's port
    peer_index: int | None = None  # the other end's index (the number behind @if)
    peer_place: str | None = None  # where the other end of a veth is; None when nobody in the lab has it
    peer_name: str | None = None  # the other end's name
    addresses: tuple[Address, ...] = ()
    details: tuple[tuple[str, str], ...] = ()  # of the kind: ("id", "4097"), ("port", "4789"), ("mode", "bridge"), …

    @property
    def works(self) -> bool:
        """Whether packets can pass: switched on and with a signal."""
        return self.up and self.carrier


@dataclass(frozen=True, slots=True)
class Route:
    """One entry of the main routing table (`ip route`)."""

    destination: str  # "default" or "172.17.0.0/16"
    gateway: str | None
    interface: str | None
    source: str | None = None
    scope: str = "global"
    protocol: str = "boot"
    metric: int = 0
    kind: str = "unicast"  # unicast | blackhole | unreachable | prohibit
    family: Literal[4, 6] = 4


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One entry of the neighbour (ARP/NDP) table (`ip neigh`)."""

    address: str
    mac: str | None
    interface: str
    state: str  # reachable | stale | delay | probe | incomplete | failed | permanent


@dataclass(frozen=True, slots=True)
class ForwardingEntry:
    """One entry of a bridge's forwarding table (`bridge fdb`)."""

    mac: str
    interface: str
    bridge: str | None
    learned: bool  # seen by the bridge in a packet, not set by anyone
    destination: str | None = None  # the remote tunnel end, for VXLAN


@dataclass(frozen=True, slots=True)
class Rule:
    """One nftables rule, in the words of `nft list ruleset`."""

    family: str
    table: str
    chain: str
    handle: int
    text: str
    comment: str | None = None
    packets: int | None = None  # of its counter, if it has one


@dataclass(frozen=True, slots=True)
class Chain:
    """One nftables chain; `hook` is None for a chain that others jump to."""

    family: str
    table: str
    name: str
    kind: str | None = None  # filter | nat | route
    hook: str | None = None  # prerouting | input | forward | output | postrouting
    priority: int | None = None
    policy: str | None = None
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Socket:
    """One listening or bound socket (`ss -tuln`)."""

    protocol: Literal["tcp", "udp"]
    address: str
    port: int
    process: str | None = None
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """One process (`ps`), with the id that it has inside the lab."""

    pid: int
    name: str
    command: str


@dataclass(frozen=True, slots=True)
class PlaceState:
    """All that the kernel reports of one network namespace."""

    name: str
    kind: PlaceKind
    inode: int  # of the network namespace: equal numbers mean the same namespace
    host: str | None = None  # the host that a container or a namespace belongs to
    label: str = ""  # the image of a container, the DNS name of a server: a word beside the name
    interfaces: tuple[Interface, ...] = ()
    routes: tuple[Route, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    forwarding: tuple[ForwardingEntry, ...] = ()
    chains: tuple[Chain, ...] = ()
    sockets: tuple[Socket, ...] = ()
    processes: tuple[Process, ...] = ()
    ip_forward: bool = False

    def interface(self, name: str) -> Interface | None:
        """Return the interface of that name, or None."""
        return next((one for one in self.interfaces if one.name == name), None)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules of all chains, in the kernel's order."""
        return tuple(rule for chain in self.chains for rule in chain.rules)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole lab at one moment.

    `networks` gives a bridge's network its name: {("host", "br-3f2a…"): "my-network"}.
    """

    lab: str
    places: tuple[PlaceState, ...] = ()
    networks: dict[tuple[str, str], str] = field(default_factory=dict)

    def place(self, name: str) -> PlaceState | None:
        """Return the place of that name, or None."""
        return next((one for one in self.places if one.name == name), None)
