"""Values as Go prints them: what `{{.Field}}` and `{{json .}}` of a docker `--format` show.

Strings, numbers, booleans, lists and dicts are what they are; a dict is a Go map, whose keys come sorted. The classes
here say what Python has no words for.
"""

from __future__ import annotations

import json
from typing import Any


class Struct(dict[str, Any]):
    """A Go struct: its fields keep their order, an unknown one is an error, and it prints as {value value}.

    `go_type` is the name of its type in errors; without one, errors are those of `docker inspect`, which asks the
    untyped data in the end.
    """

    go_type: str = ""


class Pointer(Struct):
    """A pointer to a struct: within a map or a list it prints as an address."""


class NilList(list[Any]):
    """A list that was never made: prints as [], and as null in JSON."""


class NilMap(dict[str, Any]):
    """A map that was never made: prints as map[], and as null in JSON."""


class _Missing:
    """What a map has where it has nothing."""

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return "<no value>"


MISSING = _Missing()


def shown(value: Any, *, inside: bool = False) -> str:
    """Return what Go's %v prints; `inside` another value, a pointer is an address."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Pointer) and inside:
        return f"0xc{id(value) & 0xFFFFFFFFF:09x}"
    if isinstance(value, Struct):
        return "{" + " ".join(shown(field, inside=True) for field in value.values()) + "}"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{shown(value[key], inside=True)}" for key in sorted(value)) + "]"
    if isinstance(value, list | tuple):
        return "[" + " ".join(shown(item, inside=True) for item in value) + "]"
    return str(value)


def to_json(value: Any, *, indent: int | None = None, escape_html: bool = False) -> str:
    """Return JSON as Go writes it: compact or indented, fields of structs in their order, keys of maps sorted."""
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(_plain(value), indent=indent, separators=separators, ensure_ascii=False)
    if escape_html:
        for character in "<>&":
            text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _plain(value: Any) -> Any:
    """Return what json.dumps writes in the order in which Go does."""
    if isinstance(value, NilList | NilMap | _Missing):
        return None
    if isinstance(value, dict):
        keys = value if isinstance(value, Struct) else sorted(value)
        return {key: _plain(value[key]) for key in keys if not callable(value[key])}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def kind(value: Any) -> str:
    """Return the name of a value's type in Go's errors."""
    if isinstance(value, Struct) and value.go_type:
        return value.go_type
    names = {bool: "bool", int: "int", float: "float64", str: "string", list: "[]interface {}"}
    return names.get(type(value), "interface {}")


def field_of(value: Any, name: str, *, untyped: bool = False) -> Any:
    """Return a field of a struct or an entry of a map, MISSING where a map has none; raises LookupError with Go's words.

    In `untyped` data, as `docker inspect` has it, everything is an interface.
    """
    if isinstance(value, Struct):
        if name in value:
            return value[name]
        if value.go_type:
            raise LookupError(f"can't evaluate field {name} in type {value.go_type}")
        raise LookupError(f'map has no entry for key "{name}"')
    if isinstance(value, dict):
        return value.get(name, MISSING)
    if value is None or value is MISSING:
        raise LookupError(f"nil data; no entry for key {json.dumps(name)}")
    raise LookupError(f"can't evaluate field {name} in type {'interface {}' if untyped else kind(value)}")
