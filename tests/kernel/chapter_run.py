"""Runs the cells of one chapter as a reader does who solves the exercises: python chapter_run.py SOURCE WHAT.

Before each lab of the chapter ends, WHAT is checked of it: `script` (the lab's script rebuilds it in a fresh sandbox) or
`restore` (a checkpoint of it is restored in another state of the lab). Ends with status 0 when it held, and says how often.
"""

from __future__ import annotations

import contextlib
import importlib.machinery
import importlib.util
import io
import os
import sys
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell
from outside import assert_same
from rebuilt import assert_rebuilt, kernel

import netlab
from netlab.lab import Lab

ROOT = Path(__file__).parents[2]


def cells(source: Path) -> list[str]:
    """Return the code of a chapter, exercises with their solutions."""
    loader = importlib.machinery.SourceFileLoader("builder", str(ROOT / "scripts" / "build-notebooks"))
    builder = importlib.util.module_from_spec(importlib.util.spec_from_loader("builder", loader))
    sys.modules["builder"] = builder
    loader.exec_module(builder)
    found = [cell for cell in builder.read_cells(source.read_text()) if cell.kind == "code"]
    return [cell.texts["en"] if cell.solution is None else cell.solution for cell in found]


def check_script(lab) -> None:
    assert_rebuilt(lab, str(lab.script()))


def check_restore(lab) -> None:
    before = kernel(lab)
    lab.checkpoint("here")
    for name in list(lab.containers):
        lab.rm(name)
    lab.host.sh("nft flush ruleset; ip link set eth0 down")
    lab.restore("here")
    assert_same(lambda: before, lambda: kernel(lab))


CHECKS = {"script": check_script, "restore": check_restore}


def main(source: Path, what: str) -> None:
    checked: list[str] = []
    close = Lab.close

    def check_and_close(lab) -> None:
        if not lab.closed:
            CHECKS[what](lab)
            checked.append(lab.name)
        close(lab)

    Lab.close = check_and_close
    sys.dont_write_bytecode = True
    os.chdir(ROOT / "notebooks" / "en")
    shell = InteractiveShell.instance()
    netlab.load_ipython_extension(shell)
    for code in cells(source):
        with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(said):
            done = shell.run_cell(code)
        if not done.success:
            raise done.error_in_exec or done.error_before_exec
    for lab in {id(one): one for one in shell.user_ns.values() if isinstance(one, Lab)}.values():
        lab.close()
    print(len(checked))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
