#!/usr/bin/env python3
"""Measure the live diagram without a browser: benchmarks/live.py [--containers 20 100 1000] [--json FILE].

For each number of containers: how long a look and a layout take, how large the first picture and an update are, how long
it is from a command that changes a link to the message to the page, and what the whole costs while nothing changes. What
the browser adds is measured by live_browser.py.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from netlab import Lab
from netlab.live.feed import Feed
from netlab.observer import EVERYTHING, Observer
from netlab.view.dot import scene_to_dot
from netlab.view.parts import draw_parts

_CHANGES = 20
_IDLE_SECONDS = 10


def milliseconds(do: Callable[[], object], times: int = 5) -> float:
    """Return the median time of a call."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        do()
        taken.append((time.perf_counter() - begun) * 1000)
    return round(statistics.median(taken), 1)


class Page:
    """A page that notes when each change came, and how large it was."""

    def __init__(self, lab: Lab) -> None:
        self.feed = Feed(lab)
        self.came = threading.Condition()
        self.changes: list[tuple[float, int]] = []
        self.session = self.feed.open(lab.snapshot(), "en", self.hear)
        self.feed.hear(self.session, {"type": "whole", "view": "benchmark"})

    def hear(self, message: dict[str, Any]) -> None:
        if message["type"] == "change":
            with self.came:
                self.changes.append((time.perf_counter(), len(json.dumps(message).encode())))
                self.came.notify_all()

    def measure(self, change: Callable[[], object], *, settle: float = 1.2) -> tuple[float, int]:
        """Return the milliseconds from a change to its first message, and the bytes of that."""
        with self.came:
            known = len(self.changes)
            begun = time.perf_counter()
        change()
        with self.came:
            self.came.wait_for(lambda: len(self.changes) > known, 10)
            first = self.changes[known]
        time.sleep(settle)  # what follows from it by itself, such as a bridge's signal, belongs to no other change
        return (first[0] - begun) * 1000, first[1]


def calm(page: Page, seconds: float = 3) -> None:
    """Wait until nothing was heard for so long, at most six times as long."""
    for _ in range(6):
        woken = page.feed.wakeups
        time.sleep(seconds)
        if woken == page.feed.wakeups:
            return


def idle(page: Page) -> dict[str, float]:
    """Return what following costs while nothing changes."""
    thread = next(one for one in threading.enumerate() if one.name.startswith("netlab live"))

    def ticks() -> int:
        fields = Path(f"/proc/self/task/{thread.native_id}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    before, woken = ticks(), page.feed.wakeups
    time.sleep(_IDLE_SECONDS)
    return {
        "idle_cpu_percent": round((ticks() - before) / _IDLE_SECONDS, 2),  # a tick is 10 ms
        "idle_wakeups_per_second": round((page.feed.wakeups - woken) / _IDLE_SECONDS, 2),
    }


def measure(count: int) -> dict[str, Any]:
    """Return the row of one number of containers."""
    with Lab() as lab:
        names = [f"c{number}" for number in range(count)]
        for start in range(0, count, 100):
            lab.run_many(names[start : start + 100])
        observer = Observer(lab.world)
        page = Page(lab)
        scene = page.session.scene  # what is drawn; a page gets no more of it than this
        row: dict[str, Any] = {
            "containers": count,
            "folded": bool(scene.folds),
            "look_all_ms": milliseconds(lambda: observer.look(lab.name, lab.bridges())),
            "look_one_ms": milliseconds(lambda: observer.look(lab.name, lab.bridges(), {"c0": EVERYTHING})),
            "layout_ms": milliseconds(lambda: draw_parts(scene_to_dot(scene))),
            "first_picture_bytes": len(json.dumps(page.session.whole()).encode()),
        }
        calm(page)
        links = [page.measure(_switch(lab, number)) for number in range(_CHANGES)]
        times = sorted(one[0] for one in links)
        row |= {
            "link_ms_median": round(statistics.median(times), 1),
            "link_ms_p95": round(times[int(len(times) * 0.95)], 1),
            "link_bytes_median": int(statistics.median(one[1] for one in links)),
        }
        came = page.measure(lambda: lab.run("one-more"))
        row |= {"container_ms": round(came[0], 1), "container_bytes": came[1]}
        calm(page, 10)  # 15 s after a bridge got a port the kernel says so once more
        return row | idle(page)


def _switch(lab: Lab, number: int) -> Callable[[], object]:
    word = "up" if number % 2 else "down"
    return lambda: lab["c0"].sh(f"ip link set eth0 {word}", check=True)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--containers", type=int, nargs="+", default=[20, 100, 1000])
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows = [measure(count) for count in given.containers]
    for key in rows[0]:
        print(f"{key:26}", *(f"{row[key]!s:>10}" for row in rows))
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
