"""How a capture looks: a table of its newest packets, in a notebook kept up to date while it runs."""

from __future__ import annotations

import html
import threading
import weakref
from typing import TYPE_CHECKING, Any

from netlab.capture import summary
from netlab.language import say

if TYPE_CHECKING:
    from netlab.capture.capture import Capture

_ROWS = 50
_LIVE_ROWS = 20
_SECONDS = 0.2  # between two looks of a live table


def text(capture: Capture) -> str:
    """Return the newest packets as lines, and how many there are."""
    return f"{_title(capture)}\n{_rows(capture, _ROWS)!r}"


def page(capture: Capture, rows: int = _ROWS) -> str:
    """Return the same as HTML."""
    return f"<p>{html.escape(_title(capture))}</p>{_rows(capture, rows)._repr_html_()}"


def _rows(capture: Capture, count: int) -> Any:
    packets = capture.packets
    return summary.table(packets[-count:], packets[0].nanoseconds if packets else 0)


def _title(capture: Capture) -> str:
    where = ", ".join(capture.places) + (f": {capture.expression}" if capture.expression else "")
    count, lost = capture.count, capture.lost
    state = say(en="capturing", ja="キャプチャ中") if capture.running else say(en="stopped", ja="停止")
    said = say(en=f"{where} ({state}), {count} packets", ja=f"{where} ({state})、{count} パケット")
    return said + (say(en=f", {lost} lost", ja=f"、{lost} パケット取りこぼし") if lost else "")


def keep_showing(capture: Capture) -> None:
    """Show a capture below the cell, and again whenever packets have come, until it stops; once in a terminal.

    It is the cell's own output that is renewed, so a saved notebook shows the last state without any program.
    """
    try:
        from IPython import get_ipython  # noqa: PLC0415 - only there in a notebook
        from IPython.display import HTML, display  # noqa: PLC0415
    except ImportError:
        return
    if get_ipython() is None or not hasattr(get_ipython(), "kernel"):
        return
    handle: Any = display(HTML(page(capture, _LIVE_ROWS)), display_id=True)  # type: ignore[no-untyped-call]  # IPython's
    reference = weakref.ref(capture)

    def renew() -> None:
        shown = -1
        pause = threading.Event()
        while (one := reference()) is not None:
            running = one.running
            if one.count != shown or not running:
                shown = one.count
                handle.update(HTML(page(one, _LIVE_ROWS)))  # type: ignore[no-untyped-call]  # IPython's
            del one
            if not running:
                return
            pause.wait(_SECONDS)

    threading.Thread(target=renew, name="netlab-live-capture", daemon=True).start()
