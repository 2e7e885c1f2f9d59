"""The cell magics, in a real IPython shell: %%on runs a cell's commands in a place."""

from __future__ import annotations

import signal
import sys
import time

import pytest
from IPython.core.interactiveshell import InteractiveShell

import netlab
from netlab import Lab

pytestmark = pytest.mark.kernel


@pytest.fixture
def shell(lab):
    """A shell as in a notebook, where `lab` is the lab and `Lab` imported."""
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(colors="nocolor")
    shell.user_ns["lab"] = lab
    netlab.load_ipython_extension(shell)
    yield shell
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


@pytest.fixture
def cell(shell, capsys):
    """Run a cell and return its output and what it said on the error stream."""

    def run(text):
        capsys.readouterr()
        shell.run_cell(text)
        said = capsys.readouterr()
        return said.out, said.err

    return run


def test_a_cell_runs_where_its_first_line_says(cell, lab):
    lab.run("web")
    assert cell("%%on web\nhostname\nip -br address show eth0")[0].split()[:2] == [lab["web"].id[:12], "eth0@if5"]
    assert "docker0" in cell("%%on host\nip link")[0]
    assert "203.0.113.50" in cell("%%on internet\nip -4 address")[0]


def test_a_line_runs_one_command(cell):
    assert "203.0.113.10" in cell("%on host ip -4 -br address show eth0")[0]


def test_quotes_variables_and_several_lines_are_the_shells(cell):
    assert cell("%%on host\nname='a  b'\nfor i in 1 2; do\n  echo \"$i $name\"\ndone | tail -n 1")[0] == "2 a  b\n"


def test_what_was_said_can_be_kept(cell, shell):
    """With --out the cell's Result is in a variable as well, after it was shown."""
    assert "kept" in cell("%%on --out heard host\necho kept; exit 3")[0]
    assert shell.user_ns["heard"].stdout == "kept\n"
    assert shell.user_ns["heard"].returncode == 3


def test_a_status_other_than_zero_is_shown_not_raised(cell):
    assert cell("%%on host\necho out\necho err >&2\nexit 3") == ("out\n[status 3]\n", "err\n")


def test_output_comes_while_the_command_runs(cell, monkeypatch):
    moments = []

    class Clock:
        def write(self, text):
            moments.append((text, time.monotonic()))
            return len(text)

        def flush(self):
            pass

    monkeypatch.setattr(sys, "stdout", Clock())
    cell("%%on host\necho one; sleep 0.4; echo two")
    said = {text: moment for text, moment in moments if text.strip()}
    assert list(said) == ["one\n", "two\n"]
    assert said["two\n"] - said["one\n"] > 0.3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("%%on nowhere\nls", "no place 'nowhere'"),
        ("%%on\nls", "Write the place on the first line"),
        ("%%on host\n  ", "Write the place"),
        ("%on host", "Write the place"),
        ("%%on --lab other host\nls", "no lab 'other'"),
    ],
)
def test_what_cannot_be_is_told_in_one_line_without_a_traceback(cell, text, words):
    out, err = cell(text)
    assert words in out + err
    assert "Traceback" not in out + err


def test_without_a_lab_it_says_how_to_make_one(cell, shell):
    shell.user_ns.pop("lab")
    out, err = cell("%%on host\nls")
    assert "lab = Lab()" in out + err


def test_with_several_labs_it_asks_which(cell, shell, lab):
    shell.user_ns.pop("lab")
    with Lab() as other:
        shell.user_ns.update(one=lab, two=other)
        out, err = cell("%%on host\nls")
        assert "--lab" in out + err
        other.host.add_bridge("br0")
        assert "br0" in cell("%%on --lab two host\nip link")[0]
        assert "br0" not in cell("%%on --lab one host\nip link")[0]
        assert "br0" in cell(f"%%on --lab {other.name} host\nip link")[0]
    assert "docker0" in cell("%%on host\nip link")[0], "a closed lab does not count"


def test_the_stop_button_ends_the_command_and_the_lab_stays_usable(cell, lab):
    before = signal.signal(signal.SIGALRM, lambda _, frame: signal.getsignal(signal.SIGINT)(signal.SIGINT, frame))
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    began = time.monotonic()
    try:
        out, err = cell("%%on host\necho started\nsleep 60")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - began < 3
    assert out.startswith("started\n")
    assert "netlab/" not in out + err, "no traceback through netlab"
    assert "sleep 60" not in lab.host.sh("ps -eo args=").stdout
    assert cell("%%on host\necho again")[0] == "again\n"


def test_errors_of_netlab_are_shown_without_a_traceback(cell):
    out, err = cell("lab.run('a b')")
    assert "RequestError: Invalid container name 'a b'" in out + err
    assert "Traceback" not in out + err


def test_a_lab_as_last_line_is_a_picture(shell, lab):
    formatted, _ = shell.display_formatter.format(lab)
    assert formatted["image/svg+xml"].lstrip().startswith("<svg")
    assert "docker0" in formatted["text/plain"]


@pytest.mark.parametrize(("language", "words"), [("en", "run that one first"), ("ja", "先にそのセルを実行")])
def test_a_cell_that_comes_too_early_is_told_what_to_run_first(cell, language, words):
    netlab.language(language)
    out, err = cell("room.interfaces")
    assert "NameError: name 'room' is not defined" in out + err
    assert words in out + err
    netlab.language(None)


def test_other_mistakes_are_not_blamed_on_the_order_of_cells(cell):
    assert "run that one first" not in "".join(cell("1 / 0"))
