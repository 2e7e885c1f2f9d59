"""A packet is known again wherever it was seen, and what was seen of it is put in the order in which it happened."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from scapy.layers.inet import IP, TCP, UDP, Ether

from netlab.capture.headers import Headers, ethernet
from netlab.capture.packet import OUTGOING, Packet
from netlab.errors import RequestError
from netlab.journey.gathering import Observation, Report
from netlab.journey.joining import Run, key_of, passages
from netlab.journey.probe import Lookup, Outcome
from netlab.journey.target import Target, parse
from netlab.journey.walking import arrived
from netlab.kernel.netfilter import Connection, TraceEvent, Tuple
from netlab.language import set_language
from netlab.reasons import REASONS, Finding

PORT = 40000
MINE = "netlab-trace-1"
IN, OUT = 0, OUTGOING


def syn(source="172.17.0.2", destination="198.51.100.80", *, ttl=64, number=7, sport=PORT, dport=80, flags="S", seq=99):
    ip = IP(src=source, dst=destination, ttl=ttl, id=number)
    return bytes(Ether() / ip / TCP(sport=sport, dport=dport, seq=seq, flags=flags))


def seen_at(time, place, index, kind, wire):
    return Packet(place, f"eth{index}", index, kind, time, len(wire), wire)


def event(chain, wire, *, table=MINE, incoming=None, outgoing=None, verdict="continue", kind="rule"):
    return TraceEvent(1, kind, "ip", table, chain, 1, verdict, None, incoming, outgoing, wire[14:34], wire[34:54])


def observation(packets, reports):
    """Return what was seen of a packet from a container through a host that translates its source."""
    outcome = Outcome(Lookup("198.51.100.80"), port=PORT)
    listed = [Report(place, order, one) for order, (place, one) in enumerate(reports)]
    return Observation("app", Target("198.51.100.80", "tcp", 80), outcome, (), packets, listed, table=MINE)


def test_translation_and_routers_do_not_hide_a_packet():
    before, after = ethernet(syn()), ethernet(syn("203.0.113.10", ttl=63, sport=1234))
    assert key_of(before) == key_of(after)
    assert key_of(before) != key_of(ethernet(syn(number=8)))  # a retransmission
    assert key_of(before) != key_of(ethernet(syn(seq=100)))
    assert key_of(Headers(protocol="arp")) is None


def test_captures_and_runs_are_put_in_order():
    inside, outside = syn(), syn("203.0.113.10", ttl=63)
    packets = [
        seen_at(1, "app", 4, OUT, inside),
        seen_at(2, "host", 5, IN, inside),
        seen_at(3, "host", 2, OUT, outside),
    ]
    reports = [  # netlink hands them over place by place, in any order between places
        ("host", event("prerouting", inside, incoming=5)),
        ("host", event("nat", inside, table="docker-bridges", kind="policy", verdict="accept")),
        ("host", event("forward", inside, incoming=5, outgoing=2)),
        ("host", event("postrouting", outside, outgoing=2)),
        ("app", event("output", inside, outgoing=4)),
    ]
    (passage,) = passages(observation(packets, reports))
    told = [
        f"{one.place} {one.events[0].chain}" if isinstance(one, Run) else f"{one.place} eth{one.index}"
        for one in passage.sights()
    ]
    assert told == [
        "app output", "app eth4", "host eth5", "host prerouting", "host nat", "host forward", "host postrouting", "host eth2",
    ]  # fmt: skip


def test_a_packet_that_came_by_twice_in_the_loopback_is_told_out_then_in():
    wire = syn("127.0.0.1", "127.0.0.1")
    packets = [seen_at(1, "host", 1, OUT, wire), seen_at(2, "host", 1, IN, wire)]
    reports = [
        ("host", event("output", wire, outgoing=1)),
        ("host", event("prerouting", wire, incoming=1)),
        ("host", event("input", wire, incoming=1)),
    ]
    (passage,) = passages(observation(packets, reports))
    kinds = [
        one.events[0].chain if isinstance(one, Run) else ("out" if one.outgoing else "in") for one in passage.sights()
    ]
    assert kinds == ["output", "out", "in", "prerouting", "input"]
    assert arrived(passage)


def test_a_dropped_packet_has_not_arrived():
    wire = syn()
    packets = [seen_at(1, "app", 4, OUT, wire), seen_at(2, "web", 4, IN, wire)]
    reports = [
        ("web", event("input", wire, incoming=4)),
        ("web", event("mine", wire, table="mine", incoming=4, verdict="drop")),
    ]
    (passage,) = passages(observation(packets, reports))
    assert not arrived(passage)
    assert arrived(next(iter(passages(observation(packets, reports[:1])))))


def test_others_are_left_out():
    other = bytes(Ether() / IP(src="172.17.0.2", dst="198.51.100.53") / UDP(sport=PORT, dport=53) / "xx")
    packets = [seen_at(1, "app", 4, OUT, syn(sport=4)), seen_at(2, "app", 4, OUT, other)]
    tracing_too = ("app", event("output", syn(), table="netlab-trace-2", outgoing=4))
    assert passages(observation(packets, [tracing_too])) == []


def test_an_entry_tells_what_the_first_packet_became():
    original = Tuple("172.17.0.2", "198.51.100.80", 6, PORT, 80)
    reply = Tuple("198.51.100.80", "203.0.113.10", 6, 80, PORT)
    assert Connection(original, reply).translated == replace(original, source="203.0.113.10")


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("http://web", Target("web", "tcp", 80, "/")),
        ("http://web:8080/a?b=c", Target("web", "tcp", 8080, "/a?b=c")),
        ("http://[fd00::2]:81/", Target("fd00::2", "tcp", 81, "/")),
        ("https://web", Target("web", "tcp", 443)),
        ("ping web", Target("web", "icmp")),
        ("172.17.0.2", Target("172.17.0.2", "icmp")),
        ("fd00::2", Target("fd00::2", "icmp")),
        ("tcp:web:81", Target("web", "tcp", 81)),
        ("tcp://web:81", Target("web", "tcp", 81)),
        ("udp:web:53", Target("web", "udp", 53)),
        ("web:81", Target("web", "tcp", 81)),
    ],
)
def test_targets(text, target):
    assert parse(text) == target
    assert parse(str(target)) == target


@pytest.mark.parametrize("text", ["", " ", "http://", "tcp:web", "udp:web:0", "tcp:we b:1", "web:http", "-x", None])
def test_what_is_no_target(text):
    with pytest.raises(RequestError):
        parse(text)


@pytest.mark.parametrize("code", REASONS)
def test_each_reason_speaks_both_languages_with_the_same_facts(code):
    reason = REASONS[code]

    def braces(text):
        return set(re.findall(r"{(\w+)}", text))

    assert braces(reason.said[0]) == braces(reason.said[1])
    assert braces(reason.advice[0]) == braces(reason.advice[1])
    names = braces("".join((*reason.said, *reason.advice, reason.command)))
    finding = Finding(code, "web", {name: f"<{name}>" for name in names - {"place"}})
    try:
        for language in ("en", "ja"):
            set_language(language)
            assert "{" not in finding.text + finding.advice + finding.command
    finally:
        set_language(None)
