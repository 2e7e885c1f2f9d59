"""The command script: a lab as a shell script."""

from __future__ import annotations

from pathlib import Path

import click

from netlab import registry
from netlab.cli import options


@click.command()
@options.lab
@click.option("--output", "-o", type=click.Path(dir_okay=False, writable=True, allow_dash=True), help="A file for it.")
def script(lab: str | None, output: str | None) -> None:
    """Print a shell script of ip, bridge, nft and sysctl lines that builds the lab again on any Linux, as root.

    `sh lab.sh` builds it, in network namespaces of its own, and `sh lab.sh down` takes it away.
    Ends with status 1 when the lab cannot be asked.

    \b
    For example:  netlab script
                  netlab script --output lab.sh
    """  # noqa: D301 - see the group
    text = str(registry.ask(registry.choose(lab), "script"))
    if output in (None, "-"):
        click.echo(text, nl=False)
        return
    file = Path(str(output))
    try:
        file.write_text(text)
        file.chmod(0o755)
    except OSError as error:
        raise click.FileError(str(output), error.strerror) from None
