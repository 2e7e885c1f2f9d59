"""The language netlab speaks to its reader: English or Japanese.

Errors and commands keep the field's own words; this is for the few words in pictures and tables and for explanations.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import Final, Literal

from netlab.errors import RequestError

Language = Literal["en", "ja"]

LANGUAGES: Final[tuple[Language, ...]] = ("en", "ja")

_chosen: Language | None = None


def current() -> Language:
    """Return the language in use: the one that was set, else what NETLAB_LANGUAGE or the locale asks for."""
    if _chosen is not None:
        return _chosen
    wanted = next((os.environ[name] for name in ("NETLAB_LANGUAGE", "LC_ALL", "LANG") if os.environ.get(name)), "en")
    return "ja" if wanted.lower().startswith("ja") else "en"


def set_language(language: Language | None) -> None:
    """Speak `language` from now on in this process; None goes back to what the environment asks for."""
    global _chosen  # noqa: PLW0603 - what one reader reads is a choice of the process, like a locale
    if language is not None and language not in LANGUAGES:
        raise RequestError(f"netlab does not speak {language!r}. Choose one of: {', '.join(LANGUAGES)}.")
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
