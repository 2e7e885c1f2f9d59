"""The command docker: docker's own command lines, on a lab."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import click

from netlab import registry
from netlab.cli import options

_FOREGROUND_SIGNALS = (signal.SIGINT, signal.SIGQUIT)


@click.command(
    context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True}, add_help_option=False
)
@options.lab
@click.argument("words", metavar="DOCKER COMMAND...", nargs=-1, type=click.UNPROCESSED)
def docker(lab: str | None, words: tuple[str, ...]) -> None:
    """Run a docker command line on a lab: output, errors and exit status are docker's.

    \b
    For example:  netlab docker run -d --name web -p 8080:80 nginx
                  netlab docker exec -it web sh
                  netlab docker --help
    """  # noqa: D301 - see the group
    chosen = registry.choose(lab)
    answer = registry.ask(chosen, "docker", argv=list(words))
    sys.stdout.write(answer["stdout"])
    sys.stdout.flush()
    sys.stderr.write(answer["stderr"])
    sys.exit(answer["status"] if answer["session"] is None else _attend(chosen, answer["session"]))


def _attend(lab: str, session: dict[str, Any]) -> int:
    """Run a command in a container with this terminal; then end the container, if it ends with the command."""
    if not session["ends"]:
        return _run(session)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = _run(session)
        finally:
            os._exit(status)
    for number in _FOREGROUND_SIGNALS:  # a terminal sends them to the command itself
        signal.signal(number, signal.SIG_IGN)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    registry.ask(lab, "docker-ended", container=session["ends"], status=status)
    return status


def _run(session: dict[str, Any]) -> int:
    from netlab import enter  # noqa: PLC0415 - see the package

    os.chdir("/")
    if not session["interactive"]:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    return enter.run(session["machine_pid"], None, list(session["argv"]), dict(session["environment"]))
