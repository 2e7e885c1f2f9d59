"""A capture: it runs from its beginning until it is stopped, in one place or in several on one clock."""

from __future__ import annotations

import contextlib
import heapq
import os
import selectors
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from netlab.capture import pcapng, summary, view
from netlab.capture.filters import compiled
from netlab.capture.packet import Packet
from netlab.capture.summary import Row
from netlab.capture.tap import LARGE, Ground, Tap
from netlab.interrupts import held_back
from netlab.view.tables import Table

_MOST_BYTES = 512 << 20  # that are kept; what comes later is counted
_DRAIN_SECONDS = 0.5


class Capture:
    """Packets on every interface of some places. A context manager; a sequence of packets, in the order of time.

    `expression` is a filter as for tcpdump. Raises RequestError for a wrong filter, NotFound for an unknown place.
    """

    def __init__(self, world: Ground, places: Sequence[str], expression: str = "") -> None:
        self.places = tuple(dict.fromkeys(places))
        self.expression = expression
        self.let_go = 0  # blocks that came when the memory for them was used up, in packets
        self._read: list[Packet] = []
        self._reader = _Reader()
        program = compiled(world, self.places[0], expression)
        with held_back():
            try:
                for place in self.places:
                    self._reader.taps.append(Tap(world, place, program, LARGE))
                self._reader.start()
            except BaseException:
                self._reader.close()
                raise
        self._finalizer = weakref.finalize(self, self._reader.close)

    @property
    def running(self) -> bool:
        """Whether it still listens."""
        return self._finalizer.alive

    def stop(self) -> Self:
        """Stop listening, once everything that has come is read; harmless when repeated. Return the capture."""
        if self.running:
            with held_back():
                self._finalizer()
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # ── what came ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def packets(self) -> list[Packet]:
        """The packets so far, in the order of the kernel's clock."""
        fresh = [packet for tap, block in self._reader.drain() for packet in tap.packets(block)]
        if fresh:
            fresh.sort(key=lambda packet: packet.nanoseconds)  # stable: what one namespace saw keeps its order
            self._read = list(heapq.merge(self._read, fresh, key=lambda packet: packet.nanoseconds))
        return self._read

    @property
    def count(self) -> int:
        """How many packets came so far."""
        return self._reader.count

    @property
    def lost(self) -> int:
        """How many packets the kernel could not hand over, because they came faster than they were read, or were too many."""
        return self._reader.lost()

    def wait(self, count: int = 1, seconds: float = 5) -> bool:
        """Wait until that many packets have come; return whether they have."""
        return self._reader.wait(count, seconds)

    def __len__(self) -> int:
        return len(self.packets)

    def __iter__(self) -> Iterator[Packet]:
        return iter(self.packets)

    def __getitem__(self, number: int) -> Packet:
        return self.packets[number]

    @property
    def table(self) -> Table[Row]:
        """The packets as a table."""
        return summary.table(self.packets)

    def pcapng(self, path: str | Path) -> Path:
        """Write the packets for Wireshark and return the file's path; interfaces are called PLACE/NAME."""
        return pcapng.write(path, self.packets, lost=self._reader.lost_by_place())

    # ── how it looks ───────────────────────────────────────────────────────────────────────────────────────────────

    def live(self) -> Self:
        """Show the newest packets below this cell and keep showing them until the capture stops; return the capture."""
        view.keep_showing(self)
        return self

    def __repr__(self) -> str:
        return view.text(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": view.text(self), "text/html": view.page(self)}


class _Reader:
    """Reads the taps in a thread of its own. It knows nothing of the capture, so that an unused one can go."""

    def __init__(self) -> None:
        self.taps: list[Tap] = []
        self.count = 0
        self._blocks: list[tuple[Tap, bytes]] = []
        self._bytes = 0
        self._over = 0  # packets that were let go, as the memory for them was used up
        self._came = threading.Condition()
        self._stop, self._stopping = os.pipe()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to read."""
        self._thread = threading.Thread(target=self._run, name="netlab-capture", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for tap in self.taps:
                selector.register(tap, selectors.EVENT_READ)
            selector.register(self._stop, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                self._take()
                if self._stop in ready:
                    break
            selector.unregister(self._stop)
            deadline = time.monotonic() + _DRAIN_SECONDS
            while any(tap.pending for tap in self.taps) and time.monotonic() < deadline:
                selector.select(0.005)
                self._take()

    def _take(self) -> None:
        for tap in self.taps:
            for block in tap.take():
                count = int.from_bytes(block[12:16], "little")
                with self._came:
                    self.count += count
                    if self._bytes < _MOST_BYTES:
                        self._blocks.append((tap, block))
                        self._bytes += len(block)
                    else:
                        self._over += count
                    self._came.notify_all()

    def drain(self) -> list[tuple[Tap, bytes]]:
        """Return the blocks since the last time."""
        with self._came:
            blocks, self._blocks = self._blocks, []
        return blocks

    def wait(self, count: int, seconds: float) -> bool:
        """Wait until that many packets have come."""
        with self._came:
            return self._came.wait_for(lambda: self.count >= count, seconds)

    def lost(self) -> int:
        """Return how many packets are missing."""
        return self._over + sum(tap.count_lost() for tap in self.taps)

    def lost_by_place(self) -> dict[str, int]:
        """Return how many packets the kernel could not hand over, by place."""
        return {tap.place: tap.count_lost() for tap in self.taps}

    def close(self) -> None:
        """Read the rest, and stop."""
        if self._thread is not None:
            os.write(self._stopping, b".")
            self._thread.join()
        for tap in self.taps:
            with contextlib.suppress(OSError):  # the namespace may have gone with the lab
                tap.count_lost()
            tap.close()
        os.close(self._stop)
        os.close(self._stopping)
