"""Packets opened with scapy; imported only when somebody opens one."""

from __future__ import annotations

from typing import Any

from scapy.layers import dns, vxlan  # noqa: F401 - they register themselves for their ports
from scapy.layers.http import HTTP  # noqa: F401 - the same
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether


def dissect(data: bytes, *, bare: bool = False) -> Any:
    """Return a packet as scapy's layers; `bare` for one without an Ethernet header."""
    if not bare:
        return Ether(data)
    return IPv6(data) if data[:1] and data[0] >> 4 == 6 else IP(data)
