"""Commands that run something in a place: exec and shell."""

from __future__ import annotations

import shutil
import sys

import click

from netlab import registry
from netlab.cli import options


def run(lab: str | None, place: str, argv: list[str], variables: dict[str, str] | None = None) -> None:
    """Run a command in a place, and end with its status."""
    from netlab import enter  # noqa: PLC0415 - see the package

    where = registry.ask(registry.choose(lab), "enter", place=place)
    sys.exit(enter.run(where["pid"], where["namespace"], argv, variables))


@click.command("exec", context_settings={"allow_interspersed_args": False, "ignore_unknown_options": False})
@options.lab
@click.argument("place")
@click.argument("command", metavar="-- CMD...", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_(lab: str | None, place: str, command: tuple[str, ...]) -> None:
    """Run a command in a place: host, internet, a container, or a namespace made by hand.

    Input, output and exit status pass through.

    \b
    For example:  netlab exec web -- ping -c 3 172.17.0.1
                  netlab exec host -- tcpdump -n -i docker0
    """  # noqa: D301 - see the group
    argv = list(command[1:] if command[0] == "--" else command)
    if not argv or not argv[0]:
        raise click.UsageError("There is no command to run. For example: netlab exec web -- ip address")
    run(lab, place, argv)


@click.command()
@options.lab
@click.argument("place")
def shell(lab: str | None, place: str) -> None:
    """Open a shell in a place; `exit` ends it.

    \b
    For example:  netlab shell web
    """  # noqa: D301 - see the group
    program = shutil.which("bash")
    argv = [program, "--norc", "--noprofile"] if program else ["/bin/sh"]
    run(lab, place, [*argv, "-i"] if sys.stdin.isatty() else argv, {"PS1": f"{place}# "})
