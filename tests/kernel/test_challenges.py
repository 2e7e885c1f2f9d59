"""Every challenge is fair: it fails untouched, every right way passes, a typical wrong one does not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from netlab.course import challenge, records
from netlab.course.challenges import challenges
from netlab.course.definition import Challenge
from netlab.course.task import Task
from netlab.language import LANGUAGES

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

shells = pytest.importorskip("IPython.core.interactiveshell")

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
@pytest.mark.parametrize("way", ["solution", "other_solution"])
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


@every_challenge
def test_its_texts_are_there_in_both_languages(asked: Challenge) -> None:
    """Title, task, checks and three hints, none of them left in the other language."""
    assert len(asked.hints) == 3
    for texts in (asked.titles, asked.tasks, *asked.hints, *(check.sentences for check in asked.checks)):
        assert set(texts) == set(LANGUAGES)
        assert all(texts.values())
        assert re.search(r"[ぁ-んァ-ヶ一-龠]", texts["ja"]), texts["ja"]
        assert not re.search(r"[ぁ-んァ-ヶ一-龠]", texts["en"]), texts["en"]
