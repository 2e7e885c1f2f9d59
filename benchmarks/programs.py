"""netlab's own figures, each measured in a fresh process: milliseconds, and for memory KiB."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

_IMPORT = """
from time import perf_counter
start = perf_counter()
from netlab import Lab
figure = {"import": (perf_counter() - start) * 1000}
import sys
assert not {"pyroute2", "scapy"} & set(sys.modules), "import netlab loads what it need not"
"""

_FIRST = """
import netlab
from time import perf_counter
start = perf_counter()
lab = netlab.Lab()
web = lab.run("web")
answered = lab.host.ping(web.address).ok
figure = {"first": (perf_counter() - start) * 1000}
assert answered, "the first container does not answer"
lab.close()
"""

_HUNDRED = """
from time import perf_counter
from netlab import Lab
names = [f"c{{number}}" for number in range(100)]
lab = Lab()
start = perf_counter()
{make}
made = perf_counter()
last = lab["c99"]
assert len(lab.containers) == 100 and lab["c0"].ping(last.address).ok, "the last container does not answer"
assert {{one.name for one in last.interfaces}} == {{"lo", "eth0"}} and last.processes, "it is not whole"
closing = perf_counter()
lab.close()
figure = {{"{name}": (made - start) * 1000, "close": (perf_counter() - closing) * 1000}}
"""

_COMMAND = """
from statistics import median
from time import perf_counter
from netlab import Lab
times = []
with Lab() as lab:
    web = lab.run("web")
    for _ in range(50):
        start = perf_counter()
        assert web.sh("true").ok
        times.append((perf_counter() - start) * 1000)
figure = {"sh": median(times)}
"""

_PUBLISHED = """
from statistics import median
from time import perf_counter
from netlab import Lab
times = []
with Lab() as lab:
    lab.network("measured")
    for number in range(20):
        start = perf_counter()
        last = lab.run(f"c{number}", "myapp", network="measured", publish=f"{20000 + number}:80")
        times.append((perf_counter() - start) * 1000)
    assert last.sh("getent hosts c0").ok, "the name of the first is unknown to the last"
    assert "20019" in lab.host.sh("ss -Hltn").stdout, "its port is not published"
figure = {"published run": median(times)}
"""

# What a lab of many costs: time and memory by container, then what one looks at, and the end.
_MANY = """
import os
from pathlib import Path
from statistics import median
from time import perf_counter
from netlab import Lab

def kernel_memory():
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return sum(int(lines[name].split()[0]) for name in ("Slab", "PageTables", "KernelStack", "Percpu"))

def shares(lab):
    sandbox = os.readlink(f"/proc/{{lab.world.entry('host').machine_pid}}/ns/pid")
    for one in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(one / "ns/pid") == sandbox:
                yield int((one / "smaps_rollup").read_text().split("Pss:")[1].split()[0])
        except OSError:
            continue  # it ended, or is somebody else's

count = {count}
names = [f"c{{number}}" for number in range(count)]
lab = Lab()
networks = [lab.network(f"network-{{number}}") for number in range(4)]
lab.run("before", network=networks[0])  # starts the name server, which is there once however many there are
before, kernel_before = sum(shares(lab)), kernel_memory()
start = perf_counter()
{make}
figure = {{"{way}, {count}": (perf_counter() - start) * 1000 / count}}
last = lab[names[-1]]
assert len(lab.containers) == count + 1 and last.ping(lab[names[-5]].address).ok, "the last does not reach another"
assert last.sh(f"getent hosts {{names[-5]}}").ok and not last.sh(f"getent hosts {{names[-4]}}").ok, "names are wrong"
figure["memory, {count}"] = (sum(shares(lab)) - before + kernel_memory() - kernel_before) / count
start = perf_counter()
snapshot = lab.snapshot()
figure["snapshot, {count}"] = (perf_counter() - start) * 1000
assert {{place.name for place in snapshot.places}} >= set(names), "the snapshot is not whole"
start = perf_counter()
assert lab.show().svg
figure["picture, {count}"] = (perf_counter() - start) * 1000
start = perf_counter()
lab.close()
figure["close, {count}"] = (perf_counter() - start) * 1000
"""
WAYS = {
    "one call each network": "for number in range(4): lab.run_many(names[number::4], network=networks[number])",
    "one at a time": "for number, name in enumerate(names): lab.run(name, network=networks[number % 4])",
}
MANY = (100, 1000)

_PROGRAMS = (
    _IMPORT,
    _FIRST,
    _HUNDRED.format(name="one call", make="lab.run_many(names)"),
    _HUNDRED.format(name="hundred calls", make="for name in names: lab.run(name)"),
    _COMMAND,
    _PUBLISHED,
    *(_MANY.format(count=count, make=make, way=way) for way, make in WAYS.items() for count in MANY),
)


def programs() -> list[str]:
    """Return the programs that measure; each prints its figures as JSON."""
    return [f"{program}\nimport json\nprint(json.dumps(figure))" for program in _PROGRAMS]


def warm_up() -> None:
    """Run each once, so that all modules are there as bytecode, as they are for anybody who starts a second time."""
    for program in programs():
        measure(program)


def measure(program: str) -> dict[str, float]:
    """Run one of them; a lab that does not work fails the benchmark."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"netlab could not be measured:\n{done.stderr}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures
