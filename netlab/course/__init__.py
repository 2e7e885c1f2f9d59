"""What the chapters ask of their reader: predictions, challenges, and what has been done so far."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netlab.course.board import progress
    from netlab.course.certificates import certificate
    from netlab.course.predictions import answer, predict
    from netlab.course.tables import guess_table
    from netlab.course.task import challenge

__all__ = ["answer", "certificate", "challenge", "guess_table", "predict", "progress"]

_HOMES = {
    "answer": "netlab.course.predictions",
    "certificate": "netlab.course.certificates",
    "challenge": "netlab.course.task",
    "guess_table": "netlab.course.tables",
    "predict": "netlab.course.predictions",
    "progress": "netlab.course.board",
}


def __getattr__(name: str) -> Any:
    """Load the public names when they are first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'netlab.course' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
