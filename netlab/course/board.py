"""The dashboard: how far a student is, in a chapter and in the whole course."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from netlab.course import records
from netlab.course.challenges import challenges
from netlab.course.chapters import CHAPTERS, Chapter, questions
from netlab.course.words import framed, quiet, to_html
from netlab.errors import NotFound
from netlab.language import say


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are, and how many are done."""

    done: int
    total: int

    def __str__(self) -> str:
        return f"{self.done}/{self.total}"


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a student is in one chapter."""

    chapter: Chapter
    predictions: Count
    challenges: Count

    @property
    def complete(self) -> bool:
        """Whether everything that the chapter asks for has been done."""
        return self.predictions.done == self.predictions.total and self.challenges.done == self.challenges.total


def standings() -> list[Standing]:
    """Return how far the student is in each chapter that asks for something, in order."""
    record = records.read()
    made = []
    for chapter in CHAPTERS:
        asked = [key for key, one in questions().items() if one.chapter == chapter.number]
        tasks = [key for key, one in challenges().items() if one.chapter == chapter.number]
        graded = sum("right" in record["predictions"].get(key, {}) for key in asked)
        solved = sum(bool(record["challenges"].get(key, {}).get("solved")) for key in tasks)
        if asked or tasks:
            made.append(Standing(chapter, Count(graded, len(asked)), Count(solved, len(tasks))))
    return made


def as_data() -> list[dict[str, Any]]:
    """Return the standings as plain data, for an instructor's program."""
    return [
        {
            "chapter": one.chapter.stem,
            "predictions": {"done": one.predictions.done, "total": one.predictions.total},
            "challenges": {"done": one.challenges.done, "total": one.challenges.total},
            "complete": one.complete,
        }
        for one in standings()
    ]


class Board:
    """The dashboard of one chapter, with that of the course folded below it; of the whole course without a number."""

    def __init__(self, number: str | None) -> None:
        self.all = standings()
        self.own = next((one for one in self.all if one.chapter.number == number), None)

    def _summary(self) -> str:
        complete = Count(sum(one.complete for one in self.all), len(self.all))
        course = say(en=f"course: {complete} chapters complete", ja=f"コース全体: {complete} 章を完了")
        if self.own is None:
            return course
        return f"{_line(self.own)} · {course}"

    def __repr__(self) -> str:
        rows = [f"  {_box(one)} {one.chapter.number} {one.chapter.title}: {_line(one)}" for one in self.all]
        return self._summary() if self.own else "\n".join([self._summary(), *rows])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{_box(one)}</td>"
            f"<td style='text-align:left;padding-right:1.5em'>{one.chapter.number} {to_html(one.chapter.title)}</td>"
            f"<td style='text-align:left'>{_line(one)}</td></tr>"
            for one in self.all
        )
        table = f"<table>{rows}</table>"
        if self.own is None:
            return framed(f"<b>{self._summary()}</b>{table}")
        return framed(f"<details><summary>{quiet(self._summary())}</summary>{table}</details>")


def _box(one: Standing) -> str:
    return "☑" if one.complete else "☐"


def _line(one: Standing) -> str:
    said = []
    if one.predictions.total:
        said.append(say(en=f"predictions {one.predictions}", ja=f"予想 {one.predictions}"))
    if one.challenges.total:
        said.append(say(en=f"challenges {one.challenges}", ja=f"チャレンジ {one.challenges}"))
    return " · ".join(said)


def progress(chapter: str | None = None) -> Board:
    """Return how far you are: in a chapter ("03") and the course, or in the course only; raises NotFound."""
    if chapter is not None and chapter not in {one.number for one in CHAPTERS}:
        numbers = ", ".join(one.number for one in CHAPTERS)
        raise NotFound(
            say(
                en=f"There is no chapter {chapter!r}. There are: {numbers}",
                ja=f"第 {chapter} 章はありません。あるのは次の章です: {numbers}",
            )
        )
    return Board(chapter)
