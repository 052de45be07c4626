"""Errors at every call: success only if durable, the outcome said, no stray file, no leak.

Each error comes once, or from its call on for good, as a disk that is full stays full.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator

import pytest

from openclaw_cli.errors import OpenclawError
from tests.conftest import NIGHTLY
from tests.faults import cases, tap, world

pytestmark = pytest.mark.slow

SAID_COMMITTED = (b"the change was made", b"was written, but its folder could not be synced")
FAILURES = {6, 9, 74, 75, 125}
"""What may be said of a change that was not made: denied, unrecorded, input/output, try again.

And by `run`, that its program was not started.
"""

_SPACE = frozenset(("create", "write", "mkdir", "rename", "link", "sync"))
_NAMES = frozenset(("create", "mkdir", "rename", "link", "unlink"))

ERRORS = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EIO: (tap.CHANGING | tap.READING) - {"close"},  # only writing back can fail at a close
    errno.EROFS: _NAMES,
    errno.EMFILE: frozenset(("create", "open")),
    errno.EACCES: _NAMES | {"open"},
    errno.ENOLCK: frozenset(("lock",)),
}
"""The calls that each error can come from."""

PICK = 1 if NIGHTLY else 23
"""Every fault in the nightly run; every 23rd otherwise."""


def faults(calls: list[tap.Call]) -> Iterator[tap.Fault]:
    """Give every fault there is for a command that makes these calls."""
    for code, kinds in ERRORS.items():
        for at in range(sum(call.kind in kinds for call in calls)):
            for sticky in (False, True):
                yield tap.Fault("error", at, kinds, code, sticky=sticky)
    writes = frozenset(("write",))
    for at in range(sum(call.kind == "write" for call in calls)):
        yield tap.Fault("short", at, writes)


def fail_everywhere(
    case: cases.Case,
    template: str,
    place: str,
    *,
    start: int = 0,
    step: int = 1,
    tried: Callable[[list[tap.Call]], Iterator[tap.Fault]] = faults,
) -> int:
    """Run the command with each fault, and judge what it said; return how many there were."""
    root = world.copied(template, f"{place}/state")
    before = world.state(root)
    line, environ = case.filled(template), case.environ(template)
    whole = tap.run(line, root, given=case.given, inside=case.inside, env=environ)
    assert whole.status == 0, whole
    after = world.state(root)
    every = list(tried(whole.calls))
    step = min(step, max(1, len(every) // 8))
    chosen = every[start % step :: step]
    wrong = []
    for fault in chosen:
        world.copied(template, root)
        ended = tap.run(line, root, given=case.given, fault=fault, inside=case.inside, env=environ)
        hit = [call for call in whole.calls if call.kind in fault.kinds][fault.at]
        where = f"{fault} ({hit.kind} {hit.path}): {ended.status} {ended.err.decode().strip()}"
        try:
            _judge(fault, ended, root, case)
            if case.resumes and ended.status:
                again = tap.run(line, root, given=case.given, inside=case.inside, env=environ)
                assert again.status == 0, again.err
                before = after
            _settled(ended, whole, root, before, after)
        except (AssertionError, OpenclawError, OSError, ValueError) as broken:
            wrong.append(f"{broken!r:.200}: {where}")
    if wrong:
        pytest.fail(
            f"{case}: {len(wrong)} of {len(chosen)}:\n" + "\n".join(wrong[:30]), pytrace=False
        )
    return len(chosen)


def _judge(fault: tap.Fault, ended: tap.Outcome, root: str, case: cases.Case) -> None:
    assert ended.fired or fault.what == "short", "did not happen"  # one byte cannot be halved
    assert b"Traceback" not in ended.err, "shows a traceback"
    assert not world.leaked(ended.err), "leaks"
    if not fault.sticky and "unlink" not in fault.kinds:
        left = [each for each in world.strays(root) if not each.endswith(".before-upgrade")]
        assert [each for each in left if each.encode() not in ended.err] == [], "strays"
    assert not world.leaked(*world.contents(root, but=case.shows)), "leaks into a file"


def _settled(
    ended: tap.Outcome, whole: tap.Outcome, root: str, before: world.State, after: world.State
) -> None:
    now = world.state(root)
    if ended.status == 0:
        assert now == after, "was not done"
        assert len(ended.out) == len(whole.out), "another answer"
    elif any(said in ended.err for said in SAID_COMMITTED):
        assert ended.status == 74, "another status"
        assert now == after, "was not done"
    else:
        assert ended.status in FAILURES, "another status"
        assert world.unchanged(before, now), "was done"
        assert ended.err.startswith(b"openclaw: "), "another message"
    world.check_usable(root, ended.err)


@pytest.mark.parametrize("case", cases.CASES, ids=str)
def test_an_error_at_any_call_is_told_as_what_it_did(
    case: cases.Case, template: Callable[[str], str], place: str
) -> None:
    start = cases.CASES.index(case) % PICK
    assert fail_everywhere(case, template(case.before), place, start=start, step=PICK) > 3


def deaf(calls: list[tap.Call]) -> Iterator[tap.Fault]:
    """Let each write fail unheard: what a program does that does not look at the answer."""
    for at in range(sum(call.kind == "write" for call in calls)):
        yield tap.Fault("deaf", at, frozenset(("write",)))


def test_a_program_that_ignores_an_error_is_found(
    template: Callable[[str], str], place: str
) -> None:
    case = cases.CASES[2]
    with pytest.raises(pytest.fail.Exception, match="secrets set"):
        fail_everywhere(case, template(case.before), place, tried=deaf)
