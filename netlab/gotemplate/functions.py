"""The functions of a docker `--format` template: those that Go has, and those that the docker command adds."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from netlab.gotemplate.values import MISSING, Struct, kind, shown, to_json

_VERB = re.compile(r"%(?P<flags>[-+0# ]*)(?P<width>\d*)(?:\.(?P<precision>\d+))?(?P<verb>[a-zA-Z%])")


class CallError(Exception):
    """A function cannot do what it was asked for; the message has Go's words."""


def true(value: Any) -> bool:
    """Tell whether Go takes a value for true: neither false, nor zero, nor empty, nor nil."""
    return bool(value)


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if value is None or value is MISSING:
            raise CallError("index of untyped nil")
        if isinstance(value, dict):
            if not isinstance(key, str):
                raise CallError(f"value has type {kind(key)}; should be string")
            value = value.get(key, MISSING if isinstance(value, Struct) else None)
        elif isinstance(value, list | tuple):
            if not isinstance(key, int):
                raise CallError(f"cannot index slice/array with type {kind(key)}")
            if not 0 <= key < len(value):
                raise CallError(f"index out of range: {key}")
            value = value[key]
        elif isinstance(value, str):
            if not isinstance(key, int) or not 0 <= key < len(value.encode()):
                raise CallError(f"index out of range: {key}")
            value = value.encode()[key]  # the number of a byte, as Go has it
        else:
            raise CallError(f"can't index item of type {kind(value)}")
    return value


def _length(value: Any) -> int:
    if value is None or value is MISSING:
        raise CallError("len of nil pointer")
    if not isinstance(value, str | list | tuple | dict):
        raise CallError(f"len of type {kind(value)}")
    return len(value.encode()) if isinstance(value, str) else len(value)


def _slice(value: Any, *bounds: Any) -> Any:
    if not isinstance(value, str | list | tuple):
        raise CallError(f"can't slice item of type {kind(value)}")
    if wrong := [bound for bound in bounds if not isinstance(bound, int)]:
        raise CallError(f"cannot index slice/array with type {kind(wrong[0])}")
    first, last = (*bounds, *(0, len(value))[len(bounds) :])[:2]
    for bound in (first, last):
        if not 0 <= bound <= len(value):
            raise CallError(f"index out of range: {bound}")
    if first > last:
        raise CallError(f"invalid slice index: {first} > {last}")
    return value[first:last]


def _equal(first: Any, *others: Any) -> bool:
    if not others:
        raise CallError("missing argument for comparison")
    for other in others:
        if type(first) is not type(other) and None not in (first, other):
            raise CallError("incompatible types for comparison")
    return first in others


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def function(first: Any, second: Any) -> bool:
        if type(first) is not type(second):
            raise CallError("incompatible types for comparison")
        return compare(first, second)

    return function


def _and(first: Any, *others: Any) -> Any:
    for other in others:
        if not true(first):
            return first
        first = other
    return first


def _or(first: Any, *others: Any) -> Any:
    for other in others:
        if true(first):
            return first
        first = other
    return first


def _print(*values: Any) -> str:
    """Join values, with a space between two of which neither is a string."""
    text = ""
    for number, value in enumerate(values):
        if number and not isinstance(value, str) and not isinstance(values[number - 1], str):
            text += " "
        text += shown(value, inside=True)
    return text


def _printf(form: str, *values: Any) -> str:
    left = list(values)

    def replace(match: re.Match[str]) -> str:
        verb, flags, width = match["verb"], match["flags"], int(match["width"] or 0)
        if verb == "%":
            return "%"
        if not left:
            return f"%!{verb}(MISSING)"
        text = _verb(verb, left.pop(0), match["precision"])
        if "-" in flags:
            return text.ljust(width)
        return text.zfill(width) if "0" in flags else text.rjust(width)

    text = _VERB.sub(replace, form)
    extra = ", ".join(f"{kind(value)}={shown(value, inside=True)}" for value in left)
    return f"{text}%!(EXTRA {extra})" if left else text


def _verb(verb: str, value: Any, precision: str | None) -> str:
    if verb == "T":
        return kind(value)
    if verb == "q" and isinstance(value, str):
        return to_json(value)
    if verb == "d" and isinstance(value, int):
        return str(int(value))
    if verb == "x" and isinstance(value, int):
        return f"{value:x}"
    if verb == "f" and isinstance(value, float):
        return f"{value:.{precision or 6}f}"
    if verb in "vs" and (verb == "v" or isinstance(value, str | list | dict)):
        return shown(value, inside=True)[: None if precision is None else int(precision)]
    return f"%!{verb}({kind(value)}={shown(value, inside=True)})"


def _println(*values: Any) -> str:
    return " ".join(shown(value, inside=True) for value in values) + "\n"


def _title(text: str) -> str:
    return re.sub(r"[^\W\d_]+", lambda word: word[0][0].upper() + word[0][1:], text)


def _join(items: list[str], separator: str) -> str:
    return separator.join(items)


def _json(value: Any) -> str:
    # Rows of a list are written by a part of docker that spares browsers <, > and &; all else is not.
    return to_json(value, escape_html=isinstance(value, Struct) and bool(value.go_type))


def _pad(text: str, before: int, after: int) -> str:
    return " " * before + text + " " * after if text else text


def _split(text: str, separator: str) -> list[str]:
    return text.split(separator)


def _truncate(text: str, length: int) -> str:
    return text[:length]


def _upper(text: str) -> str:
    return text.upper()


def _lower(text: str) -> str:
    return text.lower()


def _not(value: Any) -> bool:
    return not true(value)


def _unequal(first: Any, second: Any) -> bool:
    return not _equal(first, second)


def fits(value: Any, wanted: Any) -> bool:
    """Tell whether a value may be given where a function wants a str, an int or a list[str]."""
    if wanted == list[str]:
        return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
    return type(value) is wanted


FUNCTIONS: dict[str, Callable[..., Any]] = {
    # Go's
    "and": _and,
    "eq": _equal,
    "ge": _ordered(operator.ge),
    "gt": _ordered(operator.gt),
    "index": _index,
    "le": _ordered(operator.le),
    "len": _length,
    "lt": _ordered(operator.lt),
    "ne": _unequal,
    "not": _not,
    "or": _or,
    "print": _print,
    "printf": _printf,
    "println": _println,
    "slice": _slice,
    # Docker's (docker/cli templates/templates.go)
    "join": _join,
    "json": _json,
    "lower": _lower,
    "pad": _pad,
    "split": _split,
    "title": _title,
    "truncate": _truncate,
    "upper": _upper,
}
