"""Looking at a lab from outside: with the kernel's own tools and files, not with netlab's readers."""

from __future__ import annotations

import contextlib
import json
import shlex
import time
from pathlib import Path

# What is different in every run, or tells of time and traffic rather than of what was built.
_RESTLESS = {
    *("link_netnsid", "link_index", "gc_timer", "hello_timer", "tcn_timer", "topology_change_timer"),
    *("forward_delay_timer", "hold_timer", "message_age_timer", "preferred_life_time", "valid_life_time", "stats64"),
    *("bridge_id", "root_id", "designated_bridge", "designated_root", "root_cost", "handle", "index"),
    *("packets", "bytes", "operstate", "qdisc", "tso_max_size", "tso_max_segs"),
    *("tentative", "topology_change", "topology_change_detected"),
}
_LATE_FLAGS = ("NO-CARRIER", "linkdown")  # they follow LOWER_UP a moment later
_PARAMETERS = ("net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding", "net.ipv4.conf.all.route_localnet")


def wait_until(condition, seconds: float = 5.0, what: str = ""):
    """Wait until `condition()` is true and return its value; fails after some seconds."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what or condition}"
        time.sleep(0.01)
    return value


def ip(place, arguments: str):
    """Return what `ip -j …` says in a place, as data."""
    said = place.sh(f"ip -j -d {arguments}", check=True).stdout
    return json.loads(said) if said.strip() else []


def nft(place) -> list:
    """Return the rules of a place as `nft -j` lists them, without counters and handles."""
    listed = json.loads(place.sh("nft -j list ruleset", check=True).stdout)["nftables"]
    return [plain(entry) for entry in listed if "metainfo" not in entry]


def plain(value):
    """Return a report of `ip -j` or `nft -j` without what is different in every run."""
    if isinstance(value, list):
        return [plain(one) for one in value if not _from_random_mac(one)]
    if not isinstance(value, dict):
        return value
    kept = {key: plain(one) for key, one in value.items() if key not in _RESTLESS}
    if "flags" in kept:
        kept["flags"] = [flag for flag in kept["flags"] if flag not in _LATE_FLAGS]
    if "ifname" in kept and not str(kept.get("address", "")).startswith("02:42:"):
        kept.pop("address", None)  # drawn at random by the kernel
    return kept


def _from_random_mac(one) -> bool:
    """Whether it is a link-local address or a route to one: they come from the hardware address, a moment later."""
    return isinstance(one, dict) and any(
        str(one.get(key, "")).startswith(("fe80:", "ff00:")) for key in ("local", "dst")
    )


def _learned(one) -> bool:
    """Whether it is an entry of `bridge fdb` that nobody wrote: all but those of tunnels."""
    return isinstance(one, dict) and "mac" in one and not ("dst" in one and one.get("state") == "permanent")


_LOOK = f"""
ip -j -d address; ip -j -4 route show table all; ip -j -6 route show; nft -j list ruleset
ip -j neigh show nud permanent; bridge -j fdb show
echo "\\"$(sysctl {" ".join(_PARAMETERS)} | tr '\\n' ' ')\\""
"""
_LOOK_EVERYWHERE = f"""
look={shlex.quote(_LOOK)}
echo '"host"'; eval "$look"
for name in $(ls /run/netns); do echo "\\"$name\\""; ip netns exec "$name" sh -c "$look"; done
"""


def state_of(place) -> list[str]:
    """Return what the kernel reports of one place, a line for each link, route, rule and parameter."""
    return _lines(place.sh(_LOOK, check=True).stdout, place.name)


def state(lab) -> list[str]:
    """Return what the kernel reports of a lab's host and of all namespaces that have a name on it, line by line."""
    return _lines(lab.host.sh(_LOOK_EVERYWHERE, check=True).stdout, "?")


def settled(lab) -> list[str]:
    """Return the same once the host's bridges have heard of all their ports, which the kernel tells them a moment later."""

    def heard() -> bool:
        links = {one["ifname"]: one for one in ip(lab.host, "link")}
        ports = [one for one in links.values() if "master" in one and "UP" in one["flags"]]
        states = {one["linkinfo"]["info_slave_data"]["state"] for one in ports}
        bridges = {one["master"] for one in ports}
        return states <= {"forwarding"} and all("LOWER_UP" in links[name]["flags"] for name in bridges)

    wait_until(heard, what="every port of a bridge forwards")
    return state(lab)


def _lines(said: str, place: str) -> list[str]:
    decoder = json.JSONDecoder()
    lines = []
    while said := said.lstrip():
        report, end = decoder.raw_decode(said)
        said = said[end:]
        if isinstance(report, str) and "=" not in report:
            place = report
            continue
        ones = report["nftables"] if isinstance(report, dict) else report if isinstance(report, list) else [report]
        kept = [plain(one) for one in ones if not (_from_random_mac(one) or _learned(one) or "metainfo" in one)]
        lines += [f"{place}: {json.dumps(one)}" for one in kept] or [f"{place}: none"]
    return lines


def difference(one: list[str], other: list[str]) -> list[str]:
    """Return the lines that only one of two states has."""
    return [f"only in the first: {line}" for line in one if line not in other] + [
        f"only in the second: {line}" for line in other if line not in one
    ]


def assert_same(one, other, seconds: float = 3.0) -> None:
    """Wait until two states, given as functions, are the same: some things come up a moment after their command."""
    deadline = time.monotonic() + seconds
    while unlike := difference(one(), other()):
        if time.monotonic() > deadline:
            raise AssertionError("\n".join(unlike))


class Traces:
    """The processes and namespaces of a lab, noted while it runs, to see afterwards that all are gone."""

    def __init__(self, lab) -> None:
        pids = pids_of(lab)
        mine = _namespaces("self")
        self.processes = {(pid, _began(pid)): command_of(pid) for pid in pids}
        self.namespaces = {number for pid in pids for number in _namespaces(pid) - mine}
        assert self.processes
        assert len(self.namespaces) > 10

    def wait_until_gone(self, seconds: float = 2.0) -> None:
        """Wait until nothing of the lab is left."""
        deadline = time.monotonic() + seconds
        while left := self.left():
            assert time.monotonic() < deadline, "\n".join(left)
            time.sleep(0.01)

    def left(self) -> list[str]:
        """Return what is still there of them, in words.

        Other labs of this machine may have namespaces of the same numbers by now, so processes are known by pid and start.
        """
        found = [
            f"process {pid} is still there: {command}"
            for (pid, began), command in self.processes.items()
            if began and _began(pid) == began
        ]
        held = {f"net:[{number}]" for number in self.namespaces}
        for descriptor in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):
                if str(descriptor.readlink()) in held:
                    found.append(f"this process holds a namespace of the lab: {descriptor}")
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        return found + [f"mount: {line}" for line in mounts if " nsfs " in line or " netlab " in line]


def pids_of(lab) -> set[int]:
    """Return the pids, as the machine counts, of all processes of a lab: those that share its agent's pid namespace."""
    (agent,) = children(lab.world.sandbox.pid)
    inside = _pid_namespace(agent)
    return {
        int(one.name) for one in Path("/proc").iterdir() if one.name.isdecimal() and _pid_namespace(one.name) == inside
    }


def agent_of(lab) -> int:
    """Return the pid, as the machine counts, of a lab's agent."""
    (agent,) = children(lab.world.sandbox.pid)
    return agent


def children(pid: int) -> list[int]:
    """Return the children of a process."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command_of(pid: int | str) -> str:
    """Return a process's command line, or nothing when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def _began(pid: int) -> int:
    """Return when a process began, in ticks since the machine's start; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:
        return 0


def _namespaces(pid: int | str) -> set[int]:
    found = set()
    for kind in ("net", "mnt", "pid", "user", "uts", "ipc"):
        with contextlib.suppress(OSError):
            found.add(Path(f"/proc/{pid}/ns/{kind}").stat().st_ino)
    return found


def _pid_namespace(pid: int | str) -> int:
    try:
        return Path(f"/proc/{pid}/ns/pid").stat().st_ino
    except OSError:
        return 0
