"""The command trace: a probe, and every hop that it really took."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from netlab import registry
from netlab.cli import options


@click.command()
@options.lab
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--pcapng", metavar="FILE", type=click.Path(dir_okay=False), help="Write the packets for Wireshark.")
@click.option(
    "--timeout", type=click.FloatRange(0.1, 60), default=1.5, show_default=True, help="Seconds for an answer."
)
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO", nargs=-1, required=True)
def trace(
    lab: str | None, source: str, target: tuple[str, ...], *, as_json: bool, pcapng: str | None, timeout: float
) -> None:
    """Send a real probe from a place and list every hop that it and its answer took, or where and why it died.

    TO is a URL, `ping web`, `tcp:web:80` or `udp:web:53`. Ends with status 1 when no answer came.

    \b
    For example:  netlab trace app http://web
                  netlab trace internet http://203.0.113.10:8080
                  netlab trace app ping 172.17.0.3 --json
    """  # noqa: D301 - see the group
    path = str(Path(pcapng).resolve()) if pcapng else None
    chosen = registry.choose(lab)
    answer = registry.ask(chosen, "trace", source=source, target=" ".join(target), patience=timeout, pcapng=path)
    click.echo(json.dumps(answer["journey"], ensure_ascii=False, indent=2) if as_json else answer["text"])
    sys.exit(0 if answer["journey"]["ok"] else 1)
