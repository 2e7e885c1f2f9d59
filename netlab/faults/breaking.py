"""Breaking something: a fault drawn by a seed, inflicted on the lab as it is, and found to hurt by a real probe."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator, Sequence

from netlab.errors import CommandFailed, NotFound, RequestError
from netlab.faults import links, names, routes, rules, tunnels
from netlab.faults.fault import FAULTS, Break, Command, Fault, Situation
from netlab.faults.trouble import Inflicted, Trouble
from netlab.faults.ways import Explain, Lab, Way, probe_all, survey
from netlab.language import say
from netlab.world import World

KINDS = tuple(dict.fromkeys(one.kind for one in FAULTS.values()))
_LEVELS = (1, 2, 3)
_MOST = 5
_TRIES = 4  # breaks of one fault, until another is drawn

__all__ = ["FAULTS", "KINDS", "break_something", "inflict", "links", "names", "routes", "rules", "tunnels"]


def break_something(
    lab: Lab,
    world: Callable[[], World],
    explain: Explain,
    *,
    seed: int | None,
    level: int | None,
    kind: str | None,
    count: int,
) -> Trouble:
    """Inflict one fault or several; return the trouble, of which only the symptom is told.

    The same seed breaks the same in a lab built the same way. Raises RequestError when there is nothing that could be broken.
    """
    _check(level, kind, count)
    snapshot = lab.snapshot()
    ways, closed = survey(snapshot, explain)
    working = [way for way, works in zip(ways, probe_all(lab, ways), strict=True) if works]
    situation = Situation(world(), snapshot, working)
    wanted = [one for one in FAULTS.values() if level in (None, one.level) and kind in (None, one.kind)]
    drawn = random.Random(seed)  # noqa: S311 - a choice to be repeated, no secret
    drawn.shuffle(wanted)
    inflicted: list[Inflicted] = []
    try:
        for one in wanted:
            if len(inflicted) == count:
                break
            others = [other.broken.way for other in inflicted]
            if (found := inflict(lab, situation, one, drawn, others)) is None:
                continue
            inflicted.append(found)
            if len(inflicted) < count:  # the next one must interrupt what has survived
                survived = zip(situation.ways, probe_all(lab, situation.ways), strict=True)
                situation = Situation(world(), lab.snapshot(), [way for way, works in survived if works])
    except BaseException:
        for done in reversed(inflicted):
            _run(lab, done.broken.repair)
        raise
    if not inflicted:
        raise _nothing(bool(working), level, kind)
    return Trouble(lab, explain, inflicted, working, closed)


def inflict(
    lab: Lab, situation: Situation, fault: Fault, drawn: random.Random, others: Sequence[Way] = ()
) -> Inflicted | None:
    """Inflict one fault somewhere; None where nothing of the kind can be broken.

    `others` are the ways that earlier faults interrupt: they must stay interrupted (a container that gets the address of
    another would answer in its place), and the engine must not mend them on the way.
    """
    breaks = [one for one in _different(fault.strikes(situation)) if not (others and one.by_engine)]
    drawn.shuffle(breaks)
    for one in breaks[:_TRIES]:
        try:
            _run(lab, one.commands, check=True)
            if not any(probe_all(lab, [one.way, *others])):
                return Inflicted(fault, one)
        except (CommandFailed, NotFound):
            pass  # this kernel does not have it, or an earlier fault took it away: another way
        except BaseException:
            _run(lab, one.repair)
            raise
        _run(lab, one.repair)
    return None


def _different(breaks: Iterator[Break]) -> Iterator[Break]:
    """Leave out what was yielded already for another way."""
    seen = set()
    for one in breaks:
        if one.commands not in seen:
            seen.add(one.commands)
            yield one


def _run(lab: Lab, commands: Sequence[Command], *, check: bool = False) -> None:
    for one in commands:
        with contextlib.nullcontext() if check else contextlib.suppress(Exception):
            lab[one.place].sh(one.command, check=check)


def _check(level: int | None, kind: str | None, count: int) -> None:
    if level is not None and level not in _LEVELS:
        raise RequestError(
            say(
                en=f"There is no level {level!r}. There are: 1, 2, 3",
                ja=f"レベル {level!r} はありません。あるもの: 1、2、3",
            )
        )
    if kind is not None and kind not in KINDS:
        known = ", ".join(KINDS)
        raise RequestError(
            say(
                en=f"There is no kind of fault {kind!r}. There are: {known}",
                ja=f"{kind!r} という種類の障害はありません。あるもの: {known}",
            )
        )
    if not isinstance(count, int) or not 1 <= count <= _MOST:
        raise RequestError(
            say(
                en=f"1 to {_MOST} faults at once, not {count!r}.",
                ja=f"一度に起こせる障害は 1 から {_MOST} 個です。{count!r} は指定できません。",
            )
        )


def _nothing(something_works: bool, level: int | None, kind: str | None) -> RequestError:
    if not something_works:
        return RequestError(
            say(
                en="Nothing can be broken here: nobody reaches anybody yet. Build something first, for example "
                'lab.run("web", image="nginx") and lab.run("app").',
                ja="壊せるものがありません。まだ誰もどこにも通信できないからです。先に何か作ってください。"
                '例: lab.run("web", image="nginx") と lab.run("app")',
            )
        )
    asked = ", ".join(f"{name}={value!r}" for name, value in (("level", level), ("kind", kind)) if value is not None)
    return RequestError(
        say(
            en=f"No fault of this kind ({asked}) fits this lab. Ask for another one, or for any: lab.break_something()",
            ja=f"この条件 ({asked}) に合う障害は、このラボでは起こせません。条件を変えるか、"
            "lab.break_something() としてください。",
        )
    )
