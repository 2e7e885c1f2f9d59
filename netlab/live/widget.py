"""The widget itself: carries messages between a session and its page. Import it late: it brings ipywidgets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from netlab.language import Language
from netlab.live import page
from netlab.live.output import Output
from netlab.live.texts import texts


class Widget(anywidget.AnyWidget):
    """A diagram on a page."""

    _esm = page.script()
    _css = page.style()

    texts = traitlets.Dict().tag(sync=True)
    language = traitlets.Unicode().tag(sync=True)
    lab = traitlets.Unicode().tag(sync=True)
    picture = traitlets.Dict().tag(sync=True)

    def __init__(self, picture: dict[str, Any], lab: str, language: Language) -> None:
        super().__init__(texts=texts(), language=language, lab=lab, picture=picture)
        self._unsettled: list[Output] = []
        self.was_settled = False
        self._at_close: list[Callable[[], None]] = []

    def when_settled(self, output: Output) -> None:
        """Remember an output that is to be emptied once the page has taken its element out of it."""
        self._unsettled.append(output)

    def settled(self) -> list[Output]:
        """Return the outputs that are to be emptied now, each once."""
        outputs, self._unsettled = self._unsettled, []
        self.was_settled = self.was_settled or bool(outputs)
        return outputs

    def on_closed(self, tell: Callable[[], None]) -> None:
        """Have somebody told when the widget is closed."""
        self._at_close.append(tell)

    @property
    def closed(self) -> bool:
        """Whether it has been closed."""
        return self.comm is None

    def close(self) -> None:
        """End the widget on every page."""
        super().close()
        while self._at_close:
            self._at_close.pop()()
