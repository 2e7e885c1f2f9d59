"""One widget's side of the live diagram: what its page has, what it is told, what it asks. Knows no widget and no thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

from netlab.changes.comparing import differences
from netlab.changes.difference import Changes
from netlab.language import Language, say
from netlab.live import update
from netlab.live.history import Elements, History, Step, marks
from netlab.live.panel import panel
from netlab.model import Rule, Snapshot
from netlab.view.dot import scene_to_dot
from netlab.view.elements import Naming
from netlab.view.parts import Drawing, draw_parts
from netlab.view.picture import Picture
from netlab.view.scene import Scene

Message = dict[str, Any]
Send = Callable[[Message], None]

MANY_ON_ONE_NETWORK = 60  # a network of so many is folded until somebody unfolds it,
MANY_IN_ALL = 150  # and so is each with more than a few in a lab of so many
_FEW = 10

_draw = lru_cache(maxsize=4)(draw_parts)  # two widgets of one lab, in one language, have the same picture


class Deeds(Protocol):
    """What a session needs of the lab that it shows."""

    def panel_lines(self, place: str, command: str) -> str:
        """Return the line for a terminal of the machine that runs a command in a place."""

    def rules(self, place: str) -> list[Rule]:
        """Return the nftables rules of a place as they are now."""

    def actions(self, snapshot: Snapshot, element: str, language: Language) -> list[Message]:
        """Return the buttons for an element."""

    def act(self, snapshot: Snapshot, element: str, action: str, language: Language, tell: Send) -> None:
        """Do what a button says, in a thread of its own, and tell the outcome."""


class Session:
    """The live diagram of one widget, in one language."""

    def __init__(self, snapshot: Snapshot, language: Language, deeds: Deeds, send: Send) -> None:
        self.language = language
        self.revision = 1
        self.views: set[str] = set()
        self._send = send
        self._deeds = deeds
        self._chosen: dict[str, bool] = {}
        self._folded: frozenset[str] = frozenset()
        self._naming = Naming()
        self._selected: dict[str, str] = {}
        self._panels: dict[str, Message] = {}
        self._state: Message = {"state": "live", "text": ""}
        self._at_rest: list[Callable[[Picture], None]] = []
        self._rested = self.revision
        self.snapshot = snapshot
        self.scene = self._make_scene(snapshot)
        self._drawing, self._elements = self._draw_scene()
        self._history = History()
        self._note_beginning(en="The lab as it was first shown.", ja="最初に表示したときのラボです。")

    # ── drawing ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _make_scene(self, snapshot: Snapshot) -> Scene:
        scene = Scene(snapshot, self.language)
        crowded = sum(one.kind == "container" for one in snapshot.places) >= MANY_IN_ALL
        limit = _FEW if crowded else MANY_ON_ONE_NETWORK
        folded = set()
        for bridge, count in scene.foldable.items():
            # One container less does not unfold what one more has folded.
            enough = limit - limit // 5 if bridge in self._folded else limit
            if self._chosen.get(bridge, count >= enough):
                folded.add(bridge)
        self._folded = frozenset(folded)
        return scene.with_folded(self._folded)

    def _draw_scene(self) -> tuple[Drawing, Elements]:
        drawing = _draw(scene_to_dot(self.scene))
        return drawing, self._naming.elements(self.scene, drawing)

    def _note_beginning(self, en: str, ja: str) -> None:
        """Make the lab as it is a step of the history, so that one can also step back before the first change."""
        words = say(en=en, ja=ja, language=self.language)
        now, nothing = time.time() * 1000, Changes(())
        step = Step(self.revision, now, nothing, self._drawing, self._elements, language=self.language, beginning=words)
        self._history.add(step)

    @property
    def _foldable(self) -> list[Message]:
        found = []
        for bridge, count in self.scene.foldable.items():
            _, host, name = bridge.split("/")
            network = self.snapshot.networks.get((host, name), name)
            found.append({"id": bridge, "name": network, "count": count, "folded": bridge in self.scene.folded})
        return found

    # ── told by the feed ───────────────────────────────────────────────────────────────────────────────────────────

    def take(self, snapshot: Snapshot, heard: float) -> None:
        """Show a new look at the lab; `heard` is when the first sign of it came, in ms since 1970."""
        found = differences(self.snapshot, snapshot, self.language)
        # What only follows from something else, such as a lost signal, has no command, and stands behind its cause.
        happened = Changes(sorted(found, key=lambda one: not one.commands))
        self.snapshot = snapshot
        self._advance(happened, heard)
        self._refresh_panels()

    def _advance(self, happened: Changes, heard: float) -> None:
        foldable = self._foldable
        self.scene = self._make_scene(self.snapshot)
        drawing, named = self._draw_scene()
        drawing = update.shared(self._drawing, drawing)
        message = update.change(self._drawing, drawing, self._elements, named)
        marked = marks(happened, self._elements, named)
        self._drawing, self._elements = drawing, named
        if not message and not happened:
            return
        self.revision += 1
        now = time.time() * 1000
        step = Step(self.revision, now, happened, drawing, named, marked, self.language)
        if happened:
            self._history.add(step)
        if self._foldable != foldable:
            message["foldable"] = self._foldable
        self._send(
            {
                "type": "change",
                "revision": self.revision,
                "after": self.revision - 1,
                "viewBox": list(drawing.view_box),
                "parts": {},
                "moved": {},
                "gone": [],
                "elements": {},
                "elementsGone": [],
                **message,
                "marks": marked,
                "entry": step.entry if happened else None,
                "heard": heard,
                "sent": time.time() * 1000,
            }
        )

    def begin_anew(self, snapshot: Snapshot) -> None:
        """Show a lab that was thrown away and built again: everything is new, and none of it worth a word."""
        self.snapshot = snapshot
        self.scene = self._make_scene(snapshot)
        self._drawing, self._elements = self._draw_scene()
        self.revision += 1
        self._note_beginning(en="The lab was built anew.", ja="ラボが作り直されました。")
        self._state = {"state": "live", "text": ""}
        self._send(self.whole())
        self._refresh_panels()

    def set_state(self, state: str, text: str = "") -> None:
        """Tell the page that the lab has ended, or lives again."""
        if self._state != {"state": state, "text": text}:
            self._state = {"state": state, "text": text}
            self._send({"type": "state", **self._state})

    def when_at_rest(self, tell: Callable[[Picture], None]) -> None:
        """Have somebody told of the lab's latest state whenever it has rested for a while after a change."""
        self._at_rest.append(tell)

    def rest(self) -> None:
        """Tell them, if anything has changed since."""
        if self.revision != self._rested:
            self._rested = self.revision
            picture = Picture(self.snapshot, self.scene.folded, self.language)
            for tell in self._at_rest:
                tell(picture)

    # ── asked by the page ──────────────────────────────────────────────────────────────────────────────────────────

    def whole(self) -> Message:
        """Return all that a view needs to begin with."""
        return {
            "type": "whole",
            "revision": self.revision,
            **update.whole(self._drawing, self._elements),
            "history": self._history.entries,
            "foldable": self._foldable,
            "state": self._state,
        }

    def hear(self, message: Message) -> None:
        """Answer a message of the page; one that makes no sense is left alone."""
        kind, view = message.get("type"), str(message.get("view", ""))
        if kind == "whole":
            self.views.add(view)
            self._send({**self.whole(), "view": view})
        elif kind == "picture":
            self._show_step(view, message.get("revision"))
        elif kind == "select":
            self._select(view, message.get("id"))
        elif kind == "act":
            self._act(view, str(message.get("id")), str(message.get("action")))
        elif kind == "fold":
            self._fold(message.get("id"), folded=bool(message.get("folded")))
        elif kind == "bye":
            for known in (self._selected, self._panels):
                known.pop(view, None)
            self.views.discard(view)

    def _show_step(self, view: str, revision: object) -> None:
        step = self._history.step(revision) if isinstance(revision, int) else None
        answer: Message = {"type": "picture", "view": view, "revision": revision}
        if step is None:
            self._send({**answer, "missing": True})
            return
        self._send({**answer, **update.whole(step.drawing, step.elements), "marks": step.marks, "entry": step.entry})

    def _fold(self, element: object, *, folded: bool) -> None:
        for bridge in self.scene.foldable:
            if element is None or element in (bridge, "fold/" + bridge.removeprefix("interface/")):
                self._chosen[bridge] = folded
        self._advance(Changes(()), time.time() * 1000)

    # ── the panel ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _select(self, view: str, element: object) -> None:
        self._panels.pop(view, None)
        if not isinstance(element, str):
            self._selected.pop(view, None)
            return
        self._selected[view] = element
        self._refresh_panels()

    def _refresh_panels(self) -> None:
        for view, element in self._selected.items():
            shown = panel(self.scene, element, self._deeds.panel_lines, self._deeds.rules)
            shown["actions"] = self._deeds.actions(self.snapshot, element, self.language)
            if self._panels.get(view) != shown:
                self._panels[view] = shown
                self._send({"type": "panel", "view": view, "id": element, **shown})

    def _act(self, view: str, element: str, action: str) -> None:
        def tell(outcome: Message) -> None:
            self._send({"type": "outcome", "view": view, "id": element, "action": action, **outcome})

        self._deeds.act(self.snapshot, element, action, self.language, tell)
