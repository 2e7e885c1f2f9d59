"""The doctor: finds what works here, and says what to do where something is really refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from netlab.doctor import examination, report, trials
from netlab.doctor.bench import Refused

pytestmark = pytest.mark.kernel

DOCTOR = [sys.executable, "-P", "-c", "from netlab.cli import main; main(prog_name='netlab')", "doctor"]


def consult(*options, limit=None, **environment):
    """Run the doctor, with a limit of the kernel's own on a kind of namespaces if one is given."""
    argv = [*DOCTOR, *options]
    if limit:
        narrow = f'echo 0 >/proc/sys/user/max_{limit}_namespaces; exec "$@"'
        argv = [shutil.which("unshare"), "--user", "--map-root-user", "/bin/sh", "-c", narrow, "-", *argv]
    return subprocess.run(
        argv, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment}
    )


@pytest.fixture(scope="module")
def findings():
    """What is found on this machine, which has everything."""
    return {finding.name: finding for finding in examination.examine()}


@pytest.mark.parametrize(
    "name",
    [
        *("kernel", "user_namespace", "network_namespace", "sandbox", "veth", "bridge", "sysctl", "nat", "capture"),
        *("dot", "terminal", "own_proc", "ip", "nft", "iptables", "ping", "curl", "wget", "dig", "nslookup"),
        *("tcpdump", "traceroute", "conntrack", "nc", "ss"),
    ],
)
def test_what_the_tests_need_works(findings, name):
    assert findings[name].state == "works", findings[name]


@pytest.mark.parametrize("name", ["read_only", "ipv6", "vxlan", "macvlan"])
def test_what_later_chapters_need_is_tried_but_not_required(findings, name):
    assert findings[name].state in ("works", "fails")
    assert not findings[name].required
    assert findings[name].needed_for


def test_a_machine_with_everything_is_fit():
    done = consult()
    assert done.returncode == 0, done.stdout
    assert "✓ veth pair" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("✓")


def test_it_leaves_nothing_behind():
    before = os.listdir("/proc/sys/net/ipv4/conf")  # noqa: PTH208 - names are what is compared
    consult()
    assert os.listdir("/proc/sys/net/ipv4/conf") == before  # noqa: PTH208 - the same


@pytest.mark.parametrize(
    ("limit", "failing"), [("user", "user_namespace"), ("net", "network_namespace"), ("mnt", "sandbox")]
)
def test_a_refused_namespace_is_found_and_what_to_run_is_said(limit, failing):
    done = consult("--json", limit=limit)
    assert done.returncode == 1
    told = json.loads(done.stdout)
    found = {finding["name"]: finding for finding in told["findings"]}
    assert not told["fit"]
    assert found[failing]["state"] == "fails"
    assert f"sudo sysctl -w user.max_{limit}_namespaces=15000" in found[failing]["remedy"]
    assert found["veth"]["state"] == "untried"


def test_the_last_sentence_says_that_chapters_will_not_work():
    assert "will not work yet" in consult(limit="net").stdout.splitlines()[-1]


def test_it_speaks_japanese():
    done = consult(limit="net", NETLAB_LANGUAGE="ja")
    assert "net 名前空間の上限が 0 です" in done.stdout
    assert "まだ教材は動きません" in done.stdout.splitlines()[-1]


def test_a_missing_dot_is_found_and_the_package_named():
    done = consult("--json", PATH="/nonexistent")
    assert done.returncode == 1
    (dot,) = [finding for finding in json.loads(done.stdout)["findings"] if finding["state"] == "fails"]
    assert (dot["name"], dot["remedy"]) == ("dot", "sudo apt-get install graphviz")


def test_what_is_optional_and_fails_does_not_make_the_machine_unfit(monkeypatch):
    def refuse(_):
        raise Refused("RTNETLINK answers: Operation not supported")

    without = [
        trials.Trial("vxlan", refuse, "VXLAN", "VXLAN", "vxlan", ("overlay", "overlay")) if one.name == "vxlan" else one
        for one in trials.TRIALS
    ]
    monkeypatch.setattr(examination, "TRIALS", without)
    found = examination.examine()
    assert report.is_fit(found)
    said = report.as_text(found)
    assert "! VXLAN" in said
    assert "→ sudo modprobe vxlan" in said
    assert said.splitlines()[-1] == "✓ The chapters will work here, except: overlay."
