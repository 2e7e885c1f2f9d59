"""Images: small built-in roles over the machine's own files, named after the images that the course uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from netlab.errors import NotFound


@dataclass(frozen=True, slots=True)
class Image:
    """What a container of this image runs: a role of the sandbox, and the title that `ps` shows."""

    name: str
    role: dict[str, Any]
    title: str
    does: str
    command: tuple[str, ...] = ("sh",)  # what `docker ps` shows


IMAGES = {
    image.name: image
    for image in (
        Image(
            "nginx",
            {"kind": "web", "port": 80, "title": "Welcome to nginx!"},
            "nginx: web server on port 80 (netlab)",
            "a web server on port 80",
            ("nginx", "-g", "daemon off;"),
        ),
        Image("alpine", {"kind": "idle"}, "alpine: idle (netlab)", "idle"),
        Image("busybox", {"kind": "idle"}, "busybox: idle (netlab)", "idle"),
        Image("myapp", {"kind": "idle"}, "myapp: idle (netlab)", "idle", ("sleep", "infinity")),
    )
}


def find(name: str) -> Image:
    """Return the image of that name (a tag such as :latest is ignored); raises NotFound, listing what there is."""
    plain = name.partition(":")[0].removeprefix("library/") if isinstance(name, str) else ""
    if plain in IMAGES:
        return IMAGES[plain]
    known = ", ".join(f"{image.name} ({image.does})" for image in IMAGES.values())
    raise NotFound(f"There is no image {name!r} in the lab. There are: {known}")
