"""The widget of a challenge: its task, what is there and what is missing, and the buttons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from netlab.course.definition import Finding
from netlab.course.words import to_html, widget_only
from netlab.errors import NetlabError
from netlab.language import current, say

if TYPE_CHECKING:
    from netlab.course.task import Task  # a task makes its sheets

_STATIC = Path(__file__).parent / "static"


class Sheet(anywidget.AnyWidget):
    """One challenge on the page. `state` is all that changes; a message {"do": …} is a button that was pressed."""

    _esm = _STATIC / "sheet.js"
    _css = _STATIC / "course.css"

    language = traitlets.Unicode().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    task = traitlets.Unicode().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, task: Task) -> None:
        super().__init__(
            language=current(),
            words={
                "check": say(en="Check", ja="確認する"),
                "hint": say(en="Hint", ja="ヒント"),
                "solution": say(en="Show a solution", ja="解答例を見る"),
                "reset": say(en="Start again", ja="最初からやり直す"),
                "working": say(en="Looking at the lab …", ja="ラボを調べています…"),
            },
            title=task.title_line,
            task=to_html(task.challenge.task),
            state=_state(task, None),
        )
        self._buttons = {"check": task.check, "hint": task.hint, "solution": task.solution, "reset": task.reset}
        self.on_msg(self._pressed)

    def _pressed(self, _: Any, message: dict[str, Any], __: Any) -> None:
        try:
            self._buttons[message["do"]]()
        except NetlabError as error:
            self.state = {**self.state, "status": str(error)}

    def follow(self, task: Task, findings: list[Finding] | None) -> None:
        """Show how far the task is."""
        self.state = _state(task, findings)

    def bundle(self) -> dict[str, Any]:
        """Return what a front end with widgets shows."""
        return widget_only(self._repr_mimebundle_())


def _state(task: Task, findings: list[Finding] | None) -> dict[str, Any]:
    looked = findings is not None
    found = findings or [Finding(check.sentence, None) for check in task.challenge.checks]
    solved = looked and all(one.missing is None for one in found)
    return {
        "checks": [
            {
                "text": to_html(one.sentence),
                "done": looked and one.missing is None,
                "missing": to_html(one.missing or ""),
            }
            for one in found
        ],
        "hints": [to_html(text) for text in task.hints],
        "more": task.hints_given < len(task.challenge.hints),
        "solution": task.challenge.solution if task.revealed else "",
        "solved": solved,
        "status": (
            say(en="Solved. Well done.", ja="できました。")
            if solved
            else say(en="Not there yet: see what is missing.", ja="まだ足りないものがあります。")
            if looked
            else ""
        ),
    }
