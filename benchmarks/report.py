"""The run: peers and netlab in turns, the table, the bars."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import beside
import docker
import peers
import programs
from peers import NotMeasured
from real import RealEngine
from world import World

_SETTLE_SECONDS = 1.0  # the kernel takes namespaces apart in the background after their end
_CONTAINERS_OF_DOCKER = 5  # in each round; scaled to a hundred

_TURNS = 4  # of netlab and a real engine, in each round

Samples = dict[str, list[float]]
Step = Callable[[], float]


@dataclass(frozen=True)
class Row:
    """One line of the table; `values` holds one number for each round."""

    figure: str
    bar: str
    unit: str
    values: list[float]
    passed: bool | None  # None: not measured, or nothing is promised
    note: str = ""


# ── measuring ──────────────────────────────────────────────────────────────────────────────────────────────────────


def measure(rounds: int) -> tuple[Samples, dict[str, str]]:
    """Measure everything in turns; return the samples, and for each peer that is missing the reason."""
    samples: Samples = defaultdict(list)
    missing: dict[str, str] = {}
    programs.warm_up()
    with contextlib.ExitStack() as stack:
        engine = _engine(stack, missing)
        steps = dict(_peers(engine))
        pairs = _pairs(stack.enter_context(contextlib.closing(beside.CabledLab())), engine, missing)
        for number in range(rounds):
            print(f"round {number + 1} of {rounds} …", file=sys.stderr, flush=True)
            for program in programs.programs():
                for name, value in programs.measure(program).items():
                    samples[name].append(value)
                time.sleep(_SETTLE_SECONDS)
            for name, step in list(steps.items()):
                try:
                    samples[name].append(step())
                except NotMeasured as error:
                    missing[name] = str(error)
                    del steps[name]
                time.sleep(_SETTLE_SECONDS)
            for turn in range(_TURNS):  # one right after the other, and each first in every second turn
                for pair in pairs:
                    for name, step in pair if turn % 2 else reversed(pair):
                        samples[name].append(step())
    return samples, missing


def _engine(stack: contextlib.ExitStack, missing: dict[str, str]) -> RealEngine | None:
    try:
        return stack.enter_context(docker.engine())
    except NotMeasured as error:
        missing |= dict.fromkeys(("docker run", "docker run, published", *beside.FIGURES), str(error))
        return None


def _peers(engine: RealEngine | None) -> Iterator[tuple[str, Step]]:
    yield "ip -batch, one file", peers.ip_batch_one_file
    yield "ip -batch for each", peers.ip_batch_each
    yield "Mininet", peers.mininet
    if engine is not None:
        yield "docker run", lambda: docker.run(engine, _CONTAINERS_OF_DOCKER) * 100
        yield "docker run, published", lambda: docker.run_published(engine, _CONTAINERS_OF_DOCKER)


def _pairs(lab: World, engine: RealEngine | None, missing: dict[str, str]) -> list[list[tuple[str, Step]]]:
    """Return what netlab and the real engine do alike; without an engine, netlab's part alone."""
    sides = {"netlab": beside.Measured(lab)}
    if engine is not None:
        sides["docker"] = beside.Measured(engine)
    if lacking := beside.why_no_throughput():
        missing |= dict.fromkeys(beside.THROUGHPUTS, lacking)
    figures = [name for name in beside.FIGURES if not (lacking and name in beside.THROUGHPUTS)]
    return [[(f"{side}: {name}", measured.step(name)) for side, measured in sides.items()] for name in figures]


# ── judging ────────────────────────────────────────────────────────────────────────────────────────────────────────


def judge(samples: Samples, missing: dict[str, str]) -> list[Row]:
    """Return the table: what was promised, then the peers' own figures."""
    rows = [
        _at_most("from netlab import Lab, in a fresh process", samples["import"], 150),
        _at_most("Lab() to a first container that answers ping", samples["first"], 300),
    ]
    for way in ("one call", "hundred calls"):
        title = f"100 containers, {way}"
        rows.append(Row(title, "", "ms", samples[way], None))
        rows += [
            _share("  of `ip -batch`, one file", samples, way, "ip -batch, one file", 0.7),
            _share("  of `ip -batch` for each", samples, way, "ip -batch for each", 0.7),
            _times("  faster than Mininet", samples, way, "Mininet", 8),
            _times("  faster than docker run", samples, way, "docker run", 80),
        ]
    rows.append(_at_most("close a lab of 100 containers", samples["close"], 150))
    rows.append(_at_most('place.sh("true"), median of 50', samples["sh"], 10))
    rows += [*_beside_docker(samples, missing), *_many(samples)]
    notes = {
        "ip -batch, one file": "namespaces and links only",
        "ip -batch for each": "namespaces and links only",
        "Mininet": "100 hosts on a Linux bridge",
        "docker run": f"{_CONTAINERS_OF_DOCKER} a round, scaled to 100",
        "docker run, published": f"{_CONTAINERS_OF_DOCKER} a round, each",
    }
    for peer, note in notes.items():
        rows.append(Row(f"peer: {peer}", "", "ms", samples[peer], None, missing.get(peer) or note))
    return rows


def _beside_docker(samples: Samples, missing: dict[str, str]) -> Iterator[Row]:
    """Give what is measured on netlab and on a real engine alike."""
    yield _at_most("lab.run with DNS and a published port", samples["published run"], 15)
    yield _times("  faster than docker run", samples, "published run", "docker run, published", 25)
    for name, (title, unit, bar) in {
        "queries": ("name queries answered, one client, UDP", "/s", 1),
        "between": ("TCP from container to container", "Gbit/s", 0.95),
        "published": ("TCP through a published port, from outside", "Gbit/s", 1),
    }.items():
        own, theirs = samples[f"netlab: {name}"], samples[f"docker: {name}"]
        note = missing.get(name, "")
        yield Row(title, "", unit, own, None, note)
        yield Row("  a real engine's", "", unit, theirs, None, note)
        ratios = [mine / its for mine, its in zip(own, theirs, strict=False)]
        passed = median(ratios) >= bar if ratios else None
        yield Row("  of a real engine's", f"≥ {bar:g} x", "x", ratios, passed, note or "see above")


def _many(samples: Samples) -> Iterator[Row]:
    """Give what a lab of many containers costs."""
    few, many = programs.MANY
    for way in programs.WAYS:
        for count in programs.MANY:
            yield Row(f"{count} containers over 4 networks, {way}", "", "ms each", samples[f"{way}, {count}"], None)
        pairs = zip(samples[f"{way}, {many}"], samples[f"{way}, {few}"], strict=True)
        ratios = [at_many / at_few for at_many, at_few in pairs]
        yield Row(f"  time for each at {many}, of that at {few}", "≤ 1.5 x", "x", ratios, median(ratios) <= 1.5)
    note = "processes' share and the kernel's growth"
    yield Row(f"memory of a container, at {many}", "", "KiB", samples[f"memory, {many}"], None, note)
    for figure in ("snapshot", "picture", "close"):
        yield Row(f"{figure}, at {many}", "", "ms", samples[f"{figure}, {many}"], None)


def _at_most(figure: str, values: list[float], bar: float) -> Row:
    return Row(figure, f"≤ {bar:g} ms", "ms", values, median(values) <= bar)


def _share(figure: str, samples: Samples, own: str, peer: str, bar: float) -> Row:
    """Return how many times the peer's time netlab took, in each round."""
    values = [mine / theirs for mine, theirs in zip(samples[own], samples[peer], strict=False)]
    return Row(figure, f"≤ {bar:g} x", "x", values, median(values) <= bar if values else None, "see below")


def _times(figure: str, samples: Samples, own: str, peer: str, bar: float) -> Row:
    """Return how many times netlab's time the peer took, in each round."""
    values = [theirs / mine for mine, theirs in zip(samples[own], samples[peer], strict=False)]
    return Row(figure, f"≥ {bar:g} x", "x", values, median(values) >= bar if values else None, "see below")


# ── telling ────────────────────────────────────────────────────────────────────────────────────────────────────────


def table(rows: list[Row]) -> str:
    """Return the rows as a table of text."""
    lines = [f"{'figure':<52} {'bar':>9} {'median':>14} {'min - max':>19}  result"]
    for row in rows:
        if not row.values:
            lines.append(f"{row.figure:<52} {row.bar:>9} {'':>14} {'':>19}  not measured: {row.note}")
            continue
        digits = 2 if row.unit == "x" and median(row.values) < 10 else 1
        middle = f"{median(row.values):.{digits}f} {row.unit}"
        span = f"{min(row.values):.{digits}f} - {max(row.values):.{digits}f}"
        result = {True: "pass", False: "FAIL", None: row.note}[row.passed]
        lines.append(f"{row.figure:<52} {row.bar:>9} {middle:>14} {span:>19}  {result}")
    return "\n".join(lines)


def machine() -> dict[str, object]:
    """Return what the figures depend on."""
    return {
        "kernel": platform.release(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
        "time": time.strftime("%Y-%m-%d %H:%M"),
    }


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="benchmarks/run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how often everything is measured (7)")
    parser.add_argument("--quick", action="store_true", help="one round: does it all still run?")
    parser.add_argument("--strict", action="store_true", help="end with status 1 when a bar is missed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write machine, figures and samples there")
    options = parser.parse_args()
    before = machine()
    rows = judge(*measure(1 if options.quick else options.rounds))
    print(f"Linux {before['kernel']}, {before['processors']} processors, load {before['load']:.1f} at the start")
    print(table(rows))
    if options.json:
        text = json.dumps({"machine": before, "rows": [asdict(row) for row in rows]}, indent=1, ensure_ascii=False)
        options.json.write_text(text + "\n")
    missed = [row.figure.strip() for row in rows if row.passed is False]
    if missed:
        print(f"{len(missed)} of the bars were missed: {'; '.join(missed)}", file=sys.stderr)
    return 1 if missed and options.strict else 0
