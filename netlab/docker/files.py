"""The files that the engine writes into a container: /etc/hosts and /etc/resolv.conf."""

from __future__ import annotations

from collections.abc import Iterable

from netlab import dns
from netlab.docker.records import Specification
from netlab.drivers.bridge import Endpoint
from netlab.founding import RESOLVERS, hosts_file

HOST_GATEWAY = "host-gateway"


def hosts(hostname: str, asked: Specification, endpoints: Iterable[Endpoint], host_gateway: str | None) -> str:
    """Return /etc/hosts: the usual lines, those of `--add-host`, and one for each address of the container."""
    lines = []
    for name, address in asked.extra_hosts:
        meant = host_gateway if address == HOST_GATEWAY else address
        if meant:
            lines.append(f"{meant}\t{name}\n")
    for endpoint in endpoints:
        lines += own_lines(hostname, endpoint)
    return hosts_file(hostname, None) + "".join(lines)


def own_lines(hostname: str, endpoint: Endpoint) -> list[str]:
    """Return the lines of /etc/hosts for one network."""
    return [f"{address.partition('/')[0]}\t{hostname}\n" for address in endpoint.addresses]


def with_lines(text: str, lines: Iterable[str]) -> str:
    """Return /etc/hosts with more lines; what a student wrote there stays."""
    ended = text if text.endswith("\n") or not text else text + "\n"
    return ended + "".join(line for line in lines if line not in text.splitlines(keepends=True))


def without_lines(text: str, lines: Iterable[str]) -> str:
    """Return /etc/hosts without some lines."""
    gone = set(lines)
    return "".join(line for line in text.splitlines(keepends=True) if line not in gone)


def resolv_conf(asked: Specification, *, embedded: bool) -> str:
    """Return /etc/resolv.conf: with `embedded`, the internal name server is asked, and ndots:0 unless chosen otherwise.

    Engine 26 and later add comments around these lines, and put the search domains behind the servers, as here.
    """
    servers = [dns.ADDRESS] if embedded else asked.dns or RESOLVERS
    options = list(asked.dns_options)
    if embedded and not any(option.startswith("ndots:") for option in options):
        options.append("ndots:0")
    lines = [f"nameserver {server}" for server in servers]
    if asked.dns_search:
        lines.append("search " + " ".join(asked.dns_search))
    if options:
        lines.append("options " + " ".join(options))
    return "\n".join(lines) + "\n"
