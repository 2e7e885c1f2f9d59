"""Every challenge is fair: it fails untouched, every right way passes, a typical wrong one does not."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import netlab.course.challenges as beside
from netlab.course import challenge, progress, records
from netlab.course.challenges import challenges, find
from netlab.course.definition import Challenge
from netlab.course.task import Task

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

shells = pytest.importorskip("IPython.core.interactiveshell")

GUIDE = Path(__file__).parents[2] / "docs" / "challenges.md"
SOLUTIONS = ("solution", "other_solution")

every_challenge = pytest.mark.parametrize("asked", challenges().values(), ids=lambda one: one.key)


@pytest.fixture(autouse=True)
def _nobodys_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLAB_PROGRESS", "off")
    monkeypatch.setattr(records, "_of_process", records._empty())


@pytest.fixture
def begin() -> Iterator[Any]:
    """Begin a challenge, and end it with the test."""
    begun: list[Task] = []

    def one(asked: Challenge) -> Task:
        begun.append(challenge(asked.key))
        return begun[-1]

    yield one
    for task in begun:
        task.close()


def type_in(task: Task, text: str) -> None:
    """Run what a student would type in one cell, or in several that are divided by an empty line."""
    from netlab import load_ipython_extension  # noqa: PLC0415 - needs IPython

    shell = shells.InteractiveShell()
    load_ipython_extension(shell)
    shell.user_ns.update(lab=task.lab, task=task)
    for cell in re.split(r"\n\s*\n(?=%%|\S)", text.strip()):
        done = shell.run_cell(cell)
        assert done.success, cell


@every_challenge
def test_it_fails_untouched(asked: Challenge, begin: Any) -> None:
    """Nobody solves a challenge by pressing the button."""
    assert not begin(asked).check()
    assert not records.read()["challenges"][asked.key].get("solved")


@every_challenge
@pytest.mark.parametrize("way", SOLUTIONS)
def test_every_right_way_passes(asked: Challenge, way: str, begin: Any) -> None:
    """The checks look at the kernel and at probes, so it does not matter how one got there."""
    task = begin(asked)
    type_in(task, getattr(asked, way))
    report = task.check()
    assert report, report
    assert records.read()["challenges"][asked.key]["solved"]


@every_challenge
def test_a_typical_wrong_way_fails(asked: Challenge, begin: Any) -> None:
    """And the message says what is missing now."""
    task = begin(asked)
    type_in(task, asked.wrong)
    assert not task.check()
    assert any(finding.missing for finding in asked.examine(task.lab))


@every_challenge
def test_it_begins_again(asked: Challenge, begin: Any) -> None:
    """After a reset the challenge is as it was, in the same lab."""
    task = begin(asked)
    lab = task.lab
    type_in(task, asked.solution)
    assert not task.reset().check()
    assert task.lab is lab


@pytest.fixture
def guides_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Challenge]:
    """The challenge that docs/challenges.md shows, as one more file beside the others."""
    code = re.search(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), flags=re.DOTALL)
    assert code
    (tmp_path / "ch05_wrong_way_round.py").write_text(code[1], "utf-8")
    monkeypatch.setattr(beside, "__path__", [*beside.__path__, str(tmp_path)])
    challenges.cache_clear()
    yield find("wrong-way-round")
    challenges.cache_clear()
    sys.modules.pop(f"{beside.__name__}.ch05_wrong_way_round")


def test_one_more_file_is_one_more_challenge(guides_example: Challenge, begin: Any) -> None:
    """What the guide for instructors says is so, and its example is fair."""
    for typed, solved in (
        ("", False),
        *((getattr(guides_example, way), True) for way in SOLUTIONS),
        (guides_example.wrong, False),
    ):
        task = begin(guides_example)
        if typed:
            type_in(task, typed)
        assert bool(task.check()) == solved, typed
    standing = next(one for one in progress().all if one.chapter.number == "05")
    assert str(standing.challenges) == "1/4"
