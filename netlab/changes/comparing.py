"""Comparing two looks at a lab: which places came, went, or became different inside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from netlab import ops
from netlab.changes.difference import Difference, made
from netlab.changes.interfaces import Interfaces
from netlab.changes.tables import forwarding_differences, route_differences, rule_differences, socket_differences
from netlab.language import Language, current, say
from netlab.model import PlaceState, Snapshot
from netlab.view.boxes import place_id


def differences(before: Snapshot, after: Snapshot, language: Language | None = None) -> tuple[Difference, ...]:
    """Return what the kernel gained, lost or changed from one look to the next, each with a sentence and its commands.

    Neighbour tables and what bridges have learned are left out: they follow the traffic and forget by themselves. So are
    addresses, routes and rules that the kernel makes and takes away on its own together with something that is told. What
    a snapshot does not hold cannot be told: sets and maps of nftables, and sysctls other than ip_forward.
    """
    chosen = language or current()
    before, after = _where_different(before, after)
    found = list(_places(before, after, chosen))
    old, new = _owned(before), _owned(after)
    old = {_name_after(one, after): one for one in old.values()}
    interfaces = Interfaces(old, new, after.networks | before.networks, chosen)
    found += interfaces.differences()
    for name in dict.fromkeys([*old, *new]):
        was, now = old.get(name), new.get(name)
        if now is None:
            continue  # what was in it went with it
        if was is None or was.inode != now.inode:
            was = replace(now, routes=(), chains=(), sockets=(), ip_forward=False)  # a new namespace has none of these
        found += forwarding_differences(was, now, chosen)
        found += route_differences(was, now, interfaces.touched(name), chosen)
        found += rule_differences(was, now, chosen)
        found += socket_differences(was, now, chosen)
    return tuple(found)


def _where_different(before: Snapshot, after: Snapshot) -> tuple[Snapshot, Snapshot]:
    """Leave out the places that are the same object in both looks, as most are in a large lab that is followed."""
    known = {place.name: place for place in before.places}
    same = {place.name for place in after.places if known.get(place.name) is place}
    others = {place.inode for one in (before, after) for place in one.places if place.name not in same}
    old, new = (
        replace(one, places=tuple(place for place in one.places if place.name not in same or place.inode in others))
        for one in (before, after)
    )
    return old, new


def _owned(snapshot: Snapshot) -> dict[str, PlaceState]:
    """Return the places by name that have a network namespace of their own; a host goes before containers that share it."""
    owners: dict[int, PlaceState] = {}
    for place in sorted(snapshot.places, key=lambda one: one.kind != "host"):
        owners.setdefault(place.inode, place)
    return {place.name: place for place in snapshot.places if owners[place.inode] is place}


def _name_after(place: PlaceState, after: Snapshot) -> str:
    """Return the name that a place has now; the same one if it has gone."""
    same = after.place(place.name)
    if same is not None and same.inode == place.inode:
        return place.name
    renamed = next((one.name for one in after.places if (one.inode, one.kind) == (place.inode, place.kind)), None)
    return renamed or place.name


def _places(before: Snapshot, after: Snapshot, language: Language) -> Iterator[Difference]:
    names = {_name_after(one, after): one for one in before.places}
    for name, was in names.items():
        now = after.place(name)
        if now is None:
            words = _what(was, language)
            sentence = say(en=f"The {words} went.", ja=f"{words}がなくなりました。", language=language)
            yield made(place_id(was), "went", sentence, ops.DeleteNamespace(was.host or ops.HOST, was.name))
        elif now.name != was.name:
            sentence = say(
                en=f"{was.name} is called {now.name} now.",
                ja=f"{was.name} の名前が {now.name} に変わりました。",
                language=language,
            )
            yield made(place_id(now), "changed", sentence)
        elif now.inode != was.inode:
            sentence = say(
                en=f"{name} has a new network namespace.",
                ja=f"{name} のネットワーク名前空間が新しくなりました。",
                language=language,
            )
            host = now.host or ops.HOST
            anew = [ops.DeleteNamespace(host, name), ops.AddNamespace(host, name)]
            yield made(place_id(now), "changed", sentence, *anew)
    for now in after.places:
        if now.name not in names:
            words = _what(now, language)
            sentence = say(en=f"A {words} appeared.", ja=f"{words}が現れました。", language=language)
            shared = any(other.inode == now.inode for other in after.places if other is not now)
            add = [] if shared else [ops.AddNamespace(now.host or ops.HOST, now.name)]
            yield made(place_id(now), "appeared", sentence, *add)


def _what(place: PlaceState, language: Language) -> str:
    kinds = {
        "container": say(en="container", ja="コンテナ", language=language),
        "namespace": say(en="network namespace", ja="ネットワーク名前空間", language=language),
    }
    kind = kinds.get(place.kind, say(en="machine", ja="マシン", language=language))
    return f"{kind} {place.name}" + (" " if language == "ja" else "")
