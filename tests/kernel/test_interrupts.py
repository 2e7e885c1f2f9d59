"""The stop button: a command that runs is ended, a change is made whole or not at all, and the lab stays usable."""

from __future__ import annotations

import contextlib
import random
import signal
import threading
import time

import pytest
from outside import assert_same, difference, state, wait_until

from netlab import Lab
from netlab.interrupts import held_back

# An interrupt that arrives in a destructor is Python's to swallow and to tell of.
pytestmark = [pytest.mark.kernel, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


@contextlib.contextmanager
def interrupted_after(seconds):
    """Interrupt the main thread, as Jupyter's stop button does, some time from now."""
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@pytest.fixture(autouse=True)
def _an_alarm_is_an_interrupt():
    before = signal.signal(signal.SIGALRM, lambda _, frame: signal.getsignal(signal.SIGINT)(signal.SIGINT, frame))
    yield
    signal.signal(signal.SIGALRM, before)


def commands(lab):
    return [line for line in lab.host.sh("ps -eo args=").stdout.splitlines() if "sleep" in line]


def test_an_interrupt_ends_the_command_and_all_that_it_started(lab):
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), interrupted_after(0.2):
        lab.host.sh("sleep 60 | sleep 61")
    assert time.monotonic() - began < 2
    assert commands(lab) == []
    assert lab.run("web").ping("172.17.0.1")


def test_a_command_that_ignores_the_interrupt_is_killed(lab):
    with pytest.raises(KeyboardInterrupt), interrupted_after(0.2):
        lab.host.sh("trap '' INT; while :; do sleep 0.1; done")
    wait_until(lambda: commands(lab) == [])


def test_a_command_may_end_itself_well_when_interrupted(lab, tmp_path):
    with pytest.raises(KeyboardInterrupt), interrupted_after(0.3):
        lab.host.sh(f"trap 'echo tidy > {tmp_path}/note; exit 0' INT; while :; do sleep 0.05; done")
    assert (tmp_path / "note").read_text() == "tidy\n"


def test_what_came_before_the_interrupt_was_heard(lab):
    heard = []
    with pytest.raises(KeyboardInterrupt), interrupted_after(0.3):
        lab.host.sh("echo first; sleep 60", hear=lambda *said: heard.append(said))
    assert heard == [("stdout", "first\n")]


def test_an_error_of_the_listener_ends_the_command(lab):
    def fail(*_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lab.host.sh("echo first; sleep 60", hear=fail)
    wait_until(lambda: commands(lab) == [])


MOMENTS = 30
SEED = 20


def moments(longest):
    chance = random.Random(SEED)  # noqa: S311 - the same moments in every run
    return [chance.uniform(0, longest) for _ in range(MOMENTS)]


def test_run_interrupted_at_any_moment_is_done_or_not_done(lab):
    before = state(lab)
    interrupted = 0
    began = time.monotonic()
    lab.run("first", image="nginx")
    longest = time.monotonic() - began
    lab.rm("first")
    for number, moment in enumerate(moments(longest)):
        name = f"c{number}"
        try:
            with interrupted_after(moment):
                lab.run(name, image="nginx")
        except KeyboardInterrupt:
            interrupted += 1
        if name in lab.containers:
            assert lab.containers[name].status == "running"
            assert lab.host.http("http://172.17.0.2"), "it is whole"
            lab.rm(name)
        assert_same(lambda: state(lab), lambda: before)
    assert interrupted > MOMENTS / 5, "the moments must hit"
    assert lab.run("last").address == "172.17.0.2"


@pytest.mark.parametrize(
    "build",
    [
        lambda lab: [lab.namespace(f"n{number}") for number in range(3)],
        lambda lab: [lab.host.add_veth(f"left{number}", f"right{number}") for number in range(20)],
        lambda lab: [lab.host.nft(f"add table ip t{number}") for number in range(5)],
        lambda lab: (lab.run_many(["a1", "a2", "a3"]), lab.stop("a2"), lab.rm("a1")),
        lambda lab: [lab.host.interfaces for _ in range(10)],
        lambda lab: [lab.snapshot() for _ in range(3)],
        lambda lab: [lab.host.sh("true") for _ in range(5)],
        lambda lab: lab.reset(),
    ],
    ids=["namespace", "veth", "nft", "containers", "interfaces", "snapshot", "sh", "reset"],
)
def test_interrupted_at_any_moment_the_lab_stays_usable(lab, build):
    began = time.monotonic()
    build(lab)
    longest = time.monotonic() - began
    for moment in moments(longest)[:8]:
        lab.reset()
        with contextlib.suppress(KeyboardInterrupt), interrupted_after(moment):
            build(lab)
        assert set(lab.containers) <= {"a1", "a2", "a3"}
        assert {place for place in lab.places if place.startswith("n")} == set(
            lab.host.sh("ls /run/netns").stdout.split()
        ) - set(lab.containers)
        web = lab.run("web", image="nginx")
        assert lab.host.http(f"http://{web.address}")
        assert lab.snapshot().place("web").interface("eth0").works


def test_the_making_of_a_lab_may_be_interrupted():
    for moment in moments(0.2)[:10]:
        lab = None
        with contextlib.suppress(KeyboardInterrupt), interrupted_after(moment):
            lab = Lab("mine")
        with lab or Lab("mine") as whole:
            assert whole.host.ping("203.0.113.1")


def test_changes_made_before_an_interrupt_are_in_the_history(bare):
    with contextlib.suppress(KeyboardInterrupt), interrupted_after(0.05):
        for number in range(1000):
            bare.host.add_bridge(f"br{number}")
    there = {line.split()[0] for line in bare.host.sh("ip -br link show type bridge").stdout.splitlines()}
    assert there == {change.operations[0].name for change in bare.history}
    assert not difference(state(bare), state(bare))


def test_holding_back_delivers_at_the_end():
    reached = False
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012, SIM117
        with held_back():
            signal.raise_signal(signal.SIGINT)
            reached = True
    assert reached
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_window_lets_through_what_was_held_back():
    with pytest.raises(KeyboardInterrupt), held_back() as window:  # noqa: PT012
        signal.raise_signal(signal.SIGINT)
        with window():
            pytest.fail("the interrupt was waiting")


def test_a_block_within_a_block_holds_as_the_outer_one():
    done = []
    with pytest.raises(KeyboardInterrupt), held_back():  # noqa: PT012
        with held_back() as window, window():
            signal.raise_signal(signal.SIGINT)
            done.append("inner")
        done.append("outer")
    assert done == ["inner", "outer"]


def test_threads_and_programs_with_a_handler_of_their_own_are_left_alone():
    seen = []
    before = signal.signal(signal.SIGINT, lambda *_: seen.append("handled"))
    try:
        with held_back():
            signal.raise_signal(signal.SIGINT)
            assert seen == []
        assert seen == ["handled"]
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with held_back():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        thread = threading.Thread(target=lambda: held_back().__enter__())
        thread.start()
        thread.join()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
