"""The buttons of the live diagram: what can be done to the selected thing, each with the command that does it."""

from __future__ import annotations

import contextlib
import shlex
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from netlab import observer
from netlab.errors import LabClosed, NetlabError
from netlab.language import Language, say
from netlab.model import Interface, PlaceState, Rule, Snapshot
from netlab.view import words

if TYPE_CHECKING:
    from netlab.lab import Lab  # which shows itself by this module

Message = dict[str, Any]
_CAPTURE_SECONDS = 5
_CAPTURED = 20


@dataclass(frozen=True)
class Action:
    """One button: its name, its label, the command, the place to type it in, and what doing it returns to show."""

    name: str
    label: str
    command: str
    where: str
    do: Callable[[Lab], str] | None = None  # None: the command is a line to paste into a terminal of the machine

    @property
    def message(self) -> Message:
        """The button, as the page wants it."""
        kind: Literal["run", "paste"] = "run" if self.do else "paste"
        return {"action": self.name, "label": self.label, "command": self.command, "where": self.where, "kind": kind}


class Actions:
    """What can be done to the things of a lab. Holds the lab only as long as somebody else does."""

    def __init__(self, lab: Lab) -> None:
        self._lab = weakref.ref(lab)
        self._name = lab.name

    def panel_lines(self, place: str, command: str) -> str:
        """Return the line for a terminal of the machine that runs a command in a place."""
        return terminal_line("exec", "--lab", self._name, place, "--", *shlex.split(command))

    def rules(self, place: str) -> list[Rule]:
        """Return the nftables rules of a place as they are now; none when it has gone."""
        lab = self._lab()
        if lab is None or lab.closed:
            return []
        with contextlib.suppress(NetlabError, OSError):
            return [rule for chain in observer.chains(lab.world, place) for rule in chain.rules]
        return []

    def actions(self, snapshot: Snapshot, element: str, language: Language) -> list[Message]:
        """Return the buttons for an element."""
        return [one.message for one in self._of(snapshot, element, language)]

    def act(
        self, snapshot: Snapshot, element: str, name: str, language: Language, tell: Callable[[Message], None]
    ) -> None:
        """Do what a button says, in a thread of its own, and tell the outcome."""
        chosen = next((one for one in self._of(snapshot, element, language) if one.name == name), None)
        if chosen is None or chosen.do is None:
            text = say(en="This cannot be done any more.", ja="この操作は、もうできません。", language=language)
            tell({"command": "", "ok": False, "text": text})
            return
        action, do = chosen, chosen.do

        def run() -> None:
            try:
                lab = self._lab()
                if lab is None:
                    raise LabClosed(
                        say(en="The lab has been closed.", ja="ラボは閉じられています。", language=language)
                    )
                text = do(lab)
            except (
                NetlabError,
                OSError,
            ) as error:  # also when the sandbox ends meanwhile: the page waits for an answer
                notes = "\n".join(getattr(error, "__notes__", []))
                tell({"command": action.command, "ok": False, "text": "\n".join(filter(None, [str(error), notes]))})
            else:
                tell({"command": action.command, "ok": True, "text": text})

        threading.Thread(target=run, name="netlab action", daemon=True).start()

    def _of(self, snapshot: Snapshot, element: str, language: Language) -> list[Action]:
        lab = self._lab()
        if lab is None or lab.closed:
            return []
        kind, _, rest = element.partition("/")
        names = rest.split("/")
        maker = _Maker(lab, snapshot, language)
        if kind == "place":
            return list(maker.place(rest))
        if kind == "interface":
            return list(maker.interface(names[0], names[1]))
        if kind == "link" and len(names) == 4:
            return [*maker.switch(names[0], names[1]), *maker.switch(names[2], names[3])]
        return []


class _Maker:
    """Makes the buttons, in one language."""

    def __init__(self, lab: Lab, snapshot: Snapshot, language: Language) -> None:
        self._lab = lab
        self._snapshot = snapshot
        self._language = language

    def _say(self, en: str, ja: str) -> str:
        return say(en=en, ja=ja, language=self._language)

    # ── places ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def place(self, name: str) -> Iterator[Action]:
        place = self._snapshot.place(name)
        container = self._lab.containers.get(name)
        if place is None:
            if container is not None:
                yield self._start(name)
            return
        yield self._shell(name)
        yield from self._capture(name, "any")
        if container is not None:
            yield self._docker(
                "stop", self._say("Stop", "停止"), f"docker stop {name}", place, lambda lab: lab.stop(name)
            )
            yield from self._networks(place)
        if place.kind == "host":
            stopped = (one.name for one in self._lab.containers.values() if one.status != "running")
            yield from (self._start(one) for one in stopped)

    def _start(self, name: str) -> Action:
        label = self._say(f"Start {name}", f"{name} を開始")
        return self._docker(f"start {name}", label, f"docker start {name}", None, lambda lab: lab.start(name))

    def _docker(
        self, name: str, label: str, command: str, place: PlaceState | None, do: Callable[[Lab], object]
    ) -> Action:
        def run(lab: Lab) -> str:
            do(lab)
            return self._say("Done.", "完了しました。")

        where = place.host if place and place.host else self._lab.host.name
        return Action(name, label, command, where, run)

    def _networks(self, place: PlaceState) -> Iterator[Action]:
        container = self._lab.containers[place.name]
        if not container.endpoints and container.asked.mode in ("host", "none"):
            return
        for name in container.endpoints:
            label = self._say(f"Disconnect from {name}", f"{name} から切断")
            command = f"docker network disconnect {name} {place.name}"
            do = partial(_disconnect, name, place.name)
            yield self._docker(f"disconnect {name}", label, command, place, do)
        for network in self._lab.networks_of(place.host).values():
            if network.name not in container.endpoints and network.driver not in ("host", "null"):
                name = network.name
                label = self._say(f"Connect to {name}", f"{name} に接続")
                command = f"docker network connect {name} {place.name}"
                yield self._docker(f"connect {name}", label, command, place, partial(_connect, name, place.name))

    def _shell(self, place: str) -> Action:
        line = terminal_line("shell", "--lab", self._lab.name, place)
        return Action("shell", self._say("Open a shell", "シェルを開く"), line, place)

    # ── interfaces ─────────────────────────────────────────────────────────────────────────────────────────────────

    def interface(self, place: str, name: str) -> Iterator[Action]:
        at = self._find(place, name)
        if at is None:
            return
        yield from self.switch(place, name)
        yield from self._plug(*at)
        yield from self._capture(place, name)
        yield self._shell(place)

    def switch(self, place: str, name: str) -> Iterator[Action]:
        """Yield the button that switches an interface on or off."""
        at = self._find(place, name)
        if at is None:
            return
        new = "down" if at[1].up else "up"
        label = self._say(f"Switch {name} off ({place})", f"{place} の {name} を切る")
        if new == "up":
            label = self._say(f"Switch {name} on ({place})", f"{place} の {name} を入れる")

        def run(lab: Lab) -> str:
            link = lab[place].link(name)
            (link.down if new == "down" else link.up)()
            return _after(lab, place, name)

        yield Action(f"{new} {place}/{name}", label, f"ip link set {name} {new}", place, run)

    def _plug(self, place: PlaceState, one: Interface) -> Iterator[Action]:
        if one.master:
            label = self._say(f"Unplug from {one.master}", f"{one.master} から外す")
            yield self._link_action("unplug", label, place, one, None)
        elif one.kind == "veth" and not words.shown_addresses(one):
            for bridge in (each for each in place.interfaces if each.kind == "bridge"):
                label = self._say(f"Plug into {bridge.name}", f"{bridge.name} に差し込む")
                yield self._link_action(f"plug {bridge.name}", label, place, one, bridge.name)

    def _link_action(self, name: str, label: str, place: PlaceState, one: Interface, bridge: str | None) -> Action:
        def run(lab: Lab) -> str:
            link = lab[place.name].link(one.name)
            if bridge is None:
                link.detach()
            else:
                link.attach(bridge)
            return _after(lab, place.name, one.name)

        what = f"master {bridge}" if bridge else "nomaster"
        return Action(name, label, f"ip link set {one.name} {what}", place.name, run)

    def _capture(self, place: str, interface: str) -> Iterator[Action]:
        command = f"tcpdump -n -i {interface}"
        limited = f"timeout {_CAPTURE_SECONDS} {command} -c {_CAPTURED}"

        def run(lab: Lab) -> str:
            result = lab[place].sh(limited, timeout=_CAPTURE_SECONDS + 5)
            return "\n".join(filter(None, [result.stdout.strip(), result.stderr.strip()]))

        label = self._say(f"Capture for {_CAPTURE_SECONDS} s", f"{_CAPTURE_SECONDS} 秒間キャプチャ")
        yield Action("capture", label, limited, place, run)
        line = terminal_line("exec", "--lab", self._lab.name, place, "--", *shlex.split(command))
        yield Action("capture-line", self._say("Capture in a terminal", "端末でキャプチャ"), line, place)

    def _find(self, place: str, name: str) -> tuple[PlaceState, Interface] | None:
        found = self._snapshot.place(place)
        one = found.interface(name) if found else None
        return (found, one) if found and one else None


def terminal_line(*words: str) -> str:
    """Return a line of the `netlab` command to paste into a terminal of the machine."""
    return shlex.join([str(Path(sys.executable).with_name("netlab")), *words])


def _connect(network: str, container: str, lab: Lab) -> None:
    lab.connect(network, container)


def _disconnect(network: str, container: str, lab: Lab) -> None:
    lab.disconnect(network, container)


def _after(lab: Lab, place: str, name: str) -> str:
    """Return what the kernel says of an interface after it was changed."""
    return lab[place].sh(f"ip -brief link show dev {shlex.quote(name)}").stdout.strip()
