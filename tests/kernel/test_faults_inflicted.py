"""Break and fix: every fault hurts, is explained by its own reason, and is mended by its commands; by any other way too."""

from __future__ import annotations

import random

import pytest
from outside import assert_same, state, wait_until

from netlab import Lab
from netlab.errors import RequestError
from netlab.faults.breaking import FAULTS, inflict
from netlab.faults.fault import Situation
from netlab.faults.ways import probe, probe_all, survey

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

_TUNNELS = [name for name, one in FAULTS.items() if one.kind == "tunnel"]


def drawn(seed):
    return random.Random(seed)  # noqa: S311 - a choice to be repeated, no secret


@pytest.fixture(scope="module")
def shop():
    """A lab in which every fault but those of tunnels finds something to break."""
    with Lab() as lab:
        lab.network("shop")
        lab.run("web", image="nginx", network="shop", publish="8080:80")
        lab.run("app", network="shop")
        lab.run("other", network="shop")
        lab.run("box")
        yield lab


@pytest.fixture(scope="module")
def two_hosts():
    with Lab(hosts=2) as lab:
        lab.network("ov", driver="overlay")
        lab.run("web", image="nginx", network="ov", host="host2")
        lab.run("app", network="ov")
        yield lab


def test_there_are_at_least_twenty_of_all_levels():
    assert len(FAULTS) >= 20
    assert {one.level for one in FAULTS.values()} == {1, 2, 3}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_hurts_is_explained_and_mended(name, request):
    lab = request.getfixturevalue("two_hosts" if name in _TUNNELS else "shop")
    before, snapshot = state(lab), lab.snapshot()
    situation = Situation(lab.world, snapshot, survey(snapshot, lab._explain)[0])
    done = inflict(lab, situation, FAULTS[name], drawn(7))
    assert done is not None, "nothing was found that it breaks"
    way = done.broken.way
    try:
        explained = lab.why(way.source, way.target)
        assert explained.ok is False, explained
        assert explained.reason.code in FAULTS[name].reasons, explained
        probe_all(lab, situation.ways)  # nothing that passes in other directions mends it
        assert not probe(lab, way.source, way.target)
        assert way.source in way.complaint or way.source == "client"
    finally:
        for command in done.broken.repair:
            lab[command.place].sh(command.command, check=True)
    wait_until(lambda: probe(lab, way.source, way.target), what=f"{done.broken}")
    assert lab.why(way.source, way.target).ok is True
    if not done.broken.by_engine:  # the engine sets a container up anew, with another address perhaps
        assert_same(lambda: state(lab), lambda: before)


@pytest.mark.parametrize("name", FAULTS)
def test_the_explanations_own_commands_mend_it_as_well(name, make_lab):
    """After one command the next thing may be missed: what was lost when an interface was down, say."""
    lab = make_lab(hosts=2 if name in _TUNNELS else 1)
    network = {"driver": "overlay"} if name in _TUNNELS else {}
    lab.network("shop", **network)
    lab.run("web", image="nginx", network="shop", **({"host": "host2"} if network else {"publish": "8080:80"}))
    lab.run("app", network="shop")
    snapshot = lab.snapshot()
    situation = Situation(lab.world, snapshot, survey(snapshot, lab._explain)[0])
    done = inflict(lab, situation, FAULTS[name], drawn(3))
    way = done.broken.way
    explained = lab.why(way.source, way.target)
    for _ in range(3):
        assert explained.repair, explained
        for command in explained.repair:
            lab[command.place].sh(command.command, check=True)
        explained = lab.why(way.source, way.target)
        if explained.ok:
            break
    wait_until(lambda: probe(lab, way.source, way.target), what=f"{explained}")


# ── the generator ──────────────────────────────────────────────────────────────────────────────────────────────────


def small(lab):
    lab.run("web", image="nginx", publish="8080:80")
    lab.run("app")


def test_trouble_tells_its_symptom_only_and_ends_when_repaired(lab):
    small(lab)
    before = state(lab)
    trouble = lab.break_something(seed=4, level=1)
    shown = repr(trouble) + trouble._repr_html_()
    assert trouble.symptom in repr(trouble)
    assert not any(str(one) in shown for one in trouble.reveal().splitlines())
    assert trouble.faults[0] not in shown
    checked = trouble.check()
    assert not checked.ok
    assert checked.missing
    hints = [trouble.hint() for _ in range(3)]
    assert len(set(hints)) == 3
    assert "$ " in hints[2]
    assert "$ " not in hints[0] + hints[1]
    trouble.repair()
    wait_until(lambda: trouble.check().ok, what=f"{trouble.check()}")
    assert "check()" in trouble.hint()
    assert state(lab) == before


def test_the_same_seed_breaks_the_same(make_lab):
    told = []
    for _ in range(2):
        lab = make_lab()
        small(lab)
        trouble = lab.break_something(seed=11, count=2)
        told.append((trouble.faults, trouble.symptom))
        lab.close()
    assert told[0] == told[1]
    assert len(told[0][0]) == 2


@pytest.mark.parametrize("seed", [5, 6, 11])
def test_each_of_several_faults_has_a_complaint_of_its_own(seed, lab):
    """With all the others repaired, it still interrupts what its users complain of."""
    small(lab)
    lab.run("other")
    trouble = lab.break_something(seed=seed, count=3)
    assert len(trouble.faults) == len(set(trouble.symptom.splitlines())) == 3
    for one in reversed(trouble._inflicted):
        way = one.broken.way
        assert not probe(lab, way.source, way.target)
        for command in one.broken.repair:
            lab[command.place].sh(command.command, check=True)
    wait_until(lambda: trouble.check().ok, what=f"{trouble.check()}")


def test_a_fault_may_take_away_what_another_would_break(lab):
    """The web server is stopped first; faults inside it find another place, or another fault is drawn."""
    small(lab)
    situation = Situation(lab.world, lab.snapshot(), survey(lab.snapshot(), lab._explain)[0])
    lab.stop("web", seconds=0)
    for name in ("dropped-at-the-door", "mtu", "echo-ignored"):
        inflict(lab, situation, FAULTS[name], drawn(1))


def test_any_right_repair_counts_and_too_much_does_not(lab):
    small(lab)
    trouble = lab.break_something(seed=1, kind="route", level=1)
    assert trouble.faults[0] in ("missing-route", "no-forwarding")
    assert not trouble.check()
    if trouble.faults == ("no-forwarding",):
        lab.host.sh("echo 1 > /proc/sys/net/ipv4/ip_forward", check=True)
    else:  # two halves instead of a default route
        broken = next(one for one in ("app", "web") if not any(r.destination == "default" for r in lab[one].routes))
        lab[broken].sh("ip route add 0.0.0.0/1 via 172.17.0.1; ip route add 128.0.0.0/1 via 172.17.0.1", check=True)
    assert trouble.check().ok, trouble.check()
    lab["router"].sh("ip route add 172.17.0.0/16 via 203.0.113.10; ip route del blackhole 172.16.0.0/12", check=True)
    lab.host.sh("nft flush chain ip docker-bridges raw-prerouting__docker0", check=True)
    lab.host.sh("nft flush chain ip docker-bridges filter-forward-in__docker0", check=True)
    lab.host.sh("nft add rule ip docker-bridges filter-forward-in__docker0 accept", check=True)
    checked = trouble.check()
    assert not checked.ok
    assert ("client", f"ping {lab['app'].address}") in checked.opened


def test_a_container_that_is_gone_counts_as_not_mended(lab):
    small(lab)
    trouble = lab.break_something(seed=2, kind="server")
    trouble.repair()
    lab.stop("web", seconds=0)
    checked = trouble.check()
    assert ("client", "http://203.0.113.10:8080") in checked.missing
    assert trouble.hint()
    lab.start("web")
    wait_until(lambda: trouble.check().ok, what=f"{trouble.check()}")


def test_nothing_is_broken_where_there_is_nothing(lab):
    before = state(lab)
    with pytest.raises(RequestError, match="Build something first"):
        lab.break_something(seed=1)
    with pytest.raises(RequestError, match="level 7"):
        lab.break_something(level=7)
    with pytest.raises(RequestError, match="no kind of fault 'gremlin'"):
        lab.break_something(kind="gremlin")
    assert state(lab) == before
    small(lab)
    before = state(lab)
    with pytest.raises(RequestError, match="fits this lab"):
        lab.break_something(kind="tunnel")
    assert state(lab) == before
