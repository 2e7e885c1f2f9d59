"""From graphviz source to a picture that can stand in a page."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET

import pytest
from view_samples import SAMPLES, chapter_one, hostile, japanese

from netlab.errors import MissingTool, NetlabError
from netlab.view.dot import to_dot
from netlab.view.svg import render, render_png

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not installed")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", SAMPLES)
@needs_dot
def test_is_well_formed_and_every_id_is_unique(name):
    """A browser can parse it, and an id finds one element."""
    root = ET.fromstring(render(to_dot(SAMPLES[name]())))  # noqa: S314 - our own text
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))


@needs_dot
def test_says_nothing_of_graphviz():
    """No version, no DOCTYPE, no outside link: stored notebooks compare equal on another machine's graphviz."""
    svg = render(to_dot(chapter_one()))
    assert svg.startswith("<svg ")
    assert not re.search(r"<!|graphviz|xlink|href", svg, re.IGNORECASE)
    assert svg == render(to_dot(chapter_one()))


@needs_dot
def test_ids_are_scoped_by_the_prefix():
    """Several pictures can share a page."""
    root = ET.fromstring(render(to_dot(chapter_one()), prefix="one-"))  # noqa: S314 - our own text
    ids = {element.get("id") for element in root.iter() if element.get("id")}
    assert ids
    assert all(one.startswith("one-") for one in ids)
    assert {"one-place/web", "one-interface/web/eth0", "one-nat/host", "one-place/host"} <= ids


@needs_dot
def test_speaks_to_a_screen_reader():
    """The picture is an image with a name, and each interface says what it is."""
    root = ET.fromstring(render(to_dot(chapter_one()), title="Chapter 1"))  # noqa: S314 - our own text
    assert root.get("role") == "img"
    assert root.get("aria-label") == "Chapter 1"
    titles = [one.text for one in root.iter(f"{SVG}title")]
    assert any(one.startswith("web: ") and "eth0" in one for one in titles)


@needs_dot
def test_shrinks_with_the_page_on_a_card_of_its_own():
    """Readable on a dark page too: a light card; never larger than its natural size."""
    root = ET.fromstring(render(to_dot(chapter_one())))  # noqa: S314 - our own text
    assert "max-width:100%" in root.get("style")
    assert root[0].get("class") == "card"
    assert float(root.get("width")) < 700


@needs_dot
def test_no_line_strikes_out_the_title_of_a_room():
    """Titles are drawn after all lines, with a rim in the colour of their room."""
    picture = ET.fromstring(render(to_dot(chapter_one())))  # noqa: S314 - our own
    order = [element for element in picture.iter() if element.tag.endswith(("path", "text", "polyline"))]
    titles = [element for element in order if element.get("paint-order") == "stroke"]
    assert ["".join(title.itertext()).split()[0] for title in titles] == ["internet", "host"]
    assert order[-len(titles) :] == titles


def test_japanese_names_come_out_as_typed():
    """No escapes, no boxes."""
    svg = render(to_dot(japanese(), language="ja"))
    assert "ウェブサーバー" in svg
    assert "インターネット" in svg


@needs_dot
def test_hostile_names_stay_text():
    """What a student types is shown, never interpreted."""
    svg = render(to_dot(hostile()))
    text = "".join(ET.fromstring(svg).itertext())  # noqa: S314 - our own text
    assert "</TD>&amp;" in text
    assert "<b>x</b>" in text
    assert "\\N\\G" in text
    assert "<b>" not in svg


@needs_dot
def test_png_is_a_png():
    """For a slide or a README."""
    assert render_png(to_dot(chapter_one())).startswith(b"\x89PNG")


def test_the_arrow_of_a_published_port_is_in_the_png_too():
    """It changes what is seen and not the size: bytes 16 to 24 of a PNG are its width and height."""
    dot = "digraph { rankdir=TB; a [id=a, shape=box]; b [id=b, shape=box]; a -> b\n%s\n}"
    without, with_it = (render_png(dot % arrow) for arrow in ("", '//arrow ["a", "b", "#0072b2"]'))
    assert with_it != without
    sizes = [[int.from_bytes(one[at : at + 4], "big") for at in (16, 20)] for one in (without, with_it)]
    assert all(abs(one - other) < 40 for one, other in zip(*sizes, strict=True)), sizes


def test_without_dot_says_what_to_install(monkeypatch, tmp_path):
    """No traceback from subprocess: the package to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingTool, match="apt install graphviz"):
        render(to_dot(chapter_one()))


@needs_dot
def test_source_that_is_not_dot_is_a_clear_error():
    """What dot says is passed on."""
    with pytest.raises(NetlabError, match="syntax error"):
        render("this is not dot")


@needs_dot
def test_gives_up_on_a_picture_that_takes_too_long():
    """A notebook must not hang on a drawing."""
    with pytest.raises(NetlabError, match="did not finish"):
        render(to_dot(chapter_one()), timeout=0.0001)
