"""What is asked of a network's addresses: `--subnet`, `--ip-range`, `--gateway`, `--aux-address`, sorted and checked.

Refusals have Docker's own words: first those of the docker command (29), then those of the engine (29).
Sources: docker/cli cli/command/network/create.go; moby/moby daemon/network.go.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from netlab.errors import RequestError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Config:
    """One entry of a network's IPAM.Config: what was asked for, subnets and ranges as they were written."""

    subnet: str
    ip_range: str | None = None
    gateway: str | None = None
    aux_addresses: Mapping[str, str] = field(default_factory=dict)

    @property
    def network(self) -> Network:
        return ipaddress.ip_network(self.subnet, strict=False)


def configs(
    subnets: Sequence[str],
    ip_ranges: Sequence[str] = (),
    gateways: Sequence[str] = (),
    aux_addresses: Mapping[str, str] | None = None,
) -> list[Config]:
    """Sort the options of `docker network create` by subnet; raises RequestError with the words of the docker command."""
    if len(subnets) < max(len(ip_ranges), len(gateways)):
        raise RequestError("every ip-range or gateway must have a corresponding subnet")
    for number, subnet in enumerate(subnets):
        if any(_prefix(subnet).overlaps(_prefix(other)) for other in subnets[:number] if _same(subnet, other)):
            raise RequestError("multiple overlapping subnet configuration is not supported")
        _prefix(subnet)
    for text in ip_ranges:
        if "/" not in text or not _is_address(text):
            raise _bad_argument("ip-range", text, "CIDR")
    for text in gateways:
        if "/" in text or not _is_address(text):
            raise _bad_argument("gateway", text, "IP address")
    ranges = _by_subnet(
        subnets, ip_ranges, "range", "cannot configure multiple ranges ({}, {}) on the same subnet ({})"
    )
    gateway = _by_subnet(
        subnets, gateways, "gateway", "cannot configure multiple gateways ({}, {}) for the same subnet ({})"
    )
    aux: dict[str, dict[str, str]] = {subnet: {} for subnet in subnets}
    for name, text in (aux_addresses or {}).items():
        if "/" in text or not _is_address(text):
            raise RequestError(f'ParseAddr("{text}"): unable to parse IP')
        aux[_home(subnets, text, "aux-address")][name] = text
    return [Config(subnet, ranges.get(subnet), gateway.get(subnet), aux[subnet]) for subnet in subnets]


def _by_subnet(subnets: Sequence[str], texts: Sequence[str], what: str, twice: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        subnet = _home(subnets, text, what)
        if subnet in found:
            raise RequestError(twice.format(text, found[subnet], subnet))
        found[subnet] = text
    return found


def _home(subnets: Sequence[str], text: str, what: str) -> str:
    """Return the subnet that an address or a range lies in."""
    address = ipaddress.ip_interface(text).ip
    for subnet in subnets:
        if address in _prefix(subnet):
            return subnet
    raise RequestError(f"no matching subnet for {what} {text}")


def _same(first: str, second: str) -> bool:
    return _prefix(first).version == _prefix(second).version


def _prefix(text: str) -> Network:
    """Return a subnet; complains in the words of Go's netip.ParsePrefix (CLI 29)."""
    # CLI 28 leaves it to the engine. 20.10: "Invalid subnet X : invalid CIDR address: X"; 25.0 to 28: "invalid subnet X:
    # invalid CIDR block notation".
    address, slash, length = text.rpartition("/")
    if not slash:
        raise RequestError(f"netip.ParsePrefix(\"{text}\"): no '/'")
    try:
        version = ipaddress.ip_address(address).version
    except ValueError:
        raise RequestError(f'netip.ParsePrefix("{text}"): ParseAddr("{address}"): unable to parse IP') from None
    if not length.isdecimal() or not length.isascii():
        raise RequestError(f'netip.ParsePrefix("{text}"): bad bits after slash: "{length}"')
    if int(length) > (32 if version == 4 else 128):
        raise RequestError(f'netip.ParsePrefix("{text}"): prefix length out of range')
    return ipaddress.ip_network(text, strict=False)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return True


def _bad_argument(option: str, text: str, what: str) -> RequestError:
    # CLI 28: "invalid CIDR address: X" for a range, and "no matching subnet for gateway X".
    return RequestError(
        f'invalid argument "{text}" for "--{option}" flag: invalid string being converted to {what}: {text}'
    )


def validate(wanted: Iterable[Config], *, ipv6: bool) -> list[Config]:
    """Return what of a network's IPAM.Config is in force; raises RequestError in the engine's words.

    IPv6 subnets of a network without IPv6 are left out, without a word. Since 25.0; 20.10 accepts host bits, and ranges
    larger than their subnet.
    """
    kept = [one for one in wanted if ipv6 or one.network.version == 4]
    if wrong := [line for one in kept for line in _wrong(one)]:
        raise RequestError("invalid network config:\n" + "\n".join(wrong))
    return kept


def one_per_family(wanted: Sequence[Config]) -> None:
    """Refuse a bridge network with two subnets of one family; raises RequestError."""
    versions = [one.network.version for one in wanted]
    if len(versions) > len(set(versions)):
        raise RequestError("bridge driver doesn't support multiple subnets")


def _wrong(one: Config) -> Iterator[str]:
    """Yield all that is wrong with one entry."""
    subnet = one.network
    if one.subnet != str(subnet) and ipaddress.ip_interface(one.subnet).ip != subnet.network_address:
        yield f"invalid subnet {one.subnet}: it should be {subnet}"
    if one.ip_range is not None:
        inner = ipaddress.ip_network(one.ip_range, strict=False)
        bad = f"invalid ip-range {one.ip_range}: "
        if inner.version != subnet.version:
            yield f"{bad}parent subnet is an IPv{subnet.version} block"
        else:
            if inner.prefixlen < subnet.prefixlen:
                yield f"{bad}CIDR block is bigger than its parent subnet {one.subnet}"
            if ipaddress.ip_interface(one.ip_range).ip != inner.network_address:
                yield f"{bad}it should be {inner}"
            if not inner.overlaps(subnet):
                yield f"{bad}parent subnet {one.subnet} doesn't contain ip-range"
    addresses = [(f"gateway {one.gateway}", one.gateway)] if one.gateway else []
    addresses += [(f"auxiliary address {name}", text) for name, text in one.aux_addresses.items()]
    for what, text in addresses:
        if (address := ipaddress.ip_address(text)).version != subnet.version:
            yield f"invalid {what}: parent subnet is an IPv{subnet.version} block"
        elif address not in subnet:
            yield f"invalid {what}: parent subnet {one.subnet} doesn't contain this address"
