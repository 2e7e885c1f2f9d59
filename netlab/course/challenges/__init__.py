"""The challenges of the course, one file each: `chNN_name.py` with a `CHALLENGE`."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from netlab.course.definition import Challenge
from netlab.errors import NotFound
from netlab.language import say


@cache
def challenges() -> Mapping[str, Challenge]:
    """Return every challenge by its key, in the order of the chapters and rising within each."""
    modules = (import_module(f"{__name__}.{one.name}") for one in pkgutil.iter_modules(__path__))
    found: list[Challenge] = [module.CHALLENGE for module in modules]
    return {one.key: one for one in sorted(found, key=lambda one: (one.chapter, one.level, one.key))}


def find(key: str) -> Challenge:
    """Return the challenge of that key; raises NotFound, naming those that there are."""
    try:
        return challenges()[key]
    except KeyError:
        known = ", ".join(challenges())
        raise NotFound(
            say(
                en=f"The course has no challenge {key!r}. There are: {known}",
                ja=f"チャレンジ {key!r} はこのコースにありません。あるのは次のものです: {known}",
            )
        ) from None
