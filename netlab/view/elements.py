"""What can be pointed at in a picture, in words: for a search, for a screen reader."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from netlab.language import say
from netlab.view import words
from netlab.view.boxes import interface_id, link_id, place_id
from netlab.view.nat import publications, translations
from netlab.view.published import published_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netlab.model import Interface, PlaceState
    from netlab.view.parts import Drawing
    from netlab.view.scene import Scene

_DATA_ID = re.compile(r'data-id="([^"]+)"')

Element = dict[str, str]  # name, label, kind, and fold if it is inside a folded network


class Naming:
    """Names the elements of one drawing after the other; what is as it was the last time is not put into words again."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[object, list[tuple[str, Element]]]] = {}

    def elements(self, scene: Scene, drawing: Drawing) -> dict[str, Element]:
        """Return everything that can be selected in the drawing or found in what it folds, by its id."""
        drawn = {name for part in drawing.parts.values() for name in _DATA_ID.findall(part.fragment)}
        found: dict[str, Element] = {}
        for place in scene.snapshot.places:
            fold = scene.fold_of(place)
            named = self._of_place(scene, place, fold)
            found |= {name: element for name, element in named if fold is not None or name in drawn}
        for fold, places in scene.folds.items():
            label = words.folded(len(places), scene.language)
            found[fold] = {"name": fold.rpartition("/")[2], "label": label, "kind": "fold"}
        for name in drawn:
            if name.startswith("tunnel/") and name.count("/") == 1:
                found[name] = {"name": name, "label": f"VXLAN {name.partition('/')[2]}", "kind": "tunnel"}
        return found

    def _of_place(self, scene: Scene, place: PlaceState, fold: str | None) -> list[tuple[str, Element]]:
        peers = [scene.peer(one) for one in place.interfaces]
        far = [(other[0].name, other[1]) for other in peers if other]
        key = None if place.chains else (place, far, scene.owns(place), fold, scene.language)
        known = self._known.get(place.name)
        if known is None or key is None or known[0] != key:
            inside = {"fold": fold} if fold is not None else {}
            known = key, [(name, element | inside) for name, element in _of_place(scene, place)]
            self._known[place.name] = known
        return known[1]


def elements(scene: Scene, drawing: Drawing) -> dict[str, Element]:
    """Return everything that can be selected in the drawing or found in what it folds, by its id."""
    return Naming().elements(scene, drawing)


def _of_place(scene: Scene, place: PlaceState) -> Iterator[tuple[str, Element]]:
    yield place_id(place), {"name": place.name, "label": _place_label(scene, place), "kind": place.kind}
    if not scene.owns(place):
        return
    for one in place.interfaces:
        kind = "bridge" if one.kind == "bridge" else "interface"
        name = f"{one.name} ({place.name})"
        yield interface_id(place, one), {"name": name, "label": interface_label(scene, place, one), "kind": kind}
        other = scene.peer(one)
        if other:
            link = link_id(place, one, *other)
            yield (
                link,
                {"name": f"{one.name} ⇄ {other[1].name}", "label": _link_label(scene, place, one), "kind": "link"},
            )
    for door in publications(place, scene.snapshot) if place.kind == "host" else ():
        label = say(
            en=f"published port {door.caught}, to {door.owner} port {door.port}",
            ja=f"公開ポート {door.caught}、{door.owner} のポート {door.port} へ",
            language=scene.language,
        )
        yield published_id(place, door), {"name": f"{door.caught} → {door.owner}", "label": label, "kind": "published"}
    lines = translations(place, scene.snapshot)
    if lines:
        yield f"nat/{place.name}", {"name": f"NAT ({place.name})", "label": "; ".join(lines), "kind": "nat"}


def _place_label(scene: Scene, place: PlaceState) -> str:
    addresses = [
        str(one) for each in place.interfaces for one in words.shown_addresses(each) if each.kind != "loopback"
    ]
    off = [one.name for one in place.interfaces if words.is_off(one) and one.kind != "loopback"]
    broken = say(en=f"not working: {', '.join(off)}", ja=f"動作していない: {', '.join(off)}", language=scene.language)
    kind = words.kind(place.kind, scene.language)
    head = f"{kind} {place.name}" if place.name != place.kind else place.name
    return ", ".join([head, *addresses, *([broken] if off else [])])


def interface_label(scene: Scene, place: PlaceState, one: Interface) -> str:
    """Say what an interface is, in a line: both ends of a veth with their numbers, a port's state, addresses."""
    language = scene.language
    parts = [
        say(en=f"{one.name} in {place.name}", ja=f"{place.name} の {one.name}", language=language),
        f"ifindex {one.index}",
        one.kind,
        words.trouble(one, language) or one.state,
        *(str(address) for address in words.shown_addresses(one)),
    ]
    if one.master:
        state = one.port_state or ""
        parts.append(
            say(en=f"port of {one.master} {state}", ja=f"{one.master} のポート {state}", language=language).strip()
        )
    other = scene.peer(one)
    if other:
        far = f"{other[1].name} (ifindex {other[1].index})"
        parts.append(
            say(en=f"other end {far} in {other[0].name}", ja=f"相手側は {other[0].name} の {far}", language=language)
        )
    elif one.kind == "veth":
        parts.append(words.elsewhere(language))
    return ", ".join(parts)


def _link_label(scene: Scene, place: PlaceState, one: Interface) -> str:
    other = scene.peer(one)
    if other is None:
        return one.name
    ends = [
        say(
            en=f"{end.name} (ifindex {end.index}) in {where.name}",
            ja=f"{where.name} の {end.name} (ifindex {end.index})",
            language=scene.language,
        )
        for where, end in ((place, one), other)
    ]
    if words.is_off(one) or words.is_off(other[1]):
        state = say(en="not working", ja="つながっていません", language=scene.language)
    else:
        state = say(en="up", ja="つながっています", language=scene.language)
    return say(en="cable", ja="ケーブル", language=scene.language) + ": " + " ⇄ ".join(ends) + ", " + state
