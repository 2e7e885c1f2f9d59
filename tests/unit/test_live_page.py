"""The page of the live diagram: what anywidget gets is whole, and each of its words is there in both languages."""

import re
from pathlib import Path

import pytest

import netlab
from netlab.language import LANGUAGES, set_language
from netlab.live import page
from netlab.live.texts import texts

STATIC = Path(netlab.__file__).parent / "live" / "static"
USED = re.compile(r"(?<!\w)(?:this\.|view\.)?texts\.(\w+)")


@pytest.fixture(params=LANGUAGES)
def language(request):
    set_language(request.param)
    yield request.param
    set_language(None)


def test_every_module_and_every_style_sheet_is_in_it_once():
    script, style = page.script(), page.style()
    for path in STATIC.glob("*.js"):
        first = path.read_text().splitlines()[0]
        assert script.count(first) == 1, path.name
    for path in STATIC.glob("*.css"):
        assert path.read_text() in style, path.name


def test_no_module_asks_for_another_file():
    assert not re.search(r"^\s*import\b|\bimport\(|https?://(?!www\.w3\.org/2000/svg)", page.script(), re.MULTILINE)
    assert not re.search(r"@import|url\(", page.style())
    assert page.script().rstrip().endswith("export default { render };")


def test_each_word_that_the_page_uses_is_there(language):
    words = texts()
    used = {key for path in STATIC.glob("*.js") for key in USED.findall(path.read_text())}
    assert used <= words.keys()
    assert words.keys() - used <= {f"state_{state}" for state in ("live", "closed", "failed", "ended")}, (
        "the others are dead"
    )
    japanese = [key for key, word in words.items() if re.search(r"[ぁ-んァ-ン一-龥]", word)]
    assert len(japanese) == (len(words) if language == "ja" else 0)


def test_both_languages_leave_the_same_gaps():
    gaps = []
    for language in LANGUAGES:
        set_language(language)
        gaps.append({key: set(re.findall(r"\{\w+\}", word)) for key, word in texts().items()})
    set_language(None)
    assert gaps[0] == gaps[1]
