"""A diagram as notebooks, exports and repository viewers want it: SVG, with a text for those who cannot see it."""

from __future__ import annotations

from collections.abc import Collection

from netlab.errors import NetlabError
from netlab.language import Language
from netlab.model import Snapshot
from netlab.view.dot import to_dot
from netlab.view.svg import render, render_png
from netlab.view.text import to_text


class Picture:
    """The diagram of one snapshot. `folded` has the ids of bridges whose networks are one box each."""

    def __init__(
        self, snapshot: Snapshot, folded: Collection[str] = frozenset(), language: Language | None = None
    ) -> None:
        self.snapshot = snapshot
        self._folded = folded
        self._language = language

    @property
    def dot(self) -> str:
        """The diagram in graphviz's language."""
        return to_dot(self.snapshot, folded=self._folded, language=self._language)

    @property
    def svg(self) -> str:
        """The diagram as SVG; raises MissingTool without graphviz."""
        return render(self.dot)

    @property
    def png(self) -> bytes:
        """The diagram as PNG; raises MissingTool without graphviz."""
        return render_png(self.dot)

    def __repr__(self) -> str:
        return to_text(self.snapshot, self._language)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        text = repr(self)
        try:
            return {"image/svg+xml": self.svg, "text/plain": text}
        except NetlabError as error:
            return {"text/plain": f"{text}\n\n{error}"}
