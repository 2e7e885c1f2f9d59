"""Every row that a scenario shows is the same on a real engine and on netlab."""

from __future__ import annotations

import pytest
from scenario import SCENARIOS

CASES = [pytest.param(scenario, row, id=row) for scenario in SCENARIOS for row in scenario.rows]


@pytest.mark.kernel
@pytest.mark.parametrize(("scenario", "row"), CASES)
def test_row(scenario, row, play, verdicts, rows):
    """What is known to differ has to differ: otherwise its entry is out of date."""
    known = rows["purpose"].get(row) or rows["faults"].get(row)
    try:
        verdict = play(scenario).compare(row)
    except AssertionError as error:
        verdicts[row] = "differs"
        if not known or "the scenario does not work" in str(error):
            raise
        return
    assert not known, f"netlab does as Docker here, but rows.toml still says: {known}"
    verdicts[row] = verdict
