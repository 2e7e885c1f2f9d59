"""The command changes: what the kernel gained, lost or changed."""

from __future__ import annotations

import json

import click

from netlab import registry
from netlab.cli import options


@click.command()
@options.lab
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def changes(lab: str | None, *, as_json: bool) -> None:
    """Tell what a lab's kernel gained, lost or changed since the last `netlab changes`, and with which commands.

    The first time, since the lab was started. What a notebook has shown of its lab is told here all the same.
    Ends with status 0, also when nothing changed, and with 1 when the lab cannot be asked.

    \b
    For example:  netlab changes
                  netlab changes --json
    """  # noqa: D301 - see the group
    answer = registry.ask(registry.choose(lab), "changes")
    if as_json:
        click.echo(json.dumps(answer["changes"], ensure_ascii=False, indent=2))
    else:
        click.echo(answer["text"])
