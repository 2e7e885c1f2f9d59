"""Cell magics: `%%on web` runs a cell's shell commands in a place of the lab, `%on web ip addr` one line.

`%docker ps` and `%%docker` run docker's own command lines on the lab. A cell that was run before those above it is told so.
"""

from __future__ import annotations

import re
import shlex
import sys
from typing import TYPE_CHECKING, Any

from netlab.errors import NetlabError, NotFound, RequestError
from netlab.language import say

if TYPE_CHECKING:
    from netlab.lab import Lab


class Interrupted(KeyboardInterrupt):
    """The reader has stopped a cell's command: shown in one line. Cells that wait behind it do not run, as always."""

    def _render_traceback_(self) -> list[str]:
        return [say(en="Interrupted.", ja="中断しました。")]


def register(shell: Any) -> None:
    """Register the magics with an IPython shell, and have it say what to run where a name is missing."""
    shell.set_custom_exc((NameError,), _explain_missing_name)

    def on(line: str, cell: str | None = None) -> None:
        """Run shell commands in a place of the lab: %%on web, or %on web ip addr.

        With several labs: %%on --lab mine web. To keep the Result in a variable as well: %%on --out heard web.
        """
        _run(shell.user_ns, line, cell)

    shell.register_magic_function(on, magic_kind="line_cell", magic_name="on")

    from IPython.core.magic import no_var_expand  # noqa: PLC0415 - IPython is not needed outside notebooks

    @no_var_expand  # --format has braces of its own
    def docker(line: str, cell: str | None = None) -> None:
        """Run docker's command line on the lab: %docker ps, or %%docker and one command a line. --lab NAME picks a lab."""
        _run_docker(shell.user_ns, line, cell)

    shell.register_magic_function(docker, magic_kind="line_cell", magic_name="docker")


def _explain_missing_name(
    shell: Any, kind: Any, error: NameError, traceback: Any, tb_offset: int | None = None
) -> None:
    """Show a NameError as always, with the usual reason for it in a notebook."""
    error.add_note(
        say(
            en="If a cell further up makes it, run that one first (Run → Run All Above Selected Cell).",
            ja="上のほうのセルで作られる名前なら、先にそのセルを実行してください(Run → Run All Above Selected Cell)。",
        )
    )
    shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)


def _run(variables: dict[str, Any], line: str, cell: str | None) -> None:
    try:
        options, place, command = _read(line, cell)
        result = find_lab(variables, options.get("--lab"))[place].sh(command, timeout=None, hear=_print)
        if "--out" in options:
            variables[options["--out"]] = result
    except NetlabError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return
    except KeyboardInterrupt:
        raise Interrupted from None
    sys.stdout.flush()
    if not result.ok:
        print(f"[status {result.returncode}]")


def _run_docker(variables: dict[str, Any], line: str, cell: str | None) -> None:
    """Run one docker command line, or those of a cell one after the other, to the end: a refusal stops nothing."""
    from netlab.docker.command import execute  # noqa: PLC0415 - the magics are registered before anything else is needed

    try:
        words = shlex.split(line)
        name = words[1] if words[:1] == ["--lab"] and len(words) > 1 else None
        lab = find_lab(variables, name, "%docker --lab VARIABLE …")
        commands = [words[2:] if name is not None else words] if cell is None else _commands(cell)
        for number, argv in enumerate(commands):
            if number and len(commands) > 1:
                print()
            if len(commands) > 1:
                print(f"$ docker {shlex.join(argv)}")
            status = execute(lab, argv, sys.stdout, sys.stderr)
            sys.stdout.flush()
            if status:
                print(f"[status {status}]")
    except (NetlabError, ValueError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        raise Interrupted from None


def _commands(cell: str) -> list[list[str]]:
    """Split a cell into command lines: no comments, a backslash at an end joins lines, the word docker may lead."""
    lines = cell.replace("\\\n", " ").splitlines()
    split = [shlex.split(line, comments=True) for line in lines]
    return [words[1:] if words[0] == "docker" else words for words in split if words]


def _read(line: str, cell: str | None) -> tuple[dict[str, str], str, str]:
    """Split a magic's line into its options, the place and the command."""
    options = {}
    rest = line.strip()
    while match := re.match(r"(--lab|--out)[ =]+(\S+)\s*", rest):
        options[match[1]] = match[2]
        rest = rest[match.end() :]
    place, _, command = rest.partition(" ")
    if cell is not None:
        command = cell
    if not place or not command.strip():
        raise RequestError(
            say(
                en="Write the place on the first line and commands below it:\n%%on web\nip addr",
                ja="1 行目に場所を、その下にコマンドを書いてください:\n%%on web\nip addr",
            )
        )
    return options, shlex.split(place)[0], command


def _print(stream: str, text: str) -> None:
    (sys.stdout if stream == "stdout" else sys.stderr).write(text)
    (sys.stdout if stream == "stdout" else sys.stderr).flush()


def find_lab(variables: dict[str, Any], name: str | None, how: str = "%%on --lab VARIABLE PLACE") -> Lab:
    """Return the notebook's lab: the variable `lab`, or the only open lab that a variable holds; raises NotFound."""
    from netlab.lab import Lab  # noqa: PLC0415 - the magics are registered before anything else is needed

    if name is not None:
        found = [value for key, value in variables.items() if isinstance(value, Lab) and name in (key, value.name)]
        if not found:
            raise NotFound(
                say(
                    en=f"There is no lab {name!r} in this notebook.",
                    ja=f"このノートブックに {name!r} というラボはありません。",
                )
            )
        return found[0]
    lab = variables.get("lab")
    if isinstance(lab, Lab) and not lab.closed:
        return lab
    open_labs = {id(one): one for one in variables.values() if isinstance(one, Lab) and not one.closed}
    if len(open_labs) == 1:
        return next(iter(open_labs.values()))
    if not open_labs:
        raise NotFound(
            say(
                en="No lab is open in this notebook. Make one first: lab = Lab()",
                ja="このノートブックには開いているラボがありません。先に作ってください: lab = Lab()",
            )
        )
    raise RequestError(
        say(
            en=f"Several labs are open in this notebook. Say which: {how}",
            ja=f"このノートブックでは複数のラボが開いています。どれかを指定してください: {how}",
        )
    )
