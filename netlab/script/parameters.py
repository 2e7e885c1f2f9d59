"""Kernel parameters (sysctls) that somebody has set: those that are not as in a namespace that nobody has touched."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from netlab import ops

_FORWARD4, _FORWARD6 = "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"
_NO_IPV6 = "net.ipv6.conf.all.disable_ipv6"
# What counts, follows something else, or is the same under another name.
_NOT_SET = re.compile(
    r"net\.netfilter\.nf_conntrack_count|net\.ipv[46]\.neigh\..*\.(base_reachable|retrans)_time"
    r"|net\.ipv6\.conf\..*\.(mtu|stable_secret)|net\.ipv4\.conf\.all\.forwarding"
)
_OF_INTERFACE = re.compile(r"(net\.ipv[46]\.(?:conf|neigh))\.([^.]+)\.(.+)")
_GENERAL = ("all", "default")


def of_place(parameters: Mapping[str, str], fresh: Mapping[str, str], place: str) -> Iterator[ops.Operation]:
    """Yield what sets the parameters of a place itself; to be set before it has interfaces, which inherit from them."""
    expected = dict(fresh)
    for key in (_FORWARD4, _FORWARD6, _NO_IPV6):
        if parameters.get(key, expected.get(key)) != expected.get(key):
            yield ops.SetSysctl(place, key, parameters[key])
            _follow(expected, key, parameters[key])
    for key, value in parameters.items():
        match = _OF_INTERFACE.fullmatch(key)
        if match and match.group(2) not in _GENERAL:
            continue
        if key in expected and value != expected[key] and not _NOT_SET.fullmatch(key):
            yield ops.SetSysctl(place, key, value)


def _follow(expected: dict[str, str], key: str, value: str) -> None:
    """Note what the kernel sets together with a switch (ip-sysctl.rst)."""
    expected[key] = value
    version, what = ("4", "forwarding") if key == _FORWARD4 else ("6", key.rpartition(".")[2])
    for where in ("default", "lo"):
        expected[f"net.ipv{version}.conf.{where}.{what}"] = value
    if key == _FORWARD4:  # a router does not believe redirects
        expected["net.ipv4.conf.all.accept_redirects"] = str(1 - int(value))


def of_interface(
    parameters: Mapping[str, str], fresh: Mapping[str, str], place: str, interface: str
) -> Iterator[ops.Operation]:
    """Yield what sets the parameters of an interface that are not as it inherits them."""
    written = interface.replace(".", "/")  # as sysctl(8) writes a dot within a name
    for key, value in parameters.items():
        match = _OF_INTERFACE.fullmatch(key)
        if not match or match.group(2) != written or _NOT_SET.fullmatch(key):
            continue
        root, _, name = match.groups()
        if value not in _inherited(parameters, fresh, root, name, written):
            yield ops.SetSysctl(place, key, value)


def _inherited(
    parameters: Mapping[str, str], fresh: Mapping[str, str], root: str, name: str, interface: str
) -> set[str | None]:
    """Return the values that need no setting: the place's default and, for lo, what a fresh one has if that says more."""
    default = parameters.get(f"{root}.default.{name}")
    if root.endswith("neigh"):  # a namespace of its own has no defaults for neighbours
        return {fresh.get(f"{root}.lo.{name}")}
    if interface != "lo":
        return {default}
    own, usual = fresh.get(f"{root}.lo.{name}"), fresh.get(f"{root}.default.{name}")
    if root.endswith("ipv6.conf"):
        switched = {"forwarding": parameters.get(_FORWARD6), "disable_ipv6": parameters.get(_NO_IPV6)}
        return {switched[name] if switched.get(name) not in (None, "0") else own}
    return {own if default == usual else default}
