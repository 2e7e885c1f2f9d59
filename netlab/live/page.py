"""The page of the live diagram, as anywidget wants it: one module and one style sheet.

The files in `static/` are plain ES modules and style sheets; a browser could load them as they are. anywidget sends one
text, so each module becomes a function that returns what it exports. That much needs no bundler, only this of the files:
`import { … } from "./file.js"` and `export` stand at the beginning of a line, and export a function or a class.
"""

from __future__ import annotations

import re
from pathlib import Path

_FOLDER = Path(__file__).parent / "static"
_ENTRANCE = "diagram"
_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:function|class) (\w+))", re.MULTILINE)


def script(folder: Path = _FOLDER, entrance: str = _ENTRANCE) -> str:
    """Return the modules that `entrance` needs as one, each behind those that it imports, `entrance` last."""
    modules: dict[str, str] = {}

    def add(name: str) -> None:
        text = (folder / f"{name}.js").read_text(encoding="utf-8")
        for _, imported in _IMPORT.findall(text):
            if imported not in modules:
                add(imported)
        exported = ", ".join(found for _, found in _EXPORT.findall(text))
        text = _EXPORT.sub(r"\1", _IMPORT.sub(r"const \1 = module_\2;", text))
        if name != entrance:
            text = f"const module_{name} = (() => {{\n{text}\nreturn {{ {exported} }};\n}})();\n"
        modules[name] = text

    add(entrance)
    return "\n".join(modules.values())


def style() -> str:
    """Return the style sheets as one, in the order of their names."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(_FOLDER.glob("*.css")))
