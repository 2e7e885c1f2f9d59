"""Imports point down: the order of the layers is written in docs/architecture.md, and the code keeps to it."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def modules():
    """Return all modules of netlab by name (without `netlab.`), with their files."""
    found = {}
    for path in sorted((ROOT / "netlab").rglob("*.py")):
        parts = path.relative_to(ROOT / "netlab").with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__") or "netlab"] = path
    return found


MODULES = modules()


@cache
def layers():
    """Return the layer of each listed module or package, counted from the bottom."""
    text = (ROOT / "docs/architecture.md").read_text()
    lines = text.partition("```layers\n")[2].partition("```")[0].splitlines()
    return {name: height for height, line in enumerate(reversed(lines)) for name in line.split()[1:]}


def layer(module):
    """Return a module's layer: its own if it is named, else that of the nearest package above it."""
    name = module
    while name not in layers():
        assert "." in name, f"netlab.{module} has no layer: give it one in docs/architecture.md"
        name = name.rpartition(".")[0]
    return layers()[name]


def imports(module):
    """Return the modules of netlab that a module imports, also inside functions; not what only type checkers see."""
    tree = ast.parse(MODULES[module].read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = [ast.Pass()]
    found = set()
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{module}: imports are written in full"
            names = [f"{node.module}.{one.name}" for one in node.names]
        for name in names:
            if name.split(".")[0] == "netlab":
                found.add(_module(name))
    return found - {module}


def _module(name):
    """Return the module that an imported name is, or is part of."""
    name = name.removeprefix("netlab").removeprefix(".")
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name or "netlab"


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    above = {other for other in imports(module) if layer(other) > layer(module)}
    assert not above, f"netlab.{module} imports from a layer above its own: {', '.join(sorted(above))}"


def test_no_two_modules_import_each_other():
    graph = {module: imports(module) for module in MODULES}
    while leaves := {module for module, others in graph.items() if not others & graph.keys()}:
        graph = {module: others for module, others in graph.items() if module not in leaves}
    assert not graph, f"these import each other, or what does: {', '.join(sorted(graph))}"


def test_the_tour_names_only_what_is_there():
    assert {name for name in layers() if name not in MODULES} == set()


@pytest.mark.parametrize(
    "module", [name for name in MODULES if name.split(".")[0] in ("ops", "model", "drivers", "errors")]
)
def test_pure_modules_touch_nothing(module):
    """What is asked and what was seen are values: no sockets, no processes, no files."""
    tree = ast.parse(MODULES[module].read_text())
    used = {one.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
    used |= {node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    assert not used & {"os", "socket", "subprocess", "pathlib", "threading", "ctypes", "signal"}


def test_what_runs_inside_the_sandbox_needs_the_standard_library_only():
    """The agent is started with `python -I -S`: neither site-packages nor the environment reach it."""
    program = (
        "import sys; sys.path.append(sys.argv[1]); import netlab.sandbox.agent, netlab.sandbox.web; print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(ROOT)], capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert loaded <= sys.stdlib_module_names | {"netlab", "__main__"}


def test_importing_netlab_is_cheap():
    """Neither pyroute2 nor scapy nor IPython, also with a lab's module: they are for later."""
    program = "import sys, netlab; netlab.Lab; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not {"pyroute2", "scapy", "IPython", "graphviz", "dns", "click"} & set(done.stdout.split())
