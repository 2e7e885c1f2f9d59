"""`docker start`, `stop`, `restart`, `rm`, `rename` and `logs`: the life of containers."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import click

from netlab.docker.command.call import Call, Session, pass_call
from netlab.docker.command.grammar import Group, Number, command
from netlab.docker.command.words import Rejected, from_daemon
from netlab.docker.engine import GRACE_SECONDS
from netlab.docker.starting import own_path
from netlab.errors import NetlabError, RequestError
from netlab.places.container import Container


def register(group: Group) -> None:
    """Add the commands to a group."""

    @command(group, "start", "[OPTIONS] CONTAINER [CONTAINER...]", (1, None))
    @pass_call
    def start(call: Call, words: Sequence[str]) -> int:
        """Start one or more stopped containers"""

        def begin(name: str) -> None:
            with call.locked() as engine:
                engine.start(call.container(name).name)

        failed = call.for_each(words, begin)
        if failed:
            call.complain(f"Error: failed to start containers: {', '.join(failed)}")
        return 1 if failed else 0

    @command(group, "stop", "[OPTIONS] CONTAINER [CONTAINER...]", (1, None))
    @click.option(
        "-t", "--timeout", "--time", "seconds", type=Number(), help="Seconds to wait before killing the container"
    )
    @pass_call
    def stop(call: Call, /, words: Sequence[str], *, seconds: int | None) -> int:
        """Stop one or more running containers"""

        def end(name: str) -> None:
            call.engine.stop(call.container(name).name, _grace(seconds))

        return 1 if call.for_each(words, end) else 0

    @command(group, "restart", "[OPTIONS] CONTAINER [CONTAINER...]", (1, None))
    @click.option(
        "-t", "--timeout", "--time", "seconds", type=Number(), help="Seconds to wait before killing the container"
    )
    @pass_call
    def restart(call: Call, /, words: Sequence[str], *, seconds: int | None) -> int:
        """Restart one or more containers"""

        def again(name: str) -> None:
            call.engine.restart(call.container(name).name, _grace(seconds))

        return 1 if call.for_each(words, again) else 0

    _register_endings(group)


def _register_endings(group: Group) -> None:
    @command(group, "rm", "[OPTIONS] CONTAINER [CONTAINER...]", (1, None))
    @click.option("-f", "--force", is_flag=True, help="Force the removal of a running container (uses SIGKILL)")
    @click.option("-v", "--volumes", is_flag=True, help="Remove anonymous volumes: there are none in a lab")
    @pass_call
    def rm(call: Call, /, words: Sequence[str], *, force: bool, **_: bool) -> int:
        """Remove one or more containers"""

        def remove(name: str) -> None:
            with call.locked() as engine:
                container = call.container(name)
                if container.running and not force:
                    raise RequestError(
                        f'cannot remove container "{name}": container is running: stop the container before '
                        "removing or force remove"
                    )
                engine.remove(container.name)

        failed = call.for_each(words, remove)
        return 1 if failed and not force else 0

    @command(group, "rename", "CONTAINER NEW_NAME", (2, 2))
    @pass_call
    def rename(call: Call, words: Sequence[str]) -> int:
        """Rename a container"""
        try:
            with call.locked() as engine:
                container = call.container(words[0])
                engine.rename(container.name, _new_name(call, words[1]))
        except NetlabError as error:
            raise Rejected(f"{from_daemon(error)}\nError: failed to rename container named {words[0]}") from None
        return 0

    @command(group, "logs", "[OPTIONS] CONTAINER", (1, 1))
    @click.option("-f", "--follow", is_flag=True, help="Follow log output")
    @click.option("-n", "--tail", default="all", help="Number of lines to show from the end of the logs")
    @click.option("-t", "--timestamps", is_flag=True, help="Show timestamps")
    @pass_call
    def logs(call: Call, words: Sequence[str], tail: str, *, follow: bool, timestamps: bool) -> int:
        """Fetch the logs of a container"""
        container = call.container(words[0])
        if timestamps:
            raise Rejected(
                "netlab's docker does not support --timestamps: a container of a lab keeps no times in its log"
            )
        if follow and container.running:
            return _follow(call, container, tail)
        text = call.engine.logs(container.name)
        lines = text.splitlines(keepends=True)
        wanted_lines = int(tail) if tail.isdecimal() else len(lines)  # what is no number means all, as with docker
        call.say("".join(lines[max(0, len(lines) - wanted_lines) :]), end="")
        return 0


def _follow(call: Call, container: Container, lines: str) -> int:
    """Print a container's log, and what comes, until the container ends; whoever asked does so in their own terminal."""
    pid = call.lab.world.entry(container.name).pid
    begin = lines if lines.isdecimal() else "+1"
    argv = (
        "tail",
        f"--lines={begin}",
        "--follow",
        "--sleep-interval=0.1",
        f"--pid={pid}",
        own_path(container.name, "log"),
    )
    return call.attach(call.lab, Session(call.engine.host, argv), call.out, call.err)


def _grace(seconds: int | None) -> float:
    """Return how long to wait for a container's end; a negative number means for ever, as with docker."""
    if seconds is None:
        return GRACE_SECONDS
    return threading.TIMEOUT_MAX if seconds < 0 else seconds


def _new_name(call: Call, name: str) -> str:
    try:
        return call.check_name(name)
    except RequestError as error:
        raise RequestError(f"Error when allocating new name: {error}") from None
