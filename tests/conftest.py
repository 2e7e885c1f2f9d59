"""For the whole suite: nothing is skipped in CI, and the machine is the same after it as before."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

import pytest

# What changes by itself while tests run: lifetimes of addresses, expiry of routes, the fill of tables.
_RESTLESS = re.compile(r"valid_lft\S* \S+ preferred_lft \S+|expires \S+|\bexp \S+|master:\d+|shared:\d+")
_PATIENCE = 3.0  # seconds: a browser or a Jupyter kernel may still be on its way out
_RESTLESS_PARAMETERS = ("conntrack_count", "inode-nr", "tcp_mem", "udp_mem", "neigh/default/gc")

# The tests expect English where they ask for nothing else, on a Japanese machine too.
os.environ["LANG"] = "C.UTF-8"
for _name in ("LC_ALL", "NETLAB_LANGUAGE"):
    os.environ.pop(_name, None)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):  # noqa: ARG001 - pytest calls it so
    """In CI every tool is there, so a test that skips is a test that fails."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and nothing may skip in CI: {report.longrepr[-1]}"


def machine_state() -> dict[str, list[str]]:
    """Return everything of the real machine that a lab could wrongly change, less what changes by itself."""
    state = {
        "links": _said("ip", "-details", "link"),
        "addresses": _said("ip", "address"),
        "routes": _said("ip", "route", "show", "table", "all") + _said("ip", "-6", "route", "show", "table", "all"),
        "rules": _said("ip", "rule") + _said("ip", "-6", "rule"),
        "filters": _said("nft", "--stateless", "list", "ruleset"),
        "mounts": [" ".join(line.split()[3:]) for line in Path("/proc/self/mountinfo").read_text().splitlines()],
        "named namespaces": sorted(map(str, Path("/run/netns").iterdir())) if Path("/run/netns").is_dir() else [],
        "host name": [os.uname().nodename],
        "parameters": _parameters(),
    }
    return {what: [_RESTLESS.sub("", line).strip() for line in lines] for what, lines in state.items()}


def _said(*argv: str) -> list[str]:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    except FileNotFoundError:
        return []
    return done.stdout.splitlines()


def _parameters() -> list[str]:
    found = []
    for path in sorted(Path("/proc/sys/net").rglob("*")):
        if path.is_file() and not any(part in str(path) for part in _RESTLESS_PARAMETERS):
            try:
                found.append(f"{path}={path.read_text().strip()}")
            except OSError:
                continue  # not readable for this user
    return found


def descendants(of: int) -> dict[int, str]:
    """Return the processes that descend from `of`, with their command lines; those that wait to be collected do not count."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] not in "ZX":
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found: dict[int, str] = {}
    waiting = [of]
    while waiting:
        for pid in parents.get(waiting.pop(), ()):
            try:
                found[pid] = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            except OSError:
                continue
            waiting.append(pid)
    return found


@pytest.fixture(scope="session", autouse=True)
def _the_machine_is_untouched():
    """Compare the real machine before and after the whole suite."""
    before = machine_state()
    yield
    after = machine_state()
    for what in before:
        assert after[what] == before[what], f"the tests changed the machine's {what}"
    deadline = time.monotonic() + _PATIENCE
    while left := descendants(os.getpid()):
        assert time.monotonic() < deadline, f"the tests left processes behind: {left}"
        time.sleep(0.05)
