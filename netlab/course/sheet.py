"""The widget of a challenge: its task, what is there and what is missing, and the buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from netlab.course.widget import Widget, esm
from netlab.course.words import to_html
from netlab.errors import NetlabError
from netlab.language import say

if TYPE_CHECKING:
    from netlab.course.task import Task  # a task makes its sheets


class Sheet(Widget):
    """One challenge on the page: `state` is all that changes; {"type": "press", "button": …} is a button that was pressed."""

    _esm = esm("sheet")

    title = traitlets.Unicode().tag(sync=True)
    task = traitlets.Unicode().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, task: Task) -> None:
        super().__init__(
            words={
                "check": say(en="Check", ja="確認する"),
                "hint": say(en="Hint", ja="ヒント"),
                "solution": say(en="Show a solution", ja="解答例を見る"),
                "reset": say(en="Start again", ja="最初からやり直す"),
                "working": say(en="Looking at the lab …", ja="ラボを調べています…"),
            },
            title=task.title_line,
            task=to_html(task.challenge.task),
            state=_state(task),
        )
        self._buttons = {"check": task.check, "hint": task.hint, "solution": task.solution, "reset": task.reset}

    def _hear(self, widget: Any, message: dict[str, Any], buffers: Any) -> None:
        if message["type"] != "press":
            super()._hear(widget, message, buffers)
            return
        try:
            self._buttons[message["button"]]()
        except NetlabError as error:
            self.state = {**self.state, "status": str(error), "turn": self.state["turn"] + 1}

    def follow(self, task: Task) -> None:
        """Show how far the task is."""
        self.state = _state(task, self.state["turn"] + 1)
        self.redraw(task.still())


def _state(task: Task, turn: int = 0) -> dict[str, Any]:
    """Return what the page shows; `turn` differs each time, so that a page that waits for an answer always hears it."""
    looked = bool(task.findings)
    return {
        "turn": turn,
        "checks": [
            {
                "text": to_html(one.sentence),
                "done": looked and one.missing is None,
                "missing": to_html(one.missing or ""),
            }
            for one in task.findings or task.unknown()
        ],
        "hints": [to_html(text) for text in task.hints],
        "more": task.hints_given < len(task.challenge.hints),
        "solution": task.challenge.solution if task.revealed else "",
        "solved": task.solved,
        "status": (
            say(en="Solved. Well done.", ja="できました。")
            if task.solved
            else say(en="Not there yet: see what is missing.", ja="まだ足りないものがあります。")
            if looked
            else ""
        ),
    }
