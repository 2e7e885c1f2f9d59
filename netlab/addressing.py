"""Checking addresses that a student wrote, before the kernel sees them."""

from __future__ import annotations

import ipaddress

from netlab.errors import RequestError
from netlab.language import say


def check_interface_address(text: object) -> str:
    """Return an address with its prefix length, as 10.0.0.1/24; raises RequestError."""
    if isinstance(text, str) and "/" in text:
        try:
            return str(ipaddress.ip_interface(text))
        except ValueError:
            pass
    raise RequestError(
        say(
            en=f"{text!r} is not an address with its subnet's length. Write it as in 10.0.0.1/24: the address, a slash, and "
            "how many leading bits belong to the subnet.",
            ja=f"{text!r} は、サブネットの長さの付いたアドレスではありません。10.0.0.1/24 のように、アドレス、スラッシュ、"
            "サブネットを表す先頭のビット数の順に書いてください。",
        )
    )


def check_address(text: object) -> str:
    """Return an address without prefix length, as 10.0.0.1; raises RequestError."""
    try:
        return str(ipaddress.ip_address(str(text)))
    except ValueError:
        raise RequestError(
            say(
                en=f"{text!r} is not an IP address. Write it as in 10.0.0.1",
                ja=f"{text!r} は IP アドレスではありません。10.0.0.1 のように書いてください。",
            )
        ) from None


def check_destination(text: object) -> str:
    """Return a route's destination, "default" or a subnet; raises RequestError."""
    if text in ("default", "0.0.0.0/0"):
        return "default"
    try:
        return str(ipaddress.ip_network(str(text)))
    except ValueError:
        pass
    try:
        meant = ipaddress.ip_network(str(text), strict=False)
        suggestion = say(en=f" Did you mean {meant}?", ja=f"{meant} のことですか。")
    except ValueError:
        suggestion = ""
    raise RequestError(
        say(
            en=f"{text!r} is not a destination. Write default, or a subnet as in 10.0.0.0/24.{suggestion}",
            ja=f"{text!r} は宛先ではありません。default か、10.0.0.0/24 のようなサブネットを書いてください。{suggestion}",
        )
    )
