"""Commands as docker's command line reads them, on top of click: arity, usage lines, what follows an image, --help."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, cast

import click

from netlab.docker.command.call import Call

_TRUE = ("1", "t", "T", "true", "True", "TRUE")
_FALSE = ("0", "f", "F", "false", "False", "FALSE")


class BadFlag(click.BadParameter):
    """A value that docker's command line refuses, in docker's words."""

    def __init__(self, value: str, why: str, context: click.Context | None, parameter: click.Parameter | None) -> None:
        super().__init__(why, context, parameter)
        self.value = value


class Number(click.ParamType[int]):
    """A whole number; what is none is refused in docker's words."""

    name = "int"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if not re.fullmatch(r"[+-]?\d+", value, re.ASCII):
            raise BadFlag(value, f'strconv.ParseInt: parsing "{value}": invalid syntax', ctx, param)
        return int(value)


class Command(click.Command):
    """A command that knows its usage line and how many words it takes."""

    synopsis = ""
    least = 0
    most: int | None = 0  # None: any number

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what docker writes for --help, in its layout."""
        formatter.write(f"Usage:  {ctx.command_path} {self.synopsis}\n\n{self.help}\n")
        options = [one for one in self.params if isinstance(one, click.Option) and one.expose_value]
        if options:
            formatter.write("\nOptions:\n")
            formatter.indent()
            formatter.write_dl([(_spelling(one), one.help or "") for one in options], col_spacing=3)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            rest = super().parse_args(ctx, self._spelled(ctx, args))
        except click.UsageError as error:
            error.ctx = ctx  # a parser's errors have none
            raise
        count = len(ctx.params["words"])
        if count < self.least or (self.most is not None and count > self.most):
            raise click.UsageError(self.arity, ctx)
        if self.most == 0:
            del ctx.params["words"]
        return rest

    def _spelled(self, ctx: click.Context, args: Sequence[str]) -> list[str]:
        """Spell options as click reads them: docker's parser takes --rm=false and -p=80:80 as well."""
        options = {name: one for one in self.params if isinstance(one, click.Option) for name in one.opts}
        done: list[str] = []
        rest = list(args)
        while rest:
            word = rest.pop(0)
            if word == "--" or not (word.startswith("-") or ctx.allow_interspersed_args):
                return [*done, word, *rest]
            name, equals, value = word.partition("=")
            option = options.get(name)
            if option is None:
                done.append(word)
            elif option.is_flag:
                if equals and value not in (*_TRUE, *_FALSE):
                    raise BadFlag(value, f'strconv.ParseBool: parsing "{value}": invalid syntax', ctx, option)
                done += [] if equals and value in _FALSE else [name]
            else:
                done += [name, *([value] if equals else rest[:1])]
                rest = rest if equals else rest[1:]
        return done

    @property
    def arity(self) -> str:
        """How many words it takes, as docker says it."""
        if self.most == 0:
            return "accepts no arguments"
        amount = f"{self.least} argument{'' if self.least == 1 else 's'}"
        return f"requires {amount}" if self.most == self.least else f"requires at least {amount}"


class Group(click.Group):
    """A group of commands; alone, it shows its help. Below `docker` itself, `list` and `remove` are words for ls and rm."""

    command_class = Command
    synopsis = "COMMAND"
    closing: Callable[[], str] = staticmethod(str)  # what the help ends with

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        words = {} if ctx.parent is None else {"list": "ls", "remove": "rm"}
        return super().get_command(ctx, words.get(cmd_name, cmd_name))

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what docker writes for --help, in its layout."""
        formatter.write(f"Usage:  {ctx.command_path} {self.synopsis}\n\n{self.help}\n\nCommands:\n")
        formatter.indent()
        names = self.list_commands(ctx)
        formatter.write_dl([(name, self.commands[name].get_short_help_str(100)) for name in names])
        options = [one for one in self.params if isinstance(one, click.Option) and one.opts != ["--help"]]
        if options:
            formatter.write("\nOptions:\n")
            formatter.write_dl([(_spelling(one), one.help or "") for one in options], col_spacing=3)
        formatter.write(f"\nRun '{ctx.command_path} COMMAND --help' for more information on a command.\n")
        formatter.write(self.closing())


def _spelling(option: click.Option) -> str:
    """Return how an option is written, and what follows it."""
    short = next((f"{one}, " for one in option.opts if len(one) == 2), "    ")
    long = next(one for one in option.opts if len(one) > 2)
    kind = (
        ""
        if option.is_flag
        else " list"
        if option.multiple
        else " int"
        if isinstance(option.type, Number)
        else " string"
    )
    return short + long + kind


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
