"""`docker network`: create, ls, inspect, connect, disconnect, rm, prune."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from netlab import docker_text, ipam_config
from netlab.docker import api_shapes
from netlab.docker.command.call import Call, pass_call
from netlab.docker.command.grammar import Group, command
from netlab.docker.command.looking import network_of, print_inspection
from netlab.docker.command.options import filters, pairs
from netlab.docker.command.words import Rejected
from netlab.docker.records import Attachment, Wanted
from netlab.docker_text import Filters
from netlab.errors import RequestError
from netlab.names import check_network

_PRUNE = "WARNING! This will remove all custom networks not used by at least one container."


def register(group: Group) -> None:
    """Add the commands to the group `docker network`."""
    _register_changes(group)
    _register_create(group)

    @command(group, "ls", "[OPTIONS]")
    @click.option(
        "-f", "--filter", "chosen", multiple=True, callback=filters, help='Provide filter values (e.g. "driver=bridge")'
    )
    @click.option("--format", "form", default="", help="Format output using a custom template")
    @click.option("--no-trunc", is_flag=True, help="Do not truncate the output")
    @click.option("-q", "--quiet", is_flag=True, help="Only display network IDs")
    @pass_call
    def ls(call: Call, chosen: Filters, form: str, *, no_trunc: bool, quiet: bool) -> int:
        """List networks"""
        known = [api_shapes.network(record) for record in call.engine.networks.records.values()]
        found = docker_text.matching_networks(chosen, known)
        call.say(docker_text.network_list(found, form, quiet=quiet, truncate=not no_trunc), end="")
        return 0

    @command(group, "inspect", "[OPTIONS] NETWORK [NETWORK...]", (1, None))
    @click.option("-f", "--format", "form", default="", help="Format output using a Go template")
    @click.option("-v", "--verbose", is_flag=True, help="Verbose output for diagnostics")
    @pass_call
    def inspect(call: Call, /, words: Sequence[str], form: str, **_: bool) -> int:
        """Display detailed information on one or more networks"""
        return print_inspection(call, words, form, network_of)


def _register_create(group: Group) -> None:
    @command(group, "create", "[OPTIONS] NETWORK", (1, 1))
    @click.option("-d", "--driver", default="bridge", help="Driver to manage the Network")
    @click.option("--subnet", "subnets", multiple=True, help="Subnet in CIDR format that represents a network segment")
    @click.option("--ip-range", "ranges", multiple=True, help="Allocate container ip from a sub-range")
    @click.option("--gateway", "gateways", multiple=True, help="IPv4 or IPv6 Gateway for the master subnet")
    @click.option("--aux-address", "auxiliary", multiple=True, callback=pairs, help="Auxiliary addresses")
    @click.option("--attachable", is_flag=True, help="Enable manual container attachment")
    @click.option("--internal", is_flag=True, help="Restrict external access to the network")
    @click.option("--ipv6", is_flag=True, help="Enable IPv6 address assignment")
    @click.option("-o", "--opt", "options", multiple=True, callback=pairs, help="Set driver specific options")
    @click.option("--label", "labels", multiple=True, callback=pairs, help="Set metadata on a network")
    @pass_call
    def create(call: Call, /, words: Sequence[str], driver: str, **given: Any) -> int:
        """Create a network"""
        try:
            asked = ipam_config.configs(given["subnets"], given["ranges"], given["gateways"], given["auxiliary"])
        except RequestError as error:
            raise Rejected(str(error)) from None
        wanted = Wanted(
            check_network(words[0]),
            driver,
            asked,
            given["internal"],
            given["ipv6"],
            given["labels"],
            given["options"],
            given["attachable"],
        )
        with call.locked() as engine:
            call.say(engine.networks.create(wanted).id)
        return 0


def _register_changes(group: Group) -> None:
    @command(group, "connect", "[OPTIONS] NETWORK CONTAINER", (2, 2))
    @click.option("--alias", "aliases", multiple=True, help="Add network-scoped alias for the container")
    @click.option("--ip", help='IPv4 address (e.g., "172.30.100.104")')
    @click.option("--ip6", help='IPv6 address (e.g., "2001:db8::33")')
    @pass_call
    def connect(call: Call, words: Sequence[str], aliases: Sequence[str], ip: str | None, ip6: str | None) -> int:
        """Connect a container to a network"""
        with call.locked() as engine:
            container = call.container(words[1])
            engine.connect(container.name, words[0], Attachment(words[0], ip, ip6, tuple(aliases)))
        return 0

    @command(group, "disconnect", "[OPTIONS] NETWORK CONTAINER", (2, 2))
    @click.option("-f", "--force", is_flag=True, help="Force the container to disconnect from a network")
    @pass_call
    def disconnect(call: Call, /, words: Sequence[str], **_: bool) -> int:
        """Disconnect a container from a network"""
        with call.locked() as engine:
            engine.disconnect(call.container(words[1]).name, words[0])
        return 0

    @command(group, "rm", "NETWORK [NETWORK...]", (1, None))
    @click.option("-f", "--force", is_flag=True, help="Do not error if the network does not exist")
    @pass_call
    def rm(call: Call, /, words: Sequence[str], *, force: bool) -> int:
        """Remove one or more networks"""

        def remove(name: str) -> None:
            with call.locked() as engine:
                engine.networks.remove(name)

        failed = call.for_each(words, remove, forgiving=force)
        if failed:
            call.complain("exit status 1")
        return 1 if failed else 0

    @command(group, "prune", "[OPTIONS]")
    @click.option("-f", "--force", is_flag=True, help="Do not prompt for confirmation")
    @click.option(
        "--filter", "chosen", multiple=True, callback=filters, help='Provide filter values (e.g. "until=<timestamp>")'
    )
    @pass_call
    def prune(call: Call, chosen: Filters, *, force: bool) -> int:
        """Remove all unused networks"""
        if chosen:
            raise Rejected("netlab's docker does not support --filter for docker network prune")
        if not force:
            call.say(f"{_PRUNE}\nAre you sure you want to continue? [y/N] netlab asks nothing: repeat it with -f")
            return 0
        with call.locked() as engine:
            removed = engine.networks.prune()
        if removed:
            call.say("Deleted Networks:\n" + "\n".join(removed) + "\n")
        return 0
