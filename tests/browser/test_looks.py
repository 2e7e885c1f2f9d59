"""What a lab shows can be read: in the light theme and in the dark one, in a wide window and in a narrow one."""

import pytest
from notebook_page import diagram, output
from readable import unreadable

pytestmark = pytest.mark.browser


@pytest.fixture
def shown(notebook):
    """One of each: a table, commands, a message, a diagram with something down."""
    table = notebook.run("lab.host.interfaces")
    commands = notebook.run("web.commands")
    mistake = notebook.run('lab.run("a b")')
    notebook.run("%on host ip link set docker0 down")
    return {"table": table, "commands": commands, "mistake": mistake, "picture": notebook.run("lab")}


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_tables_commands_and_messages_can_be_read(theme, notebook, shown, artefacts):
    notebook.use_theme(theme)
    for name in ("table", "commands"):
        assert not unreadable(output(shown[name])), name
    assert not unreadable(output(shown["mistake"]), least=3.5), "its colours are JupyterLab's own"
    shown["table"].scroll_into_view_if_needed()
    notebook.page.screenshot(path=artefacts / f"looks-{theme.split()[-1].lower()}.png")
    shown["picture"].scroll_into_view_if_needed()
    notebook.page.screenshot(path=artefacts / f"looks-{theme.split()[-1].lower()}-diagram.png")


def test_a_diagram_brings_its_own_light_ground(shown, visitor):
    """So it looks the same in both themes: a notebook shows it as an image, which knows nothing of the page."""
    page = visitor.new_page()
    page.set_content(diagram(shown["picture"]))
    assert not unreadable(page.locator("svg"))
    card = page.locator("svg > rect.card").bounding_box()
    whole = page.locator("svg").bounding_box()
    assert {key: round(card[key]) for key in card} == {key: round(whole[key]) for key in whole}
    page.close()


def test_what_matters_in_a_table_and_each_word_of_a_command_survive_a_narrow_window(notebook, shown):
    notebook.page.set_viewport_size({"width": 900, "height": 900})
    table = output(shown["table"])
    room = table.bounding_box()
    for title in ("name", "state", "addresses"):
        column = table.get_by_role("columnheader", name=title).bounding_box()
        assert column["x"] + column["width"] <= room["x"] + room["width"], f"the column {title} is cut off"
    lines = (
        output(shown["commands"])
        .locator("pre")
        .evaluate(
            """pre => {
            const range = document.createRange(), text = pre.firstChild, tops = [];
            for (const word of text.data.matchAll(/\\S+/g)) {
                range.setStart(text, word.index);
                range.setEnd(text, word.index + word[0].length);
                tops.push([word[0], range.getClientRects().length]);
            }
            return tops;
        }"""
        )
    )
    assert len(lines) > 20
    assert [word for word, pieces in lines if pieces > 1] == []
