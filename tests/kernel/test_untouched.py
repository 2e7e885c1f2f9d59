"""The real machine knows nothing of a lab: neither while it runs nor afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from outside import Traces

from netlab import Lab

pytestmark = pytest.mark.kernel

LOOK = """
import sys; sys.path.insert(0, sys.argv[1])
from conftest import machine_state
import json; print(json.dumps(machine_state()))
"""


def machine():
    """Look with a fresh process, which has nothing of this one's."""
    folder = str(Path(__file__).parents[1])
    return subprocess.run([sys.executable, "-c", LOOK, folder], capture_output=True, text=True, check=True).stdout


def test_a_lab_that_does_its_worst_changes_nothing_of_the_machine(tmp_path, monkeypatch):
    """One parameter is spared: the kernel keeps nf_hooks_lwtunnel for all namespaces together, and it cannot be set back."""
    monkeypatch.chdir(tmp_path)
    before = machine()
    with Lab(hosts=2) as lab:
        lab.run("web", image="nginx")
        lab.host.sh(
            """
            ip link add br9 type bridge; ip link set br9 up; ip address add 10.9.0.1/24 dev br9
            ip route add 192.0.2.0/24 dev br9; ip rule add from 10.9.0.0/24 table 99
            ip netns add typed; nft add table ip worst; iptables -P FORWARD DROP
            for file in $(find /proc/sys/net -type f -writable ! -name nf_hooks_lwtunnel); do echo 1 >$file; done 2>/dev/null
            hostname worst; mount -t tmpfs worst /mnt; mkdir -p /run/worst; touch /run/worst/file
            echo worst >/proc/sys/kernel/hostname; ip link set eth0 down; ip link delete lo; sysctl -w user.max_net_namespaces=1
            """
        )
        assert machine() == before, "while the lab runs"
        assert not Path("/run/worst").exists()
        traces = Traces(lab)
    assert machine() == before, "after it"
    assert traces.left() == []
    assert list(tmp_path.iterdir()) == []


def test_processes_of_a_lab_cannot_see_or_signal_those_of_the_machine(lab):
    assert str(os.getpid()) not in [
        line.split()[0] for line in lab.host.sh("ps -eo pid=,args=").stdout.splitlines() if "pytest" in line
    ]
    assert "python" not in lab.host.sh("ps -eo args= | grep -v netlab").stdout
    assert lab.host.sh("kill -0 -1; echo survived").stdout == "survived\n"


def test_the_agent_survives_what_a_student_may_do_to_it(lab):
    """Process 1 of the lab: the kernel shields it from signals of its own namespace."""
    lab.host.sh("kill -9 1; kill -TERM 1; kill -INT 1; pkill -9 -f 'netlab: agent'")
    assert lab.run("web").ping("172.17.0.1")


def test_a_student_who_kills_everything_gets_a_lab_that_can_be_reset(lab):
    lab.run("web", image="nginx")
    lab.host.sh("kill -9 -1")
    lab.reset()
    assert lab.run("web", image="nginx").http("http://www.example.com")
