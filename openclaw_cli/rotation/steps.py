"""The rules of a rotation: which step is next, and the state after it. Pure.

    idle → create → set → test → (promote) → tell → grace → revoke → idle

At every instant the current value is accepted by its service (but where it was revoked because it
leaked), at most one version is pending, and there is one promotion for each due time: that it is
due is decided from the state that the promotion replaces. `docs/explanation/rotation.md` says why.
"""

from __future__ import annotations

from msgspec.structs import replace

from openclaw_cli.duration import DAY, MINUTE
from openclaw_cli.errors import OpenclawError, RefusedError
from openclaw_cli.rotation.policy import EITHER, GRACE, Failure, Old, Policy, Run
from openclaw_cli.rotation.schedule import following, is_due, jitter

BEGIN = "begin"
CREATE = "create"
WITHOUT = "revoke the current one"
SET = "set"
TEST = "test"
UNDO = "undo"
TELL = "tell"
REVOKE = "revoke"

MOST_TRIES = 3
"""Refusals after which a rotation is given up; it begins anew later."""

_FIRST_PAUSE = 5 * MINUTE


def next_step(
    policy: Policy,
    now: float,
    *,
    current: int,
    wanted: bool = False,
    hurry: bool = False,
    read_by_all: bool = False,
) -> str:
    """Return what is to be done next, "" for nothing.

    `wanted`: somebody asks for a rotation now; `hurry`: without waiting for the end of a grace
    time. `read_by_all`: every consumer has read the new value.
    """
    if policy.run:
        # Somebody kept another value meanwhile: theirs is not to be replaced by ours.
        return policy.run.step if policy.run.of == current else UNDO
    leaked = bool(policy.old and policy.old.compromised)
    if policy.telling and not leaked and not _deaf(policy):
        return TELL
    if policy.old and (hurry or ripe(policy, policy.old, now, read_by_all=read_by_all)):
        return REVOKE
    if not policy.old and (wanted or has_come(policy, now)):
        return BEGIN
    return TELL if policy.telling else ""


def has_come(policy: Policy, now: float) -> bool:
    """Tell whether the time of the schedule has come."""
    return bool(policy.schedule) and is_due(policy.next_due, now)


def tells(policy: Policy, now: float) -> bool:
    """Tell whether consumers are to be told now: not soon after one could not be."""
    return bool(policy.telling) and not (_deaf(policy) and _retry(policy) > now)


def ripe(policy: Policy, old: Old, now: float, *, read_by_all: bool) -> bool:
    """Tell whether an old version may be revoked."""
    over = now >= old.at
    if old.compromised or policy.until == GRACE:
        return over
    return read_by_all or (policy.until == EITHER and over)


def attention(policy: Policy) -> float | None:
    """Return when something is to be done next, None for never. The past means: now."""
    paused = _retry(policy)
    if policy.run:
        return paused
    times = [paused] if policy.telling else []
    if policy.old:
        times.append(policy.old.at if policy.until == GRACE else policy.old.promoted)
    if policy.schedule:
        times.append(max(policy.next_due, paused))
    return min(times, default=None)


def planned(policy: Policy, name: str, store: bytes, now: float, changed: float) -> Policy:
    """Return the policy with its first due time: as if the schedule had held at the last change."""
    begun = replace(policy, since=now)
    return replace(begun, next_due=_next(begun, name, store, min(changed, now), 0))


def begun(
    policy: Policy, token: str, now: float, current: int, *, compromised: bool, first: bool = False
) -> Policy:
    """Begin a rotation; `first`: the current value is to be revoked first of all."""
    due = policy.next_due if has_come(policy, now) else 0
    step = WITHOUT if first else CREATE
    return replace(policy, run=Run(token, now, step, current, due, compromised=compromised))


def without_current(policy: Policy, run: Run) -> Policy:
    """Go on once the current value is not accepted any more."""
    return replace(policy, run=replace(run, step=CREATE, without=True, tries=0), failure=None)


def kept(policy: Policy, run: Run, pending: int, handle: str) -> Policy:
    """Go on once the new value is kept as a pending version."""
    handles = {**policy.handles, str(pending): handle} if handle else policy.handles
    return replace(
        policy, run=replace(run, step=SET, pending=pending, tries=0), handles=handles, failure=None
    )


def promoted(
    policy: Policy, run: Run, name: str, store: bytes, now: float, *, overlap: bool
) -> Policy:
    """End the rotation: the pending version is the current one."""
    done = renewed(replace(policy, run=None), name, store, now, due=run.due)
    old = None
    if overlap and not run.without:
        at = now if run.compromised else now + _grace(policy)
        old = Old(run.of, run.token, run.began, now, at, compromised=run.compromised)
    return replace(done, old=old, telling=list(policy.tell))


def renewed(policy: Policy, name: str, store: bytes, now: float, *, due: float = 0) -> Policy:
    """Note that the secret has a new value, whoever gave it."""
    next_due = _next(policy, name, store, now, due)
    return replace(policy, last_ok=now, next_due=next_due, failure=None, failures=0)


def replaced(policy: Policy, before: int, token: str, now: float) -> Policy:
    """Note that a person's new value is there, and the one before is to be revoked in time."""
    return replace(policy, old=Old(before, token, now, now, now + _grace(policy)))


def revoked(policy: Policy) -> Policy:
    """Note that the old version is not accepted any more."""
    handles = dict(policy.handles)
    if policy.old:
        handles.pop(str(policy.old.version), None)
    return _well(replace(policy, old=None, handles=handles), but=TELL)


def spared(policy: Policy) -> Policy:
    """Note that the old version stays: it is the current one again."""
    return replace(policy, old=None)


def told(policy: Policy, consumer: str) -> Policy:
    """Note that a consumer was told."""
    left = [each for each in policy.telling if each != consumer]
    after = replace(policy, telling=left)
    return _well(after) if _deaf(policy) and not left else after


def failed(policy: Policy, step: str, error: OpenclawError, now: float) -> Policy:
    """Note a failure. What was refused often enough is given up, and tried again later."""
    failures = policy.failures + 1
    run = policy.run
    refused = isinstance(error, RefusedError)
    if run and run.pending and refused and step != UNDO:
        tries = run.tries + 1
        run = replace(run, tries=tries, step=UNDO if tries >= MOST_TRIES else run.step)
    elif run and step == TEST and run.step == SET:
        run = replace(run, step=TEST)  # it was set; only the test is still open
    failure = set_back(step, error, now, failures)
    if not refused and step != TELL:
        failure = replace(failure, retry=now)
    return replace(policy, run=run, failures=failures, failed=policy.failed + 1, failure=failure)


def set_back(step: str, error: OpenclawError, now: float, failures: int) -> Failure:
    """Return a failure that is tried again after a pause: longer each time, up to a day."""
    pause = min(_FIRST_PAUSE * 2 ** min(failures - 1, 10), DAY)
    return Failure(now, step, error.kind, error.message, error.hint, now + pause)


def waiting(policy: Policy, step: str, error: OpenclawError, now: float) -> Policy:
    """Note the failure of something that has no steps, and wait before it is tried again."""
    failures = policy.failures + 1
    failure = set_back(step, error, now, failures)
    return replace(policy, failures=failures, failed=policy.failed + 1, failure=failure)


def given_up(policy: Policy) -> Policy:
    """Note that a rotation was undone; what is due stays due."""
    handles = dict(policy.handles)
    if policy.run:
        handles.pop(str(policy.run.pending), None)
    return replace(policy, run=None, handles=handles)


def _deaf(policy: Policy) -> bool:
    """Tell whether the last that failed was telling a consumer: it holds nothing else up."""
    return policy.failure is not None and policy.failure.step == TELL


def _retry(policy: Policy) -> float:
    return policy.failure.retry if policy.failure else 0


def _well(policy: Policy, *, but: str = "") -> Policy:
    """Forget the failures in a row, if they are not of a step that is open still."""
    if but and policy.telling and policy.failure and policy.failure.step == but:
        return policy
    return replace(policy, failure=None, failures=0)


def _next(policy: Policy, name: str, store: bytes, after: float, due: float) -> float:
    times = policy.times
    if times is None:
        return 0
    return following(times, after, since=policy.since, due=due) + jitter(times, store, name)


def _grace(policy: Policy) -> float:
    """Return the grace time: never longer than half of the time to the next rotation."""
    times = policy.times
    return min(policy.grace, times.interval / 2) if times else policy.grace
