"""A challenge under way: its lab, and what a student may ask of it."""

from __future__ import annotations

from html import escape
from typing import Any

from netlab.course import records
from netlab.course.challenges import find
from netlab.course.definition import Challenge, Finding
from netlab.course.words import NEUTRAL, RIGHT, WRONG, framed, to_html, to_plain
from netlab.language import current, say

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
        self._sheets: list[Any] = []

    def check(self) -> Message:
        """Look at the lab and say what is there and what is missing now; a solved challenge is kept in your progress."""
        findings = self.challenge.examine(self.lab)
        solved = all(one.missing is None for one in findings)
        key = self.challenge.key
        before = records.read()["challenges"].get(key, {})
        facts: dict[str, Any] = {"tries": before.get("tries", 0) + 1}
        if solved and not before.get("solved"):
            facts.update(solved=True, hints=self.hints_given, revealed=self.revealed)
        records.note("challenges", key, **facts)
        self._update(findings)
        return _report(findings, solved=solved)

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
        self._update()
        return self

    def close(self) -> None:
        """End the challenge's lab; harmless when repeated."""
        self.lab.close()

    def _update(self, findings: list[Finding] | None = None) -> None:
        for sheet in self._sheets:
            sheet.follow(self, findings)

    @property
    def title_line(self) -> str:
        """The title with its level, in stars."""
        return f"{'★' * self.challenge.level}{'☆' * (3 - self.challenge.level)} {self.challenge.title}"

    def __repr__(self) -> str:
        checks = "\n".join(f"  ☐ {check.sentence}" for check in self.challenge.checks)
        return f"{self.title_line}\n{to_plain(self.challenge.task)}\n{checks}"

    def _repr_html_(self) -> str:
        checks = "".join(f"<li>☐ {to_html(check.sentence)}</li>" for check in self.challenge.checks)
        return framed(
            f"<b>{self.title_line}</b><p>{to_html(self.challenge.task)}</p>"
            f'<ul style="list-style:none;padding-left:1em;margin:.3em 0">{checks}</ul>'
        )

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        from netlab.course.sheet import Sheet  # noqa: PLC0415 - anywidget is slow to import, and only a notebook needs it

        sheet = Sheet(self)
        self._sheets.append(sheet)
        return {**sheet.bundle(), "text/html": self._repr_html_(), "text/plain": repr(self)}


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
    lines, items = [], []
    for one in findings:
        mark = "☑" if one.missing is None else "☐"
        lines.append(f"  {mark} {to_plain(one.sentence)}" + (f"\n      {to_plain(one.missing)}" if one.missing else ""))
        items.append(
            f"<li>{mark} {to_html(one.sentence)}" + (f"<br>{to_html(one.missing)}" if one.missing else "") + "</li>"
        )
    html = f'<b>{head}</b><ul style="list-style:none;padding-left:1em;margin:.3em 0">{"".join(items)}</ul>'
    return Message("\n".join([head, *lines]), html, ok=solved)
