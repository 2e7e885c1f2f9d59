"""Checkpoints: the kernel's own tools report the same after coming back as at the time, and containers are who they were."""

from __future__ import annotations

import json

import pytest
from outside import difference, nft, state
from rebuilt import kernel

from netlab.errors import LabClosed, NetlabError, NotFound

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


def engines(lab):
    """Return what docker would say of all containers and networks."""
    containers = {
        name: (one.id, one.image, one.status, one.addresses, one.ports, one.veth, one.exit_code)
        for name, one in lab.containers.items()
    }
    networks = {name: (one.id, one.subnet, one.bridge, one.containers) for name, one in lab.networks.items()}
    return json.dumps([containers, networks])


def build(lab):
    """Build a bit of everything, by docker's ways and by hand, with gaps and in no good order."""
    lab.network("blue", ipv6=True, labels={"tier": "one"})
    lab.run("gone")
    lab.run("web", image="nginx", publish=["8080:80", "81"])
    lab.rm("gone")
    lab.run("app", network="blue", aliases=["shop"])
    lab.connect("bridge", "app")
    lab.run("off", network="blue")
    lab.stop("off")
    lab.run("guest", network="container:web")
    lab.run("first")
    lab.rename("first", "renamed")
    red = lab.namespace("red")
    _, right = lab.host.add_veth("left", "right", peer_place=red)
    right.add_address("10.0.0.1/24").up()
    lab.host.sh(
        "ip link add br0 type bridge; ip link set left master br0 up; ip address add 10.9.0.1/24 dev br0;"
        "ip link set br0 up; ip rule add from 1.2.3.4 lookup 7; ip route add 10.77.0.0/16 via 10.9.0.3 table 7;"
        "sysctl -w net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.br0.proxy_arp=1; nft add table ip mine",
        check=True,
    )
    red.sh("ip route add default via 10.0.0.254; ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev right", check=True)


def test_a_restored_lab_is_the_one_that_was(lab):
    build(lab)
    before, known, history = kernel(lab), engines(lab), list(lab.history)
    lab.checkpoint("here")
    for name in lab.containers:
        lab.rm(name)
    lab.remove_network("blue")
    lab.host.sh("nft flush ruleset; ip link delete br0; ip netns delete red; ip link set eth0 down")
    lab.run("other")
    assert repr(lab.restore("here")) == "The lab is as it was at 'here'."
    assert difference(before, kernel(lab)) == []
    assert engines(lab) == known
    assert lab.history == history
    assert lab.checkpoints == ["here"]
    assert len(lab.changes()) == 0
    # … and it goes on living: names, ports, addresses, what is taken away again
    assert lab["off"].status == "exited"
    assert lab.internet.http("http://203.0.113.10:8080").ok
    assert lab.host.http("http://127.0.0.1:8080").ok
    lab.start("off")
    assert lab["off"].ping("shop").ok
    lab.rm("off")
    lab.rm("app")
    lab.remove_network("blue")
    lab.rm("guest")
    lab.rm("web")
    assert not any("172.17.0.2" in json.dumps(rule) for rule in nft(lab.host))
    lab.remove_namespace("red")
    lab.run("again", image="nginx", publish="8080:80")
    assert lab.internet.http("http://203.0.113.10:8080").ok


def test_a_checkpoint_can_be_restored_many_times_and_replaced(bare):
    bare.checkpoint("empty")
    empty = state(bare)
    bare.namespace("red")
    bare.checkpoint("red")
    bare.restore("empty")
    assert difference(empty, state(bare)) == []
    bare.restore("red")
    assert "red" in bare.places
    bare.checkpoint("empty")
    bare.restore("empty")
    assert "red" in bare.places
    assert bare.checkpoints == ["red", "empty"]


def test_what_cannot_be_brought_back_is_said(lab):
    lab.host.sh("sleep 1234 > /dev/null 2>&1 &")
    lab.run("box", command="sleep 4321")
    lab.checkpoint("busy")
    said = repr(lab.restore("busy"))
    assert "A process that ran in host: sleep 1234" in said
    assert "A process that ran in box: sleep 4321" in said
    assert any("sleep 4321" in process.command for process in lab["box"].processes), "the container's own begins anew"


def test_a_failed_restore_leaves_the_lab_as_it_was(lab, monkeypatch):
    lab.run("web", image="nginx")
    lab.checkpoint("here")
    lab.run("box")
    before, known = kernel(lab), engines(lab)
    refused = "netlab.checkpoints.restoring.Rebuilding.groups"

    def refuse(_):
        message = "no"
        raise NetlabError(message)

    monkeypatch.setattr(refused, refuse)
    with pytest.raises(NetlabError, match="no"):
        lab.restore("here")
    assert difference(before, kernel(lab)) == []
    assert engines(lab) == known
    assert lab["box"].http("http://172.17.0.2").ok
    monkeypatch.undo()
    lab.restore("here")
    assert list(lab.containers) == ["web"]


def test_an_overlay_network_over_two_hosts_comes_back(make_lab):
    lab = make_lab(hosts=2)
    lab.network("ov", driver="overlay")
    lab.run("one", network="ov")
    lab.run("two", network="ov", host="host2")
    before, known = kernel(lab), engines(lab)
    lab.checkpoint("here")
    lab.rm("one")
    lab.rm("two")
    lab.restore("here")
    assert difference(before, kernel(lab)) == []
    assert engines(lab) == known
    assert lab["one"].ping("two").ok


def test_a_checkpoint_that_nobody_made_is_not_found(lab):
    with pytest.raises(NotFound, match="none yet"):
        lab.restore("nowhere")
    lab.checkpoint("here")
    with pytest.raises(NotFound, match="There are: here"):
        lab.restore("nowhere")


def test_a_closed_lab_has_no_checkpoints_to_come_back_to(make_lab):
    lab = make_lab()
    lab.checkpoint("here")
    lab.close()
    with pytest.raises(LabClosed):
        lab.restore("here")
    with pytest.raises(LabClosed):
        lab.checkpoint("there")
    assert lab.closed
