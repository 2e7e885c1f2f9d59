"""The command `netlab`: labs from a terminal, by the same engine as in a notebook.

Each command imports what it needs when it runs, so that `netlab ls` answers at once.
"""

from __future__ import annotations

from typing import Any

import click

from netlab.cli import capture, changes, course, docker, inside, labs, script, trace, why
from netlab.errors import NetlabError


class _Group(click.Group):
    """Shows an error of netlab as its message alone, and ends with status 1."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except NetlabError as error:
            notes = getattr(error, "__notes__", [])
            raise click.ClickException("\n".join([str(error), *notes])) from None

    def list_commands(self, _: click.Context) -> list[str]:
        return list(self.commands)  # in the order in which one needs them


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - slow, and only for this

        click.echo(f"netlab {version('container-netlab')}")
        context.exit()


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
def main() -> None:
    """Build container networks by hand: rootless labs on the real Linux kernel.

    \b
    For example:
      netlab up                          start a lab
      netlab run web --image nginx       a container in it
      netlab exec web -- ip address      a command in the container
      netlab show                        the lab as a diagram
      netlab down                        end it
    """  # noqa: D301 - \b is click's mark for a paragraph to leave as it is


for _command in (
    labs.up,
    labs.down,
    labs.ls,
    labs.run,
    labs.rm,
    inside.exec_,
    inside.shell,
    docker.docker,
    labs.show,
    trace.trace,
    why.why,
    capture.capture,
    changes.changes,
    script.script,
    course.doctor,
    course.notebook,
    course.progress,
):
    main.add_command(_command)
