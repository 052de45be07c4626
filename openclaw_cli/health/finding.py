"""What needs a hand: what is wrong, where, why it matters, and the mend."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

BAD = "bad"
ATTENTION = "attention"
ADVICE = "advice"
"""How much it matters: BAD and ATTENTION need a hand; ADVICE is a choice that may be right."""

_SHOWN = 3  # names in one finding


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, where, why it matters, and the mend; `what` is a stable word for machines."""

    what: str
    where: str
    why: str
    hint: str
    severity: str = ATTENTION


def needs_a_hand(found: Iterable[Finding]) -> bool:
    """Tell whether anything is more than advice."""
    return any(each.severity != ADVICE for each in found)


def some(names: Iterable[str]) -> str:
    """Return the first few of some names, and how many more there are."""
    listed = sorted(names)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more
