"""The language netlab speaks to its reader: English or Japanese.

Commands and what an engine says keep the field's own words; what netlab itself says is there in both languages, side by
side at the place where it is said.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Final, Literal

from netlab.errors import RequestError

Language = Literal["en", "ja"]

LANGUAGES: Final[tuple[Language, ...]] = ("en", "ja")

_chosen: Language | None = None


def current() -> Language:
    """Return the language in use.

    It is the one that was set, else what NETLAB_LANGUAGE asks for, the chapter's own in a notebook, or that of the locale.
    """
    if _chosen is not None:
        return _chosen
    wanted = os.environ.get("NETLAB_LANGUAGE") or _of_chapter()
    wanted = wanted or next((os.environ[name] for name in ("LC_ALL", "LANG") if os.environ.get(name)), "en")
    return "ja" if wanted.lower().startswith("ja") else "en"


def _of_chapter() -> Language | None:
    """Return the language of the chapter that runs in this process: its folder is notebooks/en or notebooks/ja."""
    if "ipykernel" not in sys.modules:
        return None
    try:
        here = Path.cwd()
    except FileNotFoundError:  # it has been deleted
        return None
    if here.parent.name != "notebooks":
        return None
    return next((language for language in LANGUAGES if here.name == language), None)


def set_language(language: Language | None) -> None:
    """Speak `language` from now on in this process; None goes back to what the environment asks for."""
    global _chosen  # noqa: PLW0603 - what one reader reads is a choice of the process, like a locale
    if language is not None and language not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise RequestError(
            say(
                en=f"netlab does not speak {language!r}. Choose one of: {known}.",
                ja=f"netlab は {language!r} に対応していません。次のどれかを指定してください: {known}",
            )
        )
    _chosen = language


def say(*, en: str, ja: str, language: Language | None = None) -> str:
    """Return the text in `language`, or in the current one."""
    return ja if (language or current()) == "ja" else en


class _Callable(ModuleType):
    """`netlab.language("ja")` sets the language.

    Importing this module puts it on the package under the name of that public function, so it has to answer a call too.
    """

    def __call__(self, language: Language | None) -> None:
        set_language(language)


sys.modules[__name__].__class__ = _Callable
