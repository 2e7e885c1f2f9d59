"""A diagram as notebooks, exports and repository viewers want it: SVG, with a text for those who cannot see it."""

from __future__ import annotations

from netlab.errors import NetlabError
from netlab.model import Snapshot
from netlab.view.dot import to_dot
from netlab.view.svg import render, render_png
from netlab.view.text import to_text


class Picture:
    """The diagram of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    @property
    def dot(self) -> str:
        """The diagram in graphviz's language."""
        return to_dot(self.snapshot)

    @property
    def svg(self) -> str:
        """The diagram as SVG; raises MissingTool without graphviz."""
        return render(self.dot)

    @property
    def png(self) -> bytes:
        """The diagram as PNG; raises MissingTool without graphviz."""
        return render_png(self.dot)

    def __repr__(self) -> str:
        return to_text(self.snapshot)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        text = repr(self)
        try:
            return {"image/svg+xml": self.svg, "text/plain": text}
        except NetlabError as error:
            return {"text/plain": f"{text}\n\n{error}"}
