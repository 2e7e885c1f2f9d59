"""A challenge under way: its lab, and what a student may ask of it."""

from __future__ import annotations

from html import escape
from typing import Any

from netlab.course import records
from netlab.course.challenges import find
from netlab.course.definition import Challenge, Finding
from netlab.course.words import NEUTRAL, RIGHT, WRONG, framed, to_html, to_plain
from netlab.language import current, say
from netlab.live.output import Bundle, is_live

_under_way: dict[str, Task] = {}


class Message:
    """Something that a challenge says: a text for a terminal, and HTML for a notebook."""

    def __init__(self, text: str, html: str, *, ok: bool | None = None) -> None:
        self.text = text
        self.html = html
        self.ok = ok

    def __bool__(self) -> bool:
        return bool(self.ok)

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        colour = NEUTRAL if self.ok is None else RIGHT if self.ok else WRONG
        return framed(self.html, colour)


class Task:
    """A challenge and its lab. In a notebook it has buttons; each is a method, too."""

    def __init__(self, asked: Challenge) -> None:
        self.challenge = asked
        self.lab = asked.build()
        self.hints_given = 0
        self.revealed = False
        self.findings: list[Finding] = []  # of the last check; none before it
        self._sheets: list[Any] = []

    def check(self) -> Message:
        """Look at the lab and say what is there and what is missing now; a solved challenge is kept in your progress."""
        self.findings = self.challenge.examine(self.lab)
        solved = self.solved
        key = self.challenge.key
        before = records.read()["challenges"].get(key, {})
        facts: dict[str, Any] = {"tries": before.get("tries", 0) + 1}
        if solved and not before.get("solved"):
            facts.update(solved=True, hints=self.hints_given, revealed=self.revealed)
        records.note("challenges", key, **facts)
        self._update()
        return _report(self.findings, solved=solved)

    def hint(self) -> Message:
        """Give the next of three hints; the last one names the command. Asking again repeats the last."""
        self.hints_given = min(self.hints_given + 1, len(self.challenge.hints))
        self._update()
        number = self.hints_given
        text = self.hints[-1]
        head = say(en=f"Hint {number} of 3", ja=f"ヒント {number}/3")
        return Message(f"{head}: {to_plain(text)}", f"<b>{head}</b> — {to_html(text)}")

    @property
    def hints(self) -> list[str]:
        """The hints given so far, in the reader's language."""
        return [texts[current()] for texts in self.challenge.hints[: self.hints_given]]

    def solution(self) -> Message:
        """Show one way to do it, to be typed in a cell. There are others."""
        self.revealed = True
        self._update()
        head = say(en="One way of several", ja="解き方の一例")
        return Message(f"{head}:\n{self.challenge.solution}", f"<b>{head}</b>{code(self.challenge.solution)}")

    def reset(self) -> Task:
        """Begin the challenge again, in the same lab; one that was closed is replaced: `lab = task.lab`."""
        if self.lab.closed:
            self.lab.close()
            self.lab = self.challenge.build()
        else:
            self.lab.reset()
            self.challenge.prepare(self.lab)
        self.findings = []
        self._update()
        return self

    def close(self) -> None:
        """End the challenge's lab; harmless when repeated."""
        self.lab.close()

    def _update(self) -> None:
        for sheet in self._sheets:
            sheet.follow(self)

    @property
    def solved(self) -> bool:
        """Whether the last check found nothing missing."""
        return bool(self.findings) and all(one.missing is None for one in self.findings)

    def unknown(self) -> list[Finding]:
        """Return what is to be checked, as before the first check."""
        return [Finding(check.sentence, None) for check in self.challenge.checks]

    @property
    def title_line(self) -> str:
        """The title with its level, in stars."""
        return f"{'★' * self.challenge.level}{'☆' * (3 - self.challenge.level)} {self.challenge.title}"

    def __repr__(self) -> str:
        checks = "\n".join(f"  ☐ {check.sentence}" for check in self.challenge.checks)
        return f"{self.title_line}\n{to_plain(self.challenge.task)}\n{checks}"

    def _repr_html_(self) -> str:
        help_ = "".join(f"<p><b>{number}.</b> {to_html(text)}</p>" for number, text in enumerate(self.hints, 1))
        return framed(
            f"<b>{self.title_line}</b><p>{to_html(self.challenge.task)}</p>"
            f"{_checklist(self.findings) if self.findings else _checklist(self.unknown(), box='☐')}"
            f"{help_}{code(self.challenge.solution) if self.revealed else ''}",
            RIGHT if self.solved else NEUTRAL,
        )

    def still(self) -> Bundle:
        """Return what a saved notebook shows: how far the challenge is."""
        return {"text/html": self._repr_html_(), "text/plain": repr(self)}

    def _sheet(self) -> Any:
        from netlab.course.sheet import Sheet  # noqa: PLC0415 - anywidget is slow to import, and only a notebook needs it

        self._sheets.append(Sheet(self))
        return self._sheets[-1]

    def _ipython_display_(self) -> None:
        """Show the static form, and in a notebook server's page the widget instead of it."""
        if not is_live():
            raise NotImplementedError
        self._sheet().show(self.still())

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        return {**self._sheet().bundle(), **self.still()}


def challenge(key: str) -> Task:
    """Begin a challenge in a lab of its own, closing that of an earlier try; raises NotFound for an unknown key."""
    asked = find(key)
    if earlier := _under_way.pop(key, None):
        earlier.close()
    task = _under_way[key] = Task(asked)
    return task


def code(text: str) -> str:
    """Return lines of code as HTML."""
    return f'<pre style="margin:.4em 0;white-space:pre-wrap"><code>{escape(text.rstrip(), quote=False)}</code></pre>'


def _report(findings: list[Finding], *, solved: bool) -> Message:
    head = (
        say(en="Solved.", ja="できました。") if solved else say(en="Not there yet.", ja="まだ足りないものがあります。")
    )
    lines = [
        f"  {_box(one)} {to_plain(one.sentence)}" + (f"\n      {to_plain(one.missing)}" if one.missing else "")
        for one in findings
    ]
    return Message("\n".join([head, *lines]), f"<b>{head}</b>{_checklist(findings)}", ok=solved)


def _checklist(findings: list[Finding], box: str = "") -> str:
    items = "".join(
        f"<li>{box or _box(one)} {to_html(one.sentence)}"
        + (f'<br><span style="padding-left:1.4em">{to_html(one.missing)}</span>' if one.missing else "")
        + "</li>"
        for one in findings
    )
    return f'<ul style="list-style:none;padding-left:0;margin:.3em 0">{items}</ul>'


def _box(one: Finding) -> str:
    return "☑" if one.missing is None else "☐"
