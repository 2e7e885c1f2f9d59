"""What a journey goes to, as a student writes it: a URL, `ping web`, `tcp:web:80`, `udp:web:53`."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from netlab.errors import RequestError
from netlab.language import say

Protocol = Literal["icmp", "tcp", "udp"]
_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\.?")


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to reach, and how. `path` is given for a web page only."""

    host: str
    protocol: Protocol
    port: int = 0
    path: str | None = None

    def __str__(self) -> str:
        if self.protocol == "icmp":
            return f"ping {self.host}"
        where = f"[{self.host}]" if ":" in self.host else self.host
        if self.path is None:
            return f"{self.protocol}:{where}:{self.port}"
        return f"http://{where}{'' if self.port == 80 else f':{self.port}'}{self.path}"

    @property
    def command(self) -> str:
        """The command that sends the same by hand."""
        if self.protocol == "icmp":
            return f"ping -c 1 {self.host}"
        if self.path is not None:
            return f"curl {self}"
        return f"nc -v{'u' if self.protocol == 'udp' else ''} {self.host} {self.port}"


def parse(text: str) -> Target:
    """Read a target; raises RequestError with what can be written."""
    if not isinstance(text, str) or not text.strip():
        raise _refusal(text)
    text = text.strip()
    if text.startswith(("http://", "https://")):
        return _url(text)
    if match := re.fullmatch(r"ping[ :]\s*(.+)", text):
        return Target(_host(match.group(1), text), "icmp")
    if match := re.fullmatch(r"(tcp|udp):(?://)?(.+):(\d+)", text):
        protocol: Protocol = "udp" if match.group(1) == "udp" else "tcp"
        return Target(_host(match.group(2), text), protocol, _port(int(match.group(3)), text))
    if is_address(text) or ":" not in text:
        return Target(_host(text, text), "icmp")
    host, _, port = text.rpartition(":")
    if not port.isdecimal():
        raise _refusal(text)
    return Target(_host(host, text), "tcp", _port(int(port), text))


def _url(text: str) -> Target:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _refusal(text) from None
    if not host:
        raise _refusal(text)
    page = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    # What goes over an encrypted connection cannot be seen; its way can.
    path = page if parts.scheme == "http" else None
    return Target(_host(host, text), "tcp", _port(port or _PORTS[parts.scheme], text), path)


def _host(host: str, text: str) -> str:
    bare = host.strip().removeprefix("[").removesuffix("]")
    if not is_address(bare) and not _NAME.fullmatch(bare):
        raise _refusal(text)
    return bare


def is_address(text: str) -> bool:
    """Whether a target's host is an address, so that there is no name to look up."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _port(port: int, text: str) -> int:
    if not 0 < port < 65536:
        raise _refusal(text)
    return port


def _refusal(text: object) -> RequestError:
    return RequestError(
        say(
            en=f"{text!r} is no target. Write a URL as in http://web:80, or: ping web, tcp:web:80, udp:web:53",
            ja=f"{text!r} は宛先として読み取れません。http://web:80 のような URL か、ping web、tcp:web:80、udp:web:53 の"
            "ように書いてください。",
        )
    )
