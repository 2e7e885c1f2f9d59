"""Names on user-defined networks: asked with dig from inside. Rows of the catalogue stand in brackets."""

from __future__ import annotations

import json

import pytest
from outside import ip

from netlab import Lab

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def town():
    """Two networks: c-a and c-b on the first, c-c on the second, c-both on both; c-plain on the default bridge."""
    with Lab() as lab:
        for name in ("c-n1", "c-n2"):
            lab.network(name)
        lab.run("c-a", network="c-n1", aliases=["ali", "second", "shared"], hostname="hosta")
        lab.run("c-b", network="c-n1", aliases=["shared"])
        lab.run("C_Up.er", network="c-n1", aliases=["shared"])
        lab.run("c-c", network="c-n2")
        lab.run("c-both", network="c-n1")
        lab.connect("c-n2", "c-both", aliases=["onlyn2"])
        lab.run("c-plain")
        yield lab


def dig(place, question):
    """Return the records of an answer."""
    return sorted(place.sh(f"dig +short +tries=1 +time=2 {question}").stdout.split())


def status(place, question):
    said = place.sh(f"dig +tries=1 +time=6 {question}").stdout
    return said.partition("status: ")[2].partition(",")[0], int(said.partition("ANSWER: ")[2].partition(",")[0])


def test_a_container_asks_127_0_0_11(town):
    """DN-01, DN-04: nothing is bound on port 53, rules in the container carry the questions."""
    box = town["c-a"]
    assert box.sh("cat /etc/resolv.conf").stdout == "nameserver 127.0.0.11\noptions ndots:0\n"
    listening = box.sh("ss -Hlntu").stdout
    assert listening.count("127.0.0.11:") == 2
    assert "127.0.0.11:53 " not in listening
    table = json.dumps(json.loads(box.sh("nft -j list table ip docker-dns").stdout))
    assert table.count('"dport"') == 2
    assert table.count('"snat"') == 2


@pytest.mark.parametrize("name", ["c-a", "C-A", "ali", "second", "hosta", "c-a.c-n1", "ali.c-n1"])
def test_names_and_aliases_resolve(town, name):
    """DN-08, DN-09, DN-11, DN-12, DN-13, DN-15."""
    for place in ("c-a", "c-b"):
        assert dig(town[place], name) == ["172.18.0.2"]


def test_an_answer_looks_like_the_engines(town):
    """DN-07, DN-08, DN-17."""
    said = town["c-b"].sh("dig c-a").stdout
    assert "flags: qr rd ra;" in said
    assert ["c-a.", "600", "IN", "A", "172.18.0.2"] in [line.split() for line in said.splitlines()]
    assert dig(town["c-b"], "+tcp c-a") == ["172.18.0.2"]
    assert dig(town["c-b"], "c_up.er") == ["172.18.0.4"]


def test_the_short_id_resolves_and_a_shorter_one_does_not(town):
    """DN-10."""
    identifier = town["c-a"].id
    assert dig(town["c-b"], identifier[:12]) == ["172.18.0.2"]
    assert status(town["c-b"], identifier[:11])[0] == "NXDOMAIN"


def test_other_kinds_of_questions(town):
    """DN-20, DN-22, DN-24, DN-26, DN-28."""
    box = town["c-b"]
    assert status(box, "c-a AAAA") == ("NOERROR", 0)
    assert status(box, "c-a MX") == ("NOERROR", 0)
    assert dig(box, "-x 172.18.0.2") == ["c-a.c-n1."]
    assert dig(box, "www.example.com") == ["198.51.100.80"]
    assert status(box, "nosuch")[0] == "NXDOMAIN"
    asked = {(one.name, one.kind): one.outcome for one in town.queries() if one.container == "c-b"}
    assert asked["c-a.", "AAAA"] == "empty"
    assert asked["www.example.com.", "A"] == "forward"
    assert asked["2.0.18.172.in-addr.arpa.", "PTR"] == "answer"


def test_a_question_that_is_asked_again_is_in_the_log_again(town):
    def asked():
        return [
            one.protocol for one in town.queries() if (one.container, one.name, one.kind) == ("c-b", "c-both.", "A")
        ]

    before = asked()
    for words in ("+noedns c-both", "+noedns c-both", "+noedns +tcp c-both"):
        assert dig(town["c-b"], words) == ["172.18.0.5"]
    assert asked()[len(before) :] == ["udp", "udp", "tcp"]


def test_a_shared_alias_means_all_of_them(town):
    """DN-40."""
    answers = {town["c-b"].sh("dig +short shared").stdout for _ in range(12)}
    assert {tuple(sorted(one.split())) for one in answers} == {("172.18.0.2", "172.18.0.3", "172.18.0.4")}
    assert len(answers) > 1


def test_names_are_known_on_their_network_only(town):
    """DN-44, DN-45, DN-46, DN-47."""
    assert status(town["c-c"], "c-b")[0] == "NXDOMAIN"
    assert dig(town["c-b"], "c-both") == ["172.18.0.5"]
    assert dig(town["c-c"], "c-both") == ["172.19.0.3"]
    assert dig(town["c-c"], "onlyn2") == ["172.19.0.3"]
    assert status(town["c-b"], "onlyn2")[0] == "NXDOMAIN"
    assert dig(town["c-both"], "c-both") == ["172.18.0.5"]


def test_the_default_bridge_has_no_names(town):
    """BR-19, BR-20, BR-21."""
    plain = town["c-plain"]
    assert plain.sh("cat /etc/resolv.conf").stdout == "nameserver 198.51.100.53\n"
    assert plain.sh("ss -Hlnu").stdout == ""
    assert status(plain, "c-a")[0] == "NXDOMAIN"


def test_nobody_else_can_ask_there(town):
    """DN-06."""
    assert "refused" in town.host.sh("dig +tries=1 +time=1 @127.0.0.11 c-a").stdout
    assert "refused" in town["c-b"].sh("dig +tries=1 +time=1 @172.18.0.2 c-a").stdout


def test_junk_does_not_hurt(town):
    """DN-58."""
    town["c-b"].sh("printf junk | nc -u -w1 127.0.0.11 53; printf '\\0\\5junkx' | nc -w1 127.0.0.11 53")
    assert dig(town["c-b"], "c-a") == ["172.18.0.2"]


def test_names_follow_stop_rename_and_disconnect(lab):
    """DN-18, DN-27, DN-41, DN-48."""
    for name in ("c-n1", "c-n2"):
        lab.network(name)
    asker, other = lab.run("asker", network="c-n1"), lab.run("other", network="c-n1")
    for one in (asker, other):
        lab.connect("c-n2", one.name)
    lab.rename("other", "renamed")
    assert status(asker, "other")[0] == "NXDOMAIN"
    assert dig(asker, "renamed") == ["172.18.0.3"]
    assert lab["renamed"] is other
    assert "renamed" in lab.host.sh("ip netns list").stdout
    assert ip(other, "address show eth0")
    lab.disconnect("c-n1", "renamed")
    assert dig(asker, "renamed") == ["172.19.0.3"]
    assert status(asker, "-x 172.18.0.3")[0] == "NXDOMAIN"
    lab.stop("renamed")
    assert status(asker, "renamed")[0] == "NXDOMAIN"
    assert lab.run("other", network="c-n1").address == "172.18.0.3"
    lab.start("renamed")
    assert dig(asker, "renamed") == ["172.19.0.3"]


def test_a_container_of_the_default_bridge_learns_names_when_connected(lab):
    """DN-49."""
    lab.network("c-n1")
    lab.run("c-a", network="c-n1")
    box = lab.run("box")
    lab.connect("c-n1", "box")
    assert box.sh("cat /etc/resolv.conf").stdout == "nameserver 127.0.0.11\noptions ndots:0\n"
    assert dig(box, "c-a") == ["172.18.0.2"]
    lab.disconnect("c-n1", "box")
    assert box.sh("cat /etc/resolv.conf").stdout == "nameserver 127.0.0.11\noptions ndots:0\n"
    assert status(box, "c-a")[0] == "NXDOMAIN"


def test_an_internal_network_resolves_its_own_names_and_asks_nobody_else(lab):
    """DN-36, DN-37, DN-39 as from engine 26 on."""
    lab.network("inner", internal=True)
    lab.network("outer")
    box, _ = lab.run_many(["box", "other"], network="inner")
    assert dig(box, "other") == ["172.18.0.3"]
    assert status(box, "www.example.com")[0] == "SERVFAIL"
    lab.connect("outer", "box")
    assert dig(box, "www.example.com") == ["198.51.100.80"]


def test_servers_may_be_chosen(lab):
    """BR-26, BR-27, DN-32 as from engine 24 on."""
    lab.network("c-n1")
    servers = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]
    plain = lab.run("plain", dns=servers)
    assert plain.sh("cat /etc/resolv.conf").stdout.split()[1::2] == servers
    silent = lab.run("silent", network="c-n1", dns=["203.0.113.10"])
    assert silent.sh("cat /etc/resolv.conf").stdout == "nameserver 127.0.0.11\noptions ndots:0\n"
    assert status(silent, "www.example.com")[0] == "SERVFAIL"
