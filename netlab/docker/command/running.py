"""`docker run`, `create` and `exec`: containers that begin, and commands in them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from netlab import images
from netlab.docker.command import made_up
from netlab.docker.command.call import Call, Session, pass_call
from netlab.docker.command.grammar import Group, command
from netlab.docker.command.options import of_container, specification
from netlab.docker.command.words import USAGE_STATUS, Rejected, from_daemon, of_run
from netlab.docker.records import Specification
from netlab.docker.starting import SHARED
from netlab.errors import NetlabError, NotFound
from netlab.places.container import Container
from netlab.sandbox.nodes import PATH

_NOT_EXECUTABLE, _NOT_FOUND = 126, 127
_FOREGROUND = {"nginx": ("sleep", "infinity"), "myapp": ("sleep", "infinity")}  # until stopped; the others: sh
_DISCARDED = "WARNING: Published ports are discarded when using host network mode"


def register(group: Group) -> None:
    """Add the commands to a group."""

    @command(group, "run", "[OPTIONS] IMAGE [COMMAND] [ARG...]", (1, None), trailing=True)
    @click.option("-d", "--detach", is_flag=True, help="Run container in background and print container ID")
    @of_container
    @pass_call
    def run(call: Call, /, words: Sequence[str], *, detach: bool, **given: Any) -> int:
        """Create and run a new container from an image"""
        return _run(call, words, given, detach=detach)

    @command(group, "create", "[OPTIONS] IMAGE [COMMAND] [ARG...]", (1, None), trailing=True)
    @of_container
    @pass_call
    def create(call: Call, /, words: Sequence[str], **given: Any) -> int:
        """Create a new container"""
        try:
            call.say(_create(call, given["name"], specification(words, given)).id)
        except NetlabError as error:
            raise _refused(error, "create") from None
        return 0

    @command(group, "exec", "[OPTIONS] CONTAINER COMMAND [ARG...]", (2, None), trailing=True)
    @click.option("-d", "--detach", is_flag=True, help="Detached mode: run command in the background")
    @click.option("-e", "--env", "environment", multiple=True, help="Set environment variables")
    @click.option("-i", "--interactive", is_flag=True, help="Keep STDIN open even if not attached")
    @click.option("-t", "--tty", is_flag=True, help="Allocate a pseudo-TTY")
    @pass_call
    def exec_(call: Call, /, words: Sequence[str], environment: Sequence[str], **given: bool) -> int:
        """Execute a command in a running container"""
        container = call.container(words[0])
        if not container.running:
            raise Rejected(f"Error response from daemon: container {container.id} is not running")
        argv = tuple(words[1:])
        if why := _cannot_execute(argv[0]):
            call.say(f"OCI runtime exec failed: exec failed: unable to start container process: {why[0]}: unknown")
            return why[1]
        if given["detach"]:
            argv = ("/bin/sh", "-c", '"$@" >/dev/null 2>&1 </dev/null &', "sh", *argv)
        variables = dict(container.asked.environment)
        variables.update(_variable(text) for text in environment)
        interactive = given["interactive"] or given["tty"]
        return call.attach(call.lab, Session(container.name, argv, variables, interactive), call.out, call.err)


def _variable(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    return key, value if equals else os.environ.get(key, "")


def _run(call: Call, words: Sequence[str], given: dict[str, Any], *, detach: bool) -> int:
    """Make a container and start it; then print its id, or stay with its command until that ends."""
    try:
        asked = specification(words, given)
        # What runs in the foreground gets the terminal of whoever asked: it is run beside an idle first process.
        container = _create(call, given["name"], asked if detach else replace(asked, command=()))
        if detach:
            call.say(container.id)  # before it starts, as docker does: also when that fails
        _check_command(call, container, asked.command)
        with call.locked() as engine:
            engine.start(container.name)
    except NetlabError as error:
        raise _refused(error, "run") from None
    if detach:
        return 0
    container.asked = asked
    argv = asked.command or _FOREGROUND.get(images.find(container.image).name, ("sh",))
    interactive = given["interactive"] or given["tty"]
    session = Session(container.name, argv, asked.environment, interactive, container.id)
    return call.attach(call.lab, session, call.out, call.err)


def _create(call: Call, name: str | None, asked: Specification) -> Container:
    """Make a container that is not started yet."""
    _check_image(asked.image)
    if asked.mode == "host" and asked.publish:
        call.complain(_DISCARDED)
    with call.locked() as engine:
        if asked.mode.startswith(SHARED) and asked.mode != SHARED:
            call.container(asked.mode.removeprefix(SHARED))  # refused in docker's words
        chosen = made_up.name(engine.containers) if name is None else call.check_name(name)
        return engine.create([chosen], asked)[0]


def _check_command(call: Call, container: Container, command: Sequence[str]) -> None:
    """Refuse a command that cannot be started; the container stays, as with docker, unless it is to be removed."""
    why = _cannot_execute(command[0]) if command else None
    if why is None:
        return
    if container.asked.auto_remove:
        with call.locked() as engine:
            engine.remove(container.name)
    said = (
        "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed"
    )
    text = f"Error response from daemon: {said}: unable to start container process: {why[0]}: unknown"
    raise Rejected(of_run(text), why[1], final=True)


def _check_image(name: str) -> None:
    try:
        images.find(name)
    except NotFound as error:
        tagged = name if ":" in name else f"{name}:latest"
        raise Rejected(
            f"Unable to find image '{tagged}' locally\n{of_run(str(error))}", USAGE_STATUS, final=True
        ) from None


def _refused(error: NetlabError, name: str) -> Rejected:
    """Return a refusal as `docker run` and `docker create` print it; what the engine said is marked as that."""
    if isinstance(error, Rejected) and error.final:
        return error
    text = str(error) if isinstance(error, Rejected) else from_daemon(error)
    return Rejected(of_run(text), USAGE_STATUS) if name == "run" else Rejected(text)


def _cannot_execute(program: str) -> tuple[str, int] | None:
    """Return the reason why a program cannot be started, in the words of runc, and the exit status; None if it can."""
    if "/" not in program:
        if shutil.which(program, path=PATH):
            return None
        return f'exec: "{program}": executable file not found in $PATH', _NOT_FOUND
    path = Path(program)
    if not path.exists():
        return f'exec: "{program}": stat {program}: no such file or directory', _NOT_FOUND
    if path.is_dir():
        return f'exec: "{program}": is a directory', _NOT_EXECUTABLE
    return None if os.access(path, os.X_OK) else (f'exec: "{program}": permission denied', _NOT_EXECUTABLE)
