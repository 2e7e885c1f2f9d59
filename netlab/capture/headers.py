"""The headers of a packet: Ethernet, ARP, IPv4, IPv6, TCP, UDP, ICMP, and what VXLAN or an ICMP error has inside.

Sources: RFC 826, 791, 8200, 9293, 768, 792, 4443, 7348.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, replace

ARP, TCP, UDP, ICMP, ICMP6 = "arp", "tcp", "udp", "icmp", "icmp6"
_PROTOCOLS = {1: ICMP, 6: TCP, 17: UDP, 58: ICMP6}
_ETHERNET = struct.Struct("!6s6sH")
_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_IPV6 = struct.Struct("!IHBB16s16s")
_TCP = struct.Struct("!HHIIBBHHH")
_UDP = struct.Struct("!HHHH")
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_VXLAN = struct.Struct("!BxxxI")
_TYPE_ARP, _TYPE_IPV4, _TYPE_IPV6, _TYPE_VLAN = 0x0806, 0x0800, 0x86DD, 0x8100
VXLAN_PORTS = frozenset({4789, 8472})
_FLAGS = "FSRPAUEC"  # of TCP, the lowest bit first
_ICMP_ERRORS = {ICMP: frozenset({3, 4, 5, 11, 12}), ICMP6: frozenset({1, 2, 3, 4})}


@dataclass(frozen=True, slots=True)
class Headers:
    """What the headers of a packet say; what it does not have is empty, 0 or None."""

    source_mac: str = ""
    destination_mac: str = ""
    protocol: str = ""  # arp | tcp | udp | icmp | icmp6, or the number of another one
    source: str = ""
    destination: str = ""
    ttl: int = 0
    identification: int = 0  # of IPv4
    dont_fragment: bool = False
    fragment: int = 0  # its offset in bytes
    size: int = 0  # of the IP packet, in bytes
    source_port: int = 0
    destination_port: int = 0
    flags: str = ""  # of TCP: S, SA, A, PA, FA, R, …
    sequence: int = 0  # of TCP, or of an echo request
    acknowledgement: int = 0
    kind: int = 0  # of ICMP: its type; of ARP: 1 asks, 2 answers
    code: int = 0
    echo: int = 0  # the id of an echo request or reply
    mtu: int = 0  # in an ICMP error: what fits
    payload: bytes = b""
    network: int | None = None  # the VXLAN network identifier
    inner: Headers | None = None  # what is carried (VXLAN), or what an ICMP error is about

    @property
    def is_error(self) -> bool:
        """Whether it is an ICMP error, with the packet that it is about in `inner`."""
        return self.kind in _ICMP_ERRORS.get(self.protocol, ())

    @property
    def innermost(self) -> Headers:
        """What a tunnel carries, or the packet itself."""
        return self.inner.innermost if self.inner is not None and self.network is not None else self


def ethernet(data: bytes) -> Headers:
    """Read a frame."""
    if len(data) < 14:
        return Headers()
    destination, source, kind = _ETHERNET.unpack_from(data)
    offset = 14
    if kind == _TYPE_VLAN and len(data) >= 18:
        (kind,) = struct.unpack_from("!H", data, 16)
        offset = 18
    if kind == _TYPE_ARP:
        found = _arp(data[offset:])
    elif kind in (_TYPE_IPV4, _TYPE_IPV6):
        found = network(data[offset:])
    else:
        found = Headers(protocol=f"0x{kind:04x}")
    return replace(found, source_mac=source.hex(":"), destination_mac=destination.hex(":"))


def network(data: bytes, transport: bytes | None = None) -> Headers:
    """Read an IP packet; `transport` if its second half is held apart. A packet that was cut off is read as far as it goes."""
    version = data[0] >> 4 if data else 0
    if version == 4 and len(data) >= 20:
        first, _, size, number, fragment, ttl, protocol, _, source, destination = _IPV4.unpack_from(data)
        start, family = (first & 15) * 4, socket.AF_INET
    elif version == 6 and len(data) >= 40:
        _, size, protocol, ttl, source, destination = _IPV6.unpack_from(data)
        start, family, number, fragment, size = 40, socket.AF_INET6, 0, 0, size + 40
    else:
        return Headers()
    found = Headers(
        protocol=_PROTOCOLS.get(protocol, str(protocol)),
        source=socket.inet_ntop(family, source),
        destination=socket.inet_ntop(family, destination),
        ttl=ttl,
        identification=number,
        dont_fragment=bool(fragment & 0x4000),
        fragment=(fragment & 0x1FFF) * 8,
        size=size,
    )
    return found if found.fragment else _transport(found, data[start:size] if transport is None else transport)


def _transport(found: Headers, data: bytes) -> Headers:
    if found.protocol in (TCP, UDP) and len(data) < 8:
        return found
    if found.protocol == TCP:
        return _tcp(found, data)
    if found.protocol == UDP:
        source, destination, _, _ = _UDP.unpack_from(data)
        found = replace(found, source_port=source, destination_port=destination, payload=data[8:])
        return _vxlan(found) if destination in VXLAN_PORTS else found
    if found.protocol in _ICMP_ERRORS and len(data) >= 8:
        return _icmp(found, data)
    return replace(found, payload=data)


def _tcp(found: Headers, data: bytes) -> Headers:
    if len(data) < 20:  # as an ICMP error quotes it
        source, destination, sequence = struct.unpack_from("!HHI", data)
        return replace(found, source_port=source, destination_port=destination, sequence=sequence)
    source, destination, sequence, acknowledgement, offset, flags, *_ = _TCP.unpack_from(data)
    return replace(
        found,
        source_port=source,
        destination_port=destination,
        sequence=sequence,
        acknowledgement=acknowledgement,
        flags="".join(letter for bit, letter in enumerate(_FLAGS) if flags & (1 << bit)),
        payload=data[(offset >> 4) * 4 :],
    )


def _icmp(found: Headers, data: bytes) -> Headers:
    kind, code, _, first, second = struct.unpack_from("!BBHHH", data)
    found = replace(found, kind=kind, code=code, payload=data[8:])
    if not found.is_error:
        return replace(found, echo=first, sequence=second)
    mtu = second if found.protocol == ICMP else (first << 16) + second
    return replace(found, mtu=mtu, inner=network(data[8:]))


def _vxlan(found: Headers) -> Headers:
    if len(found.payload) < 8 + 14:
        return found
    flags, number = _VXLAN.unpack_from(found.payload)
    return replace(found, network=number >> 8, inner=ethernet(found.payload[8:])) if flags & 8 else found


def _arp(data: bytes) -> Headers:
    if len(data) < 28:
        return Headers(protocol=ARP)
    *_, kind, sender_mac, sender, _, target = _ARP.unpack_from(data)
    return Headers(
        protocol=ARP,
        kind=kind,
        source=socket.inet_ntop(socket.AF_INET, sender),
        destination=socket.inet_ntop(socket.AF_INET, target),
        payload=sender_mac,
    )
