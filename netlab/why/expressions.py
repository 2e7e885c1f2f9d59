"""What the expressions of nftables mean for a packet (libnftables-json(5)): its headers, and what is known beside them."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from netlab.why.packet import Packet

_FLAGS = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ecn": 64, "cwr": 128}
_NUMBERS = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58, "icmpv6": 58, "ah": 51, "esp": 50, "gre": 47, "sctp": 132}


class NotUnderstood(Exception):
    """An expression that is not known here."""


@dataclass(frozen=True, slots=True)
class Context:
    """What rules can ask of the place, beside the packet. `address_type` is that of `fib`: local, unicast, …"""

    packet: Packet
    incoming: str
    outgoing: str
    state: str
    translated: frozenset[str] = frozenset()  # ct status: snat, dnat
    address_type: Callable[[str], str] = lambda _: "unicast"


def payload(content: Mapping[str, Any], context: Context) -> Any:
    """Return a field of the packet's headers; None where it has no such header. Raises NotUnderstood."""
    packet = context.packet
    protocol, name = content.get("protocol"), content.get("field")
    if protocol in ("ip", "ip6"):
        if (protocol == "ip6") != (packet.version == 6):
            return None
        known = {
            "saddr": packet.source,
            "daddr": packet.destination,
            "protocol": packet.protocol,
            "nexthdr": _own_name(packet),
            "length": packet.size,
            "version": packet.version,
        }
    elif protocol in ("tcp", "udp", "th"):
        if packet.protocol == "icmp" or protocol not in ("th", packet.protocol):
            return None
        flags = (_FLAGS["syn"] | _FLAGS["ack"]) if packet.answer else _FLAGS["syn"]
        known = {"sport": packet.source_port, "dport": packet.destination_port, "flags": flags}
    elif protocol in ("icmp", "icmpv6"):
        if packet.protocol != "icmp" or (protocol == "icmpv6") != (packet.version == 6):
            return None
        known = {"type": "echo-reply" if packet.answer else "echo-request", "code": 0}
    else:
        raise NotUnderstood(str(protocol))
    if name not in known:
        raise NotUnderstood(f"{protocol} {name}")
    return known[name]


def _own_name(packet: Packet) -> str:
    return "icmpv6" if packet.protocol == "icmp" and packet.version == 6 else packet.protocol


def meta(key: str, context: Context) -> Any:
    """Return what the kernel knows of the packet beside its headers. Raises NotUnderstood."""
    packet = context.packet
    known: dict[str, Any] = {
        "iifname": context.incoming,
        "oifname": context.outgoing,
        "iif": context.incoming,
        "oif": context.outgoing,
        "l4proto": _own_name(packet),
        "nfproto": "ipv6" if packet.version == 6 else "ipv4",
        "protocol": "ip6" if packet.version == 6 else "ip",
        "mark": packet.mark,
        "length": packet.size,
        "pkttype": "host",
    }
    if key not in known:
        raise NotUnderstood(f"meta {key}")
    return known[key]


def connection(key: str, context: Context) -> Any:
    """Return what conntrack knows of the packet's connection. Raises NotUnderstood."""
    if key == "state":
        return context.state
    if key == "status":
        return context.translated | (frozenset({"seen-reply"}) if context.packet.answer else frozenset())
    if key == "direction":
        return "reply" if context.packet.answer else "original"
    if key == "mark":
        return 0
    raise NotUnderstood(f"ct {key}")


def lookup(content: Mapping[str, Any], context: Context) -> Any:
    """Return what the routing table says of an address (fib). Raises NotUnderstood."""
    flags = several(content["flags"])
    if content["result"] == "type" and flags in (["daddr"], ["saddr"]):
        address = context.packet.destination if flags == ["daddr"] else context.packet.source
        return context.address_type(address)
    raise NotUnderstood("fib")


def several(value: Any) -> list[Any]:
    """Return what JSON has as one value or as a list, as a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def plain(value: Any) -> Any:
    """Return the number that a protocol or a flag stands for."""
    if isinstance(value, str) and value in _NUMBERS:
        return _NUMBERS[value]
    if isinstance(value, str) and value in _FLAGS:
        return _FLAGS[value]
    return value


def bits(value: Any) -> int:
    """Return flags as the number whose bits they are."""
    if isinstance(value, list):
        return sum(bits(one) for one in value)
    return _FLAGS[value] if isinstance(value, str) and value in _FLAGS else int(value)


def order(value: Any) -> Any:
    """Return an address as a number, so that it can be compared."""
    if isinstance(value, str):
        try:
            return int(ipaddress.ip_address(value))
        except ValueError:
            return value
    return value
