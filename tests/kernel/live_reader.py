"""A page as a live diagram sees it: keeps what it was sent, as the browser does, and can be waited for."""

from __future__ import annotations

import threading

WAIT = 10.0


class Page:
    """One view. It applies changes to what it has, asks for all when it missed one, and remembers every message."""

    def __init__(self, lab, language="en", view="view"):
        self.view = view
        self.messages = []
        self.parts, self.order, self.elements = {}, [], {}
        self.revision, self.state, self.missed = 0, None, 0
        self._came = threading.Condition()
        self.feed = lab.show()._feed
        self.session = self.feed.open(lab.snapshot(), language, self._hear)
        self.ask("whole")

    def ask(self, kind, **fields):
        self.feed.hear(self.session, {"type": kind, "view": self.view, **fields})

    def _hear(self, message):
        with self._came:
            self.messages.append(message)
            getattr(self, f"_hear_{message['type']}", lambda _: None)(message)
            self._came.notify_all()

    def _hear_whole(self, message):
        self.parts, self.order = dict(message["parts"]), message["order"]
        self.elements, self.revision = dict(message["elements"]), message["revision"]
        self.state = message["state"]["state"]

    def _hear_change(self, message):
        if message["after"] != self.revision:
            self.missed += 1
            return
        self.revision = message["revision"]
        self.parts |= message["parts"]
        for name, place in message["moved"].items():
            self.parts[name] = [*place, self.parts[name][2]]
        for name in message["gone"]:
            del self.parts[name]
        self.order = message.get("order", self.order)
        self.elements |= message["elements"]
        for name in message["elementsGone"]:
            del self.elements[name]

    def _hear_state(self, message):
        self.state = message["state"]

    @property
    def text(self):
        """All that is drawn."""
        return "".join(part[2] for part in self.parts.values())

    @property
    def sentences(self):
        return [said for one in self.of("change") if one["entry"] for said in one["entry"]["sentences"]]

    def of(self, kind):
        return [one for one in list(self.messages) if one["type"] == kind]

    def wait_for(self, condition, what):
        """Wait until the page is as it should be."""
        with self._came:
            assert self._came.wait_for(condition, WAIT), f"not within {WAIT:g} s: {what}\n{self.sentences}"

    def wait_for_sentence(self, *words):
        self.wait_for(
            lambda: any(all(word in said for word in words) for said in self.sentences), f"a sentence: {words}"
        )
