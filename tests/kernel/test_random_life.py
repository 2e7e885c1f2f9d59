"""A lab lives through thousands of random operations; after each, the engine's records and the kernel say the same.

    NETLAB_RANDOM_OPERATIONS=10000 pytest tests/kernel/test_random_life.py     how many, CI's number
    NETLAB_RANDOM_SEED=random pytest -s tests/kernel/test_random_life.py       another life than CI's; its seed is printed
    NETLAB_RANDOM_SEED=1234 pytest tests/kernel/test_random_life.py            that one again

Several processes share the operations; each lives with a seed of its own, the numbers from that seed on. A failure prints
the life that led to it as a program. With NETLAB_RANDOM_SHRINK=1 hypothesis looks for a shorter one first, for minutes.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from signal import SIGKILL
from typing import ClassVar

import pytest
from books import RESOLVER, expected, questions, seen
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from lookout import Lookout
from outside import agent_of, difference, plain, wait_until

from netlab import Lab
from netlab.docker import command
from netlab.errors import NetlabError

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

OPERATIONS = int(os.environ.get("NETLAB_RANDOM_OPERATIONS", "1000"))
_SEED = os.environ.get("NETLAB_RANDOM_SEED", "20")
SEED = random.randrange(1 << 32) if _SEED == "random" else int(_SEED)  # noqa: S311 - no secret
WORKERS = int(os.environ.get("NETLAB_RANDOM_WORKERS", "2"))  # side by side, each with a lab of its own
SHRINK = "NETLAB_RANDOM_SHRINK" in os.environ
STEPS = 100  # in one life
SECONDS = 2.0  # until what comes a moment later must have come

NAMES = ["c1", "c2", "c3", "c4", "c5", "c6"]
NUMBERS = st.integers(0, 99)
CONTAINERS = st.sampled_from(NAMES)
NETWORKS = st.sampled_from(["n1", "n2", "n3"])
ANY_NETWORK = st.sampled_from(["n1", "n2", "n3"] * 2 + ["bridge", "none", "host"])
IMAGES = st.sampled_from(["alpine", "nginx"])
ADDRESSES = st.sampled_from([None] * 24 + ["10.1.0.7", "10.1.0.130", "10.2.0.2", "10.1.0.1", "10.99.0.1", "10.1.0.0"])
ADDRESSES6 = st.sampled_from([None] * 24 + ["fd00:1::7", "fd00:1::1", "fd00:9::1"])
ALIASES = st.lists(st.sampled_from(["db", "shop", "c1", "web.example"]), max_size=2, unique=True)
MACS = st.sampled_from([None] * 4 + ["02:00:00:00:00:aa", "02:00:00:00:00:bb"])
PORTS = st.lists(
    st.sampled_from(
        [
            *("8080:80", "8080:80", "80", "127.0.0.1:8080:80", "127.0.0.1:8081:80", "8080:53/udp", "127.0.0.1::80"),
            *("8080-8082:80", "8080-8081:80-81", "[::1]:8082:80", "[::]:8083:80", "203.0.113.10:8084:80"),
        ]
    ),
    max_size=3,
    unique=True,
)
OPTIONS = st.sampled_from(
    [
        *({}, {}, {"com.docker.network.bridge.enable_icc": "false"}, {"com.docker.network.driver.mtu": "1400"}),
        {"com.docker.network.bridge.enable_ip_masquerade": "false"},
        {"com.docker.network.bridge.host_binding_ipv4": "127.0.0.1"},
        {"com.docker.network.container_iface_prefix": "lan"},
    ]
)
SUBNETS = st.sampled_from(
    [
        *({}, {}, {}, {}, {}, {}, {"subnet": "10.1.0.0/24"}, {"subnet": "10.1.0.128/25"}, {"subnet": "10.2.0.0/30"}),
        {"subnet": "10.1.0.0/24", "ip_range": "10.1.0.128/29", "gateway": "10.1.0.254"},
        {"subnet": "10.1.0.0/24", "gateway": "10.1.0.7"},
        *({"subnet": "10.1.0.0/24", "gateway": "10.3.0.1"}, {"subnet": "fd00:1::/64"}, {"subnet": "10.2.0.0/29"}),
    ]
)
BY_HAND = {
    "the host's end deleted": "ip link delete {veth}",
    "the host's end down": "ip link set {veth} down",
    "the host's end renamed": "ip link set {veth} down; ip link set {veth} name other0",
    "the host's end on no bridge": "ip link set {veth} nomaster",
    "the container's end down": "ip -n {name} link set {device} down",
    "the container's end deleted": "ip -n {name} link delete {device}",
    "no default route": "ip -n {name} route delete default",
    "no address": "ip -n {name} address flush dev {device}",
    "no rules in the container": "ip netns exec {name} nft flush ruleset",
    "no way to its ports": "nft delete element ip docker-bridges filter-forward-port-jumps '{{ {address} }}'",
}


OPERATION = []  # what one step may be: the name of a method and its arguments
FITTING = {}  # by the name of a method: arguments for which there are values that fit, and what to choose them from


def sometimes(times=1, fits=None, **arguments):
    """Let a method be one of the operations, as often as `times` others. `fits` says what most often is not refused.

    Rules of hypothesis are left out at random for a whole life (swarm testing); these all take part in each.
    """

    def note(method):
        FITTING[method.__name__] = fits or {}
        OPERATION.extend([st.tuples(st.just(method.__name__), st.fixed_dictionaries(arguments))] * times)
        return method

    return note


class Life(RuleBasedStateMachine):
    """One lab, and what may be done to it."""

    done: ClassVar = Counter()
    refused: ClassVar = Counter()

    def __init__(self):
        super().__init__()
        self.lab = Lab()
        self.lookout = Lookout(self.lab, agent_of(self.lab))
        self.joined = {}  # whose namespace the containers that joined another one are in, for `expected`
        self.lab.network("n1", subnet="10.1.0.0/24")
        self.lab.network("n2", ipv6=True)
        self.verify()

    # ── containers ─────────────────────────────────────────────────────────────────────────────────────────────────

    @sometimes(
        3, {"name": "a free name", "network": "a network"}, name=CONTAINERS, image=IMAGES,
        network=ANY_NETWORK, ip=ADDRESSES, ip6=ADDRESSES6, aliases=ALIASES, publish=PORTS,
        publish_all=st.booleans(), expose=st.sampled_from([(), "81/udp", "90-91"]), mac=MACS,
    )  # fmt: skip
    def run(self, name, network, **options):
        if network in ("bridge", "none", "host"):
            options |= {"ip": None, "ip6": None, "aliases": ()}
        if network == "host":
            options |= {"publish": (), "publish_all": False}
        if self.attempt(lambda: self.lab.run(name, network=network, **options)):
            container = self.lab.containers[name]
            assert container.status == "running"
            assert set(container.attachments) == {network}
            assert options["ip"] in (None, *container.addresses.values())

    @sometimes(4, which=NUMBERS, image=IMAGES, publish=PORTS)
    def run_one_more(self, which, image, publish):
        free = [name for name in NAMES if name not in self.lab.containers]
        if free:
            network = pick(which, self.user_defined() or ["bridge"])
            self.attempt(lambda: self.lab.run(free[0], image, network=network, publish=publish))

    @sometimes(
        1,
        {"names": "free names", "network": "a network of one's own"},
        names=st.lists(CONTAINERS, min_size=1, max_size=3),
        network=NETWORKS,
    )
    def run_many(self, names, network):
        self.attempt(lambda: self.lab.run_many(names, network=network))

    @sometimes(
        1, {"name": "a free name", "other": "a running container"}, name=CONTAINERS, other=CONTAINERS, image=IMAGES
    )
    def join(self, name, other, image):
        if self.attempt(lambda: self.lab.run(name, image, network=f"container:{other}")):
            assert self.lab.containers[name].inode == self.lab.containers[other].inode

    @sometimes(
        1,
        {"name": "a free name", "network": "a network"},
        name=CONTAINERS,
        network=ANY_NETWORK,
        publish=PORTS,
        ip=ADDRESSES,
    )
    def create(self, name, network, publish, ip):
        words = [f"--publish={one}" for one in publish] + ([f"--ip={ip}"] if ip else [])
        self.docker("create", "--name", name, "--network", network, *words, "alpine")

    @sometimes(2, {"name": "a stopped container"}, name=CONTAINERS)
    def start(self, name):
        if self.attempt(lambda: self.lab.start(name)):
            assert self.lab.containers[name].running

    @sometimes(1, {"name": "a running container"}, name=CONTAINERS)
    def stop(self, name):
        if self.attempt(lambda: self.lab.stop(name)):
            assert self.lab.containers[name].status in ("exited", "created")

    @sometimes(1, {"name": "a container"}, name=CONTAINERS)
    def restart(self, name):
        """When it cannot start again it has stopped, as with Docker; all else is as before."""
        self.attempt(lambda: self.lab.restart(name), stops=name)

    @sometimes(4, {"name": "a container"}, name=CONTAINERS)
    def rm(self, name):
        assert self.attempt(lambda: self.lab.rm(name)) or name not in self.lab.containers
        assert name not in self.lab.containers

    @sometimes(1, {"name": "a container", "new": "a free name"}, name=CONTAINERS, new=CONTAINERS)
    def rename(self, name, new):
        if self.attempt(lambda: self.lab.rename(name, new)):
            assert name not in self.lab.containers
            assert new in self.lab.containers

    # ── networks ───────────────────────────────────────────────────────────────────────────────────────────────────

    @sometimes(
        4,
        {"name": "a free network"},
        name=NETWORKS,
        subnet=SUBNETS,
        ipv6=st.booleans(),
        internal=st.booleans(),
        options=OPTIONS,
    )
    def network(self, name, subnet, ipv6, internal, options):
        self.attempt(lambda: self.lab.network(name, ipv6=ipv6, internal=internal, options=options, **subnet))

    @sometimes(
        1,
        {"name": "a free network"},
        name=NETWORKS,
        mode=st.sampled_from(["bridge", "bridge", "private", "vepa", "wrong"]),
        parent=st.sampled_from(["eth0", "eth0", "eth0", "eth9"]),
    )
    def macvlan(self, name, mode, parent):
        self.attempt(
            lambda: self.lab.network(
                name,
                driver="macvlan",
                subnet="203.0.113.0/24",
                gateway="203.0.113.1",
                ip_range="203.0.113.192/27",
                options={"parent": parent, "macvlan_mode": mode},
            )
        )

    @sometimes(
        2, {"network": "a network of one's own", "name": "a container"},
        network=ANY_NETWORK, name=CONTAINERS, ip=ADDRESSES, ip6=ADDRESSES6, aliases=ALIASES,
    )  # fmt: skip
    def connect(self, network, name, **options):
        if network in ("bridge", "none", "host"):
            options = {}
        if self.attempt(lambda: self.lab.connect(network, name, **options)):
            assert network in self.lab.containers[name].attachments

    @sometimes(4, which=NUMBERS, aliases=ALIASES)
    def connect_somewhere(self, which, aliases):
        known = self.lab.containers.values()
        possible = [
            (network, one.name) for network in self.user_defined() for one in known if network not in one.attachments
        ]
        if possible:
            network, name = pick(which, possible)
            self.attempt(lambda: self.lab.connect(network, name, aliases=aliases))

    @sometimes(2, which=NUMBERS)
    def disconnect_somewhere(self, which):
        possible = [(network, one.name) for one in self.lab.containers.values() for network in one.attachments]
        if possible:
            self.attempt(lambda: self.lab.disconnect(*pick(which, possible)))

    @sometimes(network=ANY_NETWORK, name=CONTAINERS)
    def disconnect(self, network, name):
        if self.attempt(lambda: self.lab.disconnect(network, name)):
            assert network not in self.lab.containers[name].attachments

    @sometimes(2, {"name": "an empty network"}, name=ANY_NETWORK)
    def remove_network(self, name):
        busy = name in self.lab.networks and self.lab.networks[name].containers
        if self.attempt(lambda: self.lab.remove_network(name)):
            assert not busy
            assert name not in self.lab.networks

    @sometimes()
    def prune(self):
        self.docker("network", "prune", "-f")
        assert all(one.containers for name, one in self.lab.networks.items() if name.startswith("n") and name != "none")

    # ── what is done behind the engine's back ──────────────────────────────────────────────────────────────────────

    @sometimes(
        which=NUMBERS,
        change=st.sampled_from(sorted(BY_HAND)),
        then=st.sampled_from(["rm", "stop", "restart", "disconnect", "kill"]),
    )
    def changed_by_hand(self, which, change, then):
        """Whatever a student did to a container's links: when it stops or leaves, all of it is gone."""
        connected = [one.name for one in self.lab.containers.values() if one.endpoints]
        if not connected:
            return
        name = pick(which, connected)
        container = self.lab.containers[name]
        network, endpoint = next(iter(container.endpoints.items()))
        words = {
            "veth": endpoint.veth or "lo:",
            "name": name,
            "device": endpoint.interface,
            "address": endpoint.address(),
        }
        if "{veth}" not in BY_HAND[change] or endpoint.veth:
            self.lab.host.sh(BY_HAND[change].format(**words))
        if then == "disconnect":
            self.lab.disconnect(network, name)
            then = "stop"  # what the student took from the container itself stays taken
        if then == "kill":
            self.kill(name)
        else:
            getattr(self.lab, then)(name)
        self.count("by hand")
        self.verify()

    @sometimes(which=NUMBERS)
    def killed(self, which):
        running = [one.name for one in self.lab.containers.values() if one.running]
        if running:
            self.kill(pick(which, running))
            self.count("killed")
            self.verify()

    @sometimes(name=CONTAINERS, network=NETWORKS, port=st.sampled_from(["8080:80", "8080-8082:80"]))
    def a_port_held_by_hand(self, name, network, port):
        holder = self.lab.world.open_socket("host", 2, 1, 0)
        with contextlib.closing(holder):
            try:
                holder.bind(("0.0.0.0", 8080))
            except OSError:
                return  # a container has it
            holder.listen()
            mine = "host: listens tcp 0.0.0.0 8080"
            with contextlib.suppress(NetlabError):
                self.lab.run(name, network=network, publish=port)
            self.verify(besides={mine})
        self.count("a port held")
        self.verify()

    def fitting(self, method, which):
        """Return arguments that do not let a method be refused, as far as there are such."""
        known, networks = self.lab.containers, self.lab.networks
        free = [name for name in NAMES if name not in known]
        own = self.user_defined()
        values = {
            "a free name": free,
            "free names": [free[:number] for number in (1, 2, 3) if free],
            "a container": list(known),
            "a running container": [name for name, one in known.items() if one.running],
            "a stopped container": [name for name, one in known.items() if not one.running],
            "a network": [*own, *own, "bridge", "none", "host"],
            "a network of one's own": own,
            "a free network": [name for name in ("n1", "n2", "n3") if name not in networks],
            "an empty network": [name for name in own if not networks[name].containers],
        }
        return {key: pick(which, values[what]) for key, what in FITTING[method].items() if values[what]}

    # ── looking ────────────────────────────────────────────────────────────────────────────────────────────────────

    def user_defined(self):
        return [name for name in self.lab.networks if name in ("n1", "n2", "n3")]

    def kill(self, name):
        container, pid = self.lab.containers[name], self.lab.world.entry(name).pid
        self.lab.host.sh(f"kill -9 {pid}")
        wait_until(lambda: not container.running, what=f"{name} has ended")

    def docker(self, *words):
        said, complaints = io.StringIO(), io.StringIO()

        def call():
            if command.execute(self.lab, list(words), said, complaints):
                raise NetlabError(complaints.getvalue())

        return self.attempt(call, " ".join(words[:2]) if words[0] == "network" else words[0])

    def attempt(self, call, what="", stops=None):
        """Do one operation; when it is refused, nothing may have changed. Return whether it was done."""
        what = what or sys._getframe(1).f_code.co_name
        before, books = self.view, self.books()
        try:
            call()
        except NetlabError as error:
            self.refused[what] += 1
            self.verify()
            if stops is None or self.books() == books:
                self.as_before(before, books, error)
            else:
                assert not self.lab.containers[stops].running
            return False
        self.count(what)
        self.verify()
        return True

    def count(self, what):
        self.done[what] += 1

    def verify(self, besides=frozenset()):
        """Compare the records with what is there, until they agree."""
        deadline = time.monotonic() + SECONDS
        while True:
            with self.lab.lock:
                self.view = self.lookout.look(questions(self.lab))
                wanted = expected(self.lab, self.view, self.joined) | besides
                found = seen(self.view, self.lab)
            if wanted == found:
                return
            if time.monotonic() > deadline:
                lines = [f"only in the records: {one}" for one in sorted(wanted - found)]
                lines += [f"only in the kernel: {one}" for one in sorted(found - wanted)]
                raise AssertionError("\n".join(lines))
            time.sleep(0.01)

    def state(self, view):
        """Return all that was seen, as far as it is not different at every look, line by line."""
        lines = [f"process {one}" for one in view["processes"] if one != RESOLVER]
        for name, place in view["places"].items():
            lines += [f"{name}: {place['inode']}", f"{name}: {place['sockets']}"]
            for what in ("links", "routes", "rules"):
                lines += [f"{name}: {what[:-1]} {_lasting(one)}" for one in plain(place[what])]
        return sorted([*lines, str(view["parameters"])])

    def books(self):
        """Return all that the engine has in mind."""
        engine = self.lab.engine
        return (
            {key: (one.status, one.attachments, one.endpoints, one.ports) for key, one in engine.containers.items()},
            {
                key: (one.id, dict(one.endpoints), [sorted(pool._taken) for pool in one.pools])
                for key, one in engine.networks.records.items()
            },
            {key: sorted(ports) for key, ports in engine._ports._allocator._taken.items() if ports},
            list(self.lab.world),
        )

    def as_before(self, before, books, error):
        deadline = time.monotonic() + SECONDS
        before = self.state(before)
        while (after := self.state(self.view)) != before and time.monotonic() < deadline:
            time.sleep(0.01)
            self.verify()
        assert after == before, "\n".join([str(error), *difference(before, after)])
        kept, now = ([str(one) for one in each] for each in (books, self.books()))
        assert now == kept, "\n".join([str(error), *difference(kept, now)])

    def teardown(self):
        """Take everything away: the lab must be as at its beginning, and hold no more than it did."""
        try:
            for name in list(self.lab.containers):
                self.lab.rm(name)
            self.docker("network", "prune", "-f")
            open_now = dict(map(tuple, self.view["descriptors"]))
            assert open_now["netlab: agent"] < 40, open_now
            assert open_now.get(RESOLVER, 0) < 20, open_now
            engine = self.lab.engine
            assert (
                not engine._connections._served
                | engine._connections._default.keys()
                | engine._connections._stacks.keys()
            )
            assert not engine._ports._rules_of
            assert not engine._ports._ended
        finally:
            self.lookout.close()
            self.lab.close()


def pick(which, among):
    """Return one of several, by a number that hypothesis chose."""
    return among[which % len(among)]


def _lasting(one):
    """Return what was seen without what follows a moment later, when the kernel has time for it (linkwatch).

    That is a bridge's carrier, the state of its ports, and counts of a macvlan's listeners.
    """
    kept = {key: value for key, value in one.items() if key not in ("promiscuity", "allmulti")}
    port = kept.get("linkinfo", {}).get("info_slave_data", {})
    port.pop("state", None)  # forwarding, some time after its carrier is there
    if "flags" in kept:
        kept["flags"] = [flag for flag in kept["flags"] if flag != "LOWER_UP"]
    return kept


class Lives(Life):
    """All lives."""

    @rule(step=st.one_of(OPERATION), blindly=st.sampled_from([False, False, False, True]), which=NUMBERS)
    def operation(self, step, blindly, which):
        name, arguments = step
        if not blindly:
            if {"a free name", "free names"} & set(FITTING[name].values()) and len(self.lab.containers) == len(NAMES):
                name, arguments = "rm", {}  # make room
            arguments = arguments | self.fitting(name, which)
        getattr(self, name)(**arguments)


def live(number, operations):
    """Live many lives; return what was done and what was refused, each by how often."""
    Life.done, Life.refused = Counter(), Counter()
    run_state_machine_as_test(
        seed(number)(Lives),
        settings=settings(
            max_examples=operations // 90 + 2,  # some steps have nothing to do
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink) if SHRINK else (Phase.generate,),
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Life.done, Life.refused


@pytest.mark.timeout(1800)
def test_records_and_kernel_agree_after_every_operation(capsys):
    began = time.monotonic()
    print(f"again: NETLAB_RANDOM_SEED={SEED} NETLAB_RANDOM_OPERATIONS={OPERATIONS} NETLAB_RANDOM_WORKERS={WORKERS}")
    share = str(-(-OPERATIONS // WORKERS))
    workers = [
        subprocess.Popen(
            [sys.executable, __file__, str(SEED + number), share],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number in range(WORKERS)
    ]
    try:
        with ThreadPoolExecutor(WORKERS) as pool:
            told = [pool.submit(one.communicate) for one in workers]
            while any(one.poll() is None for one in workers) and not any(one.poll() for one in workers):
                time.sleep(0.1)
            for one in workers:
                one.kill()  # the others, when one has failed; harmless to one that has ended
            said = [one.result()[0] for one in told]
    finally:
        for one in workers:
            one.kill()
            one.wait()
    for one, text in zip(workers, said, strict=True):
        assert one.returncode in (0, -SIGKILL), text
    assert not any(one.returncode for one in workers), said
    counts = [[Counter(one) for one in json.loads(text.splitlines()[-1])] for text in said]
    done, refused = (sum(of_all, Counter()) for of_all in zip(*counts, strict=True))
    count, seconds = done.total() + refused.total(), time.monotonic() - began
    with capsys.disabled():
        print(f"\n{count} operations, {refused.total()} refused, in {seconds:.0f} s (NETLAB_RANDOM_SEED={SEED})")
    print(f"done: {done}; refused: {refused}")
    assert count >= OPERATIONS
    assert refused.total() > count // 20
    assert min(done.values()) > 0


if __name__ == "__main__":
    print(json.dumps(live(int(sys.argv[1]), int(sys.argv[2]))))
