"""The two engines, and the table that a run can write."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
import tomllib
from pathlib import Path

import addressing
import drivers
import life
import names
import ports
import pytest
import reaching
import refusing
import table
from real import RealEngine, why_not
from scenario import SCENARIOS, Today

_DECLARED = (
    addressing,
    drivers,
    life,
    names,
    ports,
    reaching,
    refusing,
)  # each declares its scenarios when it is imported
_ROWS = tomllib.loads((Path(__file__).parent / "rows.toml").read_text())


def pytest_addoption(parser):
    """Add the option that writes the table."""
    parser.addoption("--conformance-table", metavar="PATH", help="write what was found, row by row, as Markdown")


@pytest.fixture(scope="session")
def rows():
    """Every row of the catalogue, and what is known of it."""
    return _ROWS


@pytest.fixture(scope="session")
def runtime_directory():
    """Keep the suite's labs apart from others, in a folder with a short path."""
    folder = tempfile.mkdtemp(prefix="nl-", dir="/tmp")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NETLAB_RUNTIME_DIR", folder)
        patch.setenv("NETLAB_LANGUAGE", "en")
        yield
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def engines(runtime_directory):  # noqa: ARG001 - it has to be there first
    """A real engine and netlab's, started once; raises NotHere where there can be none (see the skip below)."""
    from ours import NetlabEngine  # noqa: PLC0415 - it starts nothing, but needs all of netlab

    real = RealEngine()
    try:
        ours = NetlabEngine()
        try:
            yield real, ours
        finally:
            ours.close()
    finally:
        real.close()


class Played:
    """What was seen in a scenario, on each engine; or how it failed there."""

    def __init__(self, scenario, engines) -> None:
        self.seen = [None, None]
        self.errors = [None, None]
        threads = [threading.Thread(target=self._play, args=(scenario, i, engine)) for i, engine in enumerate(engines)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _play(self, scenario, index, engine) -> None:
        try:
            self.seen[index] = scenario.play(engine)
        except Exception as error:  # noqa: BLE001 - whatever it is, every row of the scenario reports it
            self.errors[index] = error
        finally:
            engine.clear()

    def compare(self, row: str) -> str:
        """Return how netlab does in a row: same, today; raises AssertionError with what differs."""
        for whose, error in zip(("the real engine", "netlab"), self.errors, strict=True):
            if error is not None:
                raise AssertionError(f"the scenario does not work on {whose}: {error}") from error
        real, ours = (seen[row] for seen in self.seen)
        if isinstance(ours, Today):
            assert plain(ours.seen) == plain(ours.today), f"netlab: {ours.seen}\ntoday's engine: {ours.today}"
            return "same" if plain(real.seen) == plain(ours.seen) else "today"
        assert plain(ours) == plain(real), f"netlab: {plain(ours)}\nthe real engine: {plain(real)}"
        return "same"


def plain(seen):
    """Return what was seen without the difference of lists and tuples."""
    return json.loads(json.dumps(seen))


@pytest.fixture(scope="session")
def play(engines):
    """Play a scenario on both engines, once."""
    done: dict[str, Played] = {}

    def play_once(scenario):
        if scenario.name not in done:
            done[scenario.name] = Played(scenario, engines)
        return done[scenario.name]

    return play_once


@pytest.fixture(scope="session")
def verdicts(request):
    """How netlab does, by row; the table is written from it at the end."""
    found: dict[str, str] = {}
    yield found
    path = request.config.getoption("--conformance-table", None)
    if path:
        if missing := {row for one in SCENARIOS for row in one.rows} - found.keys():
            pytest.fail(f"no table without {', '.join(sorted(missing))}")
        Path(path).write_text(table.text(_ROWS, found))


def pytest_collection_modifyitems(items):
    """In CI nothing is skipped; elsewhere a machine without root says why the comparison is."""
    if os.environ.get("CI"):
        return
    if lacking := why_not():
        for item in items:
            if "engines" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.skip(reason=lacking))
