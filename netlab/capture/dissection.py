"""Packets opened with scapy; imported only when somebody opens one."""

from __future__ import annotations

from typing import Any

from scapy.layers import dns, vxlan  # noqa: F401 - they register themselves for their ports
from scapy.layers.http import HTTP  # noqa: F401 - the same
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw


def dissect(data: bytes, *, bare: bool = False) -> Any:
    """Return a packet as scapy's layers; `bare` for one without an Ethernet header."""
    if not bare:
        return Ether(data)
    return IPv6(data) if data[:1] and data[0] >> 4 == 6 else IP(data)


def read_as_dns(opened: Any) -> Any:
    """Return a dissected packet with its UDP payload read as DNS, whatever the port; as it is when it has none."""
    if UDP in opened and isinstance(opened[UDP].payload, Raw):
        opened[UDP].decode_payload_as(dns.DNS)
    return opened


def layers(opened: Any) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the name of each layer of a dissected packet, the outermost first, with its fields and their values as text."""
    found = []
    while opened:  # false is what scapy puts behind the last one
        fields = [(one.name, str(one.i2repr(opened, opened.getfieldval(one.name)))) for one in opened.fields_desc]
        found.append((str(opened.name), fields))
        opened = opened.payload
    return found
