"""What the course's widgets have in common: their looks, and that a saved notebook keeps their static form only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from netlab.language import current
from netlab.live.output import WIDGET, Bundle, Output
from netlab.live.page import script

_STATIC = Path(__file__).parent / "static"


def esm(name: str) -> str:
    """Return the page's part of a widget, `static/NAME.js`."""
    return script(_STATIC, name)


class Widget(anywidget.AnyWidget):
    """A widget of the course on a page."""

    _css = _STATIC / "course.css"

    language = traitlets.Unicode().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)

    def __init__(self, **state: Any) -> None:
        super().__init__(language=current(), **state)
        self._output: Output | None = None
        self.on_msg(self._hear)

    def show(self, still: Bundle) -> None:
        """Show the static form, and below it the widget, which hides it."""
        self._output = Output(still, self.model_id)

    def redraw(self, still: Bundle) -> None:
        """Keep another static form, where there is one."""
        if self._output is not None:
            self._output.redraw(still)

    def bundle(self) -> Bundle:
        """Return what a front end with widgets shows where the two forms stand in one output."""
        made: Any = self._repr_mimebundle_()  # with its metadata, in some versions
        return {WIDGET: (made[0] if isinstance(made, tuple) else made)[WIDGET]}

    def _hear(self, _: Any, message: dict[str, Any], __: Any) -> None:
        if message["type"] == "settled" and self._output is not None:
            self._output.settle()
