"""Publishing ports: what `-p` and `--expose` ask for, and which ports of the host are taken.

Every refusal has Docker's own words (CLI 28, engine 29), so that a student who searches for them finds an answer.
Sources: docker/go-connections nat/nat.go; moby/moby daemon/libnetwork/portallocator.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from netlab.errors import RequestError

EPHEMERAL = range(32768, 61000)
"""The host ports that are given out when none is asked for: Linux' net.ipv4.ip_local_port_range."""

PROTOCOLS = ("tcp", "udp", "sctp")
ANY4, ANY6 = "0.0.0.0", "::"
_DIGITS = re.compile(r"[0-9]+")
_LAST_PORT = 65535


class PortTaken(RequestError):
    """A host port that was asked for belongs to another published port."""


@dataclass(frozen=True, slots=True)
class PortBinding:
    """One container port to be reached through the host: `docker run -p`.

    `host_address` is None for every address of the host. `host_port` holds the ports of which the first free one is to
    be taken (one port, mostly), and is None for any ephemeral port.
    """

    host_address: str | None
    host_port: range | None
    container_port: int
    protocol: str = "tcp"

    def addresses(self, default: str | None = None) -> tuple[str, ...]:
        """Return the addresses to listen on; `default` is the network's host_binding_ipv4, if it has one."""
        chosen = self.host_address or default
        return (chosen,) if chosen else (ANY4, ANY6)


def parse(spec: str) -> list[PortBinding]:
    """Read what follows `-p`: 8080:80, 80, 127.0.0.1:8080:80, 8000-8002:80-82/udp, [::1]:8080:80, target=80,published=8080.

    Raises RequestError with the words of the docker command. Several container ports give several bindings, pairwise.
    """
    text = _short_form(spec) if "=" in spec else spec
    *address, host, container = ["", "", *text.split(":")][-max(3, text.count(":") + 1) :]
    numbers, _, protocol = container.partition("/")
    protocol = protocol.partition("/")[0].lower() or "tcp"
    # The order of these checks is that of the docker command: a specification with two faults gets the same answer.
    host_address = _host_address(":".join(address))
    if not numbers:
        raise RequestError(f"no port specified: {text}<empty>")
    container_ports = _ports(numbers, "containerPort")
    host_ports = _ports(host, "hostPort") if host else None
    if host_ports is not None and len(host_ports) != len(container_ports) > 1:
        raise RequestError(f"invalid ranges specified for container and host Ports: {numbers} and {host}")
    if protocol not in PROTOCOLS:
        raise RequestError(f"invalid proto: {protocol}")
    if len(container_ports) == 1:
        return [PortBinding(host_address, _wanted(host_ports), container_ports[0], protocol)]
    pairs = [None] * len(container_ports) if host_ports is None else [range(port, port + 1) for port in host_ports]
    return [
        PortBinding(host_address, _wanted(wanted), port, protocol)
        for wanted, port in zip(pairs, container_ports, strict=True)
    ]


def _short_form(spec: str) -> str:
    """Write target=80,published=8080,protocol=tcp as 8080:80/tcp, as the docker command does."""
    fields = {"published": "", "target": "", "protocol": "tcp"}
    fields.update((key.strip(), value.strip()) for key, _, value in (part.partition("=") for part in spec.split(",")))
    return f"{fields['published']}:{fields['target']}/{fields['protocol']}"


def _host_address(text: str) -> str | None:
    if text.startswith("["):
        text = _without_brackets(text)
    if not text:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise RequestError(f"invalid IP address: {text}") from None
    if "%" in text:
        raise RequestError(f"invalid IP address: {text}")
    return str(getattr(address, "ipv4_mapped", None) or address)


def _without_brackets(text: str) -> str:
    """Take the brackets from an IPv6 address; complains in the words of Go's net.SplitHostPort, which Docker uses."""
    inside, closing, after = text[1:].partition("]")
    if not closing:
        wrong = "missing ']' in address"
    elif after:
        wrong = "too many colons in address" if after.startswith(":") else "missing port in address"
    elif "[" in inside:
        wrong = "unexpected '[' in address"
    else:
        return inside
    raise RequestError(f"invalid IP address {text}: address {text}:: {wrong}")


def _ports(text: str, what: str) -> range:
    """Return 80 or 80-82 as a range."""
    first, *more = text.split("-")
    bounds = [first, more[0] if more else first]
    if all(_DIGITS.fullmatch(bound) and int(bound) <= _LAST_PORT for bound in bounds):
        low, high = map(int, bounds)
        if low <= high:
            return range(low, high + 1)
    raise RequestError(f"invalid {what}: {text}")


def _wanted(ports: range | None) -> range | None:
    """Return None, which is any port, for port 0 as well."""
    return None if ports == range(1) else ports


def parse_expose(spec: str) -> list[tuple[int, str]]:
    """Read what follows `--expose`: 80, 80/udp, 80-82; raises RequestError with the words of the docker command."""
    if ":" in spec:
        raise RequestError(f"invalid port format for --expose: {spec}")
    numbers, _, protocol = spec.partition("/")
    bad = f"invalid range format for --expose: {spec}, error: "
    if not numbers:
        raise RequestError(bad + "empty string specified for ports")
    first, *more = numbers.split("-")
    bounds = [first, more[0] if more else first]
    for bound in bounds:
        if not _DIGITS.fullmatch(bound):
            raise RequestError(f'{bad}strconv.ParseUint: parsing "{bound}": invalid syntax')
        if int(bound) > _LAST_PORT:
            raise RequestError(f'{bad}strconv.ParseUint: parsing "{bound}": value out of range')
    low, high = map(int, bounds)
    if high < low:
        raise RequestError(f"{bad}invalid range specified for port: {numbers}")
    return [(port, protocol.lower() or "tcp") for port in range(low, high + 1)]


@dataclass(frozen=True, slots=True)
class Claim:
    """A host port on some addresses, for one protocol; `wanted` is the range it was chosen from (None: ephemeral)."""

    addresses: tuple[str, ...]
    protocol: str
    port: int
    wanted: range | None = None


class PortAllocator:
    """The published ports of one host. It is told what is taken and released, and answers what it would take.

    It knows of published ports alone: that a process of the host listens somewhere, only the kernel knows.
    """

    def __init__(self, ephemeral: range = EPHEMERAL) -> None:
        self._ephemeral = ephemeral
        self._taken: dict[tuple[str, str], set[int]] = {}
        self._last: dict[tuple[str, str, range], int] = {}

    def choose(self, addresses: Sequence[str], protocol: str, wanted: range | None) -> Claim:
        """Return the port that would be taken on these addresses, the same on all; raises PortTaken, RequestError.

        A range is searched from behind the port that was last taken from it, so that an ephemeral port which was
        released a moment ago does not come back at once.
        """
        if wanted is not None and wanted[0] == 0:
            raise RequestError(f"invalid port range: {wanted[0]}-{wanted[-1]}")
        in_the_way = self._in_the_way(addresses, protocol)
        if wanted is not None and len(wanted) == 1:
            for address in in_the_way:
                if wanted[0] in self._taken.get((address, protocol), ()):
                    raise PortTaken(f"Bind for {address}:{wanted[0]} failed: port is already allocated")
            return Claim(tuple(addresses), protocol, wanted[0], wanted)
        ports = self._ephemeral if wanted is None else wanted
        start = self._last.get((addresses[0], protocol, ports), ports[-1]) + 1 - ports[0]
        for offset in range(len(ports)):
            port = ports[(start + offset) % len(ports)]
            if not any(port in self._taken.get((address, protocol), ()) for address in in_the_way):
                return Claim(tuple(addresses), protocol, port, wanted)
        raise PortTaken("all ports are allocated")

    def take(self, claim: Claim) -> None:
        """Remember that a port is taken."""
        ports = self._ephemeral if claim.wanted is None else claim.wanted
        for address in claim.addresses:
            self._taken.setdefault((address, claim.protocol), set()).add(claim.port)
            self._last[address, claim.protocol, ports] = claim.port

    def release(self, claim: Claim) -> None:
        """Forget that a port is taken; nothing happens when it is not."""
        for address in claim.addresses:
            self._taken.get((address, claim.protocol), set()).discard(claim.port)

    def _in_the_way(self, addresses: Sequence[str], protocol: str) -> list[str]:
        """Return the addresses on which a port must be free: those asked for, and all that mean the same in part.

        0.0.0.0 is every IPv4 address, so it collides with each of them, and each of them with it; :: in the same way.
        """
        found = list(addresses)
        for every in (ANY4, ANY6):
            if every in addresses:
                found += [known for known, kind in self._taken if kind == protocol and _every(known) == every]
            elif any(_every(address) == every for address in addresses):
                found.append(every)
        return list(dict.fromkeys(found))


def _every(address: str) -> str:
    return ANY6 if ":" in address else ANY4


def refused(endpoint: str, identifier: str, why: object) -> str:
    """Return what the engine says when a container's ports cannot be published."""
    return f"driver failed programming external connectivity on endpoint {endpoint} ({identifier}): {why}"


def cannot_bind(address: str, port: int, protocol: str, why: str) -> str:
    """Return what the engine says when the kernel refuses a listening socket, as in "address already in use"."""
    # 20.10: "Error starting userland proxy: listen tcp4 0.0.0.0:8080: bind: address already in use".
    return f"failed to bind host port {shown(address, port)}/{protocol}: {why}"


def shown(address: str, port: int) -> str:
    """Return 0.0.0.0:8080 or [::]:8080."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def exposed(bindings: Collection[PortBinding]) -> list[tuple[int, str]]:
    """Return the container ports that bindings expose, each once."""
    return list(dict.fromkeys((binding.container_port, binding.protocol) for binding in bindings))
