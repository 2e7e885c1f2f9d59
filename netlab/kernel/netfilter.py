"""Watching netfilter at work in one namespace: which rules a packet met, and which connections were noted.

A rule of our own sets `meta nftrace` for exactly one probe (nft(8), "trace"); the kernel then reports each chain and rule
that such a packet meets, and conntrack each new connection with its addresses before and after translation. All of it goes
over one netlink socket, which also owns the table with that rule (NFT_TABLE_F_OWNER, Linux 5.12): when the socket closes,
for whatever reason, the kernel takes the table away.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from netlab.kernel.netlink import attribute, attributes, text

NETLINK_NETFILTER = 12
TABLE = "netlab-trace-"  # with a number, as several may watch at once

_SOL_NETLINK, _ADD_MEMBERSHIP = 270, 1
_GROUP_CONNTRACK_NEW, _GROUP_TRACE = 1, 9  # NFNLGRP_*
_CONNTRACK, _NFTABLES = 1, 10  # NFNL_SUBSYS_*
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_NEW_TABLE, _NEW_CHAIN, _NEW_RULE, _TRACE = (_NFTABLES << 8 | number for number in (0, 3, 6, 17))
_CONNTRACK_NEW = _CONNTRACK << 8
_REQUEST, _ACK, _CREATE, _APPEND, _ERROR = 1, 4, 0x400, 0x800, 2
_HEADER = struct.Struct("=IHHII")
_INET, _NESTED, _OWNER = 1, 0x8000, 2
_BEFORE_RAW = -350  # before the priority `raw`, -300
_LAST = 1000  # after every rule and every translation
# Hooks whose chains hold the rule, and such as only tell that the packet got that far: number, priority.
_MARKING = {"prerouting": (0, _BEFORE_RAW), "output": (3, _BEFORE_RAW)}
_TELLING = {"forward": (2, _BEFORE_RAW), "input": (1, _BEFORE_RAW), "postrouting": (4, _LAST)}
_META_TRACE, _META_PROTOCOL = 12, 16
_TRANSPORT_HEADER = 2
_RECEIVE = 1 << 16
_VERDICTS = {0: "drop", 1: "accept", 2: "stolen", 3: "queue", -1: "continue", -3: "jump", -4: "goto", -5: "return"}
_FAMILIES = {0: "", 1: "inet", 2: "ip", 5: "netdev", 7: "bridge", 10: "ip6"}
_QUOTED = 28  # bytes from an ICMP error's header to the transport header of the packet that it quotes: 8 + 20
_INNER = 50  # bytes from an outer UDP header to the transport header of what VXLAN carries: 8 + 8 + 14 + 20


@dataclass(frozen=True, slots=True)
class Match:
    """Packets of one protocol number that hold `value` at `offset` in their transport header."""

    protocol: int
    offset: int
    value: bytes


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One line of `nft monitor trace`: a rule that a packet met, a chain's end (`return`) or its `policy`.

    `headers` are the packet's network and transport header; the first event of each base chain has them.
    """

    packet: int  # the number that the kernel gives a packet while it is in the namespace
    kind: str  # rule | policy | return
    family: str
    table: str
    chain: str
    handle: int | None
    verdict: str
    target: str | None  # of a jump or goto
    incoming: int | None  # numbers of interfaces
    outgoing: int | None
    network_header: bytes = b""
    transport_header: bytes = b""


@dataclass(frozen=True, slots=True)
class Tuple:
    """One direction of a connection: addresses, and ports or an ICMP id twice."""

    source: str
    destination: str
    protocol: int
    source_port: int
    destination_port: int

    def reverse(self) -> Tuple:
        """Return the other direction, were nothing translated."""
        return Tuple(self.destination, self.source, self.protocol, self.destination_port, self.source_port)


@dataclass(frozen=True, slots=True)
class Connection:
    """A conntrack entry: what was asked for, and what an answer looks like (`conntrack -L`)."""

    original: Tuple
    reply: Tuple
    number: int = 0

    @property
    def translated(self) -> Tuple:
        """What the first packet looks like after translation."""
        return self.reply.reverse()


# ── asking ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def port_matches(protocol: int, port: int, tunnels: Iterable[int]) -> list[Match]:
    """Return what tells the packets of a connection with that port at one end, also inside VXLAN, and ICMP errors about it."""
    wanted = struct.pack("!H", port)
    plain = [Match(protocol, 0, wanted), Match(protocol, 2, wanted)]
    errors = [Match(socket.IPPROTO_ICMP, _QUOTED + one.offset, wanted) for one in plain]
    return plain + errors + _inside(tunnels, plain)


def question_matches(number: int) -> list[Match]:
    """Return what tells the packets of a DNS question with that id, and of its answers: a server that asks on keeps it."""
    wanted = struct.pack("!H", number)
    return [Match(socket.IPPROTO_UDP, 8, wanted), Match(socket.IPPROTO_ICMP, _QUOTED + 8, wanted)]


def echo_matches(number: int, tunnels: Iterable[int]) -> list[Match]:
    """Return what tells the packets of a ping with that id."""
    wanted = struct.pack("!H", number)
    plain = [Match(socket.IPPROTO_ICMP, 4, wanted), Match(socket.IPPROTO_ICMPV6, 4, wanted)]
    return [*plain, Match(socket.IPPROTO_ICMP, _QUOTED + 4, wanted), *_inside(tunnels, plain[:1])]


def _inside(tunnels: Iterable[int], plain: list[Match]) -> list[Match]:
    """Return matches for the same within a tunnel; the inner protocol is told by the port alone."""
    return [Match(socket.IPPROTO_UDP, _INNER + one.offset, one.value) for _ in list(tunnels)[:1] for one in plain]


def open_watch(descriptor: socket.socket, table: str, matches: Sequence[Match]) -> None:
    """Have the packets that match traced in the namespace of a NETLINK_NETFILTER socket, until it closes.

    Equivalent to: `nft add table inet TABLE { flags owner; }`, chains at prerouting and output with the rules
    `meta l4proto … @th,… meta nftrace set 1`, and `nft monitor trace`. Empty chains at the other hooks make the kernel report
    as well that a packet came by: so its decision between input and forward is seen, not guessed. Raises OSError.
    """
    messages = [(_NEW_TABLE, _CREATE, text(1, table) + _big(2, _OWNER))]
    for name, (hook, priority) in (_MARKING | _TELLING).items():
        place = _big(1, hook) + _big(2, priority)
        messages.append((_NEW_CHAIN, _CREATE, text(1, table) + text(3, name) + _nest(4, place) + text(7, "filter")))
    messages += [
        (_NEW_RULE, _CREATE | _APPEND, text(1, table) + text(2, name) + _nest(4, _rule(match)))
        for name in _MARKING
        for match in matches
    ]
    messages += [
        (_NEW_RULE, _CREATE | _APPEND, text(1, table) + text(2, name) + _nest(4, _ANYTHING)) for name in _TELLING
    ]
    _send_batch(descriptor, messages)
    for group in (_GROUP_TRACE, _GROUP_CONNTRACK_NEW):
        descriptor.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, group)


def _send_batch(descriptor: socket.socket, messages: Sequence[tuple[int, int, bytes]]) -> None:
    edge = struct.pack("!BBH", 0, 0, _NFTABLES)
    parts = [_HEADER.pack(20, _BATCH_BEGIN, _REQUEST, 0, 0) + edge]
    for number, (kind, flags, body) in enumerate(messages, start=1):
        parts.append(_HEADER.pack(20 + len(body), kind, flags | _REQUEST | _ACK, number, 0))
        parts.append(struct.pack("!BBH", _INET, 0, 0) + body)
    parts.append(_HEADER.pack(20, _BATCH_END, _REQUEST, len(messages) + 1, 0) + edge)
    descriptor.send(b"".join(parts))
    answered = 0
    while answered < len(messages):
        for kind, sequence, body in _messages(descriptor.recv(_RECEIVE)):
            if kind == _ERROR and sequence:
                (code,) = struct.unpack_from("=i", body)
                if code:
                    raise OSError(-code, os.strerror(-code))
                answered += 1


def _rule(match: Match) -> bytes:
    protocol = _expression("meta", _big(1, 1) + _big(2, _META_PROTOCOL)) + _compare(bytes([match.protocol]))
    where = _big(1, 1) + _big(2, _TRANSPORT_HEADER) + _big(3, match.offset) + _big(4, len(match.value))
    content = _expression("payload", where) + _compare(match.value)
    one = _expression("immediate", _big(1, 1) + _nest(2, attribute(1, b"\1")))
    return protocol + content + one + _expression("meta", _big(2, _META_TRACE) + _big(3, 1))


def _compare(value: bytes) -> bytes:
    return _expression("cmp", _big(1, 1) + _big(2, 0) + _nest(3, attribute(1, value)))


def _expression(name: str, data: bytes) -> bytes:
    return _nest(1, text(1, name) + _nest(2, data))


def _nest(kind: int, content: bytes) -> bytes:
    return attribute(kind | _NESTED, content)


def _big(kind: int, value: int) -> bytes:
    """Return an attribute that holds a 32-bit number in network order, as nftables has them."""
    return attribute(kind, struct.pack("!i", value))


# A rule that every packet meets: of an empty chain, the kernel does not tell the interfaces.
_ANYTHING = _expression("meta", _big(1, 1) + _big(2, _META_PROTOCOL))


# ── hearing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def read(datagram: bytes) -> Iterator[TraceEvent | Connection]:
    """Yield what a datagram of the watch tells."""
    for kind, _, body in _messages(datagram):
        if kind == _TRACE:
            yield _trace_event(body)
        elif kind == _CONNTRACK_NEW:
            connection = _connection(body)
            if connection is not None:
                yield connection


def _messages(datagram: bytes) -> Iterator[tuple[int, int, bytes]]:
    offset = 0
    while offset + 16 <= len(datagram):
        length, kind, _, sequence, _ = _HEADER.unpack_from(datagram, offset)
        yield kind, sequence, datagram[offset + 16 : offset + length]
        offset += max(16, (length + 3) & ~3)


def _trace_event(body: bytes) -> TraceEvent:
    found = dict(attributes(body, 4))
    verdict = dict(attributes(found.get(5, b"")))
    code = _signed(verdict[1]) if 1 in verdict else None
    policy = _signed(found[16]) if 16 in found else None
    outcome = policy if policy is not None else code
    kind = {1: "policy", 2: "return", 3: "rule"}.get(_unsigned(found.get(4)) or 0, "")
    return TraceEvent(
        packet=_unsigned(found.get(6)) or 0,
        kind=kind,
        family=_FAMILIES.get(_unsigned(found.get(15)) or 0, ""),
        table=_name(found.get(1)),
        chain=_name(found.get(2)),
        handle=_unsigned(found.get(3)),
        verdict=_VERDICTS.get(outcome, "") if outcome is not None else "",
        target=_name(verdict[2]) if 2 in verdict else None,
        incoming=_unsigned(found.get(10)),
        outgoing=_unsigned(found.get(12)),
        network_header=found.get(8, b""),
        transport_header=found.get(9, b""),
    )


def _connection(body: bytes) -> Connection | None:
    found = dict(attributes(body, 4))
    original, reply = _tuple(found.get(1, b"")), _tuple(found.get(2, b""))
    return Connection(original, reply, _unsigned(found.get(12)) or 0) if original and reply else None


def _tuple(nested: bytes) -> Tuple | None:
    parts = dict(attributes(nested))
    addresses, protocol = dict(attributes(parts.get(1, b""))), dict(attributes(parts.get(2, b"")))
    source, destination = addresses.get(1) or addresses.get(3), addresses.get(2) or addresses.get(4)
    if not source or not destination or 1 not in protocol:
        return None
    family = socket.AF_INET if len(source) == 4 else socket.AF_INET6
    identity = protocol.get(4) or protocol.get(7)
    return Tuple(
        socket.inet_ntop(family, source),
        socket.inet_ntop(family, destination),
        protocol[1][0],
        _unsigned(identity or protocol.get(2)) or 0,
        _unsigned(identity or protocol.get(3)) or 0,
    )


def _unsigned(value: bytes | None) -> int | None:
    return None if value is None else int.from_bytes(value, "big")


def _signed(value: bytes) -> int:
    return int.from_bytes(value, "big", signed=True)


def _name(value: bytes | None) -> str:
    return (value or b"").rstrip(b"\0").decode(errors="replace")
