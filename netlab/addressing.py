"""Handing out addresses, as Docker does: the lowest that is free (IPAM)."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from netlab.errors import RequestError


class Pool:
    """The addresses of one subnet. It keeps no list: who is asked for an address says which are taken."""

    def __init__(self, subnet: str, gateway: str) -> None:
        self.subnet = ipaddress.IPv4Network(subnet)
        self.gateway = gateway

    def free(self, count: int, taken: Collection[str]) -> list[str]:
        """Return the `count` lowest addresses that are neither taken nor reserved; raises RequestError."""
        found: list[str] = []
        first = int(self.subnet.network_address)
        for number in range(1, self.subnet.num_addresses - 1):
            if len(found) == count:
                break
            address = str(ipaddress.IPv4Address(first + number))
            if address != self.gateway and address not in taken:
                found.append(address)
        if len(found) < count:
            raise RequestError(
                f"{self.subnet} has no {count} free addresses left, only {len(found)}. Remove containers first."
            )
        return found


def check_interface_address(text: object) -> str:
    """Return an address with its prefix length, as 10.0.0.1/24; raises RequestError."""
    if isinstance(text, str) and "/" in text:
        try:
            return str(ipaddress.ip_interface(text))
        except ValueError:
            pass
    raise RequestError(
        f"{text!r} is not an address with its subnet's length. Write it as in 10.0.0.1/24: the address, a slash, and how "
        "many leading bits belong to the subnet."
    )


def check_address(text: object) -> str:
    """Return an address without prefix length, as 10.0.0.1; raises RequestError."""
    try:
        return str(ipaddress.ip_address(str(text)))
    except ValueError:
        raise RequestError(f"{text!r} is not an IP address. Write it as in 10.0.0.1") from None


def check_destination(text: object) -> str:
    """Return a route's destination, "default" or a subnet; raises RequestError."""
    if text in ("default", "0.0.0.0/0"):
        return "default"
    try:
        return str(ipaddress.ip_network(str(text)))
    except ValueError:
        pass
    try:
        suggestion = f" Did you mean {ipaddress.ip_network(str(text), strict=False)}?"
    except ValueError:
        suggestion = ""
    raise RequestError(f"{text!r} is not a destination. Write default, or a subnet as in 10.0.0.0/24.{suggestion}")
