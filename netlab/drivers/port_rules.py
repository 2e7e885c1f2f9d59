"""The rules of a host for the published ports of a container; the frame they stand in is that of `rules`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netlab.drivers.rules import HostRule, RuleChange, chains_and_jumps, family_of, host_route, iptables


@dataclass(frozen=True, slots=True)
class PortRules:
    """One published port of a container: `host_address` is 0.0.0.0 or :: for every address of the host."""

    host_address: str
    host_port: int
    container_port: int
    protocol: str = "tcp"


def ports_published(bridge: str, address: str, ports: Sequence[PortRules]) -> RuleChange:
    """Return the chains and rules of a container's published ports, all of those of one address of it.

    Ports on host addresses of the other family are left to docker-proxy. Nothing is to be done for an internal network:
    nothing of it is published.
    """
    family = family_of(address)
    ports = [port for port in ports if family_of(port.host_address) == family]
    if not ports:
        return RuleChange("", "", ())
    name = address.replace(":", "-")  # a colon is not allowed in a chain's name
    accept, nat = f"filter-forward-port__{name}", f"nat-port__{name}"
    jumps = [("filter-forward-port-jumps", address, accept)]
    rules: list[HostRule] = []
    for port in ports:
        key = f"{port.protocol} . {port.host_port}"
        if _every(port.host_address):
            jumps.append(("nat-port-jumps", key, nat))
        else:
            jumps.append(("nat-address-port-jumps", f"{port.host_address} . {key}", nat))
        rules.append(_dnat(bridge, address, port, nat))
    opened = dict.fromkeys((port.container_port, port.protocol) for port in ports)
    rules += [_open_port(bridge, address, *one, accept) for one in opened]
    return chains_and_jumps(family, [accept, nat], jumps, tuple(rules))


def _dnat(bridge: str, address: str, port: PortRules, chain: str) -> HostRule:
    family = family_of(address)
    target = f"[{address}]:{port.container_port}" if family == "ip6" else f"{address}:{port.container_port}"
    text, line = f'iifname != "{bridge}" ', f"{iptables(family)} -t nat -A DOCKER "
    if family == "ip6":
        text, line = f"{text}ip6 saddr != fe80::/10 ", f"{line}! -s fe80::/10 "
    if not _every(port.host_address):
        text += f"{family} daddr {port.host_address} "
        line += f"-d {host_route(port.host_address)} "
    text += f"{port.protocol} dport {port.host_port} counter dnat to {target}"
    line += f"! -i {bridge} {_iptables_port(port.protocol, port.host_port)} -j DNAT --to-destination {target}"
    return HostRule(family, chain, text, line, "DNAT")


def _open_port(bridge: str, address: str, number: int, protocol: str, chain: str) -> HostRule:
    family = family_of(address)
    line = f"{iptables(family)} -A DOCKER -d {host_route(address)} ! -i {bridge} -o {bridge} "
    line += f"{_iptables_port(protocol, number)} -j ACCEPT"
    return HostRule(
        family, chain, f"{family} daddr {address} {protocol} dport {number} counter accept", line, "PUBLISHED PORT"
    )


def _iptables_port(protocol: str, number: int) -> str:
    return f"-p {protocol} -m {protocol} --dport {number}"


def _every(address: str) -> bool:
    return address in ("0.0.0.0", "::")
