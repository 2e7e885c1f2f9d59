"""The lab as a tree of text: for a terminal, a screen reader, a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.language import current
from netlab.view import words
from netlab.view.boxes import kind_words
from netlab.view.nat import translations
from netlab.view.scene import Scene

if TYPE_CHECKING:
    from netlab.language import Language
    from netlab.model import Interface, PlaceState, Snapshot


class _Branch(list["_Branch"]):
    """A line with the lines below it."""

    def __init__(self, text: str, below: list[_Branch] | None = None) -> None:
        super().__init__(below or [])
        self.text = text

    def lines(self, first: str = "", rest: str = "") -> list[str]:
        found = [first + self.text]
        for number, branch in enumerate(self):
            last = number == len(self) - 1
            found += branch.lines(rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "))
        return found


def to_text(snapshot: Snapshot, language: Language | None = None) -> str:
    """Return the lab as a tree: places, interfaces, addresses, what is down, what is translated."""
    scene = Scene(snapshot, language or current())
    tree = _Branch(snapshot.lab)
    if not snapshot.places:
        tree.append(_Branch(words.empty_lab(scene.language)))
    if scene.internet:
        tree.append(_Branch(words.internet(scene.language), [_outside(scene, place) for place in scene.internet]))
    for host in scene.hosts:
        branch = _place(scene, host)
        branch.extend(_place(scene, place) for place in scene.inside(host.name))
        tree.append(branch)
    tree.extend(_place(scene, place) for place in scene.inside(None))
    return "\n".join(tree.lines())


def _outside(scene: Scene, place: PlaceState) -> _Branch:
    interfaces = [one for one in place.interfaces if one.kind != "loopback"]
    addresses = [one.address for interface in interfaces for one in words.shown_addresses(interface)]
    off = [f"{one.name} {words.trouble(one, scene.language)}" for one in interfaces if words.is_off(one)]
    return _Branch("  ".join(part for part in (place.name, place.label, *addresses, *off) if part))


def _place(scene: Scene, place: PlaceState) -> _Branch:
    kind = "" if place.name == place.kind else place.kind
    forwarding = "ip_forward = 1" if place.ip_forward and place.kind == "host" else ""
    parts = [place.name, " ".join(part for part in (kind, place.label) if part), forwarding]
    if scene.owns(place):
        parts += [words.listens(place, scene.language)]
    else:
        parts += [words.shares(scene.owners[place.name].name, scene.language)]
    branch = _Branch("  ".join(part for part in parts if part))
    if not scene.owns(place):
        return branch
    for one in words.shown_interfaces(place):
        if place.interface(one.master or "") is None:
            branch.append(_interface(scene, place, one))
    for line in translations(place, scene.snapshot):
        branch.append(_Branch(line if line.startswith("NAT") else f"NAT {line}"))
    return branch


def _interface(scene: Scene, place: PlaceState, one: Interface) -> _Branch:
    kind = words.bridge(scene.language) if one.kind == "bridge" else kind_words(one)
    network = scene.snapshot.networks.get((place.name, one.name), "")
    parts = [one.name, kind, network if network != one.kind else ""]
    parts += [words.trouble(one, scene.language) or "up", *(str(address) for address in words.shown_addresses(one))]
    other = scene.peer(one)
    if other:
        parts.append(f"⇄ {other[0].name}:{other[1].name}")
    elif one.kind == "veth":
        parts.append(f"⇄ {words.elsewhere(scene.language)}")
    ports = [port for port in place.interfaces if port.master == one.name] if one.kind == "bridge" else []
    return _Branch("  ".join(part for part in parts if part), [_interface(scene, place, port) for port in ports])
