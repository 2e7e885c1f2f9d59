"""Docker's name resolution on user-defined networks: what a container may know, as pure data.

Every network has a table of names. A container asks the networks that it is on, in their order, and the first that knows
the name answers: so a name means what it means on the container's own networks, and nothing elsewhere.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

ADDRESS = "127.0.0.11"
TTL = 600  # seconds, as Docker's

Outcome = Literal["answer", "empty", "forward"]


@dataclass(frozen=True, slots=True)
class Member:
    """A running container on a network: its addresses there and all names that mean it, its proper name first."""

    names: tuple[str, ...]
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class NetworkNames:
    """The names of one network."""

    name: str
    members: tuple[Member, ...] = ()
    _by_name: dict[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)
    _by_address: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name: dict[str, list[str]] = {}
        by_address: dict[str, str] = {}
        for member in self.members:
            for name in dict.fromkeys(one.lower() for one in member.names):
                by_name.setdefault(name, []).extend(member.addresses)
                by_name.setdefault(f"{name}.{self.name.lower()}", []).extend(member.addresses)
            for address in member.addresses:
                reverse = ipaddress.ip_address(address).reverse_pointer
                by_address[reverse] = f"{member.names[0]}.{self.name}."
        object.__setattr__(self, "_by_name", {name: tuple(found) for name, found in by_name.items()})
        object.__setattr__(self, "_by_address", by_address)

    def addresses(self, name: str) -> tuple[str, ...]:
        """Return all addresses of a name, of both families; none if it is not known."""
        return self._by_name.get(name.lower().rstrip("."), ())

    def reverse(self, pointer: str) -> str | None:
        """Return the name behind a name of in-addr.arpa or ip6.arpa."""
        return self._by_address.get(pointer.lower().rstrip("."))


@dataclass(frozen=True, slots=True)
class Resolution:
    """What becomes of a question: an answer, an empty answer (the name exists, the record does not), or a forward."""

    outcome: Outcome
    records: tuple[str, ...] = ()


def resolve(
    networks: Sequence[NetworkNames],
    name: str,
    kind: str,
    own_aliases: Mapping[str, str] | None = None,
    *,
    forward_single_labels: bool = True,
) -> Resolution:
    """Answer a question of a container that is on `networks`, in their order.

    `own_aliases` are the names that only this container knows (`--link`). A name that nobody knows is forwarded; with
    `forward_single_labels=False` (the user chose ndots) an unknown single label is answered empty instead.
    """
    if kind == "PTR":
        pointer = next((one.reverse(name) for one in networks if one.reverse(name)), None)
        return Resolution("answer", (pointer,)) if pointer else Resolution("forward")
    meant = (own_aliases or {}).get(name.lower().rstrip("."), name)
    addresses = next((found for one in networks if (found := one.addresses(meant))), ())
    if not addresses:
        single = "." not in name.rstrip(".")
        if single and kind in ("A", "AAAA") and not forward_single_labels:
            return Resolution("empty")
        return Resolution("forward")
    if kind in ("A", "AAAA"):
        records = _of_family(addresses, 4 if kind == "A" else 6)
        return Resolution("answer", records) if records else Resolution("empty")
    return Resolution("empty") if kind == "MX" else Resolution("forward")


def _of_family(addresses: Iterable[str], version: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in addresses if ipaddress.ip_address(one).version == version))


def redirection(udp_port: int, tcp_port: int) -> str:
    """Return the nft script that carries queries for 127.0.0.11:53, inside a container, to the resolver's real sockets.

    Table and chains have the names of Docker's nftables backend. -100 is dstnat, a word that nft 1.0.6 does not take here.
    """
    to, back = "docker-dns dns-dnat", "docker-dns dns-snat"
    return "\n".join(
        [
            "add table ip docker-dns",
            f"add chain ip {to} {{ type nat hook output priority -100; policy accept; }}",
            f"add chain ip {back} {{ type nat hook postrouting priority srcnat; policy accept; }}",
            f'add rule ip {to} ip daddr {ADDRESS} udp dport 53 counter dnat to {ADDRESS}:{udp_port} comment "DNS UDP"',
            f'add rule ip {to} ip daddr {ADDRESS} tcp dport 53 counter dnat to {ADDRESS}:{tcp_port} comment "DNS TCP"',
            f'add rule ip {back} ip saddr {ADDRESS} udp sport {udp_port} counter snat to :53 comment "DNS UDP reply"',
            f'add rule ip {back} ip saddr {ADDRESS} tcp sport {tcp_port} counter snat to :53 comment "DNS TCP reply"',
        ]
    )
