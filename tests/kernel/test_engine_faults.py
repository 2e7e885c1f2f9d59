"""Whatever step of run, connect, network or start fails, all is as before; and callers from several threads agree."""

from __future__ import annotations

import threading
from errno import EPERM

import pytest
from outside import assert_same, state

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


def records(lab):
    """Return what the engine has in mind: containers, endpoints, addresses, ports."""
    engine = lab.engine
    return {
        "containers": {name: (one.status, one.addresses, one.ports) for name, one in engine.containers.items()},
        "attachments": {name: set(one.attachments) for name, one in engine.containers.items()},
        "networks": {
            name: (dict(one.endpoints), [set(pool._taken) for pool in one.pools])
            for name, one in engine.networks.records.items()
        },
        "ports": {key: set(ports) for key, ports in engine._ports._allocator._taken.items() if ports},
        "proxies": lab.host.sh("ps -eo args=").stdout.count("docker-proxy: "),
        "places": set(lab.places),
    }


def run(lab):
    lab.run("new", image="nginx", network="c-six", publish=["8080:80", "82"], aliases=["x1"])


def run_command(lab):
    lab.run("new", network="c-n1", command="sleep 100")


def connect(lab):
    lab.connect("c-a", "there", aliases=["x1"])


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
    return lab


@pytest.mark.parametrize("change", [run, run_command, connect, start, network], ids=lambda one: one.__name__)
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
