"""Give and take away what agents may read, and hold each of their readings to it.

Grants lie sealed in the store's directory, so changing them is a commit with its records. A grant
with a number of uses is counted down in a commit before the value is given.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from openclaw_cli.agents import GRANTS
from openclaw_cli.agents.grants import UNLIMITED, Grant, canonical, holding, matches, stored
from openclaw_cli.errors import DeniedError, NotFoundError, UsageError
from openclaw_cli.names import Reference
from openclaw_cli.sanitize import safe

if TYPE_CHECKING:
    from openclaw_cli.service import Secrets
    from openclaw_cli.store.commit import Draft
    from openclaw_cli.store.reader import Snapshot

Commit: TypeAlias = Callable[[str, dict[str, Any], Callable[["Draft"], Any]], Any]
"""`Changes.change_store`: a kind of event, what it is about, and the change of a draft."""

MOST = 10_000
"""Uses that a grant can have."""


def grant(
    commit: Commit,
    actor: Mapping[str, Any],
    agent: str,
    patterns: Sequence[str],
    *,
    expires: int = 0,
    uses: int = UNLIMITED,
) -> list[str]:
    """Let an agent read these secrets; return the patterns as they are kept.

    A grant that there is already is replaced. Raises `DeniedError` for an agent that asks.
    """
    _refuse_agents(actor)
    if uses != UNLIMITED and not 0 < uses <= MOST:
        raise UsageError(f"a grant has from 1 to {MOST} uses", hint="--uses 3")
    kept = list(dict.fromkeys(map(canonical, patterns)))
    now = time.time_ns() // 1_000_000
    if expires and expires <= now:
        raise UsageError("the grant would be over before it began", hint="--expires 24h")

    def change(draft: Draft) -> None:
        table = draft.directory.extra.setdefault(GRANTS, {}).setdefault(agent, {})
        for each in kept:
            table[each] = [now, expires, uses]

    commit("grant_add", {"names": kept, "agent": agent}, change)
    return kept


def revoke(
    commit: Commit, actor: Mapping[str, Any], agent: str, patterns: Sequence[str]
) -> list[str]:
    """Take grants away, all of the agent's where none is named; return what was taken.

    Raises `NotFoundError` when one of them is not there, and then takes none.
    """
    _refuse_agents(actor)
    named = list(dict.fromkeys(map(canonical, patterns)))

    def change(draft: Draft) -> list[str]:
        table = draft.directory.extra.get(GRANTS, {})
        mine = table.get(agent, {})
        missing = [each for each in named if each not in mine]
        if missing or not mine:
            what = safe(missing[0]) if missing else "anything"
            raise NotFoundError(
                f"{safe(agent)} was not granted {what} by a command",
                hint="openclaw secrets grants; what the settings grant is taken away there",
            )
        gone = named or sorted(mine)
        for each in gone:
            del mine[each]
        if not mine:
            del table[agent]
        return gone

    subject = {"names": named, "agent": agent} if named else {"agent": agent}
    found: list[str] = commit("grant_revoke", subject, change)
    return found


class Guard:
    """Holds what one agent reads to its grants; `service.Secrets` asks it before each reading.

    `settings` are the grants that the settings make.
    """

    def __init__(self, agent: str, settings: Sequence[Grant], commit: Callable[[], Commit]) -> None:
        self._agent = agent
        self._settings = settings
        self._commit = commit

    def admit(self, secrets: Secrets, references: Sequence[Reference]) -> dict[str, int]:
        """Count the uses that these readings take; return how many each counted grant gave."""
        now = _now()
        grants = self._grants(secrets.catalogue().extra)
        held = [holding(grants, each, now, inside=secrets.gives(each)) for each in references]
        wanted = Counter(
            each.pattern for each in held if isinstance(each, Grant) and each.is_counted
        )
        if not wanted:
            return {}

        def change(draft: Draft) -> dict[str, int]:
            mine = draft.directory.extra.get(GRANTS, {}).get(self._agent, {})
            given = {}
            for pattern, count in wanted.items():
                _, expires, left = mine.get(pattern, (0, 0, 0))
                alive = left > 0 and not (expires and _now() >= expires)
                given[pattern] = min(count, left) if alive else 0
                if given[pattern]:
                    mine[pattern][2] = left - given[pattern]
            return given

        subject = {"names": sorted(wanted), "agent": self._agent}
        given: dict[str, int] = self._commit()("grant_use", subject, change)
        return given

    def refusals(
        self,
        secrets: Secrets,
        snapshot: Snapshot | None,
        references: Sequence[Reference],
        given: Mapping[str, int],
    ) -> dict[int, DeniedError]:
        """Return the error for each reference that the agent may not read, by its place."""
        now = _now()
        extra = snapshot.directory().extra if snapshot else {}
        grants = self._grants(extra)
        there = {each.pattern: each for each in grants}
        left = {pattern: count for pattern, count in given.items() if pattern in there}
        free = [each for each in grants if not each.is_counted]
        refused = {}
        for at, reference in enumerate(references):
            inside = secrets.gives(reference)
            if isinstance(holding(free, reference, now, inside=inside), Grant):
                continue
            fitting = (each for each in left if matches(each, reference, inside=inside))
            ticket = next((each for each in fitting if left[each]), "")
            if ticket:
                left[ticket] -= 1
            else:
                why = holding(grants, reference, now, inside=inside)
                astray = secrets.astray(reference) is not None
                refused[at] = self._refusal(reference, why, astray=astray)
        return refused

    def _grants(self, extra: Mapping[str, Any]) -> list[Grant]:
        return [*self._settings, *(stored(extra, self._agent) if self._agent else ())]

    def _refusal(self, reference: Reference, why: Grant | str, *, astray: bool) -> DeniedError:
        shown = safe(str(reference))
        if not self._agent:
            return DeniedError(
                f"a thread may not read {shown}: no agent is named", hint="set OPENCLAW_AGENT"
            )
        wanted = Reference(reference.path, backend=reference.backend, field=reference.field)
        reason = why if isinstance(why, str) else "its grant is used up"
        if astray:  # what was asked for is nowhere: by the settings the name alone leads somewhere
            wanted = Reference(reference.path)
        return DeniedError(
            f"agent {safe(self._agent)} may not read {shown}: {reason}",
            hint=f"openclaw secrets grant {safe(self._agent)} {safe(str(wanted))}",
        )


def _refuse_agents(actor: Mapping[str, Any]) -> None:
    """Let no agent give itself, or another, what it may not read."""
    if "agent" in actor or "thread" in actor:
        raise DeniedError("an agent cannot change grants", hint="unset OPENCLAW_AGENT, as yourself")


def _now() -> int:
    return time.time_ns() // 1_000_000
