"""The command why: reachability explained without sending anything."""

from __future__ import annotations

import json
import sys

import click

from netlab import registry
from netlab.cli import options

_UNCERTAIN = 2


@click.command()
@options.lab
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO", nargs=-1, required=True)
def why(lab: str | None, source: str, target: tuple[str, ...], *, as_json: bool) -> None:
    """Explain whether a place can reach another, without sending: each condition, to the first that is not fulfilled.

    TO is a URL, `ping web`, `tcp:web:80` or `udp:web:53`. Ends with status 1 when it cannot be reached, and with status 2
    when that is not certain.

    \b
    For example:  netlab why app http://web
                  netlab why internet http://203.0.113.10:8080 --json
    """  # noqa: D301 - see the group
    chosen = registry.choose(lab)
    answer = registry.ask(chosen, "why", source=source, target=" ".join(target))
    ok = answer["explanation"]["ok"]
    click.echo(json.dumps(answer["explanation"], ensure_ascii=False, indent=2) if as_json else answer["text"])
    sys.exit({True: 0, False: 1}.get(ok, _UNCERTAIN))
