"""Challenges as they are written: three a chapter, rising, each in a file of its own, both languages, and found by a reader."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from netlab.course.challenges import challenges, find
from netlab.course.definition import Challenge
from netlab.errors import NotFound
from netlab.language import LANGUAGES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "netlab" / "course" / "challenges"
JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠]")

every_challenge = pytest.mark.parametrize("asked", challenges().values(), ids=lambda one: one.key)


@pytest.mark.parametrize("chapter", ["02", "03", "04", "05", "06", "07", "08"])
def test_a_chapter_has_at_least_three_that_rise(chapter: str) -> None:
    """One to do with netlab, one with plain `ip` and `nft`, one to repair."""
    levels = Counter(one.level for one in challenges().values() if one.chapter == chapter)
    assert set(levels) == {1, 2, 3}


def test_each_is_one_file_named_after_its_chapter() -> None:
    """So an instructor finds it, and adds one without touching another file."""
    files = sorted(path.stem for path in FOLDER.glob("ch*.py"))
    assert files == sorted(f"ch{one.chapter}_{one.key.replace('-', '_')}" for one in challenges().values())


def test_each_stands_in_its_chapter_in_rising_order() -> None:
    """What nobody finds cannot be solved."""
    asked = []
    for source in sorted((ROOT / "notebooks" / "source").glob("*.md")):
        for block in re.findall(
            r"^::: challenges\n(.*?)(?=^:::|\Z)", source.read_text(), flags=re.MULTILINE | re.DOTALL
        ):
            asked += [(source.stem[:2], key) for key in block.split()]
    assert asked == [(one.chapter, one.key) for one in challenges().values()]


@every_challenge
def test_its_texts_are_there_in_both_languages(asked: Challenge) -> None:
    """Title, task, checks and three hints, none of them left in the other language."""
    assert len(asked.hints) == 3
    for texts in (asked.titles, asked.tasks, *asked.hints, *(check.sentences for check in asked.checks)):
        assert set(texts) == set(LANGUAGES)
        assert all(texts.values())
        assert JAPANESE.search(texts["ja"]), texts["ja"]
        assert not JAPANESE.search(texts["en"]), texts["en"]


@every_challenge
def test_what_it_says_is_missing_is_there_in_both_languages(asked: Challenge) -> None:
    """Every text of its file is one of a pair."""
    (file,) = FOLDER.glob(f"ch{asked.chapter}_{asked.key.replace('-', '_')}.py")
    for call in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("both", "say"):
            texts = {one.arg: ast.unparse(one.value) for one in call.keywords}
            assert set(texts) == set(LANGUAGES), ast.unparse(call)
            assert JAPANESE.search(texts["ja"]), texts["ja"]
            assert not JAPANESE.search(texts["en"]), texts["en"]


@every_challenge
def test_the_last_hint_names_the_command(asked: Challenge) -> None:
    """In both languages the same one, and the first hint does not give it away."""
    first, _, last = ([re.findall(r"`([^`]+)`", hint[one]) for one in LANGUAGES] for hint in asked.hints)
    assert sorted(last[0]) == sorted(last[1])
    commands = [code for code in last[0] if " " in code or "(" in code]
    assert commands, asked.hints[-1]["en"]
    assert not set(commands) & set(first[0])


@every_challenge
def test_the_ways_to_try_it_differ(asked: Challenge) -> None:
    """Two right ones and a wrong one."""
    assert len({asked.solution, asked.other_solution, asked.wrong}) == 3


def test_an_unknown_one_is_refused() -> None:
    """The message names those that there are."""
    with pytest.raises(NotFound, match="two-rooms"):
        find("nonsense")
