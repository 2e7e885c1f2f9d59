"""Many at once on one lab: threads of its process, `netlab docker` in terminals, and `docker` in the host's shell."""

from __future__ import annotations

import contextlib
import faulthandler
import random
import subprocess
import sys
import threading

import pytest
from books import expected, questions, seen
from lookout import Lookout
from outside import agent_of, assert_same, state, wait_until

from netlab.errors import NetlabError

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

NETLAB = f"{sys.executable} -P -c \"from netlab.cli import main; main(prog_name='netlab')\""
SECONDS = 90

# What each caller does again and again with a container and a network of its own, and with those that all of them want.
ROUND = """
docker network create {me}
docker run -d --name {me} --network {me} -p 80 nginx
docker network connect all {me} && docker exec {me} ip -4 address show eth1
docker rename {me} {me}-renamed && docker rename {me}-renamed {me}
docker run -d --name wanted -p 8080:80 nginx
docker restart {me}
docker rm -f wanted
docker network disconnect all {me}
docker rm -f {me}
docker network rm {me}
"""


@pytest.fixture(autouse=True)
def _a_deadlock_tells_where_it_is():
    """Print where every thread stands, and let the test fail, when it does not end in time."""
    faulthandler.dump_traceback_later(SECONDS)
    yield
    faulthandler.cancel_dump_traceback_later()


def in_python(lab, me, rounds):
    """Do it by calls; also look meanwhile, as a diagram does."""
    order = random.Random(me)  # noqa: S311 - the same in every run
    for _ in range(rounds):
        lab.network(me)
        lab.run(me, "nginx", network=me, publish="80")
        lab.connect("all", me)
        assert lab.snapshot().place(me).interface("eth1").works
        refusable = [
            lambda: lab.run("wanted", "nginx", publish="8080:80"),
            lambda: lab.rm("wanted"),
            lambda: lab.remove_network("all"),
            lambda: lab.run_many([f"{me}-a", "wanted", f"{me}-b"], network=me),
        ]
        order.shuffle(refusable)
        for one in refusable:
            try:
                one()
            except NetlabError:
                assert not lab.closed
        for name in (f"{me}-a", f"{me}-b", me):
            if name in lab.containers:
                lab.rm(name)
        wait_until(lambda: not lab.networks[me].containers or _without("wanted", lab))
        lab.remove_network(me)
        assert lab.queries() is not None


def _without(name, lab):
    """Remove a container, unless somebody else has done so a moment ago."""
    try:
        lab.rm(name)
    except NetlabError:
        return


def in_a_terminal(lab, me, rounds):
    """Do it by `netlab docker`, a process for each command."""
    script = f'docker() {{ {NETLAB} docker --lab {lab.name} "$@"; }}\n' + ROUND.format(me=me) * rounds
    done = subprocess.run(["/bin/bash", "-c", script], capture_output=True, text=True, timeout=SECONDS, check=False)
    check(done.stdout, done.stderr, me, rounds)


def in_the_hosts_shell(lab, me, rounds):
    """Do it by `docker` on the host."""
    done = lab.host.sh(ROUND.format(me=me) * rounds, timeout=SECONDS)
    check(done.stdout, done.stderr, me, rounds)


def check(said, complaints, me, rounds):
    """All that is the caller's own was done each time; only for what all of them want may somebody have been first."""
    assert said.count("scope global eth1") == rounds, complaints
    for line in complaints.splitlines():
        assert "wanted" in line or "8080" in line or not line.strip() or "docker run --help" in line, line
    assert said.splitlines().count(me) == 3 * rounds, complaints  # restarted, removed, and the network


@pytest.mark.timeout(SECONDS + 10)
def test_threads_terminals_and_the_hosts_shell_at_once(lab):
    """Neither does anything hang, nor is anything left, nor do the records differ from the kernel."""
    with contextlib.closing(Lookout(lab, agent_of(lab))) as lookout:
        everybody_at_once(lab, lookout)


def everybody_at_once(lab, lookout):
    before = state(lab)
    lab.network("all")
    faults = []

    def work(how, me, rounds):
        try:
            how(lab, me, rounds)
        except BaseException as fault:  # noqa: BLE001 - told below, with the others
            faults.append((how.__name__, me, fault))

    callers = [(in_python, f"thread{number}", 6) for number in range(3)]
    callers += [(in_a_terminal, f"terminal{number}", 2) for number in range(3)]
    callers += [(in_the_hosts_shell, f"shell{number}", 3) for number in range(2)]
    threads = [threading.Thread(target=work, args=one, daemon=True) for one in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert not any(thread.is_alive() for thread in threads), "a call hangs; the traces are above"
    assert not faults, "\n".join(map(str, faults))

    def unlike():
        view = lookout.look(questions(lab))
        return expected(lab, view, set()) ^ seen(view, lab)

    lab.run("last", "nginx", network="all", publish="8081:80")
    wait_until(lambda: not unlike(), what="the records and the kernel agree")
    for name in list(lab.containers):
        lab.rm(name)
    assert set(lab.networks) == {"bridge", "host", "none", "all"}
    lab.remove_network("all")
    assert_same(lambda: state(lab), lambda: before)
