"""packaging/dependencies.txt is the one list: everything that repeats it says the same."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def listed(source: str, use: str) -> list[str]:
    lines = (ROOT / "packaging/dependencies.txt").read_text().splitlines()
    entries = [line.split() for line in lines if line and not line.startswith("#")]
    return sorted(entry[2] for entry in entries if entry[:2] == [source, use])


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def environment():
    return yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]


def test_every_line_of_the_list_is_understood():
    for line in (ROOT / "packaging/dependencies.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            source, use, name = line.split()
            assert (source, use) in {
                ("pypi", "runtime"),
                ("pypi", "test"),
                ("debian", "runtime"),
                ("debian", "test"),
                ("debian", "root-test"),
                ("debian", "python"),
            }
            assert ("==" in name) == (source == "pypi"), f"{name}: Python packages are pinned, Debian's are not"


@pytest.mark.parametrize("source", ["pypi", "debian"])
def test_nothing_is_listed_twice(source):
    names = [name for use in ("runtime", "test", "root-test", "python") for name in listed(source, use)]
    assert len(names) == len(set(names))


def test_pyproject_carries_the_runtime_packages(project):
    assert sorted(project["dependencies"]) == listed("pypi", "runtime")


def test_pyproject_carries_the_test_packages(project):
    assert sorted(project["optional-dependencies"]["test"]) == listed("pypi", "test")


def test_conda_environment_carries_the_runtime_packages(environment):
    (from_pip,) = [entry["pip"] for entry in environment if isinstance(entry, dict)]
    assert sorted(from_pip) == sorted([*listed("pypi", "runtime"), "-e ."])


def test_conda_environment_has_a_python_that_the_project_supports(environment, project):
    (python,) = [entry for entry in environment if isinstance(entry, str) and entry.startswith("python ")]
    assert project["requires-python"] in python


def test_vagrantfile_installs_through_the_same_script_and_lists_nothing_itself():
    vagrantfile = (ROOT / "Vagrantfile").read_text()
    used = re.findall(r"packaging/vagrant/\w+", vagrantfile)
    assert used == ["packaging/vagrant/provision", "packaging/vagrant/serve"]
    for script in used:
        text = (ROOT / script).read_text()
        assert "scripts/setup" in text
        assert not re.search(r"apt|pip", text), f"{script} installs something past scripts/setup"
