"""What was found about one thing that a lab needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["works", "fails", "untried"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried.

    `needed_for` says what does not work without it; it is empty when no lab works without it. `remedy` says what to run.
    """

    name: str
    title: str
    state: State
    detail: str = ""
    remedy: str = ""
    needed_for: str = ""

    @property
    def required(self) -> bool:
        """Whether no lab works without it."""
        return not self.needed_for
