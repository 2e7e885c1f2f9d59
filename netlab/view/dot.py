"""The picture of a lab, as graphviz source.

The kernel's report in, dot out. Every element has a stable id: `place/NAME`, `interface/PLACE/NAME`,
`link/PLACE/NAME/PLACE/NAME`, `nat/PLACE`, `tunnel/…`, so that what shows the picture can find and change it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.language import current
from netlab.view import labels as lb
from netlab.view import words
from netlab.view.boxes import NODE_GAP, is_marked, place_id
from netlab.view.canvas import Anchor, Canvas
from netlab.view.links import draw_links
from netlab.view.rooms import draw_beside, draw_host
from netlab.view.scene import HIGHLIGHT, Scene

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netlab.language import Language
    from netlab.model import PlaceState, Snapshot

_GRAPH = {
    "rankdir": "TB",
    "ordering": "out",
    "fontname": lb.FONT,
    "fontcolor": lb.INK,
    "fontsize": lb.NAME_SIZE,
    "nodesep": NODE_GAP / 72,
    "ranksep": 0.33,
    "bgcolor": "transparent",
    "pad": 0.15,
}


def to_dot(
    snapshot: Snapshot,
    *,
    language: Language | None = None,
    highlight: Iterable[str] = (),
    folded: Iterable[str] = (),
) -> str:
    """Return the lab's picture as graphviz source.

    `highlight` names what to point at: a place ("web") or an interface ("web/eth0"). `folded` has the ids of bridges whose
    networks are drawn as one box with a count. Words are in `language`, or in the current one.
    """
    return scene_to_dot(Scene(snapshot, language or current(), frozenset(highlight), frozenset(folded)))


def scene_to_dot(scene: Scene) -> str:
    """Return a scene as graphviz source."""
    snapshot = scene.snapshot
    canvas = Canvas()
    canvas.draw(f"graph [{lb.settings(**_GRAPH)}]")
    canvas.draw(f"node [{lb.settings(fontname=lb.FONT, fontsize=lb.NAME_SIZE, shape='plain')}]")
    canvas.draw(f"edge [{lb.settings(fontname=lb.FONT, fontsize=lb.SMALL_SIZE, dir='none', penwidth=1.6)}]")
    if not snapshot.places:
        label = f"<{lb.small(words.empty_lab(scene.language))}>"
        canvas.draw(f"{lb.quoted('empty')} [{lb.settings(label=label)}]")
    if scene.internet:
        _draw_internet(canvas, scene)
    for host in scene.hosts:
        draw_host(canvas, scene, host)
    draw_beside(canvas, scene)
    draw_links(canvas, scene)
    body = "\n".join(canvas.lines)
    return f"digraph {lb.quoted(snapshot.lab)} {{\n{body}\n}}\n"


def _draw_internet(canvas: Canvas, scene: Scene) -> None:
    """Draw the world outside simply: one box for each place; its ports and bridges are nobody's business here."""
    title = f"<{lb.stack([(lb.strong(words.internet(scene.language)),)])}>"
    look = {"style": "rounded,filled", "color": "#cbd5e1", "fillcolor": "#eef2f7", "margin": 12, "labeljust": "l"}
    with canvas.cluster("internet", label=title, **look):
        for place in scene.internet:
            canvas.draw(_outside_box(scene, place))
            for one in place.interfaces:
                canvas.anchors[place.name, one.index] = Anchor(place_id(place))


def _outside_box(scene: Scene, place: PlaceState) -> str:
    interfaces = [one for one in place.interfaces if one.kind != "loopback"]
    off = [one for one in interfaces if words.is_off(one) and (one.addresses or one.master is None)]
    addresses = [address.address for one in interfaces for address in words.shown_addresses(one)]
    name = place.label if place.name in place.label else place.name
    lines = [
        lb.line(lb.strong(name), lb.small(place.label if name != place.label else "")),
        *((lb.small(address),) for address in dict.fromkeys(addresses)),
        *(lb.line(lb.small(f"{one.name} {words.trouble(one, scene.language)}", lb.ALARM)) for one in off),
    ]
    marked = is_marked(scene, place)
    label = lb.table(
        [lb.cell(lb.stack(lines))],
        border=3 if marked else 1,
        cellborder=0,
        cellpadding=5,
        style="rounded,dashed" if off else "rounded",
        color=HIGHLIGHT if marked else lb.ALARM if off else lb.QUIET,
        bgcolor=lb.ALARM_PAPER if off else "#ffffff",
    )
    return f"{lb.quoted(place_id(place))} [{lb.settings(label=label, id=place_id(place), **{'class': place.kind})}]"
