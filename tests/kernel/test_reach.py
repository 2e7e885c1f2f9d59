"""The host's rules in a kernel: who reaches whom, by nft and by the equivalent iptables lines alone.

IS-…, PM-…, UD-… and V6-… are rows of the catalogue of a real engine's behaviours.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.kernel

REACH = Path(__file__).parent / "reach.py"
WAYS = ("nft", "iptables")


def answers(way):
    """Run reach.py in namespaces of its own, which end with it."""
    unshare = [
        "unshare",
        "--user",
        "--map-root-user",
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ]
    environment = {**os.environ, "PYTHONPATH": str(REACH.parents[2])}
    done = subprocess.run(
        [*unshare, sys.executable, str(REACH), way],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def said():
    return {way: answers(way) for way in WAYS}


EXPECTED = {
    # by the container's own address
    "a2 172.18.0.2 80": ("172.18.0.3", "IS-01: on one bridge, without NAT"),
    "b1 172.18.0.2 80": ("timeout", "IS-02, IS-03: another bridge, a published container port"),
    "b1 172.18.0.3 80": ("timeout", "IS-02: another bridge"),
    "a2 172.19.0.2 80": ("timeout", "IS-04: in the other direction"),
    "host 172.18.0.2 80": ("172.18.0.1", "IS-10: from the host, as the bridge's gateway"),
    "host 172.18.0.3 80": ("172.18.0.1", "IS-10: published or not"),
    "host 172.20.0.2 80": ("172.20.0.1", "IS-10: internal or not"),
    "host 172.21.0.3 80": ("172.21.0.1", "IS-10: icc or not"),
    "out 172.18.0.2 80": ("timeout", "IS-11, IS-33: from outside, published (28.0 and later; 20.10 lets it pass)"),
    "out 172.18.0.3 80": ("timeout", "IS-12: from outside, not published"),
    "out 172.20.0.2 80": ("timeout", "IS-32: from outside into an internal network"),
    "a2 172.20.0.2 80": ("timeout", "IS-32: from another bridge into an internal network"),
    "n1 172.21.0.3 80": ("timeout", "IS-28: icc=false"),
    "i1 172.20.0.3 80": ("172.20.0.2", "UD-45: within an internal network"),
    # by the host's addresses
    "a2 192.0.2.10 9000": ("172.18.0.3", "IS-09: a process of the host, without NAT"),
    "a2 172.18.0.1 9000": ("172.18.0.3", "IS-09: by the own gateway"),
    "a2 172.19.0.1 9000": ("172.18.0.3", "IS-09: by another gateway"),
    "out 172.18.0.1 9000": ("192.0.2.1", "IS-09: only containers' addresses are out of reach"),
    "i1 172.20.0.1 9000": ("172.20.0.2", "UD-45: from an internal network"),
    # outwards
    "a2 192.0.2.1 80": ("192.0.2.10", "IS-13: masquerade"),
    "i1 192.0.2.1 80": ("timeout", "UD-46, IS-32: no way out of an internal network, even with a route"),
    # by published ports
    "out 192.0.2.10 8080": ("192.0.2.1", "PM-36: the client's own address is seen"),
    "out 192.0.2.10 8081": ("Connection refused", "PM-06: published on 127.0.0.1 only"),
    "out 192.0.2.10 8082": ("192.0.2.1", "PM-09: published on that address"),
    "host 192.0.2.10 8080": ("192.0.2.10", "PM-37: from the host, by its address in the LAN"),
    "host 172.18.0.1 8080": ("172.18.0.1", "PM-38: from the host, by the gateway's address"),
    "host 127.0.0.1 8080": ("proxy", "IS-21, PM-38: localhost is left to docker-proxy"),
    "host 127.0.0.1 8081": ("Connection refused", "IS-21, PM-06: likewise, and here no proxy listens"),
    "b1 192.0.2.10 8080": (
        "172.18.0.1",
        "IS-06, IS-07: from another bridge (29.0 and later rewrite it, without a proxy)",
    ),
    "b1 172.18.0.1 8080": ("172.18.0.1", "IS-06: by the target's gateway"),
    "b1 172.19.0.1 8080": ("172.18.0.1", "IS-06: by the own gateway"),
    "b1 192.0.2.10 8082": ("172.21.0.1", "IS-28: a published port of a network without icc"),
    "a1 192.0.2.10 8080": ("proxy", "PM-40: hairpin, by the proxy"),
    "a2 192.0.2.10 8080": ("proxy", "PM-39: from the same bridge, by the proxy"),
    "n2 192.0.2.10 8082": ("proxy", "BR-39: icc=false does not close a neighbour's published port"),
    "i1 172.20.0.1 8080": ("timeout", "IS-08: rewritten, then dropped"),
    # IPv6
    "out 2001:db8::10 8080": ("2001:db8::1", "PM-36 with IPv6"),
    "out fd00:a::2 80": ("timeout", "IS-11 with IPv6"),
    "a2 fd00:a::2 80": ("fd00:a::3", "IS-01 with IPv6"),
    "a2 2001:db8::1 80": ("2001:db8::10", "IS-13, V6-11 with IPv6: masquerade, since 27.0"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("question", EXPECTED)
def test_who_reaches_whom(said, way, question):
    """Each row as its remark says, by nft and by iptables."""
    answer, rows = EXPECTED[question]
    assert said[way][question] == answer, rows


def test_nothing_else_was_asked(said):
    """Every question has its answer here."""
    assert {
        question for question in said["iptables"] if question[:3] in {"a1 ", "a2 ", "b1 ", "hos", "i1 ", "out"}
    } <= set(EXPECTED)


def test_without_rules_everything_is_reached(said):
    """The control: it is the rules that stop it."""
    assert said["nft"]["no rules: out 172.18.0.2 80"] == "192.0.2.1"


def test_own_rules_see_packets_after_their_rewriting(said):
    """IS-25, IS-26: in DOCKER-USER the port is the container's."""
    assert said["nft"]["DOCKER-USER drops 8080: out 192.0.2.10 8080"] == "192.0.2.1"
    assert said["nft"]["DOCKER-USER drops 80: out 192.0.2.10 8080"] == "timeout"


def test_withdrawing_leaves_nothing(said):
    """LC-01, LC-03, LC-04, PM-30: what was made can be taken back, and made again."""
    assert said["nft"]["withdrawn"] == "as before"
    assert said["nft"]["published again"] == "as before"
    assert not said["nft"]["removed"]


def test_iptables_lines_are_written_as_iptables_writes_them(said):
    """A student finds exactly these lines in `iptables -S`."""
    assert not said["iptables"]["lines that iptables writes in another way"]
