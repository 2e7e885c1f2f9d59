"""Whatever step of run, connect, network or start fails, all is as before; and callers from several threads agree."""

from __future__ import annotations

import contextlib
import threading
from errno import EPERM

import pytest
from books import expected, questions, seen
from lookout import Lookout
from outside import agent_of, assert_same, settled, state, state_of, wait_until

from netlab.docker.resolving import NameServer
from netlab.errors import NetlabError
from netlab.kernel.netlink import Refusal, RouteSocket
from netlab.sandbox.client import AgentRefusal, Sandbox
from netlab.world import World

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


STEPS = ("node", "spawn", "write", "read", "go", "rename")  # what the agent is asked, but for what only looks or ends

QUESTION = (
    "/proc/sys/net/ipv6/conf/all/disable_ipv6"  # whether the kernel has IPv6: that it cannot be read is an answer
)


class Fault:
    """Lets one step fail, the n-th since it began: a netlink message, a rule, a parameter, a node, a word to the resolver.

    Nodes are containers and proxies; what is spawned is the resolver.
    """

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
            if verb in STEPS and fields.get("path") != QUESTION and self.now():
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


def run_on_docker0(lab):
    lab.run("new", image="nginx", publish=["8080:80", "127.0.0.1::81/udp"])


def run_many(lab):
    lab.run_many(["new1", "new2", "new3"], image="nginx", network="c-six")


def run_where_nothing_leads_out(lab):
    lab.run("new", network="c-inside")


def run_macvlan(lab):
    lab.run("new", network="c-lan")


def run_none(lab):
    lab.run("new", network="none")


def run_in_the_hosts_namespace(lab):
    lab.run("new", image="nginx", network="host", command="")


def run_in_anothers_namespace(lab):
    lab.run("new", network="container:there", command="sleep 100")


def connect_macvlan(lab):
    lab.connect("c-lan", "there")


def connect_docker0(lab):
    lab.connect("bridge", "there")


def connect_by_a_better_way_out(lab):
    lab.connect("c-a", "published")  # its ports move to the network of its new default route


def rename(lab):
    lab.rename("there", "new")


def network_macvlan(lab):
    options = {"parent": "eth0"}
    lab.network("new", driver="macvlan", subnet="198.18.0.0/24", gateway="198.18.0.1", options=options)


def network_inside(lab):
    lab.network("new", internal=True, subnet="10.9.0.0/24", options={"com.docker.network.driver.mtu": "1400"})


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
    lab.run("published", image="nginx", network="c-n1", publish=["9002:80", "9003:80/udp"])
    lab.network("c-inside", internal=True, ipv6=True)
    lab.network("c-lan", driver="macvlan", subnet="203.0.113.0/24", gateway="203.0.113.1", options={"parent": "eth0"})
    return lab


def assert_as_before(lab, before, kept, which):
    assert_same(lambda: state(lab), lambda: before)
    assert records(lab) == kept, f"after step {which}"


def assert_agreeing(lab):
    """The records are whole, and the kernel agrees with them."""
    with contextlib.closing(Lookout(lab, agent_of(lab))) as lookout:

        def agree():
            view = lookout.look(questions(lab))
            return expected(lab, view, set()) == seen(view, lab)

        wait_until(agree, what="the records and the kernel agree")


RUNS = [run, run_command, run_on_docker0, run_many, run_where_nothing_leads_out, run_macvlan, run_none]
RUNS += [run_in_the_hosts_namespace, run_in_anothers_namespace, start]
CONNECTS = [connect, connect_first, connect_macvlan, connect_docker0, connect_by_a_better_way_out, rename]
CREATES = [network, network_inside]


@pytest.mark.parametrize("change", [*RUNS, *CONNECTS, *CREATES], ids=lambda one: one.__name__)
def test_a_fault_at_any_step_leaves_everything_as_before(make_lab, monkeypatch, change):
    lab = prepared(make_lab)
    before, kept = settled(lab), records(lab)
    which = 1
    while True:
        with monkeypatch.context() as patch:
            fault = Fault(patch, which)
            try:
                change(lab)
            except (NetlabError, OSError):
                assert fault.count >= which
            else:
                if fault.count < which:
                    break
                assert_agreeing(lab)  # what was refused was to take something away, and it went in another way
                lab = prepared(make_lab)
                before, kept = settled(lab), records(lab)
        assert_as_before(lab, before, kept, which)
        which += 1
    assert which > (5 if change in (run, connect, start, network) else 1)


@pytest.mark.parametrize("change", [run, run_many, connect_first, network])
def test_a_fault_at_any_step_of_the_first_of_its_kind_leaves_everything_as_before(make_lab, monkeypatch, change):
    """On a lab without name server, without IPv6 and without proxies: what is there for all is begun by the first."""
    which = 1
    while True:
        lab = make_lab()
        if change is not network:
            lab.network("c-six")
            lab.network("c-n1")
            lab.run("plain")
        before, kept = settled(lab), records(lab)
        with monkeypatch.context() as patch:
            fault = Fault(patch, which)
            try:
                change(lab)
            except (NetlabError, OSError):
                assert fault.count >= which
            else:
                assert fault.count < which, f"the refusal of step {which} went unnoticed"
                break
        assert_as_before(lab, before, kept, which)
        lab.close()
        which += 1
    assert which > 5


def disconnect(lab):
    lab.disconnect("c-n1", "published")


def rm(lab):
    lab.rm("published")


def restart(lab):
    lab.restart("published")


def network_rm(lab):
    lab.remove_network("c-a")


@pytest.mark.parametrize("change", [disconnect, rm, restart, network_rm], ids=lambda one: one.__name__)
def test_what_a_fault_leaves_of_a_removal_is_gone_once_it_is_removed(make_lab, monkeypatch, change):
    which, count = 1, 1
    while which <= count:
        lab = make_lab()
        before, kept = settled(lab), records(lab)
        lab.network("c-n1")
        lab.network("c-a")
        lab.run("published", image="nginx", network="c-n1", publish=["9002:80", "9003:80/udp"])
        lab.connect("c-a", "published")
        if change is network_rm:
            lab.disconnect("c-a", "published")
        with monkeypatch.context() as patch:
            fault = Fault(patch, which)
            with contextlib.suppress(NetlabError, OSError):
                change(lab)
            count = max(count, fault.count)
        for name in lab.containers:
            lab.rm(name)
        for name in set(lab.networks) - {"bridge", "host", "none"}:
            lab.remove_network(name)
        assert_as_before(lab, before, kept, which)
        lab.close()
        which += 1
    assert which > 2


def test_rules_of_which_some_were_deleted_by_hand_go_all_the_same(lab):
    """nft takes a script whole or not at all: one missing element must not keep the rest there."""
    before = settled(lab)
    lab.network("c-n1")
    address = lab.run("web", image="nginx", network="c-n1", publish="9002:80").address
    for element in (
        f"filter-forward-port-jumps {{ {address} }}",
        f"filter-forward-in-jumps {{ {lab.networks['c-n1'].bridge} }}",
    ):
        lab.host.sh(f"nft delete element ip docker-bridges '{element}'", check=True)
    lab.rm("web")
    lab.remove_network("c-n1")
    assert_same(lambda: state(lab), lambda: before)


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
    before = settled(lab)
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
