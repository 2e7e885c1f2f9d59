"""Go's text/template, as much of it as `docker … --format` needs.

Fields, variables, pipes, parentheses, `if`, `range`, `with`, `else`, comments and trimmed spaces; not `define`,
`template`, `block`, `break` and `continue`. Errors have Go's words, so that a mistake looks as it does on a real engine.
No library on PyPI does this without Go itself. Source: the documentation of Go's text/template, and what docker prints.
"""

from __future__ import annotations

from netlab.gotemplate.functions import FUNCTIONS
from netlab.gotemplate.reader import Reader, TemplateError
from netlab.gotemplate.run import Run
from netlab.gotemplate.values import NilList, NilMap, Pointer, Struct, to_json

__all__ = ["NilList", "NilMap", "Pointer", "Struct", "TemplateError", "render", "to_json"]


def render(text: str, data: object) -> str:
    """Return what a template prints for some data; raises TemplateError."""
    return Run(text, FUNCTIONS).execute(Reader(text, FUNCTIONS).read(), data)
