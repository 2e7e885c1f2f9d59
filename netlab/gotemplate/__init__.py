"""Go's text/template, as much of it as `docker … --format` needs.

Fields, variables, pipes, parentheses, `if`, `range`, `with`, `else`, comments and trimmed spaces; not `define`,
`template`, `block`, `break` and `continue`. Errors have Go's words, so that a mistake looks as it does on a real engine.
No library on PyPI does this without Go itself. Source: the documentation of Go's text/template, and what docker prints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from netlab.gotemplate.functions import FUNCTIONS
from netlab.gotemplate.reader import Reader, TemplateError
from netlab.gotemplate.run import Run
from netlab.gotemplate.values import NilList, NilMap, Pointer, Struct, to_json

__all__ = ["NilList", "NilMap", "Pointer", "Struct", "TemplateError", "check", "render", "to_json"]


def check(text: str, functions: Mapping[str, Callable[..., Any]] = FUNCTIONS) -> None:
    """Read a template without any data; raises TemplateError when it cannot be read."""
    Reader(text, functions).read()


def render(text: str, data: object, functions: Mapping[str, Callable[..., Any]] = FUNCTIONS) -> str:
    """Return what a template prints for some data; raises TemplateError."""
    return Run(text, functions).execute(Reader(text, functions).read(), data)
