"""Images: small built-in roles over the machine's own files, named after the images that the course uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from netlab.errors import NotFound
from netlab.language import say


@dataclass(frozen=True, slots=True)
class Image:
    """What a container of this image runs: a role of the sandbox, and the title that `ps` shows."""

    name: str
    role: dict[str, Any]
    title: str
    does: tuple[str, str]  # in English and in Japanese
    command: tuple[str, ...] = ("sh",)  # what `docker ps` shows


_IDLE = ("idle", "何もしない")

IMAGES = {
    image.name: image
    for image in (
        Image(
            "nginx",
            {"kind": "web", "port": 80, "title": "Welcome to nginx!"},
            "nginx: web server on port 80 (netlab)",
            ("a web server on port 80", "ポート 80 の Web サーバー"),
            ("nginx", "-g", "daemon off;"),
        ),
        Image("alpine", {"kind": "idle"}, "alpine: idle (netlab)", _IDLE),
        Image("busybox", {"kind": "idle"}, "busybox: idle (netlab)", _IDLE),
        Image("myapp", {"kind": "idle"}, "myapp: idle (netlab)", _IDLE, ("sleep", "infinity")),
    )
}


def find(name: str) -> Image:
    """Return the image of that name (a tag such as :latest is ignored); raises NotFound, listing what there is."""
    plain = name.partition(":")[0].removeprefix("library/") if isinstance(name, str) else ""
    if plain in IMAGES:
        return IMAGES[plain]
    known = ", ".join(f"{image.name} ({say(en=image.does[0], ja=image.does[1])})" for image in IMAGES.values())
    raise NotFound(
        say(
            en=f"There is no image {name!r} in the lab. There are: {known}",
            ja=f"ラボに {name!r} というイメージはありません。使えるもの: {known}",
        )
    )
