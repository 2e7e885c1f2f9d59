"""The few words that pictures, text and tables share, in both languages."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from netlab.language import Language, say

if TYPE_CHECKING:
    from netlab.model import Address, Interface, PlaceKind, PlaceState, Socket

INTERNET_KINDS = frozenset({"router", "server", "client"})
# Docker's resolver: every container has it on a port of its own, so it would say nothing about one of them.
_RESOLVER = "127.0.0.11"
_MANY_SOCKETS = 4


def width(text: str) -> float:
    """Return how many columns a terminal needs for the text: a Japanese letter takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def internet(language: Language) -> str:
    return say(en="internet", ja="インターネット", language=language)


def bridge(language: Language) -> str:
    return say(en="bridge", ja="ブリッジ", language=language)


def kind(kind: PlaceKind, language: Language) -> str:
    """Return what a place is."""
    return {
        "host": say(en="host", ja="ホスト", language=language),
        "container": say(en="container", ja="コンテナ", language=language),
        "namespace": say(en="network namespace", ja="ネットワーク名前空間", language=language),
        "router": say(en="router", ja="ルーター", language=language),
        "server": say(en="server", ja="サーバー", language=language),
        "client": say(en="client", ja="クライアント", language=language),
    }[kind]


def folded(count: int, language: Language) -> str:
    """Say how many places stand behind one box."""
    return say(en=f"{count} containers", ja=f"コンテナ {count} 個", language=language)


def folded_broken(count: int, language: Language) -> str:
    """Say how many of them have a cable that does not work."""
    return say(en=f"{count} without a signal ✕", ja=f"{count} 個は信号なし ✕", language=language)


def empty_lab(language: Language) -> str:
    return say(en="nothing here yet", ja="まだ何もありません", language=language)


def no_network(language: Language) -> str:
    return say(en="network switched off", ja="ネットワークなし", language=language)


def shares(owner: str, language: Language) -> str:
    """Say that a place has no network namespace of its own."""
    return say(en=f"uses {owner}'s network", ja=f"{owner} のネットワークを使用", language=language)


def elsewhere(language: Language) -> str:
    return say(en="other end unknown", ja="相手側は不明", language=language)


def more(count: int, language: Language) -> str:
    return say(en=f"… {count} more", ja=f"… 他 {count} 件", language=language)


def beside_name(place: PlaceState) -> str:
    """Return the word beside a place's name: its image, or that it is a bare namespace."""
    return place.label or ("namespace" if place.kind == "namespace" else "")


def is_off(interface: Interface) -> bool:
    """Whether the interface cannot carry packets, in a way worth marking."""
    if interface.kind == "bridge" and interface.up:
        return False  # a bridge has a signal when one of its ports has; its ports tell the story
    return not interface.works


def trouble(interface: Interface, language: Language) -> str:
    """Say in a word what keeps the interface from working; nothing when it works."""
    if not interface.up:
        return "DOWN ✕"
    if is_off(interface):
        return say(en="no signal ✕", ja="信号なし ✕", language=language)
    if interface.port_state not in (None, "forwarding", "disabled"):
        return str(interface.port_state)
    return ""


def shown_addresses(interface: Interface) -> tuple[Address, ...]:
    """Return the addresses that a reader cares about: those that others can use."""
    return tuple(one for one in interface.addresses if one.scope not in ("link", "host") or _is_loopback(interface))


def _is_loopback(interface: Interface) -> bool:
    return interface.kind == "loopback"


def shown_interfaces(place: PlaceState) -> tuple[Interface, ...]:
    """Return the interfaces worth showing: lo only where it teaches (alone, DOWN, or with an odd address)."""
    alone = len(place.interfaces) == 1 and place.kind != "host"
    return tuple(one for one in place.interfaces if not _is_loopback(one) or alone or not one.up or _is_unusual(one))


def _is_unusual(loopback: Interface) -> bool:
    return any(str(one) not in ("127.0.0.1/8", "::1/128") for one in loopback.addresses)


def listens(place: PlaceState, language: Language) -> str:
    """Say on which ports processes of the place listen, in a few words."""
    ports = dict.fromkeys(_port(one) for one in place.sockets if one.address != _RESOLVER)
    if not ports:
        return ""
    shown = list(ports)[:_MANY_SOCKETS]
    rest = ["…"] if len(ports) > _MANY_SOCKETS else []
    return say(en="listens ", ja="待ち受け ", language=language) + " ".join(shown + rest)


def _port(socket: Socket) -> str:
    where = "" if socket.address in ("0.0.0.0", "::", "*", "") else socket.address
    where = f"[{where}]" if ":" in where else where
    return f"{where}:{socket.port}" + ("/udp" if socket.protocol == "udp" else "")
