"""Whatever step of run, connect, network or start fails, all is as before; and callers from several threads agree."""

from __future__ import annotations

import threading
from errno import EPERM

import pytest
from outside import assert_same, state, state_of

from netlab.docker.resolving import NameServer
from netlab.errors import NetlabError
from netlab.kernel.netlink import Refusal, RouteSocket
from netlab.sandbox.client import AgentRefusal, Sandbox
from netlab.world import World

pytestmark = pytest.mark.kernel


class Fault:
    """Lets one step fail, the n-th since it began: a netlink message, a rule, a parameter, a node, a word to the resolver."""

    def __init__(self, patch, which):
        self.count, self.which = 0, which
        honest_send, honest_nft, honest_submit, honest_ask = (
            RouteSocket.send,
            World.nft,
            Sandbox.submit,
            NameServer._ask,
        )

        def send(route_socket, messages):
            refusals = []
            for position, message in enumerate(messages):
                if self.now():
                    return [*refusals, Refusal(position, EPERM)]
                refusals += [Refusal(position, one.errno) for one in honest_send(route_socket, [message])]
            return refusals

        def nft(world, place, script):
            return (1, "", "refused by the test") if self.now() else honest_nft(world, place, script)

        def submit(sandbox, verb, descriptors=(), **fields):
            if verb in ("node", "write", "go") and self.now():
                raise AgentRefusal(EPERM, "refused", "by the test")
            return honest_submit(sandbox, verb, descriptors, **fields)

        def ask(server, message, descriptors=()):
            if self.now():
                raise NetlabError("refused by the test")
            return honest_ask(server, message, descriptors)

        patch.setattr(RouteSocket, "send", send)
        patch.setattr(World, "nft", nft)
        patch.setattr(Sandbox, "submit", submit)
        patch.setattr(NameServer, "_ask", ask)

    def now(self):
        self.count += 1
        return self.count == self.which


def records(lab, engine=None, host=None):
    """Return what an engine, by default the first host's, has in mind: containers, endpoints, addresses, ports."""
    engine = engine or lab.engine
    return {
        "containers": {name: (one.status, one.addresses, one.ports) for name, one in engine.containers.items()},
        "attachments": {name: set(one.attachments) for name, one in engine.containers.items()},
        "networks": {
            name: (dict(one.endpoints), [set(pool._taken) for pool in one.pools])
            for name, one in engine.networks.records.items()
        },
        "ports": {key: set(ports) for key, ports in engine._ports._allocator._taken.items() if ports},
        "proxies": (host or lab.host).sh("ps -eo args=").stdout.count("docker-proxy: "),
        "places": set(lab.places),
    }


def run(lab):
    lab.run("new", image="nginx", network="c-six", publish=["8080:80", "82"], aliases=["x1"])


def run_command(lab):
    lab.run("new", network="c-n1", command="sleep 100")


def connect(lab):
    lab.connect("c-a", "there", aliases=["x1"])


def connect_first(lab):
    lab.connect("c-n1", "plain")  # its first network on which names are resolved


def start(lab):
    lab.start("stopped")


def network(lab):
    lab.network("new", ipv6=True, options={"com.docker.network.bridge.enable_icc": "false"})


def prepared(make_lab):
    lab = make_lab()
    lab.network("c-a", ipv6=True)
    lab.network("c-n1")
    lab.network("c-six", ipv6=True)
    lab.run("there", image="nginx", network="c-n1", publish="9000:80")
    lab.run("stopped", network="c-six", publish="9001:80")
    lab.connect("c-n1", "stopped")
    lab.stop("stopped")
    lab.run("plain")
    return lab


@pytest.mark.parametrize(
    "change", [run, run_command, connect, connect_first, start, network], ids=lambda one: one.__name__
)
def test_a_fault_at_any_step_leaves_everything_as_before(make_lab, monkeypatch, change):
    lab = prepared(make_lab)
    before, kept = state(lab), records(lab)
    which = 1
    while True:
        with monkeypatch.context() as patch:
            fault = Fault(patch, which)
            try:
                change(lab)
            except (NetlabError, OSError):
                assert fault.count >= which
            else:
                assert fault.count < which, f"the refusal of step {which} went unnoticed"
                break
        assert_same(lambda: state(lab), lambda: before)
        assert records(lab) == kept, f"after step {which}"
        which += 1
    assert which > 5


def run_over_there(lab):
    lab.run("new", image="nginx", network="ov", host="host2", publish="8080:80", aliases=["x1"])


def connect_over_there(lab):
    lab.connect("ov", "far", aliases=["x1"])


def start_over_there(lab):
    lab.start("away")


def overlay(lab):
    lab.network("new", driver="overlay")


def over_two_hosts(make_lab, *, with_network):
    lab = make_lab(hosts=2)
    if with_network:
        lab.network("ov", driver="overlay")
        lab.run("near", image="nginx", network="ov", publish="9000:80")
        lab.run("far", host="host2")
        lab.run("away", network="ov", host="host2")
        lab.stop("away")
    return lab


@pytest.mark.parametrize(
    "change", [run_over_there, connect_over_there, start_over_there, overlay], ids=lambda one: one.__name__
)
def test_a_fault_at_any_step_leaves_all_hosts_as_before(make_lab, monkeypatch, change):
    lab = over_two_hosts(make_lab, with_network=change is not overlay)

    def everything():
        lab.world.refresh()
        return [line for place in list(lab.places.values()) for line in state_of(place)]

    def minds():
        return [records(lab, engine, host) for engine, host in zip(lab.engines.values(), lab.hosts, strict=True)]

    before, kept = everything(), minds()
    which = 1
    while True:
        with monkeypatch.context() as patch:
            fault = Fault(patch, which)
            try:
                change(lab)
            except (NetlabError, OSError):
                assert fault.count >= which
            else:
                assert fault.count < which, f"the refusal of step {which} went unnoticed"
                break
        assert_same(everything, lambda: before)
        assert minds() == kept, f"after step {which}"
        which += 1
    assert which > 2


def test_callers_from_several_threads_agree(lab):
    """UD-54."""
    lab.network("c-n1")
    before = state(lab)
    faults = []

    def work(number):
        try:
            for turn in range(3):
                one = lab.run(f"c{number}-{turn}", network="c-n1", publish="80")
                lab.network(f"n{number}")
                lab.connect(f"n{number}", one.name)
                assert len({*lab.networks["c-n1"].containers.values()}) == len(lab.networks["c-n1"].containers)
                lab.disconnect(f"n{number}", one.name)
                lab.remove_network(f"n{number}")
                lab.restart(one.name)
                lab.rm(one.name)
        except BaseException as fault:  # noqa: BLE001 - told below, with the others
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert not faults
    assert_same(lambda: state(lab), lambda: before)
