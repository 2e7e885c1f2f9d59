"""Following one lab for all its widgets: hears that something changed, looks there again, and has each widget told."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from netlab.errors import LabClosed, NetlabError
from netlab.language import Language, say
from netlab.live.actions import Actions
from netlab.live.session import Session
from netlab.live.watch import Asked, Watch
from netlab.model import Snapshot
from netlab.observer import EVERYTHING, Observer, Topic

if TYPE_CHECKING:
    from netlab.lab import Lab  # which shows itself by this module

Message = dict[str, Any]

_QUIET = 0.015  # s without an event, and what belongs together has come
_LONGEST = 0.05  # s from the first event to a look, and from one look to the next: at most 20 messages a second
_AFTERTHOUGHT = 0.3  # s after a change: a process that has just been started listens by now, and nothing tells of that
_UNTOLD: frozenset[Topic] = frozenset({"sockets", "processes"})  # so these are only asked for then,
_LATER: frozenset[Topic] = _UNTOLD | {"learned"}  # and so is what no picture shows
_REST = 2.0  # s without a change, and the static picture below the widget is drawn again


class Feed:
    """The live diagrams of one lab. Nothing runs while nobody looks: the thread lives from the first view to the last."""

    def __init__(self, lab: Lab) -> None:
        self._lab = weakref.ref(lab, lambda _: self.stop())
        self._actions = Actions(lab)
        self._sessions: list[Session] = []
        self._lock = threading.RLock()
        self._watch: Watch | None = None
        self._observer: Observer | None = None
        self._thread: threading.Thread | None = None

    # ── for widgets ────────────────────────────────────────────────────────────────────────────────────────────────

    def open(self, snapshot: Snapshot, language: Language, send: Callable[[Message], None]) -> Session:
        """Begin a session; it is kept up to date while it has a view."""
        session = Session(snapshot, language, self._actions, send)
        with self._lock:
            self._sessions.append(session)
        return session

    def close(self, session: Session) -> None:
        """End a session."""
        with self._lock:
            if session in self._sessions:
                self._sessions.remove(session)
            self._stop_if_unseen()

    def hear(self, session: Session, message: Message) -> None:
        """Let a session answer its page."""
        with self._lock:
            begins = message.get("type") == "whole"
            if begins:
                self._bring_up_to_date(session)
            session.hear(message)
            if begins:
                self._start()
            self._stop_if_unseen()

    @property
    def running(self) -> bool:
        """Whether the lab is being followed."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def wakeups(self) -> int:
        """How often the thread woke since it began."""
        return self._watch.wakeups if self._watch else 0

    # ── beginning and end ──────────────────────────────────────────────────────────────────────────────────────────

    def _bring_up_to_date(self, session: Session) -> None:
        lab = self._lab()
        if lab is None or lab.closed:
            session.set_state("closed", _closed(session.language))
            return
        if not self.running:
            self._observer = Observer(lab.world)
            try:
                snapshot = self._observer.look(lab.name, lab.bridges())
            except LabClosed:  # at this very moment
                session.set_state("closed", _closed(session.language))
                return
            session.take(snapshot, _now())
            session.set_state("live")

    def _start(self) -> None:
        lab = self._lab()
        if self.running or lab is None or lab.closed:
            return
        self._watch = Watch(lab.world)
        lab.world.sandbox.when_ended(
            0, _ender(self._watch)
        )  # no process has this number: told with the sandbox's own end
        arguments = weakref.ref(self), self._watch
        self._thread = threading.Thread(target=_follow, args=arguments, name=f"netlab live {lab.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop following; what is shown stays as it is."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.let_go()

    def _stop_if_unseen(self) -> None:
        if not any(session.views for session in self._sessions):
            self.stop()
            self._thread = None

    # ── for the thread ─────────────────────────────────────────────────────────────────────────────────────────────

    def follows(self, watch: Watch) -> bool:
        """Whether this watch is (still) the one that the feed follows its lab with."""
        return self._watch is watch

    def look(self, places: Asked, heard: float) -> None:
        """Ask for what may have changed and tell every session."""
        lab = self._lab()
        if lab is None:
            return
        with self._lock:
            seen = [one for one in self._sessions if one.views]
            try:
                observer = self._observer = self._observer or Observer(lab.world)
                snapshot = observer.look(lab.name, lab.bridges(), places)
                for session in seen:
                    session.take(snapshot, heard)
                    session.set_state("live")
            except (NetlabError, OSError) as error:
                if self._watch is None or self._watch.over:
                    return  # the world ended while it was looked at
                if not isinstance(error, NetlabError):
                    raise
                for session in seen:
                    session.set_state("failed", str(error))

    def rest(self) -> None:
        """Nothing has changed for a while: bring the static pictures up to date."""
        with self._lock:
            for session in self._sessions:
                session.rest()

    def world_ended(self) -> None:
        """Find out whether the lab is closed or begins anew, and say so."""
        lab = self._lab()
        if lab is None:
            return
        with lab.lock:  # a reset holds it until the new world is there
            closed = lab.closed
        with self._lock:
            self._watch = self._thread = self._observer = None
            for session in self._sessions:
                if closed:
                    session.set_state("closed", _closed(session.language))
            if closed:
                self.rest()
                return
            snapshot = lab.snapshot()
            for session in self._sessions:
                session.begin_anew(snapshot)
            self._start()


def _ender(watch: Watch) -> Callable[[int], None]:
    reference = weakref.ref(watch)

    def ended(_: int) -> None:
        watch = reference()
        if watch is not None:
            watch.let_go()

    return ended


def _now() -> float:
    return time.time() * 1000


def _closed(language: Language) -> str:
    return say(
        en="This lab is closed. This is its last state.",
        ja="このラボは終了しました。最後の状態を表示しています。",
        language=language,
    )


def _follow(reference: weakref.ref[Feed], watch: Watch) -> None:
    """Follow a lab until its world ends or nobody looks; holds the feed only for moments, so that an unused lab can go."""
    try:
        _listen(reference, watch)
        feed = reference()
        if feed is not None and watch.over and feed.follows(watch):
            feed.world_ended()
    finally:
        watch.close()


def _listen(reference: weakref.ref[Feed], watch: Watch) -> None:
    again: Asked = {name: set(EVERYTHING) for name in watch.listen()}  # what to ask a little later, at rest
    due: Mapping[str, float] = {"look": time.monotonic()}
    last = took = 0.0
    while True:
        now = time.monotonic()
        wait = max(0.0, min(due.values()) - now) if due else None
        heard = watch.wait(wait)
        feed = reference()
        if feed is None or watch.over or not feed.follows(watch):
            return
        if heard:
            began = _now()
            # Drawing a lab of a thousand takes a second: whoever builds it gets at least as much of the processor.
            earliest = last + max(_LONGEST, took)
            places = _gather(watch, heard.places, max(time.monotonic() + _LONGEST, earliest), earliest)
            _add(places, {name: set(EVERYTHING) for name in watch.listen()})
            looked = time.monotonic()
            feed.look({name: topics - _LATER for name, topics in places.items()}, began)
            last = time.monotonic()
            took = last - looked
            _add(again, {name: topics & _LATER | _UNTOLD for name, topics in places.items()})
            due = {"look": last + _AFTERTHOUGHT, "rest": last + _REST}
        else:
            now = time.monotonic()
            if "look" in due and due["look"] <= now:
                feed.look(again, _now())
                again = {}
            if "rest" in due and due["rest"] <= now:
                feed.rest()
            due = {what: when for what, when in due.items() if when > now}
        del feed


def _add(asked: Asked, more: Asked) -> None:
    for name, topics in more.items():
        asked.setdefault(name, set()).update(topics)


def _gather(watch: Watch, places: Asked, latest: float, earliest: float) -> Asked:
    """Collect what belongs to the same change: until it is quiet, at most until `latest`, at least until `earliest`."""
    while True:
        now = time.monotonic()
        if now >= latest:
            return places
        more = watch.wait(min(latest, max(now + _QUIET, earliest)) - now)
        _add(places, more.places)
        if not more and time.monotonic() >= earliest:
            return places
        if watch.over:
            return places
