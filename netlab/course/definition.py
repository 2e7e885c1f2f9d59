"""What a challenge is: a lab to begin with, a task, checks on the kernel's state, hints, and solutions that prove it fair.

A challenge is data in a file of its own in `netlab/course/challenges`; instructors read it there, and add theirs beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from netlab.course.chapters import Texts
from netlab.errors import NetlabError
from netlab.lab import Lab
from netlab.language import current, say

Level = Literal[1, 2, 3]


def both(*, en: str, ja: str) -> Texts:
    """Return a text in both languages, to be chosen from when it is read."""
    return {"en": en, "ja": ja}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be true in the end.

    `missing` looks at the kernel, or sends a real probe, and returns what is missing now, in the reader's language; None
    when nothing is. It never looks at what was typed: every way that leads there is right.
    """

    sentences: Texts
    missing: Callable[[Lab], str | None]

    @property
    def sentence(self) -> str:
        """What must be true, in the reader's language."""
        return self.sentences[current()]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; `missing` is None when it is fulfilled."""

    sentence: str
    missing: str | None


@dataclass(frozen=True, slots=True)
class Challenge:
    """One exercise that is checked on the kernel's state.

    `level` 1 is done with netlab, 2 with plain `ip` and `nft`, 3 repairs what is broken. `solution`, `other_solution` and
    `wrong` are what one would type in a cell: tests run all three, and expect the checks to say yes, yes and no.
    """

    key: str
    chapter: str  # "03"
    level: Level
    titles: Texts
    tasks: Texts
    checks: tuple[Check, ...]
    hints: tuple[Texts, Texts, Texts]
    solution: str
    other_solution: str
    wrong: str
    prepare: Callable[[Lab], None] = lambda _: None
    docker: bool = True  # whether the lab begins with docker0
    hosts: int = 1

    @property
    def title(self) -> str:
        """The title in the reader's language."""
        return self.titles[current()]

    @property
    def task(self) -> str:
        """What is asked, in the reader's language."""
        return self.tasks[current()]

    def build(self) -> Lab:
        """Return a new lab in the state in which the challenge begins."""
        lab = Lab(docker=self.docker, hosts=self.hosts)
        try:
            self.prepare(lab)
        except BaseException:
            lab.close()
            raise
        return lab

    def examine(self, lab: Lab) -> list[Finding]:
        """Return what each check finds in the lab."""
        return [Finding(check.sentence, _ask(check, lab)) for check in self.checks]


def _ask(check: Check, lab: Lab) -> str | None:
    if lab.closed:
        return say(
            en="The lab of this challenge is closed. Begin again with task.reset()",
            ja="このチャレンジのラボは閉じられています。task.reset() で最初からやり直してください。",
        )
    try:
        return check.missing(lab)
    except NetlabError as error:  # what the check needs is not there: the error says what
        return str(error)
