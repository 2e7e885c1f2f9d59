"""Commands about this machine and the course: doctor, notebook and progress."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import click

from netlab.errors import NotFound, SandboxError
from netlab.language import LANGUAGES, Language, current, say

_FIRST_CHAPTER = "00-introduction.ipynb"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def doctor(*, as_json: bool) -> None:
    """Try each thing that a lab needs, and say what to do where one fails.

    Ends with status 1 when something is missing that a lab cannot do without.

    \b
    For example:  netlab doctor
                  netlab doctor --json
    """  # noqa: D301 - see the group
    from netlab.doctor import examination, report  # noqa: PLC0415 - see the package

    findings = examination.examine()
    if as_json:
        click.echo(json.dumps(report.as_data(findings), ensure_ascii=False, indent=2))
    else:
        click.echo(report.as_text(findings))
    sys.exit(0 if report.is_fit(findings) else 1)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs, and for whoever teaches.")
@click.option("--certificate", metavar="FILE", help="Write a page to print.")
@click.option("--name", default="", help="The student's name on the certificate.")
def progress(*, as_json: bool, certificate: str | None, name: str) -> None:
    """Show how far you are in the course.

    \b
    For example:  netlab progress
                  netlab progress --certificate certificate.html --name "Hanako Yamada"
                  netlab progress --json > hanako.json
    """  # noqa: D301 - see the group
    from netlab.course import board, certificates, records  # noqa: PLC0415 - see the package

    if as_json:
        click.echo(json.dumps({"chapters": board.as_data(), **records.read()}, ensure_ascii=False, indent=2))
    else:
        click.echo(repr(board.progress()))
    if certificate:
        click.echo(str(certificates.certificate(certificate, name=name)), err=as_json)


@click.command(context_settings={"ignore_unknown_options": False})
@click.option("--lang", type=click.Choice(LANGUAGES), help="The chapters' language; else the terminal's.")
@click.option("--port", type=click.IntRange(0, 65535), default=8888, show_default=True, help="JupyterLab's port.")
@click.option("--no-browser", is_flag=True, help="Print the address and open nothing.")
@click.argument("more", metavar="[-- JUPYTERLAB OPTIONS...]", nargs=-1, type=click.UNPROCESSED)
def notebook(lang: Language | None, port: int, *, no_browser: bool, more: tuple[str, ...]) -> None:
    """Open JupyterLab on the first chapter. Ctrl-C twice ends it.

    \b
    For example:  netlab notebook --lang en
    """  # noqa: D301 - see the group
    chosen = lang or current()
    root = _checkout()
    _trust(root)
    os.chdir(root)
    argv = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--allow-root",
        "--ServerApp.log_level=WARN",
        "--LabApp.log_level=WARN",
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url=/lab/tree/notebooks/{chosen}/{_FIRST_CHAPTER}",
        f"--port={port}",
        *(["--no-browser"] if no_browser else []),
        *more,
    ]
    click.echo(
        say(
            en="netlab: starting JupyterLab; the address follows, Ctrl-C twice ends it",
            ja="netlab: JupyterLab を起動しています。アドレスはこの後に表示されます。終了は Ctrl-C を 2 回",
            language=chosen,
        ),
        err=True,
    )
    try:
        os.execve(argv[0], argv, _environment(root, chosen))
    except OSError as error:
        raise SandboxError(
            say(
                en=f"JupyterLab could not be started: {error.strerror}",
                ja=f"JupyterLab を起動できませんでした: {error.strerror}",
                language=chosen,
            )
        ) from None


def _checkout() -> Path:
    """Return the folder with the chapters; raises NotFound where only the package is installed."""
    root = Path(__file__).parents[2]
    if not (root / "notebooks").is_dir():
        raise NotFound(
            say(
                en="The chapters are not part of the installed package. Clone the repository, and start them from there: "
                "scripts/start",
                ja="インストールされたパッケージに章は含まれていません。リポジトリをクローンし、そこから始めてください: "
                "scripts/start",
            )
        )
    return root


def _environment(root: Path, chosen: str) -> dict[str, str]:
    """Return JupyterLab's environment: cells call netlab, dot and the virtual environment's own tools."""
    programs = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"]
    jupyter = root / "packaging" / "jupyter"
    settings = [str(jupyter / chosen), str(jupyter), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
    return {
        **os.environ,
        "PATH": os.pathsep.join(programs),
        "JUPYTER_CONFIG_PATH": os.pathsep.join(settings),
        "NETLAB_LANGUAGE": chosen,
    }


def _trust(root: Path) -> None:
    """Sign the shipped chapters as one's own: JupyterLab shows a stored diagram only in a notebook that is trusted.

    What was signed is noted beside the signatures, as signing takes a second.
    """
    from jupyter_core.paths import jupyter_data_dir  # noqa: PLC0415 - see the package

    chapters = sorted((root / "notebooks").glob("*/*.ipynb"))
    contents = hashlib.sha256(b"".join(chapter.read_bytes() for chapter in chapters)).hexdigest()
    note = Path(jupyter_data_dir()) / "netlab-trusted"
    try:
        if note.is_file() and note.read_text() == contents:
            return
        done = subprocess.run(
            [sys.executable, "-m", "jupyter", "trust", *map(str, chapters)], check=False, capture_output=True
        )
        if done.returncode == 0:
            note.write_text(contents)
    except OSError:
        return  # no home to write to: the diagrams appear once a chapter has been run
