"""Groups of commands as one POSIX shell script, to run as root on any Linux: `sh lab.sh`, and `sh lab.sh down`."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from shlex import quote

from netlab import ops
from netlab.language import say
from netlab.script.rebuild import Group

_TOOLS = ("ip", "bridge", "nft", "sysctl")


class Script:
    """A lab as a shell script."""

    def __init__(self, lab: str, groups: Sequence[Group]) -> None:
        self.text = _text(lab, groups)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text.rstrip("\n")

    def save(self, path: str | Path) -> Path:
        """Write the script into a file, ready to be run; return the file's path."""
        file = Path(path)
        file.write_text(self.text)
        file.chmod(0o755)
        return file

    def _repr_html_(self) -> str:
        style = (
            "margin:0;padding:.4em .8em;border-left:3px solid #2563eb;white-space:pre-wrap;line-height:1.5;"
            "word-break:normal;overflow-wrap:anywhere;max-height:30em;overflow-y:auto;"
            "font-family:var(--jp-code-font-family,monospace)"
        )
        return f'<pre style="{style}">{escape(repr(self))}</pre>'


def _text(lab: str, groups: Sequence[Group]) -> str:
    places = [op.name for group in groups for op in group.operations if isinstance(op, ops.AddNamespace)]
    return "\n".join([_head(lab), _frame(lab, places), _up(groups), _foot()])


def _head(lab: str) -> str:
    about = say(
        en=(
            f"The lab {lab!r}, rebuilt with ip, bridge, nft and sysctl alone. Run it as root on any Linux:\n"
            "  sh lab.sh         builds it; every machine of the lab is a network namespace: ip netns exec host ip address\n"
            "  sh lab.sh down    takes it away again\n"
            "The machine's own network is not touched. A line `docker …` is what the commands below it stand for."
        ),
        ja=(
            f"ラボ {lab!r} を ip、bridge、nft、sysctl だけで再現します。どの Linux でも root で実行できます。\n"
            "  sh lab.sh         作る。ラボのマシンは 1 台ずつネットワーク名前空間になる: ip netns exec host ip address\n"
            "  sh lab.sh down    元に戻す\n"
            "実行するマシン自身のネットワークには触れません。`docker …` の行は、その下のコマンドに当たるものです。"
        ),
    )
    return "#!/bin/sh\n" + _comment(about) + "set -eu\n"


def _comment(text: str, indent: str = "") -> str:
    return "".join(f"{indent}# {line}".rstrip() + "\n" for line in text.splitlines())


def _frame(lab: str, places: Sequence[str]) -> str:
    """Return the functions around the commands: they take away only what they have made, and all of it if one fails."""
    there = say(
        en="there is a network namespace of that name already:", ja="この名前のネットワーク名前空間がすでにあります:"
    )
    serve = say(en="serve PLACE TITLE: a web server on port 80", ja="serve 場所 題名: ポート 80 の Web サーバー")
    return (
        f"places={quote(' '.join(places))}\n"
        f"mine={quote(f'/run/netlab-{lab}')}\n\n"
        "begin() {\n"
        "    for place in $places; do\n"
        f'        [ ! -e "/run/netns/$place" ] || {{ echo "{there} $place" >&2; exit 1; }}\n'
        "    done\n"
        '    mkdir "$mine"\n'
        "    trap end EXIT\n"
        "}\n\n"
        "end() {\n"
        "    status=$?\n"
        '    [ "$status" = 0 ] || down\n'
        '    exit "$status"\n'
        "}\n\n"
        "down() {\n"
        '    [ -d "$mine" ] || return 0\n'
        "    for place in $places; do\n"
        '        [ -e "/run/netns/$place" ] || continue\n'
        '        for process in $(ip netns pids "$place"); do kill "$process"; done\n'
        '        ip netns delete "$place"\n'
        "    done\n"
        '    rm -r "$mine"\n'
        "}\n\n" + _comment(serve) + "serve() {\n"
        "    command -v python3 > /dev/null || return 0\n"
        '    mkdir "$mine/$1"\n'
        '    printf \'<h1>%s</h1>\\n<p>%s</p>\\n\' "$2" "$1" > "$mine/$1/index.html"\n'
        '    ip netns exec "$1" python3 -m http.server --directory "$mine/$1" 80 > /dev/null 2>&1 &\n'
        "}\n"
    )


def _up(groups: Sequence[Group]) -> str:
    return "up() {\n    begin\n\n" + "\n".join(_group(group) for group in groups) + "}\n"


def _group(group: Group) -> str:
    lines = _comment(f"── {group.title}", "    ")
    lines += "".join(_comment(line, "    ") for line in (*group.docker, *group.left_out))
    for op in group.operations:
        lines += f"    {_line(op)}\n"  # a here-document goes on at the line's beginning
    if group.web is not None:
        lines += f"    serve {quote(group.web)} {quote(group.page)}\n"
    return lines


def _line(op: ops.Operation) -> str:
    """Return the command as typed on the machine, which none of the lab's hosts is: names are made there for all of them."""
    return f"{op.tool} {op.words()}" if isinstance(op, ops.AddNamespace) else op.command("")


def _foot() -> str:
    tools = " ".join(_TOOLS)
    missing = say(en="is missing", ja="が見つかりません")
    return (
        f"for tool in {tools}; do\n"
        f'    command -v "$tool" > /dev/null || {{ echo "$tool {missing}" >&2; exit 1; }}\n'
        "done\n"
        'case "${1:-up}" in\n'
        "up) up ;;\n"
        "down) down ;;\n"
        '*) echo "usage: $0 [up|down]" >&2; exit 2 ;;\n'
        "esac\n"
    )
