"""Holding back an interrupt (Ctrl-C, a notebook's stop button) while something is done that must be done whole."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from types import FrameType

Opening = Callable[[], AbstractContextManager[None]]


class _Hold:
    """A handler of SIGINT that only remembers."""

    def __init__(self) -> None:
        self.came = False

    def __call__(self, _: int, __: FrameType | None) -> None:
        self.came = True

    def deliver(self) -> None:
        """Hand over to the handler in charge what came meanwhile."""
        if self.came:
            self.came = False
            signal.raise_signal(signal.SIGINT)


@contextlib.contextmanager
def held_back() -> Iterator[Opening]:
    """Hold interrupts back until the end of the block; one that came is delivered then.

    What the block is given opens a window in which interrupts come through: `with held_back() as window: with window(): …`.
    Only Python's main thread is interrupted; in another one, and within a block of the same kind, nothing is held or let
    through.
    """
    before = signal.getsignal(signal.SIGINT)
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or not callable(before) or isinstance(before, _Hold):
        yield contextlib.nullcontext
        return
    hold = _Hold()

    @contextlib.contextmanager
    def window() -> Iterator[None]:
        signal.signal(signal.SIGINT, before)
        try:
            hold.deliver()
            yield
        finally:
            signal.signal(signal.SIGINT, hold)

    signal.signal(signal.SIGINT, hold)
    try:
        yield window
    finally:
        signal.signal(signal.SIGINT, before)
        hold.deliver()
