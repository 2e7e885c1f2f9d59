"""`--filter KEY=VALUE` of `docker ps` and `docker network ls`: values of one key are alternatives, keys restrict each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from netlab.errors import NotFound, RequestError

Filters = dict[str, list[str]]
_PREDEFINED = ("bridge", "host", "none")
_STATES = ("created", "restarting", "running", "removing", "paused", "exited", "dead")
_TRUTH = {"1": True, "true": True, "0": False, "false": False}


def parse(texts: Iterable[str]) -> Filters:
    """Sort filters by key; raises RequestError with the words of the docker command."""
    found: Filters = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise RequestError("bad format of filter (expected name=value)")
        found.setdefault(key.strip().lower(), []).append(value.strip())
    return found


# ── containers ─────────────────────────────────────────────────────────────────────────────────────────────────────


def matching_containers(filters: Filters, summaries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return those containers that filters let pass; raises RequestError, NotFound.

    `summaries` is the whole list of GET /containers/json?all=1, newest first.
    """
    tests = [_container_test(key, values, summaries) for key, values in filters.items()]
    return [one for one in summaries if all(test(one) for test in tests)]


def _container_test(
    key: str, values: list[str], summaries: Sequence[Mapping[str, Any]]
) -> Callable[[Mapping[str, Any]], bool]:
    if key == "label":
        return lambda one: _has_labels(one, values)
    if key in ("publish", "expose"):
        wanted = [port for value in values for port in _ports(key, value)]
        return lambda one: any(port in wanted for port in _container_ports(one, key))
    if key in ("before", "since"):
        older = key == "before"
        place = _place(values[0], summaries)
        return lambda one: (summaries.index(one) > place) if older else (summaries.index(one) < place)
    if key not in _CONTAINER_TESTS:
        raise RequestError(f"invalid filter '{key}'")  # 20.10: "Invalid filter"
    _check_values(key, values)
    single = _CONTAINER_TESTS[key]
    return lambda one: any(single(one, value) for value in values)


def _check_values(key: str, values: list[str]) -> None:
    for value in values:
        if key == "status" and value not in _STATES:
            raise RequestError(f"invalid filter 'status={value}'")
        if key == "exited" and not re.fullmatch(r"[-+]?\d+", value):
            raise RequestError(f'strconv.Atoi: parsing "{value}": invalid syntax')


def _has_name(one: Mapping[str, Any], value: str) -> bool:
    return any(_found(value, name) or _found(value, name.removeprefix("/")) for name in one["Names"])


def _is_in_network(one: Mapping[str, Any], value: str) -> bool:
    networks = one.get("NetworkSettings", {}).get("Networks", {})
    return value in networks or any(value == endpoint.get("NetworkID") for endpoint in networks.values())


def _exited_with(one: Mapping[str, Any], value: str) -> bool:
    return bool(re.match(rf"Exited \({int(value)}\)", one["Status"]))


def _descends_from(one: Mapping[str, Any], value: str) -> bool:
    plain = one["Image"].removesuffix(":latest")
    identifier = str(one.get("ImageID", "")).removeprefix("sha256:")
    return bool(value.removesuffix(":latest") == plain or (value and identifier.startswith(value)))


_CONTAINER_TESTS: dict[str, Callable[[Mapping[str, Any], str], bool]] = {
    "ancestor": _descends_from,
    "exited": _exited_with,
    "id": lambda one, value: bool(one["Id"].startswith(value)),
    "name": _has_name,
    "network": _is_in_network,
    "status": lambda one, value: one["State"] == value,
}


def _ports(key: str, value: str) -> list[tuple[int, str]]:
    numbers, _, kind = value.partition("/")
    bounds = numbers.split("-")
    for bound in bounds:
        if not bound.isdecimal():
            words = f'strconv.ParseUint: parsing "{bound}": invalid syntax'
            raise RequestError(f"error while looking up for {key} {value}: {words}")
    return [(port, kind or "tcp") for port in range(int(bounds[0]), int(bounds[-1]) + 1)]


def _container_ports(one: Mapping[str, Any], key: str) -> Iterable[tuple[int, str]]:
    number = "PublicPort" if key == "publish" else "PrivatePort"
    return ((port.get(number, 0), port["Type"]) for port in one.get("Ports", ()))


def _place(value: str, summaries: Sequence[Mapping[str, Any]]) -> int:
    """Return where a container stands in the list, whose newest come first."""
    for place, one in enumerate(summaries):
        if one["Id"].startswith(value) or f"/{value.removeprefix('/')}" in one["Names"]:
            return place
    raise NotFound(f"No such container: {value}")  # 20.10: "no such container"


# ── networks ───────────────────────────────────────────────────────────────────────────────────────────────────────


def matching_networks(filters: Filters, networks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return those networks, as GET /networks has them, that filters let pass; raises RequestError."""
    tests = [_network_test(key, values) for key, values in filters.items()]
    return [one for one in networks if all(test(one) for test in tests)]


def _network_test(key: str, values: list[str]) -> Callable[[Mapping[str, Any]], bool]:
    if key == "label":
        return lambda one: _has_labels(one, values)
    if key == "type":
        for value in values:
            if value not in ("custom", "builtin"):
                raise RequestError(f"invalid filter: 'type'='{value}'")
        return lambda one: ("builtin" if one["Name"] in _PREDEFINED else "custom") in values
    if key == "dangling":
        if values[0] not in _TRUTH:
            raise RequestError('invalid value for filter \'dangling\', must be "true" (or "1"), or "false" (or "0")')
        # 20.10 forgets to look, and takes every network of a user for dangling.
        return lambda one: (one["Name"] not in _PREDEFINED and not one.get("Containers")) == _TRUTH[values[0]]
    if key in ("driver", "scope"):
        return lambda one: one[key.title()] in values
    if key in ("id", "name"):
        return lambda one: any(_found(value, one[key.title()]) for value in values)
    raise RequestError(f"invalid filter '{key}'")


# ── both ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _has_labels(one: Mapping[str, Any], values: Iterable[str]) -> bool:
    """Tell whether all labels are there: unlike other filters, labels restrict each other."""
    labels = one.get("Labels") or {}
    pairs = (value.partition("=") for value in values)
    return all(name in labels and (not equals or labels[name] == wanted) for name, equals, wanted in pairs)


def _found(pattern: str, text: str) -> bool:
    """Tell whether a regular expression is found in a text; what is no regular expression is not."""
    try:
        return pattern == text or re.search(pattern, text) is not None
    except re.error:
        return False
