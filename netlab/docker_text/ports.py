"""Ports, as `docker ps` and `docker port` show them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from netlab.errors import NotFound, RequestError


def port_column(ports: Iterable[Mapping[str, Any]]) -> str:
    """Return the PORTS column: neighbours are drawn together where host and container port are the same.

    Ports are those of the API: PrivatePort, Type, and IP and PublicPort if published.
    """
    ranges: dict[str, list[int]] = {}
    closed: list[str] = []
    mapped: list[str] = []
    for port in sorted(ports, key=_order):
        number, kind, address = port["PrivatePort"], port["Type"], port.get("IP", "")
        if address and port.get("PublicPort") != number:
            mapped.append(f"{host_and_port(address, port.get('PublicPort', 0))}->{number}/{kind}")
            continue
        key = f"{address}/{kind}"
        if key in ranges and number == ranges[key][1] + 1:
            ranges[key][1] = number
            continue
        if key in ranges:
            closed.append(_range(key, *ranges[key]))
        ranges[key] = [number, number]
    return ", ".join([*closed, *(_range(key, *bounds) for key, bounds in ranges.items()), *mapped])


def _order(port: Mapping[str, Any]) -> tuple[int, str, int, str]:
    return port["PrivatePort"], port.get("IP", ""), port.get("PublicPort", 0), port["Type"]


def _range(key: str, first: int, last: int) -> str:
    address, _, kind = key.rpartition("/")
    numbers = str(first) if first == last else f"{first}-{last}"
    return f"{host_and_port(address, numbers)}->{numbers}/{kind}" if address else f"{numbers}/{kind}"


def port_lines(ports: Mapping[str, Sequence[Mapping[str, str]] | None], name: str, wanted: str | None = None) -> str:
    """Return what `docker port NAME [PORT]` prints; raises NotFound when that port is not published.

    `ports` is the NetworkSettings.Ports of a container. What is no port raises RequestError.
    """
    lines = []
    if wanted is None:
        for port, bindings in ports.items():
            lines += [f"{port} -> {_binding(binding)}" for binding in bindings or ()]
    else:
        number, _, kind = wanted.partition("/")
        if not number.isdecimal():
            words = f'strconv.ParseUint: parsing "{number}": invalid syntax'
            raise RequestError(f"invalid port ({number}): {words}")
        bindings = ports.get(f"{number}/{kind or 'tcp'}")
        if not bindings:
            raise NotFound(f"No public port '{wanted}' published for {name}")
        lines = [_binding(binding) for binding in bindings]
    return "".join(f"{line}\n" for line in sorted(lines, key=natural))


def _binding(binding: Mapping[str, str]) -> str:
    return host_and_port(binding["HostIp"], binding["HostPort"])


def host_and_port(address: str, port: int | str) -> str:
    """Return 0.0.0.0:80 or [::]:80."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def natural(text: str) -> list[tuple[int, int, str]]:
    """Return what to sort by so that 80 comes before 443, and c2 before c10."""
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in re.findall(r"\d+|\D", text)]
