"""What happened, step by step, with the picture as it was: bounded, and cheap because pictures share their parts."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from netlab.changes.difference import Changes
from netlab.language import Language, say
from netlab.view.parts import Drawing

MOST_STEPS = 200

Elements = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Step:
    """One step: its number, when it was (ms since 1970), what happened, and what the lab looked like then."""

    revision: int
    time: float
    happened: Changes
    drawing: Drawing
    elements: Elements = field(repr=False)
    marks: dict[str, list[str]] = field(default_factory=dict)
    language: Language = "en"
    beginning: str = ""  # what to say of a step that nothing led to

    @property
    def entry(self) -> dict[str, Any]:
        """What the page lists."""
        sentences = [one.sentence for one in self.happened] or [self.beginning]
        return {
            "revision": self.revision,
            "time": self.time,
            "sentence": _summary(sentences, self.language),
            "sentences": sentences,
            "commands": list(self.happened.commands),
        }


class History:
    """The last steps, oldest first."""

    def __init__(self) -> None:
        self._steps: deque[Step] = deque(maxlen=MOST_STEPS)

    def add(self, step: Step) -> None:
        """Note a step; the oldest goes when there are too many."""
        self._steps.append(step)

    def step(self, revision: int) -> Step | None:
        """Return the step of that number, or None when it is not (or no longer) there."""
        return next((one for one in self._steps if one.revision == revision), None)

    @property
    def entries(self) -> list[dict[str, Any]]:
        """What the page lists, oldest first."""
        return [one.entry for one in self._steps]


def marks(happened: Changes, before: Elements, after: Elements) -> dict[str, list[str]]:
    """Return the elements to mark, as the page names them: one that stays is changed, whatever came or went in it."""
    came = [one for one in happened.elements("appeared") if one not in before]
    went = [one for one in happened.elements("went") if one not in after]
    touched = dict.fromkeys(one.element for one in happened)
    changed = [one for one in touched if one not in came and one not in went]
    return {"appeared": came, "changed": changed, "gone": went}


def _summary(sentences: list[str], language: Language) -> str:
    if len(sentences) < 2:
        return "".join(sentences)
    more = len(sentences) - 1
    return sentences[0] + say(en=f" (and {more} more)", ja=f" (他 {more} 件)", language=language)
