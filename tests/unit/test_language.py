"""Two languages: what netlab says is there in English and in Japanese, and a notebook speaks that of its chapter."""

from __future__ import annotations

import ast
import errno
import re
import sys
from pathlib import Path

import pytest

from netlab import addressing, errors, images, names, ops
from netlab.errors import CommandFailed, NetlabError
from netlab.kernel.refusal import explain
from netlab.language import current, set_language
from netlab.magics import find_lab
from netlab.places.results import Result, read_curl, read_ping
from netlab.registry import choose

NETLAB = Path(__file__).parents[2] / "netlab"
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")

# Modules that say what a student reads. The others quote Docker, whose words are English wherever one meets them.
SPOKEN = [
    "addressing.py",
    "cli/course.py",
    "ending.py",
    "founding.py",
    "images.py",
    "keeper.py",
    "kernel/apply.py",
    "kernel/refusal.py",
    "lab.py",
    "magics.py",
    "names.py",
    "places/container.py",
    "places/internet.py",
    "places/link.py",
    "places/network.py",
    "places/place.py",
    "places/results.py",
    "registry.py",
    "sandbox/client.py",
    "sandbox/command.py",
    "service.py",
    "world.py",
    "docker/resolving.py",
]
QUOTED = ("{value} is not a valid mac address",)  # Docker's own words in a module that speaks for itself otherwise
ERRORS = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, NetlabError)}


@pytest.fixture(autouse=True)
def _as_the_environment_says():
    yield
    set_language(None)


def plain_messages(path):
    """Return the messages of errors that a module raises in one language only."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS and node.args
        ):
            continue
        message = node.args[0]
        text = ast.unparse(message)[:80]
        if _holds_words(message) and not any(words in text for words in QUOTED):
            found.append(f"{path.name}:{node.lineno}: {text}")
    return found


def _holds_words(node):
    """Whether an expression brings words of its own, outside `say(…)`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("say", "explain"):
        return False
    if isinstance(node, ast.Subscript):
        return _holds_words(node.value)
    if isinstance(node, ast.JoinedStr):
        return True
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    return any(_holds_words(child) for child in ast.iter_child_nodes(node))


@pytest.mark.parametrize("module", SPOKEN)
def test_errors_are_said_in_both_languages(module):
    assert plain_messages(NETLAB / module) == []


def test_what_is_said_in_one_language_only_is_found(tmp_path):
    """The test above would notice."""
    module = tmp_path / "module.py"
    module.write_text('raise NotFound("no")\nraise NotFound(f"no {x}")\nraise NotFound(say(en="no", ja="いいえ"))\n')
    assert len(plain_messages(module)) == 2


@pytest.mark.parametrize("path", sorted(NETLAB.rglob("*.py")), ids=lambda path: str(path.relative_to(NETLAB)))
def test_the_two_texts_of_one_saying_speak_of_the_same_things(path):
    """What is filled in is the same in both."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say"):
            continue
        texts = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg in ("en", "ja")}
        assert set(texts) == {"en", "ja"}, f"{path.name}:{node.lineno}"
        assert _filled_in(texts["en"]) == _filled_in(texts["ja"]), f"{path.name}:{node.lineno}"


def _filled_in(node):
    """Return the names in a text, less those that are the half of a pair themselves."""
    halves = {"en", "ja", "english", "japanese"}
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)} - halves


def said(language, do):
    """Return what is shown, or the error's message, in a language."""
    set_language(language)
    try:
        return repr(do())
    except NetlabError as error:
        return str(error)


def _refuse(operation, number, words=""):
    return lambda: (_ for _ in ()).throw(NetlabError(explain(operation, number, words)))


REFUSED = "* connect to 10.0.0.2 port 80 failed: Connection refused\n"
NO_ROUTE = "* Immediate connect fail for 10.9.9.9: Network is unreachable\n"
SAYINGS = {
    "an address without length": (
        lambda: addressing.check_interface_address("10.0.0.1"),
        ["10.0.0.1/24", "'10.0.0.1'"],
    ),
    "no address": (lambda: addressing.check_address("ten"), ["'ten'", "10.0.0.1"]),
    "no destination": (lambda: addressing.check_destination("10.0.0.1/24"), ["default", "10.0.0.0/24"]),
    "a container's name": (lambda: names.check_container("a b"), ["'a b'", "web, db-1", "128"]),
    "a namespace's name": (lambda: names.check_namespace(" "), ["' '", "red"]),
    "a network's name": (lambda: names.check_network(""), ["''", "my-network"]),
    "an interface's name": (lambda: names.check_interface("veth/red"), ["'veth/red'", "veth-red", "15"]),
    "no image": (lambda: images.find("ngin"), ["'ngin'", "nginx (", "busybox ("]),
    "no lab": (lambda: choose("nosuch"), ["'nosuch'"]),
    "no open lab": (lambda: find_lab({}, None), ["lab = Lab()"]),
    "a bridge twice": (_refuse(ops.AddBridge("host", "br0"), errno.EEXIST), ["`ip link add name br0", "'br0'"]),
    "a gateway out of reach": (
        _refuse(ops.AddRoute("red", "default", "10.0.0.254"), errno.ENETUNREACH),
        ["`ip -n red route add default via 10.0.0.254`", "10.0.0.254"],
    ),
    "the kernel's own words": (
        _refuse(ops.AddRoute("red", "default", "10.0.0.254"), errno.ENETUNREACH, "Nexthop has invalid gateway"),
        ["Nexthop has invalid gateway"],
    ),
    "no such interface": (_refuse(ops.SetUp("red", "eth9"), errno.ENODEV), ["ip link", "'eth9'", "red"]),
    "a failed command": (lambda: Result("ls x", "web", 2, "", "no such file\n").check(), ["`ls x`", "web", "status 2"]),
    "a command that took too long": (lambda: Result("ls", "web", -9, "", "", timed_out=True), ["["]),
    "an answered ping": (
        lambda: read_ping("10.0.0.2", "web", 1, "1 packets transmitted, 1 received"),
        ["web → 10.0.0.2"],
    ),
    "silence": (lambda: read_ping("10.0.0.2", "web", 1, ""), ["web → 10.0.0.2"]),
    "an unreachable network": (
        lambda: read_ping("10.0.0.2", "web", 1, "ping: connect: Network is unreachable"),
        ["Network is unreachable"],
    ),
    "a refused page": (lambda: read_curl("http://x", "web", 7, "", REFUSED), ["web → http://x"]),
    "no way to a page": (lambda: read_curl("http://x", "web", 7, "", NO_ROUTE), ["network is unreachable"]),
    "no answer from a page": (lambda: read_curl("http://x", "web", 28, "", ""), ["web → http://x"]),
    "no name": (lambda: read_curl("http://x", "web", 6, "", ""), ["web → http://x"]),
    "curl's status": (lambda: read_curl("http://x", "web", 99, "", ""), ["curl", "99"]),
}


@pytest.mark.parametrize("what", SAYINGS)
def test_both_languages_say_the_same(what, tmp_path, monkeypatch):
    """The Japanese text is one, and has the same names, addresses and commands."""
    monkeypatch.setenv("NETLAB_RUNTIME_DIR", str(tmp_path))
    do, same = SAYINGS[what]
    english, japanese = said("en", do), said("ja", do)
    assert not JAPANESE.search(english)
    assert JAPANESE.search(japanese)
    for words in same:
        assert words in english
        assert words in japanese


def test_a_result_is_worded_when_it_is_shown():
    result = Result("false", "web", 1, "", "")
    set_language("ja")
    with pytest.raises(CommandFailed, match="何も言いませんでした"):
        result.check()


# ── which language ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def kernel(monkeypatch, tmp_path):
    """Be a Jupyter kernel in a chapter's folder, on an English machine."""
    set_language(None)
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    for name in ("NETLAB_LANGUAGE", "LC_ALL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    for folder in ("notebooks/ja", "notebooks/en", "notebooks/source", "elsewhere/ja"):
        (tmp_path / folder).mkdir(parents=True)

    def enter(folder):
        monkeypatch.chdir(tmp_path / folder)
        return current()

    return enter


def test_a_notebook_speaks_the_language_of_its_folder(kernel, monkeypatch):
    assert kernel("notebooks/ja") == "ja"
    assert kernel("notebooks/source") == "en"
    assert kernel("elsewhere/ja") == "en"
    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    assert kernel("notebooks/en") == "en"
    assert kernel("elsewhere/ja") == "ja"


def test_what_is_asked_for_goes_before_the_folder(kernel, monkeypatch):
    monkeypatch.setenv("NETLAB_LANGUAGE", "en")
    assert kernel("notebooks/ja") == "en"
    set_language("ja")
    assert kernel("notebooks/en") == "ja"


def test_outside_notebooks_the_folder_means_nothing(kernel, monkeypatch):
    monkeypatch.delitem(sys.modules, "ipykernel")
    assert kernel("notebooks/ja") == "en"


def test_a_deleted_folder_is_no_chapter(kernel, tmp_path):
    kernel("notebooks/ja")
    (tmp_path / "notebooks/ja").rmdir()
    assert current() == "en"
