"""netlab's own figures, each measured in a fresh process. All are milliseconds."""

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

_PROGRAMS = (
    _IMPORT,
    _FIRST,
    _HUNDRED.format(name="one call", make="lab.run_many(names)"),
    _HUNDRED.format(name="hundred calls", make="for name in names: lab.run(name)"),
    _COMMAND,
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
