"""`docker ps`, `docker network ls` and `docker inspect`: rows by a template, in columns or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from netlab import gotemplate
from netlab.docker_text.durations import duration
from netlab.docker_text.ports import natural, port_column
from netlab.docker_text.table import aligned, ellipsis
from netlab.gotemplate import Struct, TemplateError, render, to_json
from netlab.gotemplate.functions import FUNCTIONS

BOTH_FORMAT_AND_QUIET = "WARNING: Ignoring custom format, because both --format and --quiet are set."
_SHORT = 12
_CONTAINERS = "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"
_CONTAINERS_RAW = (
    "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\nstate: {{.State}}\n"
    "status: {{.Status}}\nnames: {{.Names}}\nlabels: {{.Labels}}\nports: {{.Ports}}\n"
)
_NETWORKS = "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}"
_NETWORKS_RAW = "network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n"
_HEADINGS = {
    "CreatedAt": "CREATED AT",
    "IPv4": "IPV4",
    "IPv6": "IPV6",
    "LocalVolumes": "LOCAL VOLUMES",
    "RunningFor": "CREATED",
}
_CONTAINER_FIELDS = (
    "Command CreatedAt ID Image Labels LocalVolumes Mounts Names Networks Ports RunningFor Size State Status"
)
_NETWORK_FIELDS = "CreatedAt Driver ID IPv4 IPv6 Internal Labels Name Scope"
_TIME = "%Y-%m-%d %H:%M:%S"


class ContainerRow(Struct):
    """A line of `docker ps`."""

    go_type = "*formatter.ContainerContext"


class NetworkRow(Struct):
    """A line of `docker network ls`."""

    go_type = "*network.networkContext"


def container_list(
    summaries: Sequence[Mapping[str, Any]],
    form: str = "",
    *,
    now: float,
    quiet: bool = False,
    truncate: bool = True,
) -> str:
    """Return what `docker ps` prints for containers as GET /containers/json has them; raises TemplateError."""
    rows = [_container_row(one, now, truncate=truncate) for one in summaries]
    form = _form(form, quiet=quiet, table=_CONTAINERS, raw=_CONTAINERS_RAW)
    try:
        # docker ps tries its template on an empty line, to learn what it asks for; and says in its own way what is wrong.
        render(form.removeprefix("table"), _blank())
        return _listed(rows, ContainerRow, form, "CONTAINER ID")
    except TemplateError as error:
        words = "failed to parse template" if error.reading else "failed to execute template"
        raise TemplateError(f"{words}: {error}", reading=error.reading) from None


def network_list(
    networks: Sequence[Mapping[str, Any]], form: str = "", *, quiet: bool = False, truncate: bool = True
) -> str:
    """Return what `docker network ls` prints for networks as GET /networks has them; raises TemplateError."""
    rows = [_network_row(one, truncate=truncate) for one in sorted(networks, key=lambda one: natural(one["Name"]))]
    form = _form(form, quiet=quiet, table=_NETWORKS, raw=_NETWORKS_RAW)
    try:
        return _listed(rows, NetworkRow, form, "NETWORK ID")
    except TemplateError as error:
        raise TemplateError(f"template parsing error: {error}", reading=error.reading) from None


def check_inspection(form: str) -> None:
    """Refuse a template that cannot be read, before anything is looked for; raises TemplateError."""
    try:
        gotemplate.check(form)
    except TemplateError as error:
        raise TemplateError(f"template parsing error: {error}", reading=True) from None


def inspection(found: Sequence[Mapping[str, Any]], form: str = "") -> str:
    """Return what `docker inspect` prints for objects, which should be Structs; raises TemplateError."""
    if form == "json":
        return to_json(list(found)) + "\n"
    if not form:
        return (to_json(list(found), indent=4) if found else "[]") + "\n"
    try:
        return "".join(render(form, one) + "\n" for one in found)
    except TemplateError as error:
        raise TemplateError(f"template parsing error: {error}", reading=error.reading) from None


def _blank() -> ContainerRow:
    return ContainerRow(
        dict.fromkeys(_CONTAINER_FIELDS.split(), "") | {"Platform": None, "Label": lambda name: name[:0]}
    )


# ── rows ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _container_row(one: Mapping[str, Any], now: float, *, truncate: bool) -> ContainerRow:
    labels = one.get("Labels") or {}
    command = one["Command"]
    names = [name.removeprefix("/") for name in one["Names"]]
    mounts = [mount.get("Name") or mount.get("Source", "") for mount in one.get("Mounts", ())]
    return ContainerRow({
        "Command": to_json(ellipsis(command, 20) if truncate else command),
        "CreatedAt": datetime.fromtimestamp(one["Created"], tz=UTC).strftime(_TIME) + " +0000 UTC",
        "ID": _identifier(one, truncate=truncate),
        "Image": one["Image"] or "<no image>",
        "Label": lambda name: labels.get(name, ""),
        "Labels": _pairs(labels),
        "LocalVolumes": str(sum(mount.get("Driver") == "local" for mount in one.get("Mounts", ()))),
        "Mounts": ",".join(ellipsis(mount, 15) if truncate else mount for mount in mounts),
        # A container that others link to has more names, with a slash in them.
        "Names": ",".join(name for name in names if not truncate or "/" not in name),
        "Networks": ",".join(one.get("NetworkSettings", {}).get("Networks", {})),
        "Platform": None,
        "Ports": port_column(one.get("Ports", ())),
        "RunningFor": duration(now - one["Created"]) + " ago",
        "Size": "0B",
        "State": one["State"],
        "Status": one["Status"],
    })  # fmt: skip


def _network_row(one: Mapping[str, Any], *, truncate: bool) -> NetworkRow:
    labels = one.get("Labels") or {}
    return NetworkRow({
        "CreatedAt": _moment(one["Created"]),
        "Driver": one["Driver"],
        "ID": _identifier(one, truncate=truncate),
        "IPv4": str(bool(one.get("EnableIPv4", False))).lower(),
        "IPv6": str(bool(one.get("EnableIPv6", False))).lower(),
        "Internal": str(bool(one.get("Internal", False))).lower(),
        "Label": lambda name: labels.get(name, ""),
        "Labels": _pairs(labels),
        "Name": one["Name"],
        "Scope": one["Scope"],
    })  # fmt: skip


def _moment(text: str) -> str:
    """Write 2026-01-01T00:00:00.5Z as Go prints a time."""
    date, _, clock = text.removesuffix("Z").partition("T")
    return f"{date} {clock} +0000 UTC"


def _identifier(one: Mapping[str, Any], *, truncate: bool) -> str:
    return str(one["Id"])[: _SHORT if truncate else None]


def _pairs(labels: Mapping[str, str]) -> str:
    return ",".join(sorted(f"{name}={value}" for name, value in labels.items()))


# ── forms ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _form(form: str, *, quiet: bool, table: str, raw: str) -> str:
    if quiet:
        return "{{.ID}}"
    if form in ("", "table", "raw", "json"):
        return {"raw": raw, "json": "{{json .}}"}.get(form, table)
    return form.strip(" ").replace("\\t", "\t").replace("\\n", "\n")


def _listed(rows: Iterable[Struct], kind: type[Struct], form: str, identifier: str) -> str:
    in_columns = form.startswith("table")
    if not in_columns:
        return "".join(_stripped(render(form, row)) + "\n" for row in rows)
    form = form.removeprefix("table").strip(" ")
    lines = [render(form, row) for row in rows]
    return aligned([render(form, _headings(kind, identifier), _AS_THEY_ARE), *lines])


def _headings(kind: type[Struct], identifier: str) -> Struct:
    """Return the row of the columns' names, for the same template as the others."""
    names = _CONTAINER_FIELDS if kind is ContainerRow else _NETWORK_FIELDS
    headings: dict[str, Any] = {name: _HEADINGS.get(name, name.upper()) for name in names.split()}
    headings |= {"ID": identifier, "Label": lambda name: name.rpartition(".")[2].replace("-", " ").replace("_", " ")}
    return kind(headings)


def _stripped(text: str) -> str:
    return "\n".join(line.rstrip(" ") for line in text.split("\n")) if "\n" in text else text


def _as_it_is(value: Any, *_: Any) -> Any:
    return value


_CHANGING = ("join", "json", "lower", "pad", "split", "title", "truncate", "upper")
_AS_THEY_ARE = cast("dict[str, Callable[..., Any]]", {**FUNCTIONS, **dict.fromkeys(_CHANGING, _as_it_is)})
