"""The outside world of a lab: a router, a web site, a DNS server and a client, on documentation addresses (RFC 5737)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from netlab import ops
from netlab.model import PlaceKind
from netlab.names import mac_address, made_up_mac
from netlab.places.home import Home
from netlab.places.place import Place

ROUTER_LAN = "203.0.113.1"
ROUTER_SERVERS = "198.51.100.1"
HOST_ADDRESS = "203.0.113.{}"
FIRST_HOST = 10
DNS_ADDRESS = "198.51.100.53"
SITE_ADDRESS = "198.51.100.80"
SITE_NAME = "www.example.com"
CLIENT_ADDRESS = "203.0.113.50"
_PREFIX = 24
# What no router of the internet carries (RFC 1918): dropped in silence, as providers do.
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")


@dataclass(frozen=True, slots=True)
class Outsider:
    """One machine of the outside world."""

    name: str
    kind: PlaceKind
    role: dict[str, Any]
    title: str
    label: str = ""
    address: str | None = None
    bridge: str | None = None
    gateway: str | None = None
    ports: tuple[str, ...] = field(default=())


def outsiders(dns: dict[str, Any]) -> list[Outsider]:
    """Return the machines of the outside world; `dns` is the role of the DNS server."""
    page = {"kind": "web", "port": 80, "title": f"Welcome to {SITE_NAME}"}
    return [
        Outsider("router", "router", {"kind": "idle"}, "router (netlab)"),
        Outsider("client", "client", {"kind": "idle"}, "client (netlab)", "", CLIENT_ADDRESS, "lan", ROUTER_LAN),
        Outsider(
            "www",
            "server",
            page,
            f"{SITE_NAME}: web server (netlab)",
            SITE_NAME,
            SITE_ADDRESS,
            "servers",
            ROUTER_SERVERS,
        ),
        Outsider("dns", "server", dns, "dns: name server (netlab)", "", DNS_ADDRESS, "servers", ROUTER_SERVERS),
    ]


def router_operations() -> list[ops.Operation]:
    """Return what makes the router route: a bridge for each of its two networks, and no private addresses."""
    lan, servers = ROUTER_LAN, ROUTER_SERVERS
    return [
        ops.AddBridge("router", "lan", mac=made_up_mac("lan"), up=True),
        ops.AddBridge("router", "servers", mac=made_up_mac("servers"), up=True),
        ops.SetUp("router", "lo"),
        ops.AddAddress("router", "lan", f"{lan}/{_PREFIX}"),
        ops.AddAddress("router", "servers", f"{servers}/{_PREFIX}"),
        *(ops.AddRoute("router", subnet, kind="blackhole") for subnet in _PRIVATE),
        ops.SetSysctl("router", "net.ipv4.ip_forward", "1"),
    ]


def plug_in(place: str, address: str, bridge: str, gateway: str) -> list[ops.Operation]:
    """Return what connects a machine's eth0 to one of the router's networks."""
    return [
        ops.AddVeth(
            "router", place, "eth0", place, peer_index=2, peer_mac=mac_address(address), master=bridge, up=True
        ),
        ops.SetUp(place, "lo"),
        ops.SetUp(place, "eth0"),
        ops.AddAddress(place, "eth0", f"{address}/{_PREFIX}"),
        ops.AddRoute(place, "default", gateway),
    ]


class Internet(Place):
    """The outside world. Commands run at the outside client; the other machines are places too."""

    def __init__(self, lab: Home) -> None:
        super().__init__(lab, "client")
        self.client = Place(lab, "client")
        self.router = Place(lab, "router")
        self.site = Place(lab, "www")
        self.dns = Place(lab, "dns")

    def __repr__(self) -> str:
        return f"<internet: router, client, {SITE_NAME}, dns>"
