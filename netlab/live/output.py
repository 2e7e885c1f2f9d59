"""How a widget stands in a notebook: below its static form while its page is open, and nowhere in what is saved."""

from __future__ import annotations

import os
import uuid
from typing import Any

WIDGET = "application/vnd.jupyter.widget-view+json"

Bundle = dict[str, Any]  # of texts by their media type


def is_live() -> bool:
    """Whether this is the kernel of a notebook that a notebook server has open (it sets JPY_SESSION_NAME)."""
    return "JPY_SESSION_NAME" in os.environ


class Output:
    """Two outputs of one cell: the static form, which is what a saved notebook keeps, and below it the widget's view.

    The page moves its element out of the second one and says so; then nothing in the notebook asks for the widget any more
    (docs/decisions/2026-11-23-live-diagram.md, "Output of a cell").
    """

    def __init__(self, still: Bundle, model: str) -> None:
        self._still, self._alive = uuid.uuid4().hex, uuid.uuid4().hex
        self._settled = False
        _display(still, self._still)
        _display({WIDGET: _view(model)}, self._alive)

    def redraw(self, still: Bundle) -> None:
        """Put another static form in the place of the one that is there."""
        _display(still, self._still, update=True)

    def settle(self) -> None:
        """Take the widget out of what is saved: an empty model_id is what JupyterLab hides when it opens the notebook again."""
        if not self._settled:
            self._settled = True
            _display({WIDGET: _view("")}, self._alive, update=True)


def _view(model: str) -> Bundle:
    return {"version_major": 2, "version_minor": 0, "model_id": model}


def _display(bundle: Bundle, identifier: str, *, update: bool = False) -> None:
    """Send an output of that number, or another content for it."""
    from IPython.display import publish_display_data  # noqa: PLC0415 - IPython is there by now: it has called us

    publish: Any = publish_display_data  # it has no types
    publish(bundle, transient={"display_id": identifier}, update=update)
