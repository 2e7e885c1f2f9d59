"""The options of `docker run` and `docker create`, and the specification that they make."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import click

from netlab import docker_text, publish
from netlab.docker.command.grammar import BadFlag
from netlab.docker.command.words import Rejected, check_supported
from netlab.docker.records import PREDEFINED, Attachment, Specification
from netlab.docker.starting import SHARED
from netlab.errors import RequestError

_MAC = re.compile(r"[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}")
_RESTART_POLICIES = ("no", "always", "unless-stopped", "on-failure")
_NETWORK_FIELDS = ("name", "alias", "ip", "ip6", "mac-address")


def pairs(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    """Read KEY=VALUE; an environment variable without a value has that of this process, as with docker."""
    found = {}
    for value in values:
        key, equals, rest = value.partition("=")
        if not key and parameter.name == "environment":
            raise BadFlag(value, f"invalid environment variable: {value}", context, parameter)
        if not equals and parameter.name == "environment":
            if key in os.environ:
                found[key] = os.environ[key]
            continue
        found[key] = rest
    return found


def filters(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> docker_text.Filters:
    """Read --filter KEY=VALUE; one that docker has and netlab's docker has not is refused by name."""
    for value in values:
        try:
            docker_text.parse_filters([value])
        except RequestError as error:
            raise BadFlag(value, str(error), context, parameter) from None
    found = docker_text.parse_filters(values)
    for key in found:
        check_supported(f"--filter {key}")
    return found


def _address(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    for value in values:
        try:
            ipaddress.ip_address(value)
        except ValueError:
            raise BadFlag(value, f"IP address is not correctly formatted: {value}", context, parameter) from None
    return tuple(values)


def _extra_host(
    context: click.Context, parameter: click.Parameter, values: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    found = []
    for value in values:
        # Both name:address and name=address, and an IPv6 address has colons of its own.
        separator = "=" if "=" in value else ":"
        name, _, address = value.partition(separator)
        if not name or not address:
            raise BadFlag(value, f'bad format for add-host: "{value}"', context, parameter)
        found.append((name, address.strip("[]")))
    return tuple(found)


_OPTIONS = (
    click.option("--rm", "auto_remove", is_flag=True, help="Remove the container when it exits"),
    click.option("--name", help="Assign a name to the container"),
    click.option("-h", "--hostname", help="Container host name"),
    click.option("--network", "--net", "networks", multiple=True, help="Connect a container to a network"),
    click.option("--network-alias", "--net-alias", "aliases", multiple=True, help="Add network-scoped alias"),
    click.option("--ip", help="IPv4 address (e.g., 172.30.100.104)"),
    click.option("--ip6", help="IPv6 address (e.g., 2001:db8::33)"),
    click.option("-p", "--publish", multiple=True, help="Publish a container's port(s) to the host"),
    click.option("-P", "--publish-all", is_flag=True, help="Publish all exposed ports to random ports"),
    click.option("--expose", multiple=True, help="Expose a port or a range of ports"),
    click.option("--dns", multiple=True, callback=_address, help="Set custom DNS servers"),
    click.option("--dns-search", multiple=True, help="Set custom DNS search domains"),
    click.option("--dns-option", "--dns-opt", "dns_options", multiple=True, help="Set DNS options"),
    click.option("--add-host", "extra_hosts", multiple=True, callback=_extra_host, help="Add a host-to-IP mapping"),
    click.option("--mac-address", help="Container MAC address (e.g., 92:d0:c6:0a:29:33)"),
    click.option("-e", "--env", "environment", multiple=True, callback=pairs, help="Set environment variables"),
    click.option("-l", "--label", "labels", multiple=True, callback=pairs, help="Set meta data on a container"),
    click.option("--restart", default="no", help="Restart policy to apply when a container exits"),
    click.option("-i", "--interactive", is_flag=True, help="Keep STDIN open even if not attached"),
    click.option("-t", "--tty", is_flag=True, help="Allocate a pseudo-TTY"),
)


def of_container(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that `docker run` and `docker create` share."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def specification(words: Sequence[str], given: dict[str, Any]) -> Specification:
    """Return what a container is asked to be; raises RequestError, Rejected."""
    _check(given)
    policy, most_restarts = _restart(given["restart"])
    attachments = [_attachment(text) for text in given["networks"] or ("default",)]
    for number, one in enumerate(attachments):
        if one.network in (before.network for before in attachments[:number]):
            raise Rejected(f'network "{one.network}" is specified multiple times')
    first = _with_options(attachments[0], given)
    modes = [one.network for one in attachments]
    if any(
        one.aliases and (one.network in (*PREDEFINED, "default") or one.network.startswith(SHARED))
        for one in (first, *attachments[1:])
    ):
        raise Rejected("network-scoped aliases are only supported for user-defined networks")
    if len(modes) > 1 and any(mode in ("host", "none") or mode.startswith("container:") for mode in modes):
        raise Rejected("conflicting options: cannot attach both user-defined and non-user-defined network-modes")
    try:
        ports = [binding for spec in given["publish"] for binding in publish.parse(spec)]
        expose = [port for spec in given["expose"] for port in publish.parse_expose(spec)]
    except RequestError as error:
        raise Rejected(str(error)) from None  # docker's command line says this, not the engine
    return Specification(
        image=words[0],
        hostname=given["hostname"],
        mode=first.network,
        attachments=(first, *attachments[1:]),
        publish=tuple(ports),
        publish_all=given["publish_all"],
        expose=tuple(expose),
        dns=given["dns"],
        dns_search=given["dns_search"],
        dns_options=given["dns_options"],
        extra_hosts=given["extra_hosts"],
        labels=given["labels"],
        environment=given["environment"],
        command=tuple(words[1:]),
        auto_remove=given["auto_remove"],
        restart=policy,
        most_restarts=most_restarts,
        interactive=given["interactive"],
        tty=given["tty"],
    )


def _check(given: dict[str, Any]) -> None:
    if given["mac_address"] and not _MAC.fullmatch(given["mac_address"]):
        raise Rejected(f"{given['mac_address']} is not a valid mac address")
    if given["auto_remove"] and given["restart"] != "no":
        raise Rejected("conflicting options: cannot specify both --restart and --rm")


def _restart(text: str) -> tuple[str, int]:
    """Read --restart: the policy, and for on-failure:3 how often in a row at most."""
    policy, colon, count = text.partition(":")
    if colon and not policy:
        raise Rejected("invalid restart policy format: no policy provided before colon")
    if count and not re.fullmatch(r"[+-]?\d+", count, re.ASCII):
        raise Rejected("invalid restart policy format: maximum retry count must be an integer")
    refused = "Error response from daemon: invalid restart policy: "
    if policy not in _RESTART_POLICIES:
        known = "use one of 'no', 'always', 'on-failure', or 'unless-stopped'"
        raise Rejected(f"{refused}unknown policy '{policy}'; {known}")
    most = int(count or 0)
    if most and policy != "on-failure":
        raise Rejected(f"{refused}maximum retry count cannot be used with restart policy '{policy}'")
    if most < 0:
        raise Rejected(f"{refused}maximum retry count cannot be negative")
    return policy, most


def _attachment(text: str) -> Attachment:
    """Read what follows --network: a name, or name=NAME,alias=ALIAS,ip=ADDRESS."""
    if not text:
        raise Rejected("no name set for network")
    if "=" not in text:
        return Attachment(text)
    fields: dict[str, list[str]] = {}
    for part in text.split(","):
        key, _, value = part.partition("=")
        if key not in _NETWORK_FIELDS:
            raise Rejected(
                f"netlab's docker does not support {key} in --network. It knows: {', '.join(_NETWORK_FIELDS)}"
            )
        fields.setdefault(key, []).append(value)
    if "name" not in fields:
        raise Rejected("network name is required")
    single = {key: values[-1] for key, values in fields.items()}
    return Attachment(
        single["name"], single.get("ip"), single.get("ip6"), tuple(fields.get("alias", ())), single.get("mac-address")
    )


def _with_options(first: Attachment, given: dict[str, Any]) -> Attachment:
    """Add --ip, --ip6, --network-alias and --mac-address, which are about the first network."""
    for option, value in (("ip", first.address), ("ip6", first.address6)):
        if given[option] and value:
            raise Rejected(f"conflicting options: cannot specify both --{option} and per-network {option} address")
    for option, version in (("ip", 4), ("ip6", 6)):
        if given[option] and not _is_address(given[option], version):
            raise Rejected(f"Error response from daemon: invalid IPv{version} address: {given[option]}")
    return replace(
        first,
        address=given["ip"] or first.address,
        address6=given["ip6"] or first.address6,
        aliases=(*first.aliases, *given["aliases"]),
        mac=given["mac_address"] or first.mac,
    )


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False
