"""Packets that travel through the picture: what moves, and how it is sent without flooding the page."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from netlab.errors import RequestError
from netlab.language import say

_PACE = 0.05  # s between two messages
_MOST = 200  # packets in one message
_KINDS = frozenset({"place", "interface", "link", "nat", "tunnel", "published", "fold"})
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Move:
    """One packet on its way: from place ("web"), interface ("web/eth0") or other element of the picture to the next.

    `duration` is that of the whole way, `delay` the time before it, both in milliseconds.
    """

    steps: Sequence[str]
    label: str = ""
    kind: Literal["request", "reply", "lost"] = "request"
    duration: float = 800
    delay: float = 0
    color: str | None = None
    packet: str = field(default_factory=lambda: f"p{next(_numbers)}")

    def __post_init__(self) -> None:
        if isinstance(self.steps, str) or len(self.steps) < 2 or not all(isinstance(one, str) for one in self.steps):
            raise RequestError(
                say(
                    en='A packet needs two places or more: Move(["web/eth0", "db/eth0"], "ping")',
                    ja='パケットには 2 か所以上が必要です: Move(["web/eth0", "db/eth0"], "ping")',
                )
            )
        if not (self.duration > 0 and self.delay >= 0):
            raise RequestError(
                say(
                    en="The duration of a move is more than 0 ms, and its delay is not negative.",
                    ja="移動の duration は 0 ミリ秒より大きく、delay は 0 以上にしてください。",
                )
            )

    @property
    def message(self) -> dict[str, Any]:
        """The move, as the page wants it."""
        message: dict[str, Any] = {
            "packet": self.packet,
            "label": self.label,
            "kind": self.kind,
            "delay": self.delay,
            "duration": self.duration,
            "steps": [_element(one) for one in self.steps],
        }
        return message | ({"color": self.color} if self.color else {})


def _element(name: str) -> str:
    """Return the id that the picture has for a name."""
    parts = name.split("/")
    if len(parts) > 2 or parts[0] in _KINDS:
        return name
    return ("place/" if len(parts) == 1 else "interface/") + name


class Pace:
    """Sends moves, what comes together in one message, at most 20 messages a second. Safe to use from several threads."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._waiting: list[Move] = []
        self._next = 0.0
        self._timer: threading.Timer | None = None

    def add(self, moves: Iterable[Move]) -> None:
        """Send moves, now or as soon as the pace allows."""
        with self._lock:
            self._waiting += moves
            self._go_on()

    def _go_on(self) -> None:
        if self._timer is not None or not self._waiting:
            return
        wait = self._next - time.monotonic()
        if wait > 0:
            self._timer = threading.Timer(wait, self._later)
            self._timer.daemon = True
            self._timer.start()
            return
        batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        self._next = time.monotonic() + _PACE
        self._send({"type": "packets", "moves": [one.message for one in batch]})
        self._go_on()

    def _later(self) -> None:
        with self._lock:
            self._timer = None
            self._go_on()
