"""The rows, the scenarios and the committed table belong together. These need neither root nor an engine."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from scenario import SCENARIOS
from table import AREAS

_TABLE = Path(__file__).parents[2] / "docs/conformance.md"


def test_table_lists_every_row_once(rows):
    listed = re.findall(r"^\| ([A-Z0-9]{2}-\d\d) \|", _TABLE.read_text(), re.MULTILINE)
    assert Counter(listed) == Counter(rows["rows"].keys())


def test_table_covers_what_the_scenarios_cover():
    text = _TABLE.read_text()
    uncovered = set(re.findall(r"^\| (\S+) \|.*\| not covered \|$", text, re.MULTILINE))
    covered = {row for one in SCENARIOS for row in one.rows}
    assert not covered & uncovered
    assert covered | uncovered == set(re.findall(r"^\| ([A-Z0-9]{2}-\d\d) \|", text, re.MULTILINE))


def test_every_row_has_one_scenario_at_most_and_a_known_area(rows):
    named = Counter(row for one in SCENARIOS for row in one.rows)
    assert max(named.values()) == 1
    assert set(named) <= set(rows["rows"])
    assert {row.partition("-")[0] for row in rows["rows"]} == set(AREAS)


def test_what_differs_is_a_covered_row(rows):
    covered = {row for one in SCENARIOS for row in one.rows}
    assert set(rows["purpose"]) | set(rows["faults"]) <= covered
    assert not set(rows["purpose"]) & set(rows["faults"])
