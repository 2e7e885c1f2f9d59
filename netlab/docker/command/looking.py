"""`docker ps`, `inspect`, `port` and `logs`: what there is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from netlab import docker_text
from netlab.docker import api_shapes
from netlab.docker.command.call import Call, pass_call
from netlab.docker.command.grammar import Group, Number, command
from netlab.docker.command.options import filters
from netlab.docker.command.words import Rejected, from_daemon
from netlab.docker_text import Filters
from netlab.errors import NetlabError, NotFound, RequestError
from netlab.gotemplate import Struct, TemplateError

_UNREADABLE = 64  # the status of `docker inspect` with a template that cannot be read


def register(group: Group) -> None:
    """Add the commands to a group."""

    @command(group, "port", "CONTAINER [PRIVATE_PORT[/PROTO]]", (1, 2))
    @pass_call
    def port(call: Call, words: Sequence[str]) -> int:
        """List port mappings or a specific mapping for the container"""
        container = call.container(words[0])
        wanted = words[1] if len(words) > 1 else None
        try:
            call.say(docker_text.port_lines(api_shapes.ports(container), words[0], wanted), end="")
        except RequestError as error:
            raise Rejected(f"Error: {error}") from None
        return 0

    register_list(group, "ps")


def register_inspect(group: Group) -> None:
    """Add `docker inspect`, which tells of containers and networks."""

    @command(group, "inspect", "[OPTIONS] NAME|ID [NAME|ID...]", (1, None))
    @click.option("-f", "--format", "form", default="", help="Format output using a Go template")
    @click.option("--type", "kind", default="", help="Only inspect objects of this type: container or network")
    @pass_call
    def inspect(call: Call, /, words: Sequence[str], form: str, kind: str) -> int:
        """Return low-level information on Docker objects"""
        if kind not in _KINDS:
            raise Rejected(f"netlab's docker does not support --type {kind}: there are container and network")
        return print_inspection(call, words, form, _KINDS[kind])


def register_inspect_container(group: Group) -> None:
    """Add `docker container inspect`, which tells of containers alone."""

    @command(group, "inspect", "[OPTIONS] CONTAINER [CONTAINER...]", (1, None))
    @click.option("-f", "--format", "form", default="", help="Format output using a Go template")
    @pass_call
    def inspect(call: Call, /, words: Sequence[str], form: str) -> int:
        """Display detailed information on one or more containers"""
        return print_inspection(call, words, form, _container)


def register_list(group: Group, name: str) -> None:
    """Add the list of containers, which is `docker ps` and `docker container ls`."""

    @command(group, name, "[OPTIONS]")
    @click.option("-a", "--all", "every", is_flag=True, help="Show all containers (default shows just running)")
    @click.option(
        "-f", "--filter", "filters", multiple=True, callback=filters, help="Filter output based on conditions provided"
    )
    @click.option("--format", "form", default="", help="Format output using a custom template")
    @click.option(
        "-n", "--last", type=Number(), default=-1, help="Show n last created containers (includes all states)"
    )
    @click.option("-l", "--latest", is_flag=True, help="Show the latest created container (includes all states)")
    @click.option("--no-trunc", is_flag=True, help="Don't truncate output")
    @click.option("-q", "--quiet", is_flag=True, help="Only display container IDs")
    @pass_call
    def ps(call: Call, /, filters: Filters, form: str, last: int, **given: Any) -> int:
        """List containers"""
        newest = 1 if given["latest"] else last
        chosen = _chosen(call, filters, every=given["every"] or newest >= 0)
        if newest >= 0:
            chosen = chosen[:newest]
        if form and given["quiet"]:
            call.complain(docker_text.BOTH_FORMAT_AND_QUIET)
        text = docker_text.container_list(
            chosen, form, now=time.time(), quiet=given["quiet"], truncate=not given["no_trunc"]
        )
        call.say(text, end="")
        return 0


def _chosen(call: Call, filters: Filters, *, every: bool) -> list[Mapping[str, Any]]:
    """Return the containers to be listed, newest first, as GET /containers/json has them."""
    networks = call.engine.networks.records
    now = time.time()
    summaries = [api_shapes.container_summary(one, networks, now) for one in reversed(call.engine.containers.values())]
    shown = docker_text.matching_containers(filters, summaries)
    # A filter by state shows stopped containers too, as with docker.
    return (
        list(shown)
        if every or {"status", "exited"} & filters.keys()
        else [one for one in shown if one["State"] == "running"]
    )


def _object(call: Call, name: str) -> Struct:
    """Return what `docker inspect` says of a container or a network of that name or id."""
    try:
        return _container(call, name)
    except NotFound:
        pass
    try:
        return network_of(call, name)
    except NotFound:
        raise Rejected(f"Error: No such object: {name}") from None


def _container(call: Call, name: str) -> Struct:
    """Return what is to be told of a container; raises NotFound."""
    one = call.container(name)
    pid = call.lab.world.entry(one.name).pid if one.running else 0
    return api_shapes.container(one, call.engine.networks.records, pid)


def network_of(call: Call, name: str) -> Struct:
    """Return what is to be told of a network; raises NotFound."""
    networks = call.engine.networks
    record = networks.find(name)
    return api_shapes.network(record, networks.swarm.nodes(record) if record.driver == "overlay" else {})


_KINDS = {"": _object, "container": _container, "network": network_of}


def print_inspection(call: Call, names: Sequence[str], form: str, find: Callable[[Call, str], Struct]) -> int:
    """Print what was found in one list, then what was not; return the exit status."""
    try:
        docker_text.check_inspection(form)
    except TemplateError as error:
        raise Rejected(str(error), _UNREADABLE) from None
    found, missing = [], []
    for name in names:
        try:
            found.append(find(call, name))
        except NetlabError as error:
            missing.append(str(error) if isinstance(error, Rejected) else from_daemon(error))
    try:
        if found or not form:
            call.say(docker_text.inspection(found, form), end="")
        else:
            call.say("")
    except TemplateError as error:
        call.say("")
        missing.append(str(error))
    for line in missing:
        call.complain(line)
    return 1 if missing else 0
