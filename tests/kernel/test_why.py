"""Explanations: each condition in its order, and the same outcome as a real probe has."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from outside import state
from random_whys import disagreements

from netlab.errors import NotFound, RequestError
from netlab.language import set_language

pytestmark = pytest.mark.kernel


def kinds(explanation, leg="request"):
    return [one.kind for one in explanation if one.leg == leg]


def test_every_condition_of_a_page_on_the_internet_is_told_in_order(lab):
    lab.run("app")
    explained = lab.why("app", "http://198.51.100.80")
    assert explained.ok is True
    assert lab["app"].http("http://198.51.100.80").ok
    assert explained[1].kind == "interface"
    order = [(one.place, one.kind) for one in explained if one.leg == "request"]
    assert order == [
        ("app", "interface"),
        ("app", "route"), ("app", "neighbour"), ("host", "frame"), ("host", "forwarding"), ("host", "rules"),
        ("host", "nat"), ("host", "neighbour"), ("router", "frame"), ("router", "forwarding"), ("router", "neighbour"),
        ("www", "frame"), ("www", "socket"),
    ]  # fmt: skip
    nat = next(one for one in explained if one.kind == "nat")
    assert "172.17.0.2" in nat.text
    assert "203.0.113.10" in nat.text
    assert "masquerade" in nat.evidence
    assert kinds(explained, "answer")[-2:] == ["answer", "size"]
    assert all(lab[one.place].sh(one.command).ok for one in explained if not one.command.startswith("conntrack"))


def test_nothing_is_sent(lab):
    """No neighbour is asked for, nothing is counted by a rule, and the kernel's state stays what it was."""
    lab.network("shop")
    lab.run("web", image="nginx", network="shop", publish="8080:80")
    lab.run("app", network="shop")
    looks = "nft list ruleset; ip neigh show 203.0.113.50; ip neigh show 198.51.100.80"
    places = [lab[name] for name in ("host", "web", "app", "router")]
    before, asked, kernel = [place.sh(looks).stdout for place in places], len(lab.queries()), state(lab)
    assert lab.why("app", "http://web").ok
    assert lab.why("app", "http://www.example.com").ok
    assert lab.why("client", "http://203.0.113.10:8080").ok
    assert [place.sh(looks).stdout for place in places] == before
    assert len(lab.queries()) == asked
    assert state(lab) == kernel


def test_a_name_is_resolved_by_the_engines_records(lab):
    lab.network("shop")
    lab.run("web", image="nginx", network="shop", aliases=["store"])
    lab.run("app", network="shop")
    asked = len(lab.queries())
    for name in ("web", "store", "www.example.com"):
        assert lab.why("app", f"http://{name}").ok is True, name
    unknown = lab.why("app", "http://nobody")
    assert unknown.reason.code == "name-unknown"
    assert lab.why("web", "http://nobody.example").reason.code == "name-unknown"
    assert len(lab.queries()) == asked


def test_a_rule_that_is_not_understood_makes_it_uncertain_only_where_it_matters(lab):
    web = lab.run("web", image="nginx")
    lab.run("app")
    lab.host.nft("table ip odd { chain c { type filter hook forward priority -5; meta cpu 63 accept;\n }\n }")
    assert lab.why("app", f"http://{web.address}").ok is True  # accepted either way
    lab.host.nft("add rule ip odd c meta skuid 4242 drop")
    explained = lab.why("app", f"http://{web.address}")
    assert explained.ok is None
    assert not explained
    assert "skuid" in explained.unsure.text
    assert explained.reason is None


def test_it_speaks_both_languages_and_is_data(lab):
    lab.run("app")
    english = repr(lab.why("app", "ping 172.17.0.99"))
    try:
        set_language("ja")
        japanese = repr(lab.why("app", "ping 172.17.0.99"))
        page = lab.why("app", "ping 172.17.0.99")._repr_html_()
    finally:
        set_language(None)
    assert "nobody answered" in english
    assert "応答がありません" in japanese
    assert 'lang="ja"' in page
    told = json.loads(lab.why("app", "ping 172.17.0.99").json())
    assert told["ok"] is False
    assert told["reason"]["code"] == "arp-unanswered"
    assert told["conditions"][-1]["fulfilled"] is False


def test_the_command_ends_with_the_status_of_the_answer(lab):
    web = lab.run("web", image="nginx")
    lab.run("app")
    program = [str(Path(sys.executable).with_name("netlab")), "why", "--lab", lab.name]
    good = subprocess.run([*program, "app", f"http://{web.address}"], capture_output=True, text=True, check=False)
    assert (good.returncode, "can be reached" in good.stdout) == (0, True), good
    bad = subprocess.run([*program, "app", "tcp:172.17.0.2:81", "--json"], capture_output=True, text=True, check=False)
    assert bad.returncode == 1
    assert json.loads(bad.stdout)["reason"]["code"] == "port-closed"
    lab.host.nft("table ip odd { chain c { type filter hook forward priority -5; meta skuid 4242 drop;\n }\n }")
    unsure = subprocess.run([*program, "app", f"http://{web.address}"], capture_output=True, text=True, check=False)
    assert unsure.returncode == 2


def test_what_is_no_target_or_no_place_is_refused(lab):
    with pytest.raises(RequestError, match="is no target"):
        lab.why("host", "tcp:web:0")
    with pytest.raises(NotFound, match="nobody"):
        lab.why("nobody", "ping 203.0.113.1")


def test_an_address_that_was_taken_away_is_missed_and_its_repair_repairs(lab):
    lab.run("web", image="nginx")
    lab.run("app")
    assert lab["app"].ping("172.17.0.2").ok  # its hardware address is known from then on
    lab["web"].sh("ip address flush dev eth0", check=True)
    (failed,) = [one for one in lab.why("app", "http://172.17.0.2") if one.fulfilled is False]
    assert (failed.reason, failed.place) == ("address-missing", "web")
    for repair in failed.repair:
        lab[repair.place].sh(repair.command, check=True)
    assert lab.why("app", "http://172.17.0.2").ok
    assert lab["app"].http("http://172.17.0.2").ok


def test_what_a_sender_can_take_follows_from_the_route_before_translation_and_through_the_proxy(lab):
    """Found by seeds 6016 and 6080: of a link of 120 bytes, which the bridge takes over, lo and docker-proxy know nothing."""
    lab.network("shop")
    web = lab.run("web", image="nginx", network="shop", publish="8080:80")
    lab.host.sh(f"ip link set {web.veth} mtu 120", check=True)
    for source, target in (("host", "http://203.0.113.10:8080"), ("web", "http://203.0.113.10:8080")):
        explained = lab.why(source, target)
        assert (explained.ok, explained.reason.code) == (False, "mtu-black-hole"), explained
        assert not lab[source].http(target, timeout=0.6).ok


def test_the_end_of_a_cable_beside_its_bridge_is_named_although_it_answers_arp(lab):
    web = lab.run("web", image="nginx")
    lab.host.sh(f"ip link set {web.veth} nomaster; ip link set {web.veth} up", check=True)
    web.sh("ip neigh flush dev eth0", check=True)
    explained = lab.why("web", "http://198.51.100.80")
    assert not web.ping("198.51.100.80", count=1).ok
    assert explained.reason.code == "not-attached", explained
    assert [one.command for one in explained.repair] == [f"ip link set {web.veth} master docker0"]


@pytest.mark.parametrize("seed", [2, 8, 13, 21, 34])
def test_it_agrees_with_what_really_happens(seed):
    """Random labs, random faults, random pairs of a place and a target."""
    wrong, asked, uncertain = disagreements(seed, count=8)
    assert not wrong, "\n\n".join(wrong)
    assert uncertain <= asked // 2


def test_what_the_engine_can_mend_it_says_with_the_line_that_mends_it(lab):
    """A container that is stopped, and one whose port was published for a wrong number."""
    lab.network("shop")
    lab.run("web", image="nginx", network="shop", publish="8080:81")
    lab.run("app", network="shop")
    wrong = lab.why("client", "http://203.0.113.10:8080")
    assert [str(one) for one in wrong.repair] == [
        "host$ docker rm -f web",
        "host$ docker run -d --name web --network shop -p 8080:80 nginx",
    ]
    for one in wrong.repair:
        lab[one.place].sh(one.command, check=True)
    assert lab.why("client", "http://203.0.113.10:8080").ok is True
    lab.stop("web")
    by_name, by_port = lab.why("app", "http://web"), lab.why("client", "http://203.0.113.10:8080")
    assert (by_name.reason.code, by_port.reason.code) == ("container-stopped", "port-closed")
    assert {str(one) for each in (by_name, by_port) for one in each.repair} == {"host$ docker start web"}
    assert lab.host.sh(by_name.failed.command).ok, "the command that shows it runs where it says"
    lab.host.sh("docker start web", check=True)
    assert lab.why("app", "http://web").ok is True
