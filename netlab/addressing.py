"""Checking addresses that a student wrote, before the kernel sees them."""

from __future__ import annotations

import ipaddress

from netlab.errors import RequestError


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
