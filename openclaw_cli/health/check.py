"""What a check of `openclaw doctor` says of one thing, right or wrong."""

from __future__ import annotations

from dataclasses import dataclass

from openclaw_cli.health.finding import ADVICE, ATTENTION, BAD

__all__ = ["ADVICE", "ATTENTION", "BAD", "OK", "Check"]

OK = "ok"


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, how it is, and the mend; `state` is OK, ADVICE, ATTENTION or BAD."""

    name: str
    state: str
    what: str
    hint: str = ""

    @property
    def wrong(self) -> bool:
        """Whether it needs a hand, as `health.needs_a_hand` has it."""
        return self.state in (ATTENTION, BAD)
