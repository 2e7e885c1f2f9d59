"""What a running lab answers to other processes of its user (see `registry`)."""

from __future__ import annotations

import base64
import dataclasses
import io
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from netlab.changes.difference import Changes
from netlab.docker.lab import AtHost, DockerLab
from netlab.errors import RequestError
from netlab.journey.journey import Journey
from netlab.language import say
from netlab.model import Snapshot
from netlab.places.container import Container
from netlab.view.picture import Picture
from netlab.why.explanation import Explanation

if TYPE_CHECKING:
    from netlab.script.shell import Script  # read when somebody wants one

Request = dict[str, Any]


class Lab(DockerLab, Protocol):
    """A lab, as the service sees it."""

    @property
    def containers(self) -> Mapping[str, Container]:
        """All containers by name."""

    def snapshot(self) -> Snapshot:
        """Return all that the kernel reports."""

    def changes(self, *, viewer: str = ...) -> Changes:
        """Return what became different since a viewer's last look."""

    def script(self) -> Script:
        """Return the lab as a shell script."""

    def trace(self, source: str, target: str, *, timeout: float = ...) -> Journey:
        """Send a probe."""

    def why(self, source: str, target: str) -> Explanation:
        """Explain reachability."""

    def run(self, name: str, image: str = ...) -> Container:
        """Make a container."""

    def rm(self, name: str) -> None:
        """Remove a container."""

    def close(self) -> None:
        """End the lab."""


def answer(lab: Lab, request: Request) -> Any:
    """Return the answer to a request; raises NetlabError with words for the asker."""
    verb = _VERBS.get(request["verb"])
    if verb is None:
        known = ", ".join(_VERBS)
        raise RequestError(
            say(
                en=f"This lab does not know {request['verb']!r}. It knows: {known}",
                ja=f"このラボは {request['verb']!r} を知りません。知っているもの: {known}",
            )
        )
    return verb(lab, request)


def answer_host(host: str) -> Callable[[Lab, Request], Any]:
    """Return what answers requests that come from within the lab, by `docker` on this host; it raises NetlabError."""

    def answer_docker(lab: Lab, request: Request) -> Any:
        if request["verb"] not in ("docker", "docker-ended"):
            raise RequestError(say(en="Only docker is answered here.", ja="ここでは docker だけに応答します。"))
        return answer(lab, {**request, "host": host})

    return answer_docker


def _about(lab: Lab, _: Request) -> Any:
    """Tell what the lab is and where its places are: enough for another process to enter them."""
    lab.world.refresh()
    places = [
        {
            "name": entry.name,
            "kind": entry.kind,
            "label": entry.label,
            "pid": entry.machine_pid,
            "namespace": entry.namespace,
        }
        for entry in lab.world
    ]
    return {"name": lab.name, "owner": os.getpid(), "containers": len(lab.containers), "places": places}


def _enter(lab: Lab, request: Request) -> Any:
    """Tell where one place is; "internet" is its client, as in Python."""
    name = request["place"]
    stopped = name in lab.containers and name not in lab.world
    if stopped:
        raise RequestError(
            say(
                en=f"The container {name!r} is stopped. Start it in Python: lab.start({name!r})",
                ja=f"コンテナ {name!r} は停止しています。Python で起動してください: lab.start({name!r})",
            )
        )
    lab.world.refresh()
    entry = lab.world.entry("client" if name == "internet" else name)
    return {"pid": entry.machine_pid, "namespace": entry.namespace}


def _show(lab: Lab, request: Request) -> Any:
    """Draw the lab in one of the formats text, svg, png (as base64), dot and json."""
    snapshot = lab.snapshot()
    picture = Picture(snapshot)
    formats: dict[str, Callable[[], Any]] = {
        "text": lambda: repr(picture),
        "svg": lambda: picture.svg,
        "png": lambda: base64.b64encode(picture.png).decode(),
        "dot": lambda: picture.dot,
        "json": lambda: _plain(snapshot),
    }
    wanted = request["format"]
    if wanted not in formats:
        known = ", ".join(formats)
        raise RequestError(
            say(
                en=f"There is no format {wanted!r}. There are: {known}",
                ja=f"{wanted!r} という形式はありません。使えるもの: {known}",
            )
        )
    return formats[wanted]()


def _plain(value: Any) -> Any:
    """Return dataclasses as what JSON can hold."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {"/".join(key) if isinstance(key, tuple) else key: _plain(one) for key, one in value.items()}
    return value


def _changes(lab: Lab, _: Request) -> Any:
    """Tell what became different since the last look from a terminal, as text and as data."""
    changes = lab.changes(viewer="terminal")
    return {"text": repr(changes), "changes": changes.to_dicts()}


def _script(lab: Lab, _: Request) -> Any:
    """Tell how to build the lab again."""
    return str(lab.script())


def _trace(lab: Lab, request: Request) -> Any:
    """Send a probe and tell its journey."""
    journey = lab.trace(request["source"], request["target"], timeout=float(request["patience"]))
    if request.get("pcapng"):
        journey.pcapng(request["pcapng"])
    return {"journey": journey.to_dict(), "text": repr(journey)}


def _why(lab: Lab, request: Request) -> Any:
    """Explain whether a target can be reached, as text and as data."""
    explanation = lab.why(request["source"], request["target"])
    return {"explanation": explanation.to_dict(), "text": repr(explanation)}


def _run(lab: Lab, request: Request) -> Any:
    """Make a container."""
    container = lab.run(request["name"], request.get("image", "alpine"))
    return {"name": container.name, "id": container.id, "address": container.address}


def _remove(lab: Lab, request: Request) -> Any:
    """Remove a container."""
    lab.rm(request["name"])
    return {}


def _close(lab: Lab, _: Request) -> Any:
    """End the lab."""
    lab.close()
    return {}


def _docker(lab: Lab, request: Request) -> Any:
    """Do a docker command line; a command in a container is not run but told, for the asker to run in its own terminal."""
    from netlab.docker import command  # noqa: PLC0415 - click is not needed before

    told: list[command.Session] = []

    def tell(_: DockerLab, session: command.Session, *__: TextIO) -> int:
        told.append(session)
        return 0

    out, err = io.StringIO(), io.StringIO()
    asked = AtHost(lab, request["host"]) if "host" in request else lab
    status = command.execute(asked, request["argv"], out, err, tell)
    said = {"stdout": out.getvalue(), "stderr": err.getvalue(), "status": status, "session": None}
    for session in told:
        entry = lab.world.entry(session.container)
        where = {"machine_pid": entry.machine_pid, "pid": entry.pid}
        said["session"] = {**dataclasses.asdict(session), **where}
    return said


def _docker_ended(lab: Lab, request: Request) -> Any:
    """End a container whose command, run by the asker, has ended."""
    from netlab.docker import command  # noqa: PLC0415 - see _docker

    command.end(lab, request["container"], int(request["status"]))
    return {}


_VERBS: dict[str, Callable[[Lab, Request], Any]] = {
    "about": _about,
    "enter": _enter,
    "show": _show,
    "trace": _trace,
    "why": _why,
    "changes": _changes,
    "script": _script,
    "run": _run,
    "rm": _remove,
    "docker": _docker,
    "docker-ended": _docker_ended,
    "close": _close,
}
