"""A request that fails in the middle leaves the kernel, the places and the addresses as they were."""

from __future__ import annotations

import pytest
from outside import assert_same, difference, state

from netlab import ops
from netlab.errors import KernelRefused, SandboxError
from netlab.kernel.netlink import Refusal, RouteSocket
from netlab.sandbox import client

pytestmark = pytest.mark.kernel


class Saboteur:
    """Refuses one netlink message, the k-th since it began."""

    def __init__(self, monkeypatch, which):
        self.count = 0
        self.which = which
        self.hit = False
        honest = RouteSocket.send

        def send(route_socket, messages):
            first, self.count = self.count, self.count + len(messages)
            if not first <= self.which < self.count:
                return honest(route_socket, messages)
            self.hit = True
            position = self.which - first
            done = honest(route_socket, messages[:position]) if position else []
            return [*done, Refusal(position, 12, "out of memory, says the saboteur")]

        monkeypatch.setattr(RouteSocket, "send", send)


def steps(lab, build, monkeypatch):
    """Count the messages that a request takes when nothing fails."""
    with monkeypatch.context() as patch:
        counter = Saboteur(patch, -1)
        build(lab)
    return counter.count


@pytest.mark.parametrize(
    "build",
    [lambda lab: lab.run("web", image="nginx"), lambda lab: lab.run_many(["c1", "c2", "c3"])],
    ids=["run", "run_many"],
)
def test_a_fault_at_any_step_of_run_undoes_all(lab, monkeypatch, build):
    lab.run("there")
    before = state(lab)
    places = set(lab.places)
    count = steps(lab, build, monkeypatch)
    for name in set(lab.containers) - {"there"}:
        lab.rm(name)
    assert_same(lambda: state(lab), lambda: before)
    assert count >= 5
    for which in range(count):
        length = len(lab.history)
        with monkeypatch.context() as patch:
            saboteur = Saboteur(patch, which)
            with pytest.raises(KernelRefused, match="saboteur"):
                build(lab)
            assert saboteur.hit
        assert_same(lambda: state(lab), lambda: before)
        assert set(lab.places) == places
        assert list(lab.containers) == ["there"]
        assert len(lab.history) == length
        assert "nginx" not in lab.host.sh("ps -eo args=").stdout
    build(lab)
    assert {one.address for one in lab.containers.values()} >= {"172.17.0.2", "172.17.0.3"}


@pytest.mark.parametrize("verb", ["node"])
def test_a_namespace_that_is_refused_undoes_all(lab, monkeypatch, verb):
    before = state(lab)
    honest = client.Sandbox.submit
    asked = []

    def submit(self, what, descriptors=(), **fields):
        if what == verb:
            asked.append(fields["name"])
            if len(asked) == 3:
                fields["files"] = {"no/such/folder": "x"}
        return honest(self, what, descriptors, **fields)

    monkeypatch.setattr(client.Sandbox, "submit", submit)
    with pytest.raises(SandboxError, match="doctor"):
        lab.run_many(["c1", "c2", "c3", "c4"])
    assert_same(lambda: state(lab), lambda: before)
    assert lab.containers == {}
    assert lab.run("next").address == "172.17.0.2"


@pytest.mark.parametrize("which", range(5))
def test_a_change_of_several_operations_is_all_or_none(bare, which):
    """The refused operation is a real one: something that the kernel itself says no to."""
    good = [
        ops.AddBridge("host", "br0"),
        ops.AddVeth("host", "left", "right"),
        ops.AddAddress("host", "br0", "10.0.0.1/24"),
        ops.SetMaster("host", "left", "br0"),
        ops.NftRules("host", "add table ip lesson", "delete table ip lesson"),
    ]
    bad = [
        ops.AddBridge("host", "eth0"),
        ops.DeleteLink("host", "nosuch"),
        ops.AddRoute("host", "default", "192.0.2.1"),
        ops.NftRules("host", "add rule ip nosuch nosuch accept"),
        ops.SetSysctl("host", "net.ipv4.ip_forward", "nonsense", "0"),
    ]
    before = state(bare)
    with pytest.raises((KernelRefused, Exception)) as refused:
        bare.change("doomed", [*good, bad[which]])
    assert not getattr(refused.value, "__notes__", []), "all could be taken back"
    assert not difference(state(bare), before)
    assert bare.history == []


def test_what_cannot_be_undone_is_told(bare, monkeypatch):
    monkeypatch.setattr(ops.AddBridge, "inverse", lambda self: ops.DeleteLink(self.place, "nosuch"))
    with pytest.raises(KernelRefused) as refused:
        bare.change("doomed", [ops.AddBridge("host", "br0"), ops.AddBridge("host", "eth0")])
    assert "While undoing `ip link add name br0 type bridge`" in "".join(refused.value.__notes__)
