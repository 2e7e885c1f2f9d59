"""What became of a place's tables: routes, rules, listening sockets, and whether it passes packets on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from netlab import ops
from netlab.changes.difference import Difference, made
from netlab.language import Language, say
from netlab.model import Chain, PlaceState, Route, Rule
from netlab.view.boxes import place_id

_TRANSLATES = ("masquerade", "dnat to", "snat to", "redirect")
_RESOLVER = "127.0.0.11"  # every container has it on ports of its own, which say nothing about one of them


def forwarding_differences(was: PlaceState, now: PlaceState, language: Language) -> Iterator[Difference]:
    """Tell whether a place began or stopped to pass packets on."""
    if was.ip_forward == now.ip_forward:
        return
    if now.ip_forward:
        sentence = say(
            en=f"{now.name} passes packets on from one interface to another now.",
            ja=f"{now.name} がパケットを転送するようになりました。",
            language=language,
        )
    else:
        sentence = say(
            en=f"{now.name} passes no packets on any more.",
            ja=f"{now.name} がパケットを転送しなくなりました。",
            language=language,
        )
    value, before = str(int(now.ip_forward)), str(int(was.ip_forward))
    yield made(place_id(now), "changed", sentence, ops.SetSysctl(now.name, "net.ipv4.ip_forward", value, before))


# ── routes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def route_differences(was: PlaceState, now: PlaceState, touched: set[str], language: Language) -> Iterator[Difference]:
    """Tell of routes that came and went, but not of the kernel's own for an interface of which something else is told."""
    had, has = (Counter(_told_of(place, touched)) for place in (was, now))
    for route in (had - has).elements():
        sentence = say(
            en=f"{now.name}: the route {_shown(route)} went.",
            ja=f"{now.name}: 経路 {_shown(route)} がなくなりました。",
            language=language,
        )
        yield made(place_id(now), "went", sentence, ops.DeleteRoute(now.name, *_words(route)))
    for route in (has - had).elements():
        sentence = say(
            en=f"{now.name}: a route appeared: {_shown(route)}.",
            ja=f"{now.name}: 経路が現れました: {_shown(route)}",
            language=language,
        )
        yield made(place_id(now), "appeared", sentence, ops.AddRoute(now.name, *_words(route)))


def _told_of(place: PlaceState, touched: set[str]) -> Iterator[Route]:
    for route in place.routes:
        own = route.protocol == "kernel" and (route.interface in touched or route.family == 6)
        if not own and not route.destination.startswith(("fe80:", "ff00:")):
            yield route


def _words(route: Route) -> tuple[str, str | None, str | None, str]:
    device = None if route.gateway or route.kind != "unicast" else route.interface
    return route.destination, route.gateway, device, route.kind


def _shown(route: Route) -> str:
    kind = "" if route.kind == "unicast" else f"{route.kind} "
    via = f" via {route.gateway}" if route.gateway else ""
    device = f" dev {route.interface}" if route.interface and route.kind == "unicast" else ""
    return f"{kind}{route.destination}{via}{device}"


# ── rules ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def rule_differences(was: PlaceState, now: PlaceState, language: Language) -> Iterator[Difference]:
    """Tell of chains and rules that came and went; handles and counters tell nothing."""
    old, new = _chains(was), _chains(now)
    for key, chain in old.items():
        if key not in new:
            yield _chain_went(now, chain, language)
    tables = {key[:2] for key in old}
    for key, chain in new.items():
        before = old.get(key)
        if before is None:
            yield _chain_appeared(now, chain, language, with_table=key[:2] not in tables)
            tables.add(key[:2])
        elif before.policy != chain.policy:
            yield _policy(now, chain, language)
        yield from _rules(now, before.rules if before else (), chain.rules, language)


def _chains(place: PlaceState) -> dict[tuple[str, str, str], Chain]:
    return {(chain.family, chain.table, chain.name): chain for chain in place.chains}


def _path(one: Chain) -> str:
    return f"{one.family} {one.table} {one.name}"


def _script(place: PlaceState, *lines: str) -> ops.Operation:
    return ops.NftRules(place.name, "\n".join(lines))


def _chain_went(place: PlaceState, chain: Chain, language: Language) -> Difference:
    sentence = say(
        en=f"{place.name}: the chain {_path(chain)} went, with all its rules.",
        ja=f"{place.name}: チェーン {_path(chain)} が、中のルールとともになくなりました。",
        language=language,
    )
    return made(_element(place, chain.rules), "went", sentence, _script(place, f"delete chain {_path(chain)}"))


def _chain_appeared(place: PlaceState, chain: Chain, language: Language, *, with_table: bool) -> Difference:
    hook = f" (hook {chain.hook})" if chain.hook else ""
    sentence = say(
        en=f"{place.name}: a chain appeared: {_path(chain)}{hook}.",
        ja=f"{place.name}: チェーンが現れました: {_path(chain)}{hook}",
        language=language,
    )
    begins = f"add chain {_path(chain)}"
    if chain.hook:
        policy = f" policy {chain.policy};" if chain.policy else ""
        begins += f" {{ type {chain.kind} hook {chain.hook} priority {chain.priority};{policy} }}"
    table = [_script(place, f"add table {chain.family} {chain.table}")] if with_table else []
    return made(_element(place, chain.rules), "appeared", sentence, *table, _script(place, begins))


def _policy(place: PlaceState, chain: Chain, language: Language) -> Difference:
    fate = _fate(chain, language)
    sentence = say(
        en=f"{place.name}: what the chain {_path(chain)} does not decide is {fate} now.",
        ja=f"{place.name}: チェーン {_path(chain)} のポリシーが {fate} になりました。",
        language=language,
    )
    return made(
        place_id(place), "changed", sentence, _script(place, f"chain {_path(chain)} {{ policy {chain.policy}; }}")
    )


def _fate(chain: Chain, language: Language) -> str:
    return say(en="dropped" if chain.policy == "drop" else "accepted", ja=f"{chain.policy}", language=language)


def _rules(
    place: PlaceState, before: tuple[Rule, ...], after: tuple[Rule, ...], language: Language
) -> Iterator[Difference]:
    had, has = (Counter((rule.text, rule.comment) for rule in rules) for rules in (before, after))
    went, came = had - has, has - had
    for rule in before:
        key = rule.text, rule.comment
        if went[key]:
            went[key] -= 1
            sentence = say(
                en=f"{place.name}: a rule went from {rule.chain}: {rule.text}",
                ja=f"{place.name}: {rule.chain} からルールがなくなりました: {rule.text}",
                language=language,
            )
            line = f"delete rule {rule.family} {rule.table} {rule.chain} handle {rule.handle}"
            yield made(_element(place, (rule,)), "went", sentence, _script(place, line))
    for rule in after:
        key = rule.text, rule.comment
        if came[key]:
            came[key] -= 1
            sentence = say(
                en=f"{place.name}: a rule appeared in {rule.chain}: {rule.text}",
                ja=f"{place.name}: {rule.chain} にルールが現れました: {rule.text}",
                language=language,
            )
            comment = f' comment "{rule.comment}"' if rule.comment else ""
            line = f"add rule {rule.family} {rule.table} {rule.chain} {rule.text}{comment}"
            yield made(_element(place, (rule,)), "appeared", sentence, _script(place, line))


def _element(place: PlaceState, rules: tuple[Rule, ...]) -> str:
    """Return the id of what the diagram shows of such rules: the note of translations, or the place."""
    translates = any(word in rule.text for rule in rules for word in _TRANSLATES)
    return f"nat/{place.name}" if translates else place_id(place)


# ── sockets ────────────────────────────────────────────────────────────────────────────────────────────────────────


def socket_differences(was: PlaceState, now: PlaceState, language: Language) -> Iterator[Difference]:
    """Tell of processes that began or stopped to listen."""
    had, has = (
        {(one.protocol, one.address, one.port): one.process for one in place.sockets if one.address != _RESOLVER}
        for place in (was, now)
    )
    for (protocol, address, port), process in had.items():
        if (protocol, address, port) not in has:
            where = _where(address, port)
            sentence = say(
                en=f"{now.name}: nobody listens on {protocol} {where} any more (it was {process or '?'}).",
                ja=f"{now.name}: {protocol} {where} で待ち受けるプロセスがなくなりました ({process or '?'})。",
                language=language,
            )
            yield made(place_id(now), "went", sentence)
    for (protocol, address, port), process in has.items():
        if (protocol, address, port) not in had:
            where = _where(address, port)
            sentence = say(
                en=f"{now.name}: {process or 'a process'} listens on {protocol} {where}.",
                ja=f"{now.name}: {process or 'プロセス'} が {protocol} {where} で待ち受けを始めました。",
                language=language,
            )
            yield made(place_id(now), "appeared", sentence)


def _where(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
