"""What else makes a hundred networked things: `ip -batch`, Mininet. Each in namespaces of its own, which end with it.

All figures are milliseconds for a hundred. `NotMeasured` says why a peer cannot be measured here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

_SECONDS = 300


class NotMeasured(Exception):
    """The peer is missing or does not work here; the text says why."""


def _inside(*command: str) -> str:
    """Run a command in network, mount and pid namespaces of its own; return what it printed."""
    rootless = [] if os.geteuid() == 0 else ["--map-root-user"]
    isolated = ["unshare", *rootless, "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    done = subprocess.run([*isolated, *command], capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode:
        raise NotMeasured((done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"])[-1])
    return done.stdout


# ── ip -batch ──────────────────────────────────────────────────────────────────────────────────────────────────────

_BRIDGE = "link add br0 type bridge\nlink set br0 up\n"
_ONE = "netns add c{0}\nlink add veth{0} type veth peer name eth0 netns c{0}\nlink set veth{0} master br0 up\n"

_TIMED = """
set -e
mount -t tmpfs tmpfs /run
mkdir /run/netns
cat >/run/batches
start=$EPOCHREALTIME
{make}
echo $((${{EPOCHREALTIME/./}} - ${{start/./}}))
test "$(ip -o link show master br0 | wc -l)" = 100
"""
_ONE_FILE = "ip -batch /run/batches"
_FILE_EACH = """
while IFS= read -r -d . batch; do ip -batch - <<<"$batch"; done </run/batches
"""


def ip_batch_one_file() -> float:
    """One file with the commands for all: only namespaces and links, so less than what netlab makes."""
    return _ip_batch(_ONE_FILE, "")


def ip_batch_each() -> float:
    """One `ip -batch` for each namespace, as a script does that goes on to work in each."""
    return _ip_batch(_FILE_EACH, ".")


def _ip_batch(make: str, end: str) -> float:
    batches = _BRIDGE + end + "".join(_ONE.format(number) + end for number in range(100))
    # The commands come as a here-document: standard input belongs to the shell that reads them.
    script = _TIMED.format(make=make).replace("cat >/run/batches", f"cat >/run/batches <<'END'\n{batches}\nEND")
    return float(_inside("bash", "-c", script)) / 1000


# ── Mininet ────────────────────────────────────────────────────────────────────────────────────────────────────────

_MININET = """
import time
import mininet.net
from mininet.nodelib import LinuxBridge
from mininet.topo import SingleSwitchTopo

mininet.net.fixLimits = lambda: None  # it raises limits of the whole machine
start = time.perf_counter()
net = mininet.net.Mininet(topo=SingleSwitchTopo(100), switch=LinuxBridge, controller=None)
net.start()
print((time.perf_counter() - start) * 1000)
assert "1 received" in net.hosts[0].cmd("ping -c 1 -W 2 " + net.hosts[-1].IP())
"""


def mininet() -> float:
    """A hundred hosts on one switch, a Linux bridge; Open vSwitch needs a kernel module and is no faster."""
    if os.geteuid() != 0:
        raise NotMeasured("Mininet needs root")
    if shutil.which("brctl") is None:
        raise NotMeasured("brctl is not installed: apt-get install bridge-utils")
    program = f"ip link set lo up && exec {_python_with_mininet()} -c '{_MININET}'"
    return float(_inside("sh", "-c", program).splitlines()[0])


def _python_with_mininet() -> str:
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import mininet.net"], capture_output=True, check=False).returncode == 0:
            return python
    raise NotMeasured("Mininet is not installed: apt-get install mininet")
