"""What `lab.show()` returns: the picture of a lab, and in a notebook a diagram that follows it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from netlab.errors import NetlabError
from netlab.language import current
from netlab.live.output import Output, is_live
from netlab.live.packets import Move, Pace
from netlab.live.session import Session
from netlab.model import Snapshot
from netlab.view.picture import Picture

if TYPE_CHECKING:
    from netlab.live.feed import Feed
    from netlab.live.widget import Widget


class Diagram(Picture):
    """The diagram of a lab. In a notebook it is alive; everywhere else, and in what is saved, it is a picture.

    `svg`, `png` and `dot` are of the lab as it was at `lab.show()`.
    """

    def __init__(self, snapshot: Snapshot, feed: Feed) -> None:
        super().__init__(snapshot)
        self._feed = feed
        self._widget: Widget | None = None
        self._session: Session | None = None
        self._pace: Pace | None = None

    @property
    def widget(self) -> Widget:
        """The widget, an `anywidget.AnyWidget`; made when it is first asked for, and anew when it was closed."""
        if self._widget is None or self._widget.closed:
            from netlab.live.widget import Widget  # noqa: PLC0415 - slow, and only for notebooks

            session = self._feed.open(self.snapshot, current(), self._send)
            self._session = session
            self._widget = Widget(session.whole(), self.snapshot.lab, session.language)
            self._widget.on_msg(partial(_hear, self._feed, session))
            self._widget.on_closed(partial(self._feed.close, session))
            self._pace = Pace(self._send)
        return self._widget

    def _send(self, message: dict[str, Any]) -> None:
        if self._widget is not None:
            self._widget.send(message)

    # ── packets ────────────────────────────────────────────────────────────────────────────────────────────────────

    def move(self, *moves: Move) -> None:
        """Let packets travel through the picture, all at once: `move(Move(["web/eth0", "host/docker0", "db/eth0"], "SYN"))`."""
        self.packets(moves)

    def packets(self, moves: Sequence[Move]) -> None:
        """Let packets travel through the picture. Many are sent together, at most 20 messages a second."""
        _ = self.widget
        if self._pace is not None:
            self._pace.add(moves)

    # ── in a notebook ──────────────────────────────────────────────────────────────────────────────────────────────

    def _ipython_display_(self) -> None:
        """Show the picture, and below it the widget, which hides it: a saved notebook keeps the picture only.

        Raises NotImplementedError outside of a notebook server, and where the lab cannot be drawn, which makes IPython take
        the static form; that one says why.
        """
        if not is_live():
            raise NotImplementedError
        try:
            widget = self.widget
        except NetlabError:
            raise NotImplementedError from None
        output = Output(self._repr_mimebundle_(), widget.model_id)
        widget.when_settled(output)
        if self._session is not None:
            self._session.when_at_rest(lambda picture: output.redraw(picture._repr_mimebundle_()))


def _hear(feed: Feed, session: Session, widget: Widget, message: dict[str, Any], _: object) -> None:
    kind = message.get("type")
    if kind == "settled":
        for output in widget.settled():
            output.settle()
    else:
        feed.hear(session, message)
    if kind == "bye" and not session.views and widget.was_settled:
        widget.close()  # its output was emptied when it settled: no page can show it again
