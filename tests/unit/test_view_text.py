"""The lab as text, and NAT in words."""

from __future__ import annotations

import pytest
from view_samples import SAMPLES, chapter_one, docker_world, drivers, two_networks

from netlab.model import Snapshot
from netlab.view.nat import translations
from netlab.view.text import to_text
from netlab.view.words import INTERNET_KINDS


@pytest.mark.parametrize("name", SAMPLES)
def test_every_interface_and_address_is_there(name):
    """Who reads the text knows what is in the picture."""
    snapshot = SAMPLES[name]()
    text = to_text(snapshot, "en")
    for place in snapshot.places:
        assert place.name in text
        for one in place.interfaces:
            if one.kind == "loopback" or place.kind in INTERNET_KINDS:
                continue
            assert one.name in text
            assert all(str(each) in text for each in one.addresses if each.scope == "global")


def test_reads_as_a_tree():
    """Ports under their bridge, containers under their host, both ends of a cable on its line."""
    lines = to_text(chapter_one(), "en").splitlines()
    assert lines[0] == "lab"
    assert "   ├─ docker0  bridge  up  172.17.0.1/16" in lines
    assert any(line.startswith("   │  ├─ veth") and line.endswith("⇄ web:eth0") for line in lines)
    assert "   ├─ web  container nginx  listens :80" in lines
    assert "   ├─ NAT :8080 → web:80" in lines


def test_says_what_is_down():
    """The word, not a colour."""
    text = to_text(two_networks(), "en")
    assert "eth0  DOWN ✕  172.18.0.3/16" in text


def test_speaks_japanese():
    """The few words are translated; names and the kernel's words are not."""
    text = to_text(two_networks(), "ja")
    assert "インターネット" in text
    assert "信号なし" in text
    assert "docker0  ブリッジ" in text


def test_an_empty_lab_says_so():
    """One line, not nothing."""
    assert to_text(Snapshot("lab"), "en") == "lab\n└─ nothing here yet"


def test_a_shared_namespace_is_told_once():
    """A container on the host's network has no interfaces of its own to list."""
    assert "fast  container nginx  uses host's network" in to_text(drivers(), "en")


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (
            'ip saddr 172.17.0.0/16 oifname != "docker0" counter packets 3 masquerade',
            "NAT 172.17.0.0/16 → 203.0.113.10",
        ),
        ('oifname "eth0" masquerade', "NAT * → 203.0.113.10"),
        ("ip saddr 172.17.0.0/16 snat to 203.0.113.10", "NAT 172.17.0.0/16 → 203.0.113.10"),
        ("tcp dport 8080 dnat to 172.17.0.2:80", ":8080 → web:80"),
        ("tcp dport 8080 dnat ip to 172.17.0.2:80", ":8080 → web:80"),
        ('udp dport 53 counter dnat to 172.17.0.2:53 comment "dns"', ":53/udp → web:53"),
        ("ip daddr 127.0.0.1 tcp dport 8080 dnat to 172.17.0.2:80", "127.0.0.1:8080 → web:80"),
        ("tcp dport 8000-8010 dnat to 172.17.0.2", ":8000-8010 → web"),
        ("tcp dport 8080 dnat to 10.9.9.9:80", ":8080 → 10.9.9.9:80"),
        ("tcp dport 8080 redirect to :80", ":8080 → :80"),
    ],
)
def test_a_rule_in_words(rule, says):
    """What an nft rule does to an address, as a reader would say it."""
    world = docker_world()
    world.run("web", "172.17.0.2/16")
    world.rules("host", rule)
    assert translations(world.places["host"], world.snapshot()) == [says]


@pytest.mark.parametrize(
    "rule", ["ip saddr 172.17.0.2 ip daddr 172.17.0.2 tcp dport 80 masquerade", "ct state established accept"]
)
def test_a_rule_that_is_no_translation_for_a_reader(rule):
    """Hairpin and filter rules stay out of the picture."""
    world = docker_world()
    world.rules("host", rule)
    assert translations(world.places["host"], world.snapshot()) == []
