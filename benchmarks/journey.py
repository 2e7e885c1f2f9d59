#!/usr/bin/env python3
"""Measure journeys and captures: benchmarks/journey.py [--rounds 10] [--containers 0 50] [--seconds 3] [--json FILE].

How long lab.trace takes for an HTTP request by name and for one to the internet, alone and beside other containers; what
a ping costs while nothing is traced, in a lab without a journey so far and in one that had many; and how many packets a
capture loses of iperf3's UDP stream.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from netlab import Lab

_PORT = 5201
_PINGS = 5000
_SERVER = f"iperf3 --server --one-off --daemon --port {_PORT}"
_LISTENS = f'for i in $(seq 200); do ss -Hltn "sport = :{_PORT}" | grep -q . && exit; sleep 0.02; done; exit 1'


def traces(containers: int, rounds: int) -> dict[str, Any]:
    """Return the milliseconds of traces in a lab with that many other containers: median and slowest."""
    figures: dict[str, Any] = {"containers": containers}
    with Lab() as lab:
        lab.network("shop")
        lab.run("web", image="nginx", network="shop")
        lab.run("app", network="shop")
        lab.run_many([f"c{number:03}" for number in range(containers)], network="shop")
        for name, target in (("by name", "http://web"), ("internet", "http://www.example.com"), ("ping", "ping web")):
            lab.trace("app", target)
            taken = []
            for _ in range(rounds):
                begun = time.perf_counter()
                assert lab.trace("app", target).ok
                taken.append((time.perf_counter() - begun) * 1000)
            figures[name] = {"median": round(statistics.median(taken)), "slowest": round(max(taken))}
        left = lab.host.sh("nft list tables | grep netlab-trace; tail -n +2 /proc/net/packet").stdout
        figures["left behind"] = left.splitlines()
    return figures


def untraced(rounds: int) -> dict[str, float]:
    """Return the microseconds of a ping that nobody traces: in a lab without a journey so far, and in one that had many."""
    taken: dict[str, list[float]] = {"never traced": [], "traced before": []}
    with Lab() as fresh, Lab() as used:
        labs = dict(zip(taken, (fresh, used), strict=True))
        for lab in labs.values():
            lab.run("web")
            lab.run("app")
        for _ in range(rounds):
            assert used.trace("app", "ping 172.17.0.2").ok
        for _ in range(4 * rounds):  # in turns, so that whatever else the machine does weighs on both
            for name, lab in labs.items():
                said = lab["app"].sh(f"ping -f -q -c {_PINGS} 172.17.0.2", check=True).stdout
                found = re.search(r"time (\d+)ms", said)
                assert found
                taken[name].append(1000 * int(found.group(1)) / _PINGS)
    return {name: round(statistics.median(each), 2) for name, each in taken.items()}


def flood(seconds: int, size: int) -> dict[str, Any]:
    """Return what a capture got of a UDP stream as fast as iperf3 can send it, from one container to another."""
    with Lab() as lab:
        web, app = lab.run("web"), lab.run("app")
        web.sh(_SERVER, check=True)
        web.sh(_LISTENS, check=True)
        with app.capture(f"udp port {_PORT}") as seen:
            said = app.sh(
                f"iperf3 --json --client {web.address} --port {_PORT} --udp --bitrate 0 --length {size} --time {seconds}",
                check=True,
                timeout=seconds + 30,
            ).stdout
        total = json.loads(said)["end"]["sum"]
        sent = total["packets"]
        return {
            "bytes": size,
            "sent": sent,
            "sent each second": round(sent / total["seconds"]),
            "captured": seen.count,
            "counted as lost": seen.lost,
            "lost %": round(100 * seen.lost / max(1, seen.lost + seen.count), 3),
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--containers", type=int, nargs="+", default=[0, 50])
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    figures = {
        "traces (ms)": [traces(count, asked.rounds) for count in asked.containers],
        "a ping without a trace (µs)": untraced(asked.rounds),
        "captures": [flood(asked.seconds, size) for size in (64, 1400)],
    }
    text = json.dumps(figures, indent=2)
    print(text)
    if asked.json:
        asked.json.write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
