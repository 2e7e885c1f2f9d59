"""Predict, then run: a reader commits to an expectation, and the kernel's answer grades it.

`predict` shows a question of the chapter with its options. `answer` is given what the kernel answered; that value, not the
authors' opinion, chooses the option that is right. Both work without anyone choosing: in exports, in tests, in a hurry.
"""

from __future__ import annotations

from typing import Any

from netlab.course import records
from netlab.course.chapters import Option, Question, question
from netlab.course.words import NEUTRAL, RIGHT, WRONG, framed, quiet, to_html, to_plain
from netlab.language import say
from netlab.live.output import Bundle, is_live

_LETTERS = "ABCDEF"
_chosen: dict[str, int] = {}  # what was chosen in this session
_shown: dict[str, list[Any]] = {}  # the widgets on which a question stands


class Prediction:
    """A question to commit to before the next cell is run. In a notebook, click an option; elsewhere, `choose("B")`."""

    def __init__(self, asked: Question) -> None:
        self.question = asked

    def choose(self, letter: str) -> Prediction:
        """Commit to the option of that letter, as a click does; raises ValueError for a letter that is not there."""
        letters = _LETTERS[: len(self.question.options)]
        if len(letter) != 1 or letter.upper() not in letters:
            raise ValueError(
                say(
                    en=f"Choose one of {', '.join(letters)}, not {letter!r}.",
                    ja=f"{'、'.join(letters)} のどれかを選んでください。{letter!r} はありません。",
                )
            )
        _commit(self.question, letters.index(letter.upper()))
        return self

    def __repr__(self) -> str:
        lines = [f"◇ {say(en='Predict, then run', ja='予想してから実行')}: {to_plain(self.question.text)}"]
        for number, (letter, option) in enumerate(zip(_LETTERS, self.question.options, strict=False)):
            lines.append(f"  {self._dot(number)} {letter}. {to_plain(option.text)}")
        return "\n".join(lines)

    def _dot(self, number: int) -> str:
        return "●" if _chosen.get(self.question.key) == number else "○"

    def _html(self) -> str:
        options = "".join(
            f'<li style="list-style:none">{self._dot(number)} <b>{letter}.</b> {to_html(option.text)}</li>'
            for number, (letter, option) in enumerate(zip(_LETTERS, self.question.options, strict=False))
        )
        title = f"<b>◇ {say(en='Predict, then run', ja='予想してから実行')}</b> — {to_html(self.question.text)}"
        return framed(f'{title}<ul style="margin:.4em 0;padding-left:1em">{options}</ul>')

    def still(self) -> Bundle:
        """Return what a saved notebook shows: the question, with the choice as far as it is made."""
        return {"text/html": self._html(), "text/plain": repr(self)}

    def _widget(self) -> Any:
        from netlab.course.choice import Choice  # noqa: PLC0415 - anywidget is slow to import, and only a notebook needs it

        asked = self.question
        widget = Choice(asked, _chosen.get(asked.key, -1), lambda number: _commit(asked, number))
        _shown.setdefault(asked.key, []).append(widget)
        return widget

    def _ipython_display_(self) -> None:
        """Show the static form, and in a notebook server's page the widget instead of it."""
        if not is_live():
            raise NotImplementedError
        self._widget().show(self.still())

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        return {**self._widget().bundle(), **self.still()}


class Answer:
    """What the kernel answered, beside what the reader had expected."""

    def __init__(self, asked: Question, value: Any) -> None:
        self.question = asked
        self.value = value
        self.right = next((number for number, option in enumerate(asked.options) if option.value == value), None)
        self.chosen = _chosen.get(asked.key)

    def _verdict(self) -> str:
        if self.right is None:
            return say(
                en=f"The kernel answered {self.value!r}, and none of the options says that. Your lab may differ from the "
                "chapter's: run the chapter from its beginning (Run → Restart Kernel and Run All Cells…).",
                ja=f"カーネルの答えは {self.value!r} でした。どの選択肢とも一致しません。ラボの状態が章と異なるようです。"
                "章を最初から実行し直してください(Run → Restart Kernel and Run All Cells…)。",
            )
        if self.chosen is None:
            return say(
                en="You made no prediction. What happened:", ja="予想は選ばれていません。実際の結果は次のとおりです。"
            )
        if self.chosen == self.right:
            return say(en="Your prediction came true.", ja="予想どおりでした。")
        return say(
            en=f"You said {_LETTERS[self.chosen]}. The kernel did something else.",
            ja=f"予想は {_LETTERS[self.chosen]} でした。実際の結果は違いました。",
        )

    def _mark(self) -> str:
        return "◇" if self.chosen is None or self.right is None else "✓" if self.chosen == self.right else "✗"

    def _line(self, number: int) -> tuple[str, Option]:
        mark = "✓ " if number == self.right else "✗ " if number == self.chosen else ""
        return f"{mark}{_LETTERS[number]}.", self.question.options[number]

    def _first(self) -> list[int]:
        """Return the options to explain at once: the one chosen, and the right one."""
        return [number for number in dict.fromkeys((self.chosen, self.right)) if number is not None]

    def __repr__(self) -> str:
        lines = [f"{self._mark()} {self._verdict()}"]
        for number in self._first():
            head, option = self._line(number)
            lines.append(f"  {head} {to_plain(option.text)} — {to_plain(option.reason)}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        colour = {"✓": RIGHT, "✗": WRONG}.get(self._mark(), NEUTRAL)
        first = self._first()
        others = [number for number in range(len(self.question.options)) if number not in first]
        html = f"<b>{self._mark()} {to_html(self._verdict())}</b>{self._list(first)}"
        if others:
            folded = say(en="The other options", ja="ほかの選択肢")
            html += f"<details><summary>{quiet(folded)}</summary>{self._list(others)}</details>"
        return framed(html, colour)

    def _list(self, numbers: list[int]) -> str:
        lines = ((self._line(number)) for number in numbers)
        items = "".join(
            f"<li><b>{head} {to_html(option.text)}</b> — {to_html(option.reason)}</li>" for head, option in lines
        )
        return f'<ul style="margin:.3em 0;padding-left:1.2em;list-style:none">{items}</ul>'


def predict(key: str) -> Prediction:
    """Show a question of the chapter, to be answered before the cells that follow; raises NotFound for an unknown key."""
    asked = question(key)
    earlier = records.read()["predictions"].get(key, {}).get("choice")
    if isinstance(earlier, int) and 0 <= earlier < len(asked.options):
        _chosen.setdefault(key, earlier)
    return Prediction(asked)


def answer(key: str, value: Any) -> Answer:
    """Grade a prediction by `value`, what the kernel answered; raises NotFound for an unknown key."""
    asked = question(key)
    graded = Answer(asked, value)
    if graded.chosen is not None and graded.right is not None:
        records.note("predictions", key, choice=graded.chosen, right=graded.chosen == graded.right)
    for widget in _shown.pop(key, ()):
        widget.grade(graded.right)
    return graded


def _commit(asked: Question, number: int) -> None:
    if _chosen.get(asked.key) == number:
        return
    _chosen[asked.key] = number
    records.note("predictions", asked.key, choice=number)
    for widget in _shown.get(asked.key, ()):
        widget.chosen = number
        widget.redraw(Prediction(asked).still())
