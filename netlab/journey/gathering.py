"""Sending a probe while every place is listened to: packets on all interfaces, and rules and connections by the kernel itself.

All of it is heard by one thread, as it comes; it ends as soon as the probe has its answer and nothing is on its way any
more. Every socket closes at the end, whatever happens, and with it the kernel takes back what it was asked to report.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import selectors
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from netlab.capture.packet import Packet
from netlab.capture.tap import Tap
from netlab.errors import NotFound
from netlab.interrupts import held_back
from netlab.journey.probe import Outcome, Probe, Wait
from netlab.journey.target import Target
from netlab.kernel import netfilter
from netlab.kernel.netfilter import Connection, TraceEvent
from netlab.world import Entry, World

_MOST_THREADS = 64
_SETTLE_SECONDS = 0.25  # at most, for what is on its way when the probe has ended
_AFTER_DROP_SECONDS = 0.2  # a rule may drop and answer at once (reject)
_NETLINK, _RAW = 16, 3
_TUNNELS = (4789,)
_COUNTERS = "/proc/thread-self/net/netstat"

_numbers = itertools.count(os.getpid() * 1000)  # other processes may trace in the same lab

Item = TypeVar("Item")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Report:
    """What netfilter reported in a place; `order` counts over all places as it was heard."""

    place: str
    order: int
    event: TraceEvent | Connection


@dataclass(slots=True)
class Observation:
    """All that was seen while a probe was under way."""

    place: str
    target: Target
    outcome: Outcome
    places: tuple[str, ...] = ()
    packets: list[Packet] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    counted: dict[str, dict[str, int]] = field(default_factory=dict)  # by place: counters of the kernel that grew
    table: str = ""  # that held the rule of this probe
    lost: int = 0  # packets and reports that came faster than they were read


def gather(world: World, place: str, target: Target, timeout: float) -> Observation:
    """Send a probe from a place and return all that was seen of it."""
    world.refresh()
    world.entry(place)
    entries: dict[int, Entry] = {}
    for entry in world:  # containers may share a namespace; who had it first gives it its name
        entries.setdefault(entry.inode, entry)
    with held_back() as window, contextlib.closing(_Ears(world, list(entries.values()))) as ears:
        probe = Probe(world, place, target, timeout)
        try:
            ears.listen(probe)
            with window():
                ears.hear(probe)
        finally:
            probe.close()
        return ears.observation(entries[world.entry(place).inode].name, target, probe.outcome)


class _Ears:
    """Everything that is listened to."""

    def __init__(self, world: World, entries: Sequence[Entry]) -> None:
        self.world = world
        self.entries = entries
        self.taps: list[Tap] = []
        self.watches: dict[socket.socket, str] = {}
        self.blocks: list[tuple[Tap, bytes]] = []
        self.reports: list[Report] = []
        self.lost = 0
        self.table = f"{netfilter.TABLE}{next(_numbers)}"
        self.before: dict[str, dict[str, int]] = {}
        self._dropped = False

    # ── beginning and end ──────────────────────────────────────────────────────────────────────────────────────────

    def listen(self, probe: Probe) -> None:
        """Open all ears; each takes the kernel some milliseconds, so they are opened side by side."""
        self.before = {entry.name: self._counters(entry.name) for entry in self.entries}
        self.taps = _side_by_side(lambda entry: Tap(self.world, entry.name), self.entries)
        icmp = probe.target.protocol == "icmp"
        number = probe.outcome.port
        protocol = socket.IPPROTO_TCP if probe.target.protocol == "tcp" else socket.IPPROTO_UDP
        matches = (
            netfilter.echo_matches(number, _TUNNELS) if icmp else netfilter.port_matches(protocol, number, _TUNNELS)
        )
        matches += netfilter.question_matches(probe.outcome.question)
        for entry in self.entries:
            watch = self.world.open_socket(entry.name, _NETLINK, _RAW, netfilter.NETLINK_NETFILTER)
            self.watches[watch] = entry.name
            netfilter.open_watch(watch, self.table, matches)
            watch.setblocking(False)

    def close(self) -> None:
        """Close all ears, side by side: the kernel makes sure that nobody uses them any more."""
        closing: list[Tap | socket.socket] = [*self.taps, *self.watches]
        self.taps, self.watches = [], {}
        _side_by_side(lambda one: one.close(), closing)

    def _counters(self, place: str) -> dict[str, int]:
        found: dict[str, int] = {}
        with contextlib.suppress(OSError, NotFound):  # it may have gone meanwhile
            found.update(_read_counters(self.world.read_file(place, _COUNTERS)))
        return found

    # ── listening ──────────────────────────────────────────────────────────────────────────────────────────────────

    def hear(self, probe: Probe) -> None:
        """Let the probe run, and take what comes meanwhile."""
        with selectors.DefaultSelector() as selector:
            ears: list[Tap | socket.socket] = [*self.taps, *self.watches]
            for ear in ears:
                selector.register(ear, selectors.EVENT_READ)
            run = probe.run()
            wait = next(run, None)
            while wait is not None:
                ready = self._wait(selector, wait)
                try:
                    wait = run.send(ready)
                except StopIteration:
                    wait = None
            self._settle(selector)

    def _wait(self, selector: selectors.BaseSelector, wait: Wait) -> bool:
        """Wait for the probe's socket and take what comes; return whether it became ready in time."""
        selector.register(wait.socket, wait.events)
        deadline = time.monotonic() + wait.seconds
        self._dropped = False
        try:
            while (remaining := deadline - time.monotonic()) > 0:
                ready = [key.fileobj for key, _ in selector.select(remaining)]
                self._take(ready)
                if wait.socket in ready:
                    return True
                if self._dropped:
                    self._dropped = False
                    deadline = min(deadline, time.monotonic() + _AFTER_DROP_SECONDS)
            return False
        finally:
            selector.unregister(wait.socket)

    def _settle(self, selector: selectors.BaseSelector) -> None:
        """Take the rest: what the kernel still holds back, and what comes at once."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        while time.monotonic() < deadline:
            ready = [key.fileobj for key, _ in selector.select(0)]
            self._take(ready)
            if not ready and not any(tap.pending for tap in self.taps):
                return
            if not ready:
                selector.select(0.002)

    def _take(self, ready: Sequence[object]) -> None:
        for one in ready:
            if isinstance(one, Tap):
                self.blocks.extend((one, block) for block in one.take())
            elif isinstance(one, socket.socket) and one in self.watches:
                self._take_reports(one)

    def _take_reports(self, watch: socket.socket) -> None:
        while True:
            try:
                datagram = watch.recv(1 << 16)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self.lost += 1
                continue
            for event in netfilter.read(datagram):
                self.reports.append(Report(self.watches[watch], len(self.reports), event))
                self._dropped |= isinstance(event, TraceEvent) and event.verdict == "drop"

    # ── the result ─────────────────────────────────────────────────────────────────────────────────────────────────

    def observation(self, place: str, target: Target, outcome: Outcome) -> Observation:
        """Return all that was heard, in the order of the kernel's clock."""
        packets = [packet for tap, block in self.blocks for packet in tap.packets(block)]
        packets.sort(key=lambda packet: packet.nanoseconds)  # stable: what one namespace saw keeps its order
        lost = self.lost + sum(tap.count_lost() for tap in self.taps)
        names = tuple(entry.name for entry in self.entries)
        counted = {} if outcome.ok else self._counted()  # they matter for what got lost only
        return Observation(place, target, outcome, names, packets, self.reports, counted, self.table, lost)

    def _counted(self) -> dict[str, dict[str, int]]:
        counted: dict[str, dict[str, int]] = {}
        for place, before in self.before.items():
            after = self._counters(place)
            counted[place] = {name: grew for name, value in after.items() if (grew := value - before.get(name, 0))}
        return counted


def _read_counters(text: str) -> Iterator[tuple[str, int]]:
    """Yield the counters of /proc/net/snmp or netstat: a line with names, then one with numbers."""
    lines = text.splitlines()
    for names, numbers in zip(lines[::2], lines[1::2], strict=False):
        group = names.partition(":")[0]
        for name, number in zip(names.split()[1:], numbers.split()[1:], strict=False):
            yield f"{group}.{name}", int(number)


def _side_by_side(do: Callable[[Item], Made], items: Sequence[Item]) -> list[Made]:
    """Do something to each item at the same time, as most of it is waiting for the kernel."""
    with ThreadPoolExecutor(min(_MOST_THREADS, max(1, len(items))), thread_name_prefix="netlab-tap") as pool:
        return list(pool.map(do, items))
