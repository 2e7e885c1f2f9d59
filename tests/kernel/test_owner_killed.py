"""A lab never outlives its owner: killed at any moment, also with a fork alive, within a second nothing is left.

The test process adopts what the killed owner leaves (PR_SET_CHILD_SUBREAPER), so that nothing can hide from it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from outside import Traces, agent_of, children, command_of, wait_until

from netlab import Lab, registry
from netlab.errors import LabClosed

pytestmark = pytest.mark.kernel

KILLINGS = 50
SEED = 4
_PR_SET_CHILD_SUBREAPER = 36

# Builds and takes down all that a lab has, over and over; with an argument, in the company of a fork.
OWNER = """
import os, sys, time
from netlab import Lab
while True:
    with Lab() as lab:
        print("lab", flush=True)
        lab.run("web", image="nginx")
        if sys.argv[1] == "forked" and os.fork() == 0:
            print("fork", os.getpid(), flush=True)
            time.sleep(60)
            os._exit(0)
        lab.host.sh("setsid sleep 1000 & ip netns add typed; ip link add br7 type bridge")
        lab.run_many(["c1", "c2", "c3"])
        lab.namespace("red")
        lab.snapshot()
        lab.stop("c1")
        print("built", flush=True)
"""


@pytest.fixture(autouse=True)
def _adopting():
    """Become the parent of orphans for the time of a test, and collect them."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    yield
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def adopted(known):
    """Return the children that this process has got since; those that have ended are collected."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return {pid: command_of(pid) for pid in children(os.getpid()) if pid not in known}


def start(kind):
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, kind], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert owner.stdout.readline() == "lab\n", owner.stderr.read()
    return owner


def kill(owner):
    owner.kill()
    owner.wait()
    owner.stdout.close()
    owner.stderr.close()


def test_killed_at_fifty_random_moments_nothing_is_left_within_a_second():
    chance = random.Random(SEED)  # noqa: S311 - the same moments in every run
    known = children(os.getpid())
    slowest = 0.0
    for _ in range(KILLINGS):
        owner = start("alone") if chance.random() < 0.5 else _just_started()
        time.sleep(chance.uniform(0, 0.4))
        kill(owner)
        began = time.monotonic()
        wait_until(lambda: not adopted(known), 1, "all processes of the lab are gone")
        slowest = max(slowest, time.monotonic() - began)
        assert not [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if " netlab " in line]
    assert slowest < 1
    assert registry.names() == [], "its name is free again"


def _just_started():
    """An owner that is still loading, or at its lab's beginning."""
    return subprocess.Popen(
        [sys.executable, "-c", OWNER, "alone"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_fork_that_is_alive_holds_nothing_of_the_lab():
    known = children(os.getpid())
    for _ in range(5):
        owner = start("forked")
        fork = int(owner.stdout.readline().split()[1])
        while owner.stdout.readline() != "built\n":
            pass
        held = [os.readlink(one) for one in Path(f"/proc/{fork}/fd").iterdir()]  # noqa: PTH115
        kill(owner)
        wait_until(lambda fork=fork: set(adopted(known)) <= {fork}, 1, "all processes but the fork are gone")
        assert registry.names() == [], "its name is free again"
        assert command_of(fork)
        os.kill(fork, signal.SIGKILL)
        wait_until(lambda: not adopted(known), 1)
        assert not [one for one in held if one.startswith(("net:", "mnt:", "socket:"))], held


def test_an_owner_that_ends_by_itself_leaves_nothing():
    known = children(os.getpid())
    for ending in (
        "",
        "import sys; sys.exit(3)",
        "raise SystemError",
        "import os; os._exit(0)",
        "import os; os.abort()",
    ):
        program = f"from netlab import Lab\nlab = Lab()\nlab.run('web')\n{ending}"
        subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=30, check=False)
        wait_until(lambda: not adopted(known), 1, ending)
    assert registry.names() == []


def test_an_owner_that_is_terminated_leaves_nothing():
    known = children(os.getpid())
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        owner = start("alone")
        owner.send_signal(number)
        owner.communicate(timeout=10)
        wait_until(lambda: not adopted(known), 1, number.name)


def test_a_killed_agent_is_told_and_reset_brings_the_lab_back(lab):
    web = lab.run("web", image="nginx")
    traces = Traces(lab)
    os.kill(agent_of(lab), signal.SIGKILL)
    wait_until(lambda: lab.closed, 2)
    for use in (
        lambda: web.sh("true"),
        lambda: lab.run("box"),
        lambda: lab.host.interfaces,
        lab.snapshot,
        lambda: lab["x"],
    ):
        with pytest.raises(LabClosed, match=r"lab\.reset\(\)"):
            use()
    assert web.status == "exited"
    assert repr(lab) == "<lab lab, closed>"
    lab.reset()
    traces.namespaces.clear()  # the new lab may well have namespaces of the same numbers
    traces.wait_until_gone()
    assert lab.run("web", image="nginx").address == "172.17.0.2"
    assert lab.internet.ping("203.0.113.10")


def test_an_agent_killed_in_the_middle_of_a_command_ends_it(lab):
    agent = agent_of(lab)
    killer = subprocess.Popen(["sh", "-c", f"sleep 0.3; kill -9 {agent}"])
    began = time.monotonic()
    with contextlib.suppress(LabClosed):
        result = lab.host.sh("sleep 60")
        assert not result.ok
    assert time.monotonic() - began < 3
    killer.wait()
    with pytest.raises(LabClosed):
        lab.host.sh("true")
    lab.reset()
    assert lab.host.sh("true").ok


def test_a_lab_whose_agent_died_can_be_closed():
    lab = Lab()
    lab.run("web")
    os.kill(agent_of(lab), signal.SIGKILL)
    lab.close()
    lab.close()
    assert lab.closed
