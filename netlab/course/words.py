"""The few marks of the course's texts, as HTML and as plain text, and the frame that all its pieces share."""

from __future__ import annotations

import re
from html import escape

_MARKS = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<b>\1</b>"),
    (re.compile(r"\*([^*]+)\*"), r"<i>\1</i>"),
)

# A notebook sets its theme's colours as variables; an exported page has none, and gets the ones behind the commas.
STYLE = {
    "frame": "border-left:3px solid {colour};padding:.5em .9em;margin:.2em 0;line-height:1.6;"
    "color:var(--jp-ui-font-color1,inherit)",
    "quiet": "color:var(--jp-ui-font-color2,#555);font-size:92%",
}
RIGHT, WRONG, NEUTRAL = "#2e8540", "#c2410c", "#2563eb"


def to_html(text: str) -> str:
    """Return a text with its `code`, **strong** and *emphasised* words as HTML."""
    made = escape(text, quote=False)
    for pattern, replacement in _MARKS:
        made = pattern.sub(replacement, made)
    return made


def to_plain(text: str) -> str:
    """Return a text without its marks of emphasis; code keeps its backticks, which read well anywhere."""
    return re.sub(r"\*+([^*]+)\*+", r"\1", text)


def framed(html: str, colour: str = NEUTRAL) -> str:
    """Return HTML in the frame that marks the course's voice among a notebook's outputs."""
    return f'<div style="{STYLE["frame"].format(colour=colour)}">{html}</div>'


def quiet(html: str) -> str:
    """Return HTML as a remark."""
    return f'<span style="{STYLE["quiet"]}">{html}</span>'
