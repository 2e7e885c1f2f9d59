"""The chapters as they are stored: two languages, one course, real outputs, nothing left behind."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest
from rendered import running_text

from netlab.glossary import glossary, mentions

nbformat = pytest.importorskip("nbformat")

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
LANGUAGES = ("en", "ja")
A_SCREEN = 25
A_PICTURE = 45  # as text, where there is no picture: tests/browser/test_exported.py measures what is seen
A_HANDFUL = 8
SOURCES_ELSEWHERE = {
    "docs.docker.com",
    "kubernetes.io",
    "man7.org",
    "manpages.debian.org",
    "www.netfilter.org",
    "www.rfc-editor.org",
}
EXERCISES = (
    "02",
    "03",
    "04",
    "05",
    "06",
    "07",
    "08",
)  # the others are for watching, or looking up, with one exercise each


def load_builder() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("build_notebooks", str(ROOT / "scripts" / "build-notebooks"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    sys.modules[loader.name] = module  # dataclasses look their module up there
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = writes
    return module


builder = load_builder()
STEMS = builder.stems([])
every_chapter = pytest.mark.parametrize("stem", STEMS)
every_notebook = pytest.mark.parametrize(
    ("language", "stem"), [(language, stem) for language in LANGUAGES for stem in STEMS]
)


def chapter(language: str, stem: str) -> Any:
    return nbformat.read(NOTEBOOKS / language / f"{stem}.ipynb", as_version=4)


def code_cells(language: str, stem: str) -> list[Any]:
    return [cell for cell in chapter(language, stem).cells if cell.cell_type == "code"]


def without_comments(code: str) -> str:
    lines = (re.sub(r"(^|\s+)# .*", "", line).rstrip() for line in code.splitlines())
    return "\n".join(line for line in lines if line)


def texts(output: Any) -> list[str]:
    return [output["text"]] if "text" in output else [output.get("data", {}).get("text/plain", "")]


def test_there_are_chapters() -> None:
    """Every chapter has a source, and every notebook comes from one."""
    assert STEMS
    for language in LANGUAGES:
        assert [path.stem for path in sorted((NOTEBOOKS / language).glob("*.ipynb"))] == STEMS


@every_chapter
def test_notebooks_are_what_their_source_says(stem: str) -> None:
    """Nobody has edited a notebook and forgotten its source, or the other way round."""
    assert builder.differences(stem) == []


@every_chapter
def test_code_is_the_same_in_both_languages(stem: str) -> None:
    """A reader of either language runs the same code; only comments are translated."""
    english, japanese = ([without_comments(cell.source) for cell in code_cells(one, stem)] for one in LANGUAGES)
    assert english == japanese


@every_notebook
def test_stored_outputs_are_those_of_a_whole_run(language: str, stem: str) -> None:
    """Cells are numbered as in one run from top to bottom, and none has failed."""
    cells = code_cells(language, stem)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not [output for cell in cells for output in cell.outputs if output.output_type == "error"]


@every_notebook
def test_every_lab_is_stored_as_a_picture(language: str, stem: str) -> None:
    """Where a lab is shown there is a diagram, for viewers that cannot run it, and its output has its cell's number."""
    shown = 0
    for cell in code_cells(language, stem):
        for output in cell.outputs:
            assert output.get("execution_count", cell.execution_count) == cell.execution_count
            if "\n├─" in output.get("data", {}).get("text/plain", ""):
                assert "image/svg+xml" in output.data, cell.source
                shown += 1
    assert shown


@every_notebook
def test_no_output_is_longer_than_a_screen(language: str, stem: str) -> None:
    """Nobody has to scroll through an output."""
    for cell in code_cells(language, stem):
        for output in cell.outputs:
            most = A_PICTURE if "image/svg+xml" in output.get("data", {}) else A_SCREEN
            for text in texts(output):
                assert len(text.splitlines()) <= most, cell.source


@every_notebook
def test_code_cells_are_short(language: str, stem: str) -> None:
    """A code cell is something that a student could have typed."""
    for cell in code_cells(language, stem):
        assert len(cell.source.splitlines()) <= A_HANDFUL, cell.source


@every_notebook
def test_labs_are_closed(language: str, stem: str) -> None:
    """What a chapter opens it closes, in its last cell."""
    cells = code_cells(language, stem)
    opened = {name for cell in cells for name in re.findall(r"^(\w+) = Lab\(", cell.source, flags=re.MULTILINE)}
    closed = set(re.findall(r"^(\w+)\.close\(\)", cells[-1].source, flags=re.MULTILINE))
    assert opened
    assert opened == closed


@every_notebook
def test_no_trace_of_the_machine_it_was_written_on(language: str, stem: str) -> None:
    """No path of a home directory or checkout, no times of execution, nothing of a notebook's front end."""
    path = NOTEBOOKS / language / f"{stem}.ipynb"
    raw = path.read_text()
    assert str(ROOT) not in raw
    assert not re.search(r"/(home|root|Users|tmp|work)/", raw)
    notebook = chapter(language, stem)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert all(set(cell.metadata) <= {"tags"} for cell in notebook.cells)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


@every_notebook
def test_links_and_pictures_exist(language: str, stem: str) -> None:
    """A link within the course leads somewhere."""
    for cell in chapter(language, stem).cells:
        if cell.cell_type == "markdown":
            for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", cell.source):
                assert (NOTEBOOKS / language / target).exists(), target


@every_notebook
def test_links_to_elsewhere_are_whole(language: str, stem: str) -> None:
    """Written as a browser needs them, to one of the sources that chapter 11 names, and encrypted."""
    for cell in chapter(language, stem).cells:
        if cell.cell_type == "markdown":
            for address in re.findall(r"\]\((\w+:[^)]*)\)", cell.source):
                parts = urlsplit(address)
                assert parts.scheme == "https", address
                assert parts.hostname in SOURCES_ELSEWHERE, address
                assert parts.path.strip("/"), address


@pytest.mark.parametrize("language", LANGUAGES)
def test_references_say_what_each_is_good_for_and_in_which_chapter(language: str) -> None:
    """A row each: the source, the questions that it answers, chapters that there are. The curriculum's seven are among them."""
    text = "\n".join(cell.source for cell in chapter(language, "11-references").cells if cell.cell_type == "markdown")
    rows = re.findall(r"^\| \[(.+?)\]\(https://[^)]+\) \| (.+?) \| (.+?) \|$", text, flags=re.MULTILINE)
    named = {name for name, _, _ in rows}
    assert named >= {
        "namespaces(7)",
        "veth(4)",
        "ip-link(8)",
        "bridge(8)",
        "iptables(8)",
        "nft(8)",
        "Docker: networking overview",
    }
    assert len(rows) == len(named) == text.count("](https://")
    numbers = {stem[:2] for stem in STEMS}
    for name, questions, chapters in rows:
        assert len(questions) > A_HANDFUL, name
        assert set(re.split(r", |、", chapters)) <= numbers, name


@every_notebook
def test_a_chapter_that_asks_shows_how_far_one_is(language: str, stem: str) -> None:
    """Its own dashboard, before the first question."""
    code = [cell.source for cell in code_cells(language, stem)]
    asks = [at for at, one in enumerate(code) if one.startswith("predict(") or "challenge(" in one]
    shows = [at for at, one in enumerate(code) if one.splitlines()[-1:] == [f'progress("{stem[:2]}")']]
    assert not asks or (shows and shows[0] < asks[0])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_glossary_is_shown_in_the_lab(language: str) -> None:
    """Its heading, its sentence, and a cell below that has put something out."""
    cells = chapter(language, "10-glossary").cells
    headed = [at for at, cell in enumerate(cells) if cell.source.startswith("### ")]
    assert sorted(cells[at].id for at in headed) == sorted(glossary())
    for at in headed:
        shown = "".join(text for output in cells[at + 1].outputs for text in texts(output))
        assert shown.strip(), cells[at].source


@every_notebook
def test_words_lead_to_the_glossary(language: str, stem: str) -> None:
    """A chapter from 01 to 08 explains its words: each once, by a link to a cell that is there."""
    text = "\n".join(cell.source for cell in chapter(language, stem).cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\(10-glossary\.ipynb#cell-id=([^)]+)\)", text)
    headed = {cell.id for cell in chapter(language, "10-glossary").cells if cell.source.startswith("### ")}
    assert set(links) <= headed
    assert len(links) == len(set(links))
    assert len(links) >= (3 if "01" <= stem[:2] <= "08" else 0)


@every_notebook
def test_the_first_mention_of_a_word_is_its_link(language: str, stem: str) -> None:
    """In the text as it is shown; the goals at the top come before the story, and chapter 10 is the glossary."""
    if stem == "10-glossary":
        return
    pattern, keys = mentions(language)
    told: set[str] = set()
    cells = [cell for cell in chapter(language, stem).cells if cell.cell_type == "markdown"]
    for piece in (one for cell in cells for one in running_text(cell.source, lists=cell is not cells[0])):
        if piece.term:
            told.add(piece.term)
            continue
        first = {keys[match[0].lower()] for match in pattern.finditer(piece.words)} - told
        assert all(glossary()[key].everyday for key in first), piece.words


@every_notebook
def test_no_sign_of_markdown_is_left_in_the_text(language: str, stem: str) -> None:
    """Between two letters without a space, `**[` begins no emphasis: Japanese readers would see the asterisks."""
    for cell in chapter(language, stem).cells:
        if cell.cell_type == "markdown":
            for piece in running_text(cell.source):
                assert not re.search(r"\*|`|\]\(|\[\[", piece.words), piece.words


@every_chapter
def test_both_languages_link_the_same_words(stem: str) -> None:
    """Nearly: a word that one language has no need of may be missing there."""
    source = (builder.SOURCES / f"{stem}.md").read_text()
    blocks = builder.read_blocks(source)
    keys = {
        language: {key for one in blocks if one.kind == language for key in re.findall(r"\[\[([a-z0-9-]+)", one.text)}
        for language in LANGUAGES
    }
    assert len(keys["en"] ^ keys["ja"]) <= 1


@every_notebook
def test_chapter_says_what_it_is_for(language: str, stem: str) -> None:
    """A chapter begins with its number, the time that it takes and its goals, and ends with what one can do now."""
    cells = [cell.source for cell in chapter(language, stem).cells if cell.cell_type == "markdown"]
    time, now, leads = {
        "en": ("**Time:**", "## What you can now do", "**The next question:**"),
        "ja": ("**所要時間:**", "## できるようになったこと", "**次の疑問:**"),
    }[language]
    assert cells[0].startswith(f"# {stem[:2]} ")
    assert time in cells[0]
    assert cells[-1].startswith(now)
    assert leads in cells[-1]


@every_notebook
def test_predictions_are_answered_after_something_ran(language: str, stem: str) -> None:
    """Between a question and its answer there is a cell to run, and no other question."""
    asked: str | None = None
    ran = 0
    for cell in code_cells(language, stem):
        if match := re.match(r'predict\("(.+)"\)$', cell.source):
            assert asked is None, f"{asked} has no answer"
            asked, ran = match[1], 0
        elif match := re.search(r'^answer\("(.+?)", ', cell.source, flags=re.MULTILINE):
            assert match[1] == asked
            assert ran
            asked = None
        else:
            ran += 1
    assert asked is None


@every_chapter
def test_every_section_can_be_tried(stem: str) -> None:
    """From chapter 02 to 08 there are at least three exercises, each with a solution."""
    cells = builder.read_cells((builder.SOURCES / f"{stem}.md").read_text())
    exercises = [cell for cell in cells if "exercise" in cell.tags]
    assert len(exercises) >= (3 if stem[:2] in EXERCISES else 1)
    assert all(cell.solution for cell in exercises)


@pytest.mark.kernel
@pytest.mark.slow
@every_chapter
def test_solutions_run(stem: str, tmp_path: Path) -> None:
    """With every exercise solved as the chapter suggests, the whole chapter still runs, and every challenge is solved."""
    nbclient = pytest.importorskip("nbclient")
    cells = builder.read_cells((builder.SOURCES / f"{stem}.md").read_text())
    notebook = builder.notebook(cells, "en")
    for cell, written in zip(cells, notebook.cells, strict=True):
        if cell.solution:
            written.source = cell.solution
    client = nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env={**os.environ, "NETLAB_PROGRESS": "off", "NETLAB_LANGUAGE": "en", "PYTHONPATH": str(ROOT)})
    for cell in notebook.cells:
        if cell.source == "task.check()":
            assert texts(cell.outputs[0])[0].startswith("Solved."), cell.outputs


@every_notebook
def test_the_kernel_answered_what_the_chapter_says(language: str, stem: str) -> None:
    """In the stored outputs, which nbval compares with a run, each prediction ends with the option that is marked as right."""
    keys = builder.questions_of((builder.SOURCES / f"{stem}.md").read_text())
    for key, question in json.loads(keys).items():
        (cell,) = (one for one in code_cells(language, stem) if f'answer("{key}"' in one.source)
        (expected,) = (option for option in question["options"] if option["expected"])
        said = texts(cell.outputs[-1])[0]
        assert f"✓ {'ABCDEF'[question['options'].index(expected)]}." in said, key
