"""A real Docker engine to compare with: the one of tests/conformance, in namespaces of its own."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from peers import NotMeasured
from real import NotHere, RealEngine

_FIRST_PORT = 20_000


@contextlib.contextmanager
def engine() -> Iterator[RealEngine]:
    """Start an engine; stop it and leave nothing behind."""
    try:
        started = RealEngine()
    except NotHere as error:
        raise NotMeasured(str(error)) from None
    with contextlib.closing(started):
        yield started


def run(engine: RealEngine, count: int) -> float:
    """Run containers one after the other; return milliseconds for each."""
    return _run(engine, [f"run --detach --name idle-{number} myapp" for number in range(count)])


def run_published(engine: RealEngine, count: int) -> float:
    """The same with names and a published port each, on the network `measured`."""
    options = "--detach --network measured"
    return _run(
        engine,
        [f"run {options} --name idle-{number} -p {_FIRST_PORT + number}:80 myapp" for number in range(count)],
    )


def _run(engine: RealEngine, lines: list[str]) -> float:
    start = time.perf_counter()
    made = [engine.must(line) for line in lines]
    took = (time.perf_counter() - start) / len(made) * 1000
    engine.must("rm --force " + " ".join(made))
    return took
