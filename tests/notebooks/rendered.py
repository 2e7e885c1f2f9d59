"""Texts of the chapters as a reader sees them: rendered from Markdown, with the word that each link to the glossary is on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

from nbconvert.filters.markdown_mistune import markdown2html_mistune

_APART = {"pre", "code", "summary", "style", "h1", "h2", "h3", "h4", "h5", "h6"}
_TO_GLOSSARY = "10-glossary.ipynb#cell-id="


@dataclass(frozen=True)
class Piece:
    """Words of running text, and the term of the glossary that they lead to, if any."""

    words: str
    term: str | None


class _Reader(HTMLParser):
    def __init__(self, *, lists: bool) -> None:
        super().__init__()
        self.apart = _APART if lists else _APART | {"li"}
        self.open: list[str] = []
        self.leads_to: str | None = None
        self.pieces: list[Piece] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in self.apart:
            self.open.append(tag)
        if tag == "a":
            self.leads_to = dict(attributes).get("href") or ""

    def handle_endtag(self, tag: str) -> None:
        if self.open and tag == self.open[-1]:
            self.open.pop()
        if tag == "a":
            self.leads_to = None

    def handle_data(self, data: str) -> None:
        term = (self.leads_to or "").partition(_TO_GLOSSARY)[2] or None
        if not self.open and (term or self.leads_to is None):
            self.pieces.append(Piece(data, term))


def running_text(markdown: str, *, lists: bool = True) -> Iterator[Piece]:
    """Yield the words of a text without code, headings and links to elsewhere; without lists, where these are not wanted."""
    reader = _Reader(lists=lists)
    reader.feed(markdown2html_mistune(markdown))
    yield from reader.pieces
