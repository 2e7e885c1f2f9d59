"""The last look at a lab, and what became different since; on request after each cell of a notebook."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from typing import Any

from netlab.changes.comparing import differences
from netlab.changes.difference import Changes
from netlab.errors import NetlabError, RequestError
from netlab.language import say
from netlab.model import Snapshot

_EVENT = "post_run_cell"


class Looks:
    """Compares each look at a lab with the one before it; whoever looks has looks of their own."""

    def __init__(self, look: Callable[[], Snapshot]) -> None:
        self._look = look
        self._first = look()
        self._last: dict[str, Snapshot] = {}
        self._hook: Callable[[Any], None] | None = None

    def begin_anew(self) -> None:
        """Forget what was: the lab has been built again."""
        self._first = self._look()
        self._last.clear()

    def changes(self, viewer: str = "") -> Changes:
        """Return what became different since this viewer's last look, or since the beginning."""
        now = self._look()
        before = self._last.get(viewer, self._first)
        self._last[viewer] = now
        return Changes(differences(before, now), before, now)

    def after_each_cell(self, *, wanted: bool) -> None:
        """Show changes after each cell that makes some, or stop that; raises RequestError where there are no cells."""
        events = _events()
        if events is None:
            raise RequestError(
                say(
                    en="There are no cells here. In a notebook changes can be shown after each cell; here ask: lab.changes()",
                    ja="ここにはセルがありません。セルごとの表示はノートブックでだけ使えます。"
                    "ここでは lab.changes() を使ってください。",
                )
            )
        if self._hook is not None:
            events.unregister(_EVENT, self._hook)
            self._hook = None
        if wanted:
            self._hook = _hook(weakref.ref(self), events)
            events.register(_EVENT, self._hook)


def _events() -> Any:
    """Return the events of the notebook that this process runs; None where there is none."""
    if "IPython" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython  # noqa: PLC0415 - not needed outside notebooks

    shell = get_ipython()
    return None if shell is None else shell.events


def _hook(reference: weakref.ref[Looks], events: Any) -> Callable[[Any], None]:
    """Return what is called after each cell; it takes itself away when the lab has ended."""

    def show(_: Any) -> None:
        looks = reference()
        try:
            changes = None if looks is None else looks.changes()
        except NetlabError:  # the lab was closed
            changes = None
        if changes is None:
            events.unregister(_EVENT, show)
        elif changes:
            from IPython.display import display  # noqa: PLC0415 - not needed outside notebooks

            display(changes)  # type: ignore[no-untyped-call]  # IPython does not say what it takes

    return show
