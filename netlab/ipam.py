"""Handing out subnets and addresses as Docker does (IPAM): which subnet, which gateway, which address is next.

Refusals have Docker's own words, those of engine 29; where an older engine says something else, a comment says what.
Source: moby/moby daemon/libnetwork/ipams/defaultipam and daemon/libnetwork/network.go.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Sequence
from itertools import chain, islice

from netlab.errors import RequestError
from netlab.ipam_config import Address, Config, Network

Pool = tuple[str, int]
"""A block of addresses, and the length of the subnets that are cut from it."""

DEFAULT_POOLS: tuple[Pool, ...] = (*((f"172.{second}.0.0/16", 16) for second in range(17, 32)), ("192.168.0.0/16", 20))
_PREDEFINED = "all predefined address pools have been fully subnetted"
_IN_USE = "Address already in use"


class AddressTaken(RequestError):
    """An address or a subnet that was asked for is in use."""


class Exhausted(RequestError):
    """There is no free address, or no free subnet, left."""


def ula_pool(host_id: str) -> Pool:
    """Return the block for IPv6 networks without --subnet: fd00::/8 and 40 bits that depend on the host alone."""
    # RFC 4193. Before 27.0 there was no such block, and --ipv6 needed a --subnet.
    low40 = int.from_bytes(hashlib.sha256(host_id.encode()).digest()[:8], "big") & ((1 << 40) - 1)
    return str(ipaddress.IPv6Network(((0xFD << 120) + (low40 << 80), 48))), 64


def choose_subnet(
    taken: Iterable[str | Network], pools: Sequence[Pool] = DEFAULT_POOLS, *, size: int | None = None
) -> Network:
    """Return the first subnet of the pools that overlaps nothing taken; raises Exhausted.

    `taken` are the subnets of networks, the destinations of the host's on-link routes and its name servers' addresses:
    routes through a gateway reserve nothing. `size` is the length of the subnet, for `--subnet 0.0.0.0/24`.
    """
    # First fit, since 27.0; before, the search went on behind the subnet that was handed out last.
    networks = [ipaddress.ip_network(one) for one in taken]
    for block, length in pools:
        base = ipaddress.ip_network(block)
        if size is not None and not base.prefixlen <= size <= base.max_prefixlen:
            continue
        in_block = [network for network in networks if network.version == base.version and network.overlaps(base)]
        for subnet in base.subnets(new_prefix=size or length):
            if not any(subnet.overlaps(network) for network in in_block):
                return subnet
    raise Exhausted(
        _PREDEFINED
    )  # before 27.0: "could not find an available, non-overlapping IPv4 address pool among …"


def claim_subnet(subnet: Network, taken: Iterable[str | Network], pools: Sequence[Pool] = DEFAULT_POOLS) -> Network:
    """Return the subnet that a network gets which asks for this one; raises AddressTaken when it overlaps, Exhausted.

    0.0.0.0/24 and ::/64 ask for any subnet of that size (29; before, they were subnets like others).
    """
    networks = [ipaddress.ip_network(one) for one in taken]
    if int(subnet.network_address) == 0:
        return choose_subnet(networks, pools, size=subnet.prefixlen or None)
    if any(subnet.version == network.version and subnet.overlaps(network) for network in networks):
        raise AddressTaken("invalid pool request: Pool overlaps with other one on this address space")
    return subnet


class AddressPool:
    """The addresses of one subnet of a network: the lowest free one is next; with `serial` the one behind the last, as in
    a swarm, whose hosts must not take for a new container what has just left.

    It is told what is taken and released, and answers what it would take. Gateway and auxiliary addresses are taken from
    the start. `name` is how Docker names the network when there is no address left: `my-network (ID)`.
    """

    def __init__(self, config: Config, name: str = "", *, gateway: bool = True, serial: bool = False) -> None:
        """Take the gateway (unless `gateway` is False) and the auxiliary addresses; raises AddressTaken, Exhausted."""
        self.subnet = config.network
        self.name = name
        self._range = ipaddress.ip_network(config.ip_range, strict=False) if config.ip_range else self.subnet
        self._taken: set[int] = set()
        self._serial = serial
        self._next = int(self._range.network_address)
        self._reserve_ends()
        self.gateway: str | None = None
        if gateway or config.gateway:
            self.gateway = self._take_gateway(config.gateway)
        for label, text in config.aux_addresses.items():
            if int(ipaddress.ip_address(text)) in self._taken:
                raise AddressTaken(f"failed to allocate secondary ip address ({label}:{text}): {_IN_USE}")
            self.take(text)

    def choose(self, count: int = 1) -> list[str]:
        """Return the free addresses of the range that are next; raises Exhausted."""
        first, last = int(self._range.network_address), int(self._range.broadcast_address)
        numbers = chain(range(self._next, last + 1), range(first, self._next) if self._serial else ())
        found = list(islice((number for number in numbers if number not in self._taken), count))
        if len(found) < count:
            raise Exhausted(
                f"no available IPv{self.subnet.version} addresses on this network's address pools: {self.name}"
            )
        return [str(self._address(number)) for number in found]

    def check(self, text: str) -> str:
        """Return an address that was asked for with --ip or --ip6, anywhere in the subnet; raises AddressTaken, RequestError.

        It may lie outside the range from which addresses are chosen.
        """
        address = self.check_form(text)
        if address not in self.subnet:
            # 20.10: "Invalid address X: It does not belong to any of this network's subnets".
            raise RequestError(f"invalid endpoint settings:\nno configured subnet contains IP address {address}")
        if int(address) in self._taken:
            raise AddressTaken(_IN_USE)
        return str(address)

    def check_form(self, text: str) -> Address:
        """Return an address of the subnet's family; raises RequestError."""
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            address = None
        if address is None or address.version != self.subnet.version:
            raise RequestError(f"invalid IPv{self.subnet.version} address: {text}")
        return address

    def take(self, text: str) -> None:
        """Remember that an address is taken."""
        number = int(ipaddress.ip_address(text))
        if self._serial and self._next > int(self._range.broadcast_address):
            self._next = number  # once round
        self._taken.add(number)
        while self._next in self._taken:
            self._next += 1

    def release(self, text: str) -> None:
        """Forget that an address is taken; nothing happens when it is not."""
        number = int(ipaddress.ip_address(text))
        self._taken.discard(number)
        if not self._serial and int(self._range.network_address) <= number < self._next:
            self._next = number

    def with_length(self, text: str) -> str:
        """Return an address as an interface has it: 172.18.0.2/16."""
        return f"{text}/{self.subnet.prefixlen}"

    def _reserve_ends(self) -> None:
        """Keep back the network's own address, and for IPv4 the broadcast address; a /31 has neither (RFC 3021)."""
        spare = self.subnet.max_prefixlen - self.subnet.prefixlen
        if self.subnet.version == 6 or spare > 1:
            self.take(str(self.subnet.network_address))
        if self.subnet.version == 4 and spare > 1:
            self.take(str(self.subnet.broadcast_address))

    def _take_gateway(self, asked: str | None) -> str:
        """Take the gateway's address: the one asked for, or the lowest of the range."""
        if asked is None:
            try:
                chosen = self.choose()[0]
            except Exhausted:
                raise Exhausted("failed to allocate gateway (): no available addresses on this pool") from None
        else:
            chosen = str(ipaddress.ip_address(asked))
            if int(ipaddress.ip_address(asked)) in self._taken:
                raise AddressTaken(f"failed to allocate gateway ({asked}): {_IN_USE}")
        self.take(chosen)
        return chosen

    def _address(self, number: int) -> Address:
        return ipaddress.IPv4Address(number) if self.subnet.version == 4 else ipaddress.IPv6Address(number)
