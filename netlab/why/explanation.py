"""An explanation: the conditions in their order, the first that is not fulfilled last."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from netlab.journey.target import Target
from netlab.reasons import Finding
from netlab.why import view
from netlab.why.trouble import Condition, Repair


class Explanation:
    """Why a target can be reached from a place, or why not. A sequence of conditions, shown as a list.

    `ok` is True or False; None where something was not understood, or only sending could tell.
    """

    def __init__(self, place: str, target: Target, conditions: tuple[Condition, ...]) -> None:
        self.place, self.target, self.conditions = place, target, conditions

    @property
    def ok(self) -> bool | None:
        """Whether every condition is fulfilled."""
        last = [one.fulfilled for one in self.conditions]
        return False if False in last else None if None in last else True

    @property
    def failed(self) -> Condition | None:
        """The condition that is not fulfilled, if there is one."""
        return next((one for one in self.conditions if one.fulfilled is False), None)

    @property
    def unsure(self) -> Condition | None:
        """The condition that cannot be known, if there is one."""
        return next((one for one in self.conditions if one.fulfilled is None), None)

    @property
    def reason(self) -> Finding | None:
        """Why it cannot be reached, as a journey says it; None when it can."""
        return self.failed.finding if self.failed else None

    @property
    def repair(self) -> tuple[Repair, ...]:
        """The commands that mend what is broken, where they are known."""
        return self.failed.repair if self.failed else ()

    def __bool__(self) -> bool:
        return self.ok is True

    def __len__(self) -> int:
        return len(self.conditions)

    def __iter__(self) -> Iterator[Condition]:
        return iter(self.conditions)

    def __getitem__(self, number: int) -> Condition:
        """Return a condition by its number, as the list counts: from 1. Negative numbers count from the end."""
        return self.conditions[number - 1 if number > 0 else number]

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {
            "place": self.place,
            "target": str(self.target),
            "ok": self.ok,
            "reason": self.reason.to_dict() if self.reason else None,
            "repair": [{"place": one.place, "command": one.command} for one in self.repair],
            "conditions": [
                {
                    "number": number,
                    "leg": one.leg,
                    "kind": one.kind,
                    "place": one.place,
                    "fulfilled": one.fulfilled,
                    "text": one.text,
                    "evidence": one.evidence,
                    "command": one.command,
                    "reason": one.reason,
                }
                for number, one in enumerate(self.conditions, start=1)
            ],
        }

    def json(self) -> str:
        """Return it as JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2)

    def __repr__(self) -> str:
        return view.text(self)

    def _repr_html_(self) -> str:
        return view.page(self)
