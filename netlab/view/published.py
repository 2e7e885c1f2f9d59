"""Published ports: doors at the edge of a host, each with an arrow to the container behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.view import labels as lb
from netlab.view import words
from netlab.view.boxes import box_paint, place_id
from netlab.view.nat import publications

if TYPE_CHECKING:
    from netlab.model import PlaceState
    from netlab.view.canvas import Canvas
    from netlab.view.nat import Publication
    from netlab.view.scene import Scene

_MOST = 8


def published_id(room: PlaceState, one: Publication) -> str:
    """Return the stable id of a published port."""
    return f"published/{room.name}/{one.caught}"


def draw_published(canvas: Canvas, scene: Scene, room: PlaceState, beside: list[str]) -> None:
    """Draw the ports that a host answers for, right of what leads out of it."""
    found = publications(room, scene.snapshot)
    doors = []
    for one in found[:_MOST]:
        owner = scene.snapshot.places[scene.position[one.owner]]
        paint = box_paint(scene, owner)
        door = published_id(room, one)
        label = lb.table(
            [lb.cell(lb.stack([(lb.strong(one.caught, paint.line),)]))],
            border=1,
            cellborder=0,
            cellpadding=3,
            style="rounded",
            color=paint.line,
            bgcolor=paint.paper,
        )
        doors.append(door)
        canvas.draw(f"{lb.quoted(door)} [{lb.settings(label=label, id=door, **{'class': 'published'})}]")
        if scene.home(owner) == room.name:
            target = scene.fold_of(owner) or place_id(owner)
            canvas.arrow(door, target, paint.line)
    if len(found) > _MOST:
        rest = f"published/{room.name}/more"
        text = lb.small(words.more(len(found) - _MOST, scene.language))
        canvas.draw(f"{lb.quoted(rest)} [{lb.settings(label=f'<{text}>', id=rest)}]")
        doors.append(rest)
    if doors:
        canvas.same_row([*beside, *doors])
