"""From graphviz source to a clean picture: the only part of the view that runs a program, `dot`.

Graphviz's own SVG names its version, links to nothing, repeats the font on every word and rounds each box by another
radius. `render` makes it plain: the same input gives the same text, every element can be found by its id, and it stands
on a light card, because a notebook shows a picture as an image that cannot know whether the page around it is dark.
"""

from __future__ import annotations

import re
import subprocess
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from netlab.errors import MissingTool, NetlabError
from netlab.language import say
from netlab.view.arrows import draw_arrows, placed_edges
from netlab.view.labels import FONT, JOINER

if TYPE_CHECKING:
    from collections.abc import Iterator

SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_SCALE = 1.2  # pixels for one point: small letters come out at 12 px, a notebook's text size
_RADIUS = 7.0
_LEADING = 1.4
_LIFT = 0.8
_TITLE_DOWN = 3.0
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_TIMEOUT = 30.0

Box = tuple[float, float, float, float]  # left, top, right, bottom


def render(dot: str, *, prefix: str = "", title: str = "", timeout: float = _TIMEOUT) -> str:
    """Return graphviz source as a self-contained SVG element.

    `prefix` goes before every id, so that several pictures can share a page. `title` is what a screen reader says; by
    default the graph's name.
    """
    root = draw(dot, prefix=prefix, title=title, timeout=timeout)
    return written(root) + "\n"


def written(element: ET.Element) -> str:
    """Return an element of a picture as text."""
    ET.register_namespace("", SVG)
    return ET.tostring(element, encoding="unicode").replace(JOINER, "")


def draw(dot: str, *, prefix: str = "", title: str = "", timeout: float = _TIMEOUT) -> ET.Element:
    """Return what `render` writes as a tree, for whoever takes it apart."""
    root = ET.fromstring(_run_dot(dot, "svg", timeout))  # noqa: S314 - written by dot from our own source
    graph = next(iter(root))
    name = title or graph.findtext(f"{{{SVG}}}title") or "netlab"
    _unwrap_links(graph)
    for element in graph:
        if element.get("class", "").split(" ")[0] in ("node", "cluster"):
            _round_boxes(element)
            _center_text(element, None)
    draw_arrows(graph, dot, extent, SVG)
    _raise_titles(graph)
    for element in root.iter():
        _tidy(element, prefix)
    _frame(root, graph, name)
    return root


def render_png(dot: str, *, timeout: float = _TIMEOUT) -> bytes:
    """Return graphviz source as a PNG image on white, sharp enough for a slide."""
    look = "-Gdpi=144", "-Gbgcolor=white"
    arrows = [edge for graph in draw(dot, timeout=timeout) for edge in placed_edges(graph, SVG)]
    if not arrows:
        return _run_dot(dot, "png", timeout, *look)
    head, brace, rest = _run_dot(dot, "dot", timeout).decode().partition("{")
    return _run_dot("\n".join([head + brace, *arrows, rest]), "png", timeout, "-Kneato", "-n2", *look)


def _run_dot(dot: str, to: str, timeout: float, *options: str) -> bytes:
    try:
        done = subprocess.run(
            ["dot", f"-T{to}", *options], input=dot.encode(), capture_output=True, timeout=timeout, check=False
        )
    except FileNotFoundError:
        raise MissingTool(
            say(
                en="The program `dot` is not installed, so the lab cannot be drawn. Install it with `sudo apt install "
                "graphviz` (conda: `conda install graphviz`), or look at the lab as text.",
                ja="プログラム `dot` がないため、ラボの図を描けません。`sudo apt install graphviz` (conda では "
                "`conda install graphviz`) でインストールするか、文字での表示を使ってください。",
            )
        ) from None
    except subprocess.TimeoutExpired:
        raise NetlabError(
            say(
                en=f"`dot` did not finish the picture within {timeout:g} s. Draw fewer containers, or look at the lab as text.",
                ja=f"`dot` が {timeout:g} 秒以内に図を描き終えませんでした。コンテナを減らすか、文字での表示を使ってください。",
            )
        ) from None
    if done.returncode != 0 or not done.stdout:
        said = done.stderr.decode(errors="replace").strip()
        raise NetlabError(
            say(en=f"`dot` could not draw the picture: {said}", ja=f"`dot` が図を描けませんでした: {said}")
        )
    return done.stdout


def _unwrap_links(graph: ET.Element) -> None:
    """Turn what was a link only to have an id and a tooltip into a plain group with both."""
    for element in list(graph.iter(f"{{{SVG}}}g")):
        link = element.find(f"{{{SVG}}}a")
        if link is None:
            continue
        tooltip = ET.Element(f"{{{SVG}}}title")
        tooltip.text = link.get(f"{{{_XLINK}}}title")
        element.set("id", element.get("id", "").removeprefix("a_"))
        element.set("class", "interface")
        element[:] = [tooltip, *link]


def _round_boxes(element: ET.Element) -> None:
    """Replace graphviz's rounded outlines by rectangles with one radius; a fill and its border become one."""
    seen: dict[str, ET.Element] = {}
    for child in list(element):
        outline = child.get("d")
        if child.tag == f"{{{SVG}}}g":
            _round_boxes(child)
        elif child.tag == f"{{{SVG}}}path" and outline:
            first = seen.get(outline)
            if first is None:
                _become_rectangle(child)
                seen[outline] = child
            else:
                first.attrib.update({k: v for k, v in child.attrib.items() if k.startswith("stroke")})
                element.remove(child)


def _become_rectangle(path: ET.Element) -> None:
    left, top, right, bottom = extent(path)
    path.tag = f"{{{SVG}}}rect"
    del path.attrib["d"]
    sizes = {"x": left, "y": top, "width": right - left, "height": bottom - top, "rx": _RADIUS}
    path.attrib.update({key: f"{value:.2f}".rstrip("0").rstrip(".") for key, value in sizes.items()})


def extent(shape: ET.Element) -> Box:
    """Return the box around a shape; of a curve, around its control points."""
    if shape.tag == f"{{{SVG}}}rect":
        left, top = float(shape.get("x", 0)), float(shape.get("y", 0))
        return left, top, left + float(shape.get("width", 0)), top + float(shape.get("height", 0))
    numbers = [float(one) for one in _NUMBER.findall(shape.get("d") or shape.get("points") or "")]
    return min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])


def _center_text(element: ET.Element, around: Box | None) -> None:
    """Center every line in its box, so that it stays there in a font that graphviz did not measure."""
    shapes = (one for one in element if one.tag in (f"{{{SVG}}}rect", f"{{{SVG}}}polygon"))
    shape = next(shapes, None)
    box = extent(shape) if shape is not None else around
    is_title = "cluster" in element.get("class", "")
    lines = list(_text_lines(element))
    for number, runs in enumerate(lines):
        head = runs[0]
        # Graphviz sets lines tight, and high in their box; a room's title sits on the edge of its frame.
        down = _TITLE_DOWN if is_title else _LEADING * number - _LIFT * (len(lines) - 2)
        head.set("y", f"{float(head.get('y', 0)) + down:.2f}")
        if len(runs) > 1:
            _merge(element, runs)
        if box and not is_title:
            head.set("text-anchor", "middle")
            head.set("x", f"{(box[0] + box[2]) / 2:.2f}")
    for child in element:
        if child.tag == f"{{{SVG}}}g":
            _center_text(child, box)


def _raise_titles(graph: ET.Element) -> None:
    """Put the rooms' titles above all lines, each with a rim in its room's colour, so that no line strikes it out."""
    for room in [one for one in graph if "cluster" in one.get("class", "")]:
        ground = next((one.get("fill") for one in room if one.tag == f"{{{SVG}}}rect"), None)
        for text in room.findall(f"{{{SVG}}}text"):
            room.remove(text)
            rim = {
                "id": f"title/{room.get('id')}",
                "stroke": ground or "#ffffff",
                "stroke-width": "6",
                "stroke-linejoin": "round",
                "paint-order": "stroke",
            }
            text.attrib.update(rim)
            graph.append(text)


def _text_lines(element: ET.Element) -> Iterator[list[ET.Element]]:
    lines: dict[str, list[ET.Element]] = {}
    for child in element.findall(f"{{{SVG}}}text"):
        lines.setdefault(child.get("y", ""), []).append(child)
    yield from lines.values()


def _merge(element: ET.Element, runs: list[ET.Element]) -> None:
    """Make the runs of one line one text of several spans."""
    head = runs[0]
    spans = []
    for run in runs:
        look = {key: value for key, value in run.attrib.items() if key not in ("x", "y", "text-anchor")}
        span = ET.Element(f"{{{SVG}}}tspan", look)
        span.text = run.text
        spans.append(span)
    for run in runs[1:]:
        element.remove(run)
    head.attrib = {key: value for key, value in head.attrib.items() if key in ("x", "y", "text-anchor")}
    head.text = None
    head.extend(spans)


def _tidy(element: ET.Element, prefix: str) -> None:
    """Scope the id, drop names that only graphviz needs, and white space."""
    if "id" in element.attrib:
        element.set("id", prefix + element.get("id", ""))
    element.attrib.pop("font-family", None)
    element.tail = None
    if element.tag == f"{{{SVG}}}g":
        element.text = None
        own = element.find(f"{{{SVG}}}title")
        if own is not None and element.get("class") != "interface":
            element.remove(own)


def _frame(root: ET.Element, graph: ET.Element, name: str) -> None:
    """Put the picture on a light card that shrinks with the page but never grows."""
    left, top, wide, high = (float(one) for one in root.get("viewBox", "0 0 0 0").split())
    background = graph.find(f"{{{SVG}}}polygon")
    if background is not None:
        graph.remove(background)
    card = {"x": left, "y": top, "width": wide, "height": high, "rx": 10}
    look = {"class": "card", "fill": "#ffffff", **{key: f"{value:g}" for key, value in card.items()}}
    paper = ET.Element(f"{{{SVG}}}rect", look)
    root.insert(0, paper)
    root.text = None
    root.attrib.update(
        {
            "width": f"{wide * _SCALE:.0f}",
            "height": f"{high * _SCALE:.0f}",
            "style": "max-width:100%;height:auto",
            "font-family": FONT,
            "role": "img",
            "aria-label": name,
            "class": "netlab",
        }
    )
