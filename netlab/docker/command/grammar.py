"""Commands as docker's command line reads them, on top of click: arity, usage lines, what follows an image, --help."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import click

from netlab.docker.command.call import Call


class Command(click.Command):
    """A command that knows its usage line and how many words it takes."""

    synopsis = ""
    least = 0
    most: int | None = 0  # None: any number

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click calls it so
        return [self.synopsis]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            rest = super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = ctx  # a parser's errors have none
            raise
        count = len(ctx.params["words"])
        if count < self.least or (self.most is not None and count > self.most):
            raise click.UsageError(self.arity, ctx)
        if self.most == 0:
            del ctx.params["words"]
        return rest

    @property
    def arity(self) -> str:
        """How many words it takes, as docker says it."""
        if self.most == 0:
            return "accepts no arguments"
        amount = f"{self.least} argument{'' if self.least == 1 else 's'}"
        return f"requires {amount}" if self.most == self.least else f"requires at least {amount}"


class Group(click.Group):
    """A group of commands; alone, it shows its help."""

    command_class = Command


def command(
    group: click.Group, name: str, synopsis: str = "", words: tuple[int, int | None] = (0, 0), *, trailing: bool = False
) -> Callable[[Callable[..., int | None]], click.Command]:
    """Register a command that takes some number of words; with `trailing`, options end at the first of them."""

    def register(function: Callable[..., int | None]) -> click.Command:
        settings = {"allow_interspersed_args": not trailing, "max_content_width": 100}
        made = cast("Command", group.command(name, add_help_option=False, context_settings=settings)(function))
        made.synopsis = synopsis
        made.least, made.most = words
        made.params += [click.Argument(["words"], nargs=-1, type=click.UNPROCESSED), help_option()]
        return made

    return register


def help_option() -> click.Option:
    """Return --help, which prints where the command's words go, and not where this process' do."""
    return click.Option(["--help"], is_flag=True, is_eager=True, expose_value=False, callback=_help, help="Print usage")


def _help(context: click.Context, _: click.Parameter, wanted: Any) -> None:
    if wanted:
        cast("Call", context.obj).say(context.get_help())
        context.exit()
