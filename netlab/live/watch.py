"""Waiting until something changes in a world: one epoll for all its places. Nothing is asked while nothing changes."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import weakref
from dataclasses import dataclass, field

from netlab.errors import LabClosed, NetlabError, NotFound
from netlab.live.events import Names, changes_of, drain
from netlab.observer import Topic
from netlab.sandbox.client import AgentRefusal
from netlab.world import Entry, World

Asked = dict[str, set[Topic]]  # what to ask, by place

# A fork waits until what is being opened is known, so that it can be let go of there.
_opening = threading.Lock()
os.register_at_fork(before=_opening.acquire, after_in_parent=_opening.release, after_in_child=_opening.release)


@dataclass
class _Ear:
    """What hears one place."""

    inode: int
    sockets: list[socket.socket]
    names: Names | None = None

    @property
    def descriptors(self) -> list[int]:
        return [one.fileno() for one in (*self.sockets, *([self.names] if self.names else ()))]

    def drain(self) -> set[Topic]:
        """Read all that is there; return what the place should be asked for again."""
        topics = set().union(*(drain(one) for one in self.sockets))
        if self.names is not None and self.names.drain():
            topics.add("links")  # a namespace has a name now: its cables may lead here
        return topics

    def close(self) -> None:
        for one in (*self.sockets, *([self.names] if self.names else ())):
            one.close()


@dataclass
class Heard:
    """What was heard since the last wait: what changed in which places, and whether somebody rang."""

    places: Asked = field(default_factory=dict)
    rung: bool = False

    def __bool__(self) -> bool:
        return bool(self.places) or self.rung


class Watch:
    """Hears all places of a world, also those that come later. `wait` is for one thread, the rest for any."""

    def __init__(self, world: World) -> None:
        self._ears: dict[str, _Ear] = {}
        self._by_descriptor: dict[int, str] = {}
        self._lock = threading.Lock()
        self._over = False
        self._poll = select.epoll()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll.register(self._bell, select.EPOLLIN)
        self.wakeups = 0  # how often `wait` came back; for those who want to see that nothing polls
        self._world = weakref.ref(world)  # an unused lab must be able to go
        world.follow(self)

    def _entries(self) -> dict[str, Entry]:
        world = self._world()
        return {entry.name: entry for entry in world} if world is not None else {}

    # ── told by the world ──────────────────────────────────────────────────────────────────────────────────────────

    def places_changed(self) -> None:
        """Let go of places that went, at once, so that no hold keeps a namespace; have the rest looked at."""
        now = {name: entry.inode for name, entry in self._entries().items()}
        with self._lock:
            for name in [one for one, ear in self._ears.items() if now.get(one) != ear.inode]:
                self._forget(name)
        self.ring()

    def let_go(self) -> None:
        """Let go of all places; the watch ends."""
        with self._lock:
            self._over = True
            for name in list(self._ears):
                self._forget(name)
        self.ring()

    def disown(self) -> None:
        """Let go of all places in a fork, where another thread may have held the lock and the epoll is not ours."""
        self._over = True
        for ear in self._ears.values():
            ear.close()
        self._ears = {}
        self._poll.close()
        os.close(self._bell)

    def _forget(self, name: str) -> None:
        ear = self._ears.pop(name)
        for descriptor in ear.descriptors:
            self._by_descriptor.pop(descriptor, None)
        ear.close()  # which takes it out of the epoll too

    # ── for whoever waits ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def over(self) -> bool:
        """Whether the world has ended."""
        return self._over

    def ring(self) -> None:
        """Wake whoever waits."""
        with self._lock:
            if self._bell >= 0:
                os.eventfd_write(self._bell, 1)

    def listen(self) -> set[str]:
        """Hear all places that are there now, too; return the names of those that are heard for the first time."""
        world = self._world()
        if world is None:
            return set()
        new = {name: entry for name, entry in self._entries().items() if name not in self._ears}
        for entry in new.values():
            with _opening:
                try:
                    ear = _ear(world, entry)
                except (OSError, AgentRefusal, LabClosed, NotFound):
                    continue  # it went while it was looked at
                self._keep(entry, ear)
        return set(new)

    def _keep(self, entry: Entry, ear: _Ear) -> None:
        with self._lock:
            here = self._entries().get(entry.name)
            if self._over or here is None or here.inode != entry.inode:
                ear.close()
                return
            self._ears[entry.name] = ear
            for descriptor in ear.descriptors:
                self._by_descriptor[descriptor] = entry.name
                # At its edge: a fork may hold the other end of a closed one for a moment, and that must not keep us busy.
                self._poll.register(descriptor, select.EPOLLIN | select.EPOLLET)

    def wait(self, seconds: float | None = None) -> Heard:
        """Wait until something changes or somebody rings, or for so many seconds; return what it was."""
        heard = Heard()
        ready = self._poll.poll(seconds, 256)
        self.wakeups += 1
        with self._lock:
            for descriptor, _ in ready:
                if descriptor == self._bell:
                    with contextlib.suppress(BlockingIOError):
                        os.eventfd_read(self._bell)
                    heard.rung = True
                elif descriptor in self._by_descriptor:
                    name = self._by_descriptor[descriptor]
                    topics = self._ears[name].drain()
                    if topics:
                        heard.places.setdefault(name, set()).update(topics)
        return heard

    def close(self) -> None:
        """Let go of everything; for the thread that waits."""
        self.let_go()
        with self._lock:
            self._poll.close()
            os.close(self._bell)
            self._bell = -1


def _ear(world: World, entry: Entry) -> _Ear:
    ear = _Ear(entry.inode, changes_of(world, entry))
    if entry.kind == "host":
        with contextlib.suppress(NetlabError):  # without it, a name made by hand shows with the next change
            ear.names = Names(entry)
    return ear
