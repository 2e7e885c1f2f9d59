"""Running a lab's script in a fresh sandbox, and comparing what the kernel reports there with the lab, place by place.

Left out of the comparison is what nobody chose and no script can choose: hardware addresses that the kernel drew and what
comes from them (link-local addresses, multicast groups), the numbers that a bridge gives its ports, numbers of namespaces,
counters, handles, timers, what was learned, and states that follow traffic.
"""

from __future__ import annotations

import json
import re
import subprocess
import time

from outside import difference, plain

_MARK = "=== "
_KERNELS = {"link_netnsid", "linkNetNsId", "mcast_querier_ipv4_addr"}
_NUMBERS_OF_PORTS = {"no", "id", "designated_port", "designated_cost"}  # in info_slave_data
_PARAMETERS_APART = ("nf_conntrack_count", "stable_secret", "base_reachable_time = ", "retrans_time = ")
# A sandbox as empty as a new machine: its own user, network, mounts and processes, and nothing in /run.
_FRESH = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def _look(begin: str, name: str) -> str:
    sysctl = "sysctl -a -r '^net[.](ipv4|ipv6|bridge|core|netfilter)[.]' 2> /dev/null"
    tools = (
        "ip -j -d address; ip -j -4 route show table all; ip -j -6 route show table all; ip -j rule; ip -j -6 rule; "
        "ip -j neigh show nud permanent; nft -j list ruleset; bridge -j fdb; bridge -j vlan; "
        f"echo '{_MARK}'; {sysctl}"
    )
    return f'echo "{_MARK}{name}"; {begin} sh -c {json.dumps(tools)}'.replace("$", "\\$")


def state_of_lab(lab) -> list[str]:
    """Return what the kernel reports of every place of a lab that has a network namespace of its own, line by line."""
    seen, lines = set(), []
    for name, place in lab.places.items():
        if place.inode not in seen:
            seen.add(place.inode)
            lines += _lines(place.sh(_look("", name), check=True).stdout)
    return lines


def kernel(lab) -> list[str]:
    """Return the same without the ports that the kernel chose for the name server at 127.0.0.11."""
    return [re.sub(r'"(port|right)": \d{5}\b', r'"\1": "chosen"', line) for line in state_of_lab(lab)]


def rebuild(script, places, after: str = "true"):
    """Run a script in a fresh sandbox, then look at the places; return the lines, and what `after` printed there."""
    looks = "\n".join(_look(f"ip netns exec {name.replace('@', '-')}", name) for name in places)
    text = f"""
set -e
mount -t tmpfs run /run
cat > /run/lab.sh <<'THE-LAB'
{script}
THE-LAB
sh /run/lab.sh > /dev/null
{looks}
echo '{_MARK}said'
{after}
"""
    done = subprocess.run([*_FRESH, "sh", "-c", text], capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-500:]
    state, _, said = done.stdout.partition(f"{_MARK}said\n")
    return _lines(state), said


def _lines(said: str) -> list[str]:
    decoder = json.JSONDecoder()
    lines: list[str] = []
    for part in said.split(_MARK)[1:]:
        name, _, rest = part.partition("\n")
        if name:
            place = name
            while rest := rest.lstrip():
                report, end = decoder.raw_decode(rest)
                rest = rest[end:]
                ones = report["nftables"] if isinstance(report, dict) else report
                kept = [_without_random(plain(one)) for one in plain(ones) if "metainfo" not in one]
                lines += [f"{place}: {json.dumps(one)}" for one in kept if one is not None]
        else:
            kept = [line for line in rest.splitlines() if not any(word in line for word in _PARAMETERS_APART)]
            lines += [f"{place}: {line}" for line in kept]
    return lines


def _without_random(value):
    """Return a report without what the kernel chose by itself; None for one that tells of nothing else."""
    if isinstance(value, list):
        return [_without_random(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "mac" in value and "ifname" in value:
        kept = str(value.get("state")) in ("permanent", "static") and value["mac"].startswith(("00:", "02:42:"))
        return {key: one for key, one in value.items() if key not in {"flags", *_KERNELS}} if kept else None
    apart = _KERNELS | (_NUMBERS_OF_PORTS if "hairpin" in value else set())
    return {key: _without_random(one) for key, one in value.items() if key not in apart}


def assert_rebuilt(lab, script, after: str = "true"):
    """Run a lab's script in a fresh sandbox and compare all places; return what `after` printed there."""
    names = []
    for name, place in lab.places.items():
        if all(place.inode != lab[other].inode for other in names):
            names.append(name)
    deadline = time.monotonic() + 10
    while True:
        rebuilt, said = rebuild(script, names, after)
        unlike = difference(state_of_lab(lab), rebuilt)
        if not unlike:
            return said
        assert time.monotonic() < deadline, "\n".join(unlike[:60])
