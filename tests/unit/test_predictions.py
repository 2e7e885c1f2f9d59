"""The course: the reader commits, the kernel grades, every mistake gets its own reason, and progress is kept."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from netlab import language
from netlab.cli import main
from netlab.course import answer, certificate, predict, predictions, progress, records
from netlab.course.chapters import CHAPTERS, Option, Question, questions
from netlab.errors import NotFound, RequestError

KEY = "moved-end"  # of chapter 03: (up, has an address)
WRONG, RIGHT = (True, True), (False, False)


@pytest.fixture(autouse=True)
def _nobodys_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("NETLAB_PROGRESS", str(tmp_path))
    monkeypatch.setattr(predictions, "_chosen", {})
    monkeypatch.setattr(records, "_of_process", records._empty())
    language("en")
    yield
    language(None)


def test_the_right_guess_comes_true_and_is_kept() -> None:
    """A reader who chose what the kernel then answers is told so, and it counts."""
    predict(KEY).choose("C")
    graded = answer(KEY, RIGHT)
    assert "came true" in repr(graded)
    assert records.read()["predictions"][KEY]["right"] is True


def test_a_wrong_guess_gets_the_reason_of_that_mistake() -> None:
    """The reason belongs to the option that was chosen; the right one stands beside it."""
    predict(KEY).choose("A")
    said = repr(answer(KEY, RIGHT))
    wrong, other, right = questions()[KEY].options
    assert wrong.reason.replace("*", "") in said
    assert right.reason.replace("*", "") in said
    assert other.reason not in said
    assert records.read()["predictions"][KEY]["right"] is False


def test_the_kernel_decides_and_not_the_author() -> None:
    """Where the kernel answers something else than the authors expected, the kernel is right."""
    predict(KEY).choose("A")
    graded = answer(KEY, WRONG)
    assert "came true" in repr(graded)
    assert graded.right == 0


def test_an_answer_that_no_option_foresaw_is_said() -> None:
    """Nothing is graded then, and the reader learns what to do."""
    predict(KEY).choose("A")
    assert "Restart" in repr(answer(KEY, "something else"))
    assert "right" not in records.read()["predictions"][KEY]


def test_nobody_needs_to_choose() -> None:
    """Without a choice the right option is explained, and nothing is written down."""
    predict(KEY)
    assert "You made no prediction" in repr(answer(KEY, RIGHT))
    assert records.read()["predictions"] == {}


def test_a_choice_is_remembered_by_the_next_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restart of the kernel the question shows what was chosen."""
    predict(KEY).choose("B")
    monkeypatch.setattr(predictions, "_chosen", {})
    assert "● B." in repr(predict(KEY))


def test_the_dashboard_counts() -> None:
    """A graded prediction counts, right or wrong; one that was only shown does not."""
    before = next(one for one in progress().all if one.chapter.number == "03").predictions
    predict(KEY).choose("A")
    assert next(one for one in progress().all if one.chapter.number == "03").predictions == before
    answer(KEY, RIGHT)
    after = next(one for one in progress().all if one.chapter.number == "03").predictions
    assert (after.done, after.total) == (before.done + 1, before.total)


def test_a_click_in_the_notebook_commits() -> None:
    """The widget is one more way to choose, and is marked when the kernel has answered."""
    bundle = predict(KEY)._repr_mimebundle_()
    assert {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"} <= set(bundle)
    (widget,) = predictions._shown[KEY]
    widget.chosen = 0
    assert answer(KEY, RIGHT).chosen == 0
    assert widget.right == 2


@pytest.mark.parametrize("letter", ["D", "", "AB", "1"])
def test_a_letter_that_is_not_there_is_refused(letter: str) -> None:
    """The message names those that are."""
    with pytest.raises(ValueError, match="A, B, C"):
        predict(KEY).choose(letter)


def test_an_unknown_prediction_is_refused() -> None:
    """The message names those that there are."""
    with pytest.raises(NotFound, match=KEY):
        predict("nonsense")
    with pytest.raises(NotFound, match="nonsense"):
        answer("nonsense", 1)


@pytest.mark.parametrize(
    "written",
    [
        "{",
        "[]",
        "\x00",
        '{"version": 0, "solved": ["two-rooms"]}',
        '{"version": 1, "predictions": []}',
        '{"version": 1, "challenges": {"two-rooms": true}}',
    ],
    ids=["half", "list", "binary", "version", "kind", "entry"],
)
def test_a_broken_record_is_set_aside(written: str, tmp_path: Path) -> None:
    """What cannot be understood is kept under another name, and the course goes on."""
    (tmp_path / "progress.json").write_text(written)
    with pytest.warns(UserWarning, match="kept as progress-"):
        predict(KEY).choose("A")
    assert json.loads((tmp_path / "progress.json").read_text())["predictions"][KEY]["choice"] == 0
    assert [path.read_text() for path in tmp_path.glob("progress-*.json")] == [written]
    assert "predictions 0/" in repr(progress("03"))


def test_a_record_that_cannot_be_read_is_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's file, say: the chapter works, and nothing of theirs is overwritten."""
    file = tmp_path / "progress.json"
    file.write_text(json.dumps({"version": 1, "predictions": {KEY: {"choice": 1}}}))
    before = file.read_text()

    def refuse(*_: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", refuse)
        with pytest.warns(UserWarning, match="cannot be read: Permission denied"):
            assert "predictions 0/" in repr(progress("03"))
        with pytest.warns(UserWarning, match="cannot be"):
            predict(KEY).choose("A")
    assert file.read_text() == before


def test_an_older_record_counts_as_far_as_it_goes(tmp_path: Path) -> None:
    """Of a prediction that the course no longer has nothing is shown, and nothing is lost."""
    (tmp_path / "progress.json").write_text(
        json.dumps({"version": 1, "predictions": {"gone": {"choice": 0, "right": True}}})
    )
    assert "predictions 0/" in repr(progress("03"))
    predict(KEY).choose("A")
    assert set(records.read()["predictions"]) == {"gone", KEY}


def test_several_notebooks_write_at_once(tmp_path: Path) -> None:
    """Six kernels, forty facts each: none is lost."""
    program = (
        "import sys; from netlab.course import records\n"
        "for n in range(40): records.note('challenges', f'{sys.argv[1]}-{n}', tries=n)"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, f"kernel{number}"]) for number in range(6)]
    assert [one.wait(60) for one in writers] == [0] * 6
    kept = records.read()["challenges"]
    assert {key: one["tries"] for key, one in kept.items()} == {
        f"kernel{k}-{n}": n for k in range(6) for n in range(40)
    }
    assert sorted(one.name for one in tmp_path.iterdir()) == ["progress.json", "progress.lock"]


def test_who_has_no_home_works_without_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs under a number: nothing is kept beyond the process."""

    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("NETLAB_PROGRESS", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", nobody)
    predict(KEY).choose("A")
    assert records.read()["predictions"][KEY]["choice"] == 0


def test_a_disk_that_forbids_it_does_not_stop_the_course(monkeypatch: pytest.MonkeyPatch) -> None:
    """A warning says that this will be forgotten; the session still knows."""
    monkeypatch.setenv("NETLAB_PROGRESS", "/proc/nowhere")
    with pytest.warns(UserWarning, match="cannot be kept"):
        predict(KEY).choose("A")
    with pytest.warns(UserWarning, match="cannot be kept"):
        assert answer(KEY, RIGHT).chosen == 0
    assert "predictions 1/" in repr(progress("03"))


def test_nothing_is_written_when_it_is_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """NETLAB_PROGRESS=off is for demonstrations and tests."""
    monkeypatch.setenv("NETLAB_PROGRESS", "off")
    predict(KEY).choose("A")
    answer(KEY, RIGHT)
    assert next(one for one in progress().all if one.chapter.number == "03").predictions.done == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("asked", questions().values(), ids=lambda one: one.key)
def test_every_prediction_is_complete_in_both_languages(asked: Question) -> None:
    """One option is expected, each has a reason, and no two of them would be right at once."""
    assert asked.chapter in {chapter.number for chapter in CHAPTERS}
    assert sum(option.expected for option in asked.options) == 1
    assert len({repr(option.value) for option in asked.options}) == len(asked.options) > 1

    def texts(option: Option) -> list[Any]:
        return [option.texts, option.reasons]

    for both in [asked.questions, *(text for option in asked.options for text in texts(option))]:
        assert both["en"]
        assert both["ja"]
        assert both["en"] != both["ja"] or re.fullmatch(r"[`\d.]+", both["en"])


def test_a_certificate_says_what_was_done_and_hides_no_help(tmp_path: Path) -> None:
    """Solved challenges stand there, with the hints that it took; the name is the student's, as text."""
    records.note("challenges", "two-rooms", solved=True, hints=2, revealed=False, tries=3)
    file = certificate(tmp_path / "page.html", name="<Hanako>")
    page = file.read_text()
    assert "&lt;Hanako&gt;" in page
    assert "A cable between two rooms<small> (with 2 hints)" in page
    assert "progress so far" in page


def test_a_certificate_that_cannot_be_written_is_said() -> None:
    """A reader is told where it failed, and that another place would do."""
    with pytest.raises(RequestError, match="another place"):
        certificate("/proc/nowhere/page.html")


def test_progress_from_a_terminal() -> None:
    """`netlab progress --json` is what an instructor collects."""
    predict(KEY).choose("C")
    answer(KEY, RIGHT)
    done = CliRunner().invoke(main, ["progress", "--json"])
    data = json.loads(done.output)
    assert data["predictions"][KEY]["right"] is True
    assert next(one for one in data["chapters"] if one["chapter"] == "03-veth-pair")["predictions"]["done"] == 1
