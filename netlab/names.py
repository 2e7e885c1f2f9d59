"""Names: what may be called what, and the names that netlab makes up itself."""

from __future__ import annotations

import hashlib
import re

from netlab.errors import RequestError
from netlab.language import say

_CONTAINER = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_NAMESPACE = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_INTERFACE = re.compile(r"[^\s/:\0]{1,15}")
_MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")
_LONGEST = 128


def check_container(name: object) -> str:
    """Return the name if a container may have it (Docker's rule); raises RequestError."""
    if isinstance(name, str) and len(name) <= _LONGEST and _CONTAINER.fullmatch(name):
        return name
    raise RequestError(
        say(
            en=f"Invalid container name {_shown(name)}: only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed, two characters at least "
            f"and {_LONGEST} at most. For example: web, db-1",
            ja=f"{_shown(name)} はコンテナの名前にできません。使えるのは [a-zA-Z0-9][a-zA-Z0-9_.-] だけで、"
            f"長さは 2 文字から {_LONGEST} 文字までです。例: web, db-1",
        )
    )


def check_namespace(name: object) -> str:
    """Return the name if a network namespace may have it; raises RequestError."""
    if isinstance(name, str) and len(name) <= _LONGEST and _NAMESPACE.fullmatch(name):
        return name
    raise RequestError(
        say(
            en=f"Invalid namespace name {_shown(name)}: letters, digits and _ . - are allowed, a letter or digit first, and "
            f"{_LONGEST} characters at most. For example: red",
            ja=f"{_shown(name)} は名前空間の名前にできません。使えるのは英字、数字、_ . - で、先頭は英字か数字、"
            f"長さは {_LONGEST} 文字までです。例: red",
        )
    )


def check_network(name: object) -> str:
    """Return the name if a network may have it (Docker allows nearly everything); raises RequestError."""
    if isinstance(name, str) and name.strip() and len(name) <= _LONGEST and name.isprintable():
        return name
    raise RequestError(
        say(
            en=f"Invalid network name {_shown(name)}: it needs one to {_LONGEST} characters. For example: my-network",
            ja=f"{_shown(name)} はネットワークの名前にできません。1 文字から {_LONGEST} 文字で指定してください。"
            "例: my-network",
        )
    )


def check_interface(name: object) -> str:
    """Return the name if a network interface may have it (the kernel's rule, dev_valid_name); raises RequestError."""
    if isinstance(name, str) and name not in (".", "..") and _INTERFACE.fullmatch(name) and len(name.encode()) <= 15:
        return name
    raise RequestError(
        say(
            en=f"Invalid interface name {_shown(name)}: the kernel takes 1 to 15 bytes without spaces, slashes and colons. "
            "For example: veth-red",
            ja=f"{_shown(name)} はインターフェースの名前にできません。カーネルが受け付けるのは、空白、スラッシュ、コロンを"
            "含まない 1 から 15 バイトの名前です。例: veth-red",
        )
    )


def check_mac(value: str) -> str:
    """Return a hardware address written 02:42:ac:11:00:02; raises RequestError."""
    if not _MAC.fullmatch(value):
        raise RequestError(f"{value} is not a valid mac address")
    return value


def _shown(name: object) -> str:
    text = repr(name)
    return text if len(text) <= 60 else text[:57] + "…" + text[0]


def container_id(lab: str, name: str, serial: int) -> str:
    """Return a container's id, 64 hexadecimal digits as Docker's; the same in every run, so that texts can quote it."""
    return hashlib.sha256(f"{lab}/{name}/{serial}".encode()).hexdigest()


def veth_name(identifier: str, serial: int) -> str:
    """Return the name of the host's end of a veth pair: `veth` and seven hexadecimal digits, as Docker's."""
    return "veth" + hashlib.sha256(f"{identifier}/{serial}".encode()).hexdigest()[:7]


def mac_address(address: str) -> str:
    """Return the hardware address 02:42 followed by the four bytes of an IPv4 address."""
    return "02:42:" + ":".join(f"{int(byte):02x}" for byte in address.split("."))


def made_up_mac(seed: str) -> str:
    """Return a locally administered hardware address that depends on a seed only."""
    return "02:42:" + ":".join(f"{byte:02x}" for byte in hashlib.sha256(seed.encode()).digest()[:4])
