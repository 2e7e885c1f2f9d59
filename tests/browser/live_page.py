"""The live diagram in a notebook, as a reader sees and uses it."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager

from classroom import wait_until
from playwright.sync_api import expect

# Note for each change of the picture when it was painted (the frame after the change, by the machine's clock), and what was
# written on an element then.
WATCH = """(root, element) => {
    window.painted = [];
    const note = () => {
        const text = root.querySelector(`.netlab-picture [data-id="${element}"]`)?.textContent ?? "";
        window.painted.push({at: Date.now(), text});
    };
    new MutationObserver(() => requestAnimationFrame(() => setTimeout(note)))
        .observe(root, {attributes: true, attributeFilter: ["data-revision"]});
}"""


class LiveDiagram:
    """The live diagram that a cell shows."""

    def __init__(self, cell):
        self.page = cell.page
        self.cell = cell
        self.root = cell.locator(".jp-OutputArea-child > .netlab-live")  # it has left the output, as it should
        wait_until(lambda: self.root.count() == 1, "there is a live diagram", seconds=20)
        self.picture = self.root.locator(".netlab-picture")
        self.panel = self.root.locator(".netlab-panel")
        self.sentence = self.root.locator(".netlab-sentence")

    def element(self, name):
        """What is drawn for an element, by its id."""
        return self.picture.locator(f'[data-id="{name}"]')

    def place(self, name):
        return self.element(f"place/{name}")

    def mark(self, name, kind):
        """The frame that says for a moment that an element "appeared" or "changed"."""
        return self.picture.locator(f'.netlab-mark.netlab-{kind}[data-of="{name}"]')

    def button(self, name):
        return self.root.get_by_role("button", name=name, exact=True)

    def revision(self):
        return int(self.root.get_attribute("data-revision"))

    def choose(self, name):
        """Click an element, at its left border near the bottom, where no other one is inside it."""
        self.element(name).scroll_into_view_if_needed()
        box = self.element(name).bounding_box()
        self.page.mouse.click(box["x"] + 3, box["y"] + box["height"] - 16)
        expect(self.panel).to_be_visible()

    def wait_until_calm(self):
        """Wait until nothing moves and nothing is marked."""
        expect(self.picture.locator(".netlab-mark, .netlab-ghost")).to_have_count(0, timeout=20_000)
        moving = "root => root.getAnimations({subtree: true}).length"
        wait_until(lambda: self.root.evaluate(moving) == 0, "nothing moves")
        window = """picture => new Promise((found) => {
            const before = picture.getAttribute("viewBox");
            requestAnimationFrame(() => requestAnimationFrame(() => found(before === picture.getAttribute("viewBox"))));
        })"""
        wait_until(lambda: self.picture.evaluate(window), "the camera stands still")

    def focused(self):
        """The id of the element that has the keyboard's focus."""
        return self.page.evaluate("document.activeElement.closest('[data-id]')?.dataset.id")


class Terminal:
    """A terminal of this machine, in which a shell of one place of a lab is open."""

    def __init__(self, classroom, place="host", lab="lab"):
        self.shell = subprocess.Popen(
            [*netlab(), "exec", "--lab", lab, place, "--", "bash", "--norc", "--noprofile"],
            env=environment(classroom),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.type("true")

    def type(self, line):
        """Run a line; return what it prints, and when it began, in milliseconds since 1970."""
        self.shell.stdin.write(f"echo $EPOCHREALTIME\n{line}\necho =end=\n")
        self.shell.stdin.flush()
        began = float(self.shell.stdout.readline()) * 1000
        return "".join(iter(self.shell.stdout.readline, "=end=\n")), began

    def ask(self, line):
        """Return what a command says as JSON."""
        return json.loads(self.type(line)[0])

    def close(self):
        self.shell.stdin.close()
        self.shell.stdout.close()
        self.shell.wait()


@contextmanager
def terminal(classroom, place="host", lab="lab"):
    opened = Terminal(classroom, place, lab)
    try:
        yield opened
    finally:
        opened.close()


def netlab():
    return [sys.executable, "-c", "from netlab.cli import main; main()"]


def environment(classroom):
    return os.environ | {"NETLAB_RUNTIME_DIR": str(classroom.home / "labs")}


def in_a_terminal(classroom, *arguments):
    """Run the netlab command to its end, as in a terminal; return its output."""
    done = subprocess.run(
        [*netlab(), *arguments], env=environment(classroom), capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def listen_for_complaints(page):
    """Collect what the browser's console complains of from now on."""
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


def latencies(live, shell, times):
    """Switch docker0 off and on so many times in a terminal; return how long each took until it was painted, in ms."""
    live.root.evaluate(WATCH, "interface/host/docker0")
    taken = []
    for number in range(2 * times):
        off = number % 2 == 0
        _, began = shell.type(f"ip link set docker0 {'down' if off else 'up'}")
        find = (
            """([began, off]) => window.painted.find(one => one.at >= began && one.text.includes("DOWN") === off)?.at"""
        )
        painted = wait_until(lambda: live.page.evaluate(find, [began, off]), "it is seen")  # noqa: B023 - called now
        taken.append(painted - began)
    return taken
