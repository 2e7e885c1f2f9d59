"""The life of a lab: its names, its end, and labs beside each other."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import traceback
import warnings
import weakref

import pytest
from outside import Traces, wait_until

from netlab import Lab, registry
from netlab.errors import LabClosed, NameTaken, RequestError

pytestmark = pytest.mark.kernel


def test_close_ends_everything_and_may_be_repeated():
    lab = Lab()
    web = lab.run("web", image="nginx")
    lab.host.sh("ip netns add typed; setsid sleep 1000 & true")
    traces = Traces(lab)
    lab.close()
    assert traces.left() == [], "nothing is left when close returns"
    lab.close()
    assert lab.closed
    assert web.status == "exited"
    assert repr(lab) == f"<lab {lab.name}, closed>"


def test_the_block_closes_the_lab_also_after_an_error():
    lab = Lab()
    traces = Traces(lab)
    with pytest.raises(ZeroDivisionError), lab:
        raise ZeroDivisionError
    assert lab.closed
    assert traces.left() == []


@pytest.mark.parametrize(
    "use",
    [
        lambda lab: lab.host.sh("true"),
        lambda lab: lab.run("web"),
        lambda lab: lab["web"],
        lambda lab: lab.host.interfaces,
        lambda lab: lab.host.rules,
        lambda lab: lab.host.shell(),
        lambda lab: lab.places,
        lambda lab: lab.snapshot(),
        lambda lab: lab.show(),
        lambda lab: lab.namespace("red"),
        lambda lab: lab.host.add_bridge("br0"),
        lambda lab: lab.host.link("eth0").up(),
        lambda lab: lab.internet.ping("203.0.113.10"),
        lambda lab: lab.reset(),
    ],
)
def test_use_after_close_is_a_clear_error(closed, use):
    with pytest.raises(LabClosed, match=r"lab = Lab\(\)"):
        use(closed)


@pytest.fixture(scope="module")
def closed():
    with Lab() as lab:
        pass
    return lab


def test_a_lab_nobody_holds_warns_and_goes():
    labs = [Lab()]
    traces = Traces(labs[0])
    with pytest.warns(ResourceWarning, match="lab 'lab' was never closed"):
        _forget(labs)
    traces.wait_until_gone()
    assert registry.names() == []


def _forget(labs):
    labs.clear()
    gc.collect()


def test_a_closed_lab_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lab = Lab()
        lab.close()
        del lab
        gc.collect()


def test_labs_are_named_and_found_by_name(make_lab):
    first, second, mine = make_lab(), make_lab(), make_lab("my-lab")
    assert (first.name, second.name, mine.name) == ("lab", "lab-2", "my-lab")
    assert registry.names() == ["lab", "lab-2", "my-lab"]
    with pytest.raises(NameTaken, match="my-lab"):
        make_lab("my-lab")
    mine.close()
    assert registry.names() == ["lab", "lab-2"]
    assert make_lab("my-lab").name == "my-lab"


@pytest.mark.parametrize("name", ["a b", "a/b", "", "..", "ラボ", "x" * 200, 7])
def test_a_lab_name_that_cannot_be_is_refused(make_lab, name):
    with pytest.raises(RequestError, match="Invalid"):
        make_lab(name)
    assert registry.names() == []


def test_labs_in_one_process_know_nothing_of_each_other(make_lab):
    one, other = make_lab(), make_lab()
    first, second = one.run("web", image="nginx"), other.run("web", image="alpine")
    assert first.address == second.address == "172.17.0.2"
    one.host.add_bridge("br0")
    assert "br0" not in other.host.sh("ip link").stdout
    assert other.host.http("http://172.17.0.2").status is None
    one.close()
    assert other.host.ping("172.17.0.2")


def test_labs_of_several_processes_run_side_by_side(lab):
    program = """
from netlab import Lab
with Lab() as lab:
    print(lab.name, lab.run("web").ping("203.0.113.1").ok, flush=True)
    input()
"""
    others = [
        subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [other.stdout.readline().split() for other in others]
    assert sorted(name for name, _ in said) == ["lab-2", "lab-3"]
    assert all(answer == "True" for _, answer in said)
    assert set(registry.names()) == {"lab", "lab-2", "lab-3"}
    for other in others:
        other.communicate("\n", timeout=10)
        assert other.returncode == 0
    assert registry.names() == [lab.name]


def test_a_lab_works_from_several_threads(lab):
    """Each thread builds and runs; nothing is mixed up."""
    faults = []

    def work(number):
        try:
            box = lab.run(f"box{number}")
            for _ in range(5):
                assert box.sh("cat /etc/hostname").stdout.strip() == box.hostname
                assert any(one.name == "eth0" for one in box.interfaces)
                lab.snapshot()
            lab.rm(f"box{number}")
        except Exception:  # noqa: BLE001 - whatever goes wrong in a thread is told by the test
            faults.append(traceback.format_exc())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, "\n".join(faults)
    assert lab.containers == {}


def test_a_fork_that_ends_leaves_its_parents_lab_alone(lab):
    """A child runs exit handlers of its own: they must not end what belongs to the parent."""
    child = os.fork()
    if child == 0:
        weakref.finalize._exitfunc()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert lab.run("web").ping("172.17.0.1")
    assert registry.names() == [lab.name]


def test_a_lab_leaves_no_descriptor_and_no_thread():
    with Lab() as lab:  # what is loaded once stays open
        lab.run("web")
        lab.snapshot()

    def held():
        return len(os.listdir("/proc/self/fd")), threading.active_count()  # noqa: PTH208

    before = held()
    for _ in range(3):
        with Lab() as lab:
            lab.run("web", image="nginx")
            lab.host.sh("true")
            lab.snapshot()
            lab.namespace("red")
            lab.stop("web")
    gc.collect()
    wait_until(lambda: all(now <= then for now, then in zip(held(), before, strict=True)), what=f"at most {before}")
