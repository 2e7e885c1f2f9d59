"""A chapter as a student goes through it: predictions, challenges, progress, the way to the glossary, and what is saved."""

import json
import re
import subprocess
import sys
from urllib.parse import quote

import pytest
from classroom import ROOT, wait_until
from course_page import Challenge, ChapterPage, Question, static_form
from notebook_page import MILLISECONDS, output, prompt
from playwright.sync_api import expect
from readable import unreadable

from netlab.course.challenges import find
from netlab.course.chapters import question

pytestmark = pytest.mark.browser

CHAPTER = "03-veth-pair"
ASKED = 'predict("moved-end")'
WRONG, RIGHT = 0, 2  # of its options
WIDGET = "application/vnd.jupyter.widget-view+json"


def reason(key, option):
    """The beginning of an option's reason, as it is seen."""
    return re.split(r"[*`]", question(key).options[option].reasons["en"])[0].strip()


def test_a_whole_chapter_as_a_student_goes_through_it(page, english, artefacts):
    chapter = ChapterPage(page, english).open_chapter(CHAPTER)
    expect(chapter.run_on_to("from netlab.course import").locator("summary")).to_contain_text("predictions 0/4")
    predict_wrongly_with_the_mouse(chapter)
    page.screenshot(path=artefacts / "course-verdict.png")
    predict_rightly_with_the_keyboard(chapter)
    assert "predictions 2/4 · challenges 0/3" in chapter.progress()
    for key in ("end-deleted", "same-ifindex"):
        asked = Question(chapter.run_on_to(f'predict("{key}")'))
        asked.option([one.expected for one in question(key).options].index(True)).click()
        expect(asked.status).to_contain_text("Noted.")
    sheet = Challenge(chapter.run_on_to("lab.close()\ntask = challenge"))
    code = chapter.cell("# your turn", after=chapter.done)
    fail_a_challenge_and_read_all_the_help(chapter, sheet, code)
    page.screenshot(path=artefacts / "course-challenge.png")
    begin_again_and_solve_it(chapter, sheet, code)
    chapter.done += 1  # the cell with the solution
    assert "predictions 4/4 · challenges 1/3" in chapter.progress()
    for key in ("one-cable", "narrow-cable"):
        solve(chapter, key)
    chapter.run_to_end()
    chapter.restart()
    assert "predictions 4/4 · challenges 3/3" in chapter.progress()
    board = chapter.cell("from netlab.course import")
    expect(board.locator("tr", has_text="veth pairs")).to_contain_text("☑")
    page.screenshot(path=artefacts / "course-done.png")
    expect(Question(chapter.run_again(chapter.cell(ASKED))).options.nth(WRONG)).to_be_checked()


def test_a_table_of_guesses_is_filled_in_and_graded_cell_by_cell(notebook, artefacts):
    cell = notebook.run("""from netlab.course import guess_table
table = guess_table(["8080:80", "127.0.0.1:8080:80"], ["client", "host"])
table""")
    grid = cell.locator(".jp-OutputArea-child > .netlab-grid")
    expect(grid.get_by_role("status")).to_contain_text("Click each cell")
    first = grid.get_by_role("button", name="8080:80, client: no guess yet", exact=True)
    first.click()
    grid.get_by_role("button", name="8080:80, client: yes", exact=True).press("Tab")
    notebook.page.keyboard.press("Space")
    for _ in range(2):  # ✓, then ✗
        grid.get_by_role("button", name=re.compile("^127.0.0.1:8080:80, client")).click()
    grid.get_by_role("button", name=re.compile("^127.0.0.1:8080:80, host")).click()
    expect(grid.get_by_role("button")).to_have_text(["✓", "✓", "✗", "✓"])
    expect(grid.get_by_role("status")).to_contain_text("All filled in.")
    said = output(notebook.run("table.grade([[True, False], [False, True]])"))
    expect(said).to_contain_text("3 of 4 as you said.")
    expect(said).to_contain_text("you: ✗")
    expect(grid.locator("button.wrong")).to_have_count(1)
    expect(grid.locator("button.right")).to_have_count(3)
    first = grid.get_by_role("button").first
    first.dispatch_event("click")
    expect(first).to_have_text("✓")  # it is too late to change one's mind
    notebook.page.screenshot(path=artefacts / "course-table.png")


def predict_wrongly_with_the_mouse(chapter):
    asked = Question(chapter.run_on_to(ASKED))
    expect(asked.status).to_have_text("Choose before you run the next cell.")
    asked.option(WRONG).click()
    expect(asked.status).to_contain_text("Noted.")
    said = output(chapter.run_on_to('answer("moved-end"'))
    expect(said).to_contain_text("You said A. The kernel did something else.")
    expect(said).to_contain_text(reason("moved-end", WRONG))
    expect(said).to_contain_text(reason("moved-end", RIGHT))
    expect(said.get_by_text(reason("moved-end", 1))).to_be_hidden()  # folded
    expect(asked.option(WRONG)).to_have_class(re.compile("wrong"))
    expect(asked.option(RIGHT)).to_have_class(re.compile("right"))
    expect(asked.options.first).to_be_disabled()


def predict_rightly_with_the_keyboard(chapter):
    asked = Question(chapter.run_on_to('predict("far-end-off")'))
    asked.options.first.focus()
    chapter.page.keyboard.press("ArrowDown")
    expect(asked.options.nth(1)).to_be_checked()
    chapter.page.keyboard.press("ArrowDown")  # one may change one's mind
    expect(asked.options.nth(2)).to_be_checked()
    expect(asked.status).to_contain_text("Noted.")
    cell = chapter.cell('predict("far-end-off")')
    before = prompt(cell).inner_text()
    chapter.page.keyboard.press("Shift+Enter")  # runs the cell, as anywhere in a notebook: the choice stands
    expect(prompt(cell)).not_to_have_text(before)
    chapter.wait_for_end(cell)
    asked = Question(cell)
    expect(asked.options.nth(2)).to_be_checked()
    expect(output(chapter.run_on_to('answer("far-end-off"'))).to_contain_text("Your prediction came true.")


def fail_a_challenge_and_read_all_the_help(chapter, sheet, code):
    expect(sheet.missing).to_have_count(0)
    chapter.write_into(code, find("two-rooms").wrong)
    chapter.run_again(code)
    sheet.press("Check")
    expect(sheet.status).to_have_text("Not there yet: see what is missing.", timeout=MILLISECONDS)
    expect(sheet.missing).to_have_text(re.compile("10.3.0.2 does not answer a ping from attic"))
    for number in (1, 2, 3):
        sheet.press("Hint")
        expect(sheet.hints).to_have_count(number)
    expect(sheet.hints.last).to_contain_text('one.move(lab["attic"])')
    expect(sheet.missing).to_have_count(1)  # help takes nothing away
    sheet.press("Show a solution")
    expect(sheet.solution).to_have_text(find("two-rooms").solution.strip())


def begin_again_and_solve_it(chapter, sheet, code):
    """In a way of one's own: not the one that was shown."""
    sheet.press("Start again")
    expect(sheet.missing).to_have_count(0, timeout=MILLISECONDS)
    expect(sheet.status).to_have_text("")
    chapter.write_into(code, find("two-rooms").other_solution)
    chapter.run_again(code)
    sheet.root.get_by_role("button", name="Check").focus()
    chapter.page.keyboard.press("Enter")
    expect(sheet.status).to_have_text("Solved. Well done.", timeout=MILLISECONDS)


def solve(chapter, key):
    """At the first try."""
    sheet = Challenge(chapter.run_on_to(f'lab.close()\ntask = challenge("{key}")'))
    code = chapter.cell("# your turn", after=chapter.done)
    chapter.write_into(code, find(key).solution)
    sheet.press("Check")
    expect(sheet.status).to_have_text("Not there yet: see what is missing.", timeout=MILLISECONDS)
    chapter.run_again(code)
    chapter.done += 1
    sheet.press("Check")
    expect(sheet.status).to_have_text("Solved. Well done.", timeout=MILLISECONDS)


NOTEBOOK = f"""
from netlab.course import answer, challenge, predict
{ASKED}
answer("moved-end", (False, False))
task = challenge("two-rooms"); task
""".strip().splitlines()


@pytest.fixture
def small(page, english):
    """A small notebook with a prediction, its answer and a challenge, not run yet."""
    notebook = ChapterPage(page, english)
    path = english.new_notebook("small")
    content = json.loads((ROOT / path).read_text())
    content["cells"] = [
        {
            "id": f"cell-{at}",
            "cell_type": "code",
            "source": line,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for at, line in enumerate(NOTEBOOK)
    ]
    (ROOT / path).write_text(json.dumps(content))
    notebook.sources = NOTEBOOK
    return notebook.open(path)


def test_a_saved_notebook_keeps_what_was_seen_and_asks_for_no_widget(small, english, artefacts):
    asked = Question(small.run_on_to(ASKED))
    asked.option(WRONG).click()
    expect(asked.status).to_contain_text("Noted.")
    sheet = Challenge(small.run_on_to("task ="))
    sheet.press("Check")
    expect(sheet.missing).to_have_count(2, timeout=MILLISECONDS)
    sheet.press("Hint")
    expect(sheet.hints).to_have_count(1)
    expect(static_form(small.cell(ASKED))).to_be_hidden()
    small.page.keyboard.press("Control+s")  # with the focus on a button of the challenge
    expect(small.page.locator(".lm-TabBar-tab.jp-mod-current.jp-mod-dirty")).to_have_count(0)
    saved = json.loads((ROOT / small.path).read_text())
    assert "widgets" not in saved["metadata"], "nothing depends on a setting of JupyterLab"
    outputs = [one["data"] for cell in saved["cells"] for one in cell["outputs"]]
    assert {one[WIDGET]["model_id"] for one in outputs if WIDGET in one} == {""}

    english.end_kernels()
    small.open(small.path)
    question_ = static_form(small.cell(ASKED))
    expect(question_).to_contain_text("● A. As it was: on, with its address")
    expect(static_form(small.cell("answer("))).to_contain_text("You said A.")
    expect(static_form(small.cell("task ="))).to_contain_text("No veth pair has one end in attic")
    expect(static_form(small.cell("task ="))).to_contain_text("Three things are needed at each end")
    expect(small.panel).not_to_contain_text(re.compile("model not found|error", re.IGNORECASE))
    small.page.screenshot(path=artefacts / "course-reopened.png")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_everything_can_be_read_in_both_themes(theme, small, artefacts):
    small.use_theme(theme)
    name = theme.split()[-1].lower()
    asked = Question(small.run_on_to(ASKED))
    assert not unreadable(asked.root)
    asked.option(WRONG).click()
    expect(asked.status).to_contain_text("Noted.")
    small.page.screenshot(path=artefacts / f"course-{name}-chosen.png")
    sheet = Challenge(small.run_on_to("task ="))
    assert not unreadable(asked.root)
    assert not unreadable(static_form(small.cell("answer(")))
    sheet.press("Check")
    expect(sheet.missing).to_have_count(2, timeout=MILLISECONDS)
    sheet.press("Hint")
    expect(sheet.hints).to_have_count(1)
    assert not unreadable(sheet.root)
    small.page.screenshot(path=artefacts / f"course-{name}.png")


def test_in_japanese_everything_is_japanese(page, japanese, artefacts):
    chapter = ChapterPage(page, japanese).open_chapter(CHAPTER)
    expect(chapter.run_on_to("from netlab.course import").locator("summary")).to_contain_text("予想 0/4")
    asked = Question(chapter.run_on_to(ASKED))
    expect(asked.root).to_contain_text("予想してから実行")
    asked.option(WRONG).click()
    expect(asked.status).to_contain_text("記録しました。")
    expect(output(chapter.run_on_to('answer("moved-end"'))).to_contain_text("予想は A でした。")
    sheet = Challenge(chapter.run_again(chapter.cell("lab.close()\ntask = challenge")))
    expect(sheet.root.get_by_role("button")).to_have_text(["確認する", "ヒント", "解答例を見る", "最初からやり直す"])
    sheet.press("確認する")
    expect(sheet.status).to_have_text("まだ足りないものがあります。", timeout=MILLISECONDS)
    page.screenshot(path=artefacts / "course-japanese.png")
    assert not re.search(r"[A-Za-z]{3,} [a-z]{2,} [a-z]{2,}", sheet.root.inner_text()), "no sentence in English"


@pytest.mark.parametrize(
    ("classroom", "word", "heading"),
    [("english", "bridge", "Bridge"), ("japanese", "ブリッジ", "ブリッジ-(bridge)")],
)
def test_a_word_leads_to_its_place_in_the_glossary(classroom, word, heading, page, request):
    school = request.getfixturevalue(classroom)
    chapter = ChapterPage(page, school)
    chapter.open(f"notebooks/{school.language}/{CHAPTER}.ipynb")
    chapter.cells.first.get_by_role("link", name=word, exact=True).click()
    expect(page.locator(".lm-TabBar-tab.jp-mod-current .lm-TabBar-tabLabel").last).to_have_text("10-glossary.ipynb")
    found = page.locator(f'.jp-NotebookPanel:visible h3[data-jupyter-id="{heading}"]')
    expect(found).to_be_in_viewport(timeout=MILLISECONDS)


def test_an_exported_chapter_is_complete_and_folded(visitor, tmp_path, artefacts):
    to_html = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", "--output-dir", tmp_path]
    subprocess.run([*to_html, ROOT / "notebooks/en" / f"{CHAPTER}.ipynb"], check=True, capture_output=True, timeout=120)
    page = visitor.new_page()
    page.route(re.compile("^https?:"), lambda route: route.abort())
    page.goto(f"file://{quote(str(tmp_path / CHAPTER))}.html")
    for text in ("Predict, then run", "You made no prediction", "A cable between two rooms"):
        expect(page.get_by_text(text).first).to_be_visible()
    folded = page.locator("details")
    wait_until(lambda: folded.count() >= 8, "exercises and other options are there")
    assert not any(one.evaluate("one => one.open") for one in folded.all())
    expect(page.get_by_text("import random", exact=False).first).to_be_hidden()
    page.get_by_text("Predict, then run").first.scroll_into_view_if_needed()
    page.screenshot(path=artefacts / "course-exported.png")
    page.close()
