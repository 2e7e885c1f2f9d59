"""The dashboard: how far a student is, in a chapter and in the whole course."""

from __future__ import annotations

from dataclasses import dataclass

from netlab.course import records
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

    @property
    def complete(self) -> bool:
        """Whether everything that the chapter asks for has been done."""
        return self.predictions.done == self.predictions.total


def standings() -> list[Standing]:
    """Return how far the student is in each chapter that asks for something, in order."""
    record = records.read()
    made = []
    for chapter in CHAPTERS:
        keys = [key for key, one in questions().items() if one.chapter == chapter.number]
        done = sum("right" in record["predictions"].get(key, {}) for key in keys)
        if keys:
            made.append(Standing(chapter, Count(done, len(keys))))
    return made


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
            f"<tr><td>{_box(one)}</td><td style='text-align:left'>{one.chapter.number} {to_html(one.chapter.title)}</td>"
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
    return say(en=f"predictions {one.predictions}", ja=f"予想 {one.predictions}")


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
