"""Commands about labs as wholes: up, down, ls, run, rm, show."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import click

from netlab import registry
from netlab.cli import options
from netlab.errors import NetlabError
from netlab.language import say

_PATIENCE = 3.0  # seconds that `ls` waits for a lab's answer


@click.command()
@click.argument("name", required=False)
@click.option("--docker/--no-docker", default=True, help="With docker0, forwarding and masquerade, or a bare host.")
@click.option("--hosts", type=click.IntRange(1, 9), default=1, show_default=True, help="How many hosts.")
def up(name: str | None, *, docker: bool, hosts: int) -> None:
    """Start a lab that goes on when this command has ended.

    \b
    For example:  netlab up
                  netlab up lesson --no-docker
    """  # noqa: D301 - see the group
    from netlab import keeper  # noqa: PLC0415 - see the package

    lab = keeper.start(name, docker=docker, hosts=hosts)
    click.echo(lab)
    which = "" if registry.names() == [lab] else f" --lab {lab}"
    click.echo(
        say(
            en=f"The lab {lab} is running. Next:\n",
            ja=f"ラボ {lab} が動いています。次にできること:\n",
        )
        + f"  netlab run web --image nginx{which}\n"
        + f"  netlab shell{which} {'web' if docker else 'host'}\n"
        + f"  netlab show{which}\n"
        + f"  netlab down {lab}",
        err=True,
    )


@click.command()
@click.argument("name", required=False)
@click.option("--all", "-a", "every", is_flag=True, help="End all labs, of notebooks too.")
def down(name: str | None, *, every: bool) -> None:
    """End a lab and everything in it. Of a notebook's lab only the lab ends, not the notebook.

    \b
    For example:  netlab down
                  netlab down --all
    """  # noqa: D301 - see the group
    from netlab import ending  # noqa: PLC0415 - see the package

    if every and name is not None:
        raise click.UsageError("Give either a name or --all.")
    failed = []
    for lab in registry.names() if every else [registry.choose(name, "netlab down ")]:
        try:
            ending.end(lab)
        except NetlabError as error:  # the others shall end all the same
            failed.append(str(error))
        else:
            click.echo(lab)
    if failed:
        raise NetlabError("\n".join(failed))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def ls(*, as_json: bool) -> None:
    """List the labs that are running, of notebooks too.

    \b
    For example:  netlab ls
                  netlab ls --json
    """  # noqa: D301 - see the group
    found = [_line(name) for name in registry.names()]
    if as_json:
        click.echo(json.dumps(found))
        return
    width = max([4, *(len(one["name"]) for one in found)])
    click.echo(f"{'NAME':<{width}}  CONTAINERS  OWNER")
    for one in found:
        count = "?" if one["containers"] is None else one["containers"]
        click.echo(f"{one['name']:<{width}}  {count:<10}  {one['owner']}")


def _line(name: str) -> dict[str, Any]:
    """Describe one lab; a silent one too, of which only the owner is known."""
    try:
        about = registry.ask(name, "about", timeout=_PATIENCE)
    except NetlabError:
        return {"name": name, "containers": None, "owner": registry.owner(name)}
    return {"name": name, "containers": about["containers"], "owner": about["owner"]}


@click.command()
@click.argument("name")
@click.option("--image", "-i", default="alpine", show_default=True, help="nginx, alpine, busybox, myapp.")
@options.lab
def run(name: str, image: str, lab: str | None) -> None:
    """Make a container and connect it to docker0; print its address.

    \b
    For example:  netlab run web --image nginx
    """  # noqa: D301 - see the group
    click.echo(registry.ask(registry.choose(lab), "run", name=name, image=image)["address"])


@click.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@options.lab
def rm(names: tuple[str, ...], lab: str | None) -> None:
    """Remove containers, running or not.

    \b
    For example:  netlab rm web
    """  # noqa: D301 - see the group
    chosen = registry.choose(lab)
    for name in names:
        registry.ask(chosen, "rm", name=name)
        click.echo(name)


@click.command()
@options.lab
@click.option(
    "--format", "-f", "wanted", type=click.Choice(["text", "svg", "png", "dot", "json"]), default="text",
    show_default=True, help="The picture's format.",
)  # fmt: skip
@click.option("--output", "-o", type=click.Path(dir_okay=False, writable=True, allow_dash=True), help="A file for it.")
def show(lab: str | None, wanted: str, output: str | None) -> None:
    """Draw a lab as the kernel reports it at this moment.

    \b
    For example:  netlab show
                  netlab show --format png --output lab.png
    """  # noqa: D301 - see the group
    to_stdout = output in (None, "-")
    if wanted == "png" and output is None and sys.stdout.isatty():
        raise click.UsageError("A PNG would spoil the terminal. Add: --output lab.png")
    answer = registry.ask(registry.choose(lab), "show", format=wanted)
    data = _encode(answer, wanted)
    if to_stdout:
        click.echo(data, nl=False)
    else:
        try:
            Path(str(output)).write_bytes(data)
        except OSError as error:
            raise click.FileError(str(output), error.strerror) from None


def _encode(answer: Any, wanted: str) -> bytes:
    if wanted == "png":
        return base64.b64decode(answer)
    text = json.dumps(answer, ensure_ascii=False) if wanted == "json" else str(answer)
    return (text.rstrip("\n") + "\n").encode()
