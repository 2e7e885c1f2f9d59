"""The glossary: every word of the course once, and a link from wherever it is mentioned first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from netlab import language
from netlab.glossary import glossary, linked

# The list of the curriculum.
WANTED = {
    "network-namespace",
    "veth",
    "bridge",
    "docker0",
    "default-gateway",
    "user-defined-bridge",
    "port-mapping",
    "nat",
    "dnat",
    "iptables",
    "nftables",
    "internal-dns",
    "host-driver",
    "none-driver",
    "overlay-driver",
    "loopback",
    "masquerade",
    "vxlan",
    "fdb",
    "conntrack",
    "hairpin",
}


@pytest.fixture
def beside_chapter_10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in a folder that has the glossary."""
    (tmp_path / "10-glossary.ipynb").write_text("{}")
    monkeypatch.chdir(tmp_path)
    language("en")
    yield
    language(None)


def test_every_word_of_the_curriculum_is_there() -> None:
    """Each has a sentence in both languages and a cell."""
    assert set(glossary()) >= WANTED
    for term in glossary().values():
        assert term.shows
        assert term.meanings["en"].endswith(".")
        assert term.meanings["ja"].endswith("。")


def test_letters_have_a_reading() -> None:
    """A Japanese beginner who sees `MTU` for the first time is told how to say it; IP, DNS, host and none are known."""
    known = {"IP", "DNS", "host", "none"}
    for term in glossary().values():
        letters = set(re.findall(r"[A-Za-z]{2,}", term.words["ja"][0])) - known
        assert bool(term.reading) >= bool(letters), term.key


@pytest.mark.usefixtures("beside_chapter_10")
def test_the_first_mention_is_a_link() -> None:
    """Only the first, however a sentence begins; what is no mention stays plain, and signs are escaped."""
    told: set[str] = set()
    html = linked("Bridge docker0 <passes> it to the bridge; nat-prerouting asks NAT.", told)
    assert '<a href="10-glossary.ipynb#cell-id=bridge">Bridge</a>' in html
    assert "&lt;passes&gt; it to the bridge; nat-prerouting asks" in html
    assert html.count("cell-id=nat") == 1
    assert told == {"bridge", "docker0", "nat"}
    assert linked("the bridge", told) == "the bridge"


@pytest.mark.usefixtures("beside_chapter_10")
def test_the_longest_word_is_meant() -> None:
    """A network namespace is no interface of a network, and DNAT is not NAT."""
    told: set[str] = set()
    linked("DNAT in a network namespace", told)
    assert told == {"dnat", "network-namespace"}


@pytest.mark.usefixtures("beside_chapter_10")
def test_japanese_has_no_spaces_between_words() -> None:
    """A word is found in the middle of a sentence."""
    language("ja")
    told: set[str] = set()
    html = linked("パケットはブリッジを通り、MTUを超えました。", told)
    assert told == {"bridge", "mtu"}
    assert html.startswith('パケットは<a href="10-glossary.ipynb#cell-id=bridge">ブリッジ</a>を')


def test_without_the_chapter_there_is_no_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that leads nowhere helps nobody."""
    monkeypatch.chdir(tmp_path)
    told: set[str] = set()
    assert linked("the bridge & NAT", told) == "the bridge &amp; NAT"
    assert not told
