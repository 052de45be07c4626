"""Runs by a clock of the test's own: what is due, how much at once, and which clock is believed."""

from __future__ import annotations

import pytest

from openclaw_cli.duration import DAY, HOUR, MINUTE, YEAR
from openclaw_cli.errors import ConflictError, OpenclawError, RefusedError, TemporaryError
from openclaw_cli.files import private_directory
from openclaw_cli.model import CURRENT, PREVIOUS, RETIRED, SecretValue
from openclaw_cli.rotation import agenda, clock, consumers, policy, schedule
from openclaw_cli.rotation.rotator import Made, Task
from openclaw_cli.rotation.runs import LOCK, Report
from openclaw_cli.rotation.view import Wish
from openclaw_cli.rotation.wishes import Asked
from openclaw_cli.store.commit import Draft
from openclaw_cli.testing.acme import Minted
from tests.unit.rotation.world import DAILY, World, names


def test_what_is_due_is_rotated_once(world: World) -> None:
    world.keep("a")
    world.now += DAY + HOUR
    assert names(world.due()) == ["a"]
    assert world.value("a") != b"first"
    before = world.generation()
    assert names(world.due()) == []
    assert world.generation() == before


def test_missed_runs_are_caught_up_with_once(world: World) -> None:
    world.keep("a")
    world.now += 5 * DAY
    assert names(world.due()) == ["a"]
    world.now += MINUTE
    assert names(world.due()) == []
    assert len(world.stages("a")) == 2


def test_many_generated_values_are_one_commit(world: World) -> None:
    world.changes.set_many({f"key-{number}": SecretValue(b"x") for number in range(100)})
    for number in range(100):
        world.runs().wishes.keep(f"key-{number}", Asked(DAILY, rotator="generate"))
    world.now += 2 * DAY
    before = world.generation()
    assert len(world.due().done) == 100
    assert world.generation() == before + 1


def test_a_limit_leaves_the_rest_for_the_next_run(world: World) -> None:
    for name in ("a", "b", "c"):
        world.keep(name)
    world.now += 2 * DAY
    report = world.due(limit=2)
    assert len(report.done) == 2
    assert report.left == 1
    assert len(world.due(limit=2).done) == 1


def test_a_whole_rotation_ends_with_one_value_that_is_accepted(world: World) -> None:
    world.keep("a", "minted", grace=2 * HOUR, tell=["agent:reader"])
    world.now += 2 * DAY
    world.due()
    assert world.told == ["agent:reader a 2"]
    assert world.acme.count() == 2
    world.now += 3 * HOUR
    world.due()
    assert world.stages("a") == [RETIRED, CURRENT]
    assert list(world.acme.keys) == [world.value("a")]
    assert list(consumers.revocations(world.secrets.home.audit, "a")) == ["1"]


def test_a_clock_that_went_back_stops_everything(world: World) -> None:
    world.keep("a")
    world.now += 2 * DAY
    world.due()
    world.now -= DAY
    with pytest.raises(TemporaryError, match="nothing is rotated"):
        world.due()
    with pytest.raises(TemporaryError, match="nothing is rotated"):
        world.runs().one("a", Wish(wanted=True))
    assert len(world.stages("a")) == 2


def test_a_clock_before_1970_is_said_as_that(world: World) -> None:
    world.keep("a")
    world.now = -5.0
    with pytest.raises(TemporaryError, match="the clock shows a time before 1970, and it was 20"):
        world.due()


def test_a_clock_that_is_a_little_slow_is_believed(world: World) -> None:
    world.keep("a")
    world.now += 2 * DAY
    world.due()
    world.now -= 4 * MINUTE
    assert names(world.due()) == []


def test_a_clock_that_jumped_ten_years_makes_no_storm(world: World) -> None:
    for number in range(30):
        world.keep(f"key-{number}", value=b"x%d" % number)
    world.due()
    world.now += 10 * YEAR + DAY
    with pytest.raises(TemporaryError, match="put forward by 10y, and 30 of 30"):
        world.due()
    assert len(world.due(everything=True).done) == 30
    assert len(world.due().done) == 0


def test_a_jump_that_makes_few_due_is_slowed_down_alone(world: World) -> None:
    for number in range(51):
        world.keep(f"key-{number}", value=b"x%d" % number)
        if number > 20:
            world.runs().wishes.keep(f"key-{number}", Asked(schedule.parse("every:90d")))
    world.due()
    world.now += 2 * DAY
    report = world.due()
    assert len(report.done) == 20
    assert report.left == 1
    assert len(world.due().done) == 1


def test_what_the_clocks_show_tells_a_jump_from_time_that_passed() -> None:
    here = clock.Seen(9 * DAY, 1000, "b")
    assert clock.jump(clock.Seen(0, 1000, "b"), here) == 9 * DAY
    assert clock.jump(clock.Seen(0, 5, "b"), clock.Seen(3 * DAY, 5 + 3 * DAY, "b")) == 0
    assert clock.jump(clock.Seen(0, 5, "a"), clock.Seen(YEAR / 2, 5, "b")) == 0
    assert clock.jump(clock.Seen(0, 5, "a"), clock.Seen(2 * YEAR, 5, "b")) == 2 * YEAR
    assert clock.jump(None, here) == 0
    assert clock.decode(here.encode()) == here
    assert clock.decode(b"what is this") is None


def test_time_that_really_passed_is_no_jump(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    present = clock.present
    for number in range(30):
        world.keep(f"key-{number}", value=b"x%d" % number)
    monkeypatch.setattr(
        clock, "present", lambda wall: clock.Seen(wall, wall - 1_000_000, present(wall).boot)
    )
    world.due()
    world.now += 10 * DAY
    assert len(world.due().done) == 30


def test_a_person_is_reminded_once_a_day_and_set_is_the_answer(world: World) -> None:
    world.keep("a", "person")
    world.now += 2 * DAY
    first, second = world.due(), world.due()
    assert [name for name, _ in first.by_person] == ["a"]
    assert (first.told, second.told) == (set(), {"a"})
    world.now += DAY
    assert world.due().told == set()
    world.changes.set("a", SecretValue(b"from a person"))
    assert agenda.times(world.secrets.catalogue())["a"] < world.now  # by the real clock
    assert world.policy("a").failure is None


def test_a_person_s_secret_is_refused_with_what_to_do(world: World) -> None:
    world.keep("a", "person")
    with pytest.raises(RefusedError) as refused:
        world.runs().one("a", Wish(wanted=True))
    assert refused.value.hint == "openclaw secrets set a, with the new value"


def test_what_somebody_sets_meanwhile_wins(world: World) -> None:
    world.keep("a", "acme")
    world.now += 2 * DAY

    def away(when: str, what: str) -> None:
        if (when, what) == ("before", "test"):
            raise TemporaryError("away")

    world.acme.fault = away
    assert world.due().failed
    world.acme.add(b"by hand")
    world.changes.set("a", SecretValue(b"by hand"))
    world.runs().wishes.keep("a", Asked(schedule.Schedule("")))
    world.acme.fault = lambda _when, _what: None
    world.due()
    assert world.value("a") == b"by hand"
    assert world.policy("a").run is None
    assert sorted(world.acme.keys) == [b"by hand", b"first"]


def test_one_run_at_a_time(world: World) -> None:
    world.keep("a")
    world.now += 2 * DAY
    folder = private_directory(world.secrets.home.secrets)
    with folder.lock(LOCK):
        assert world.due().skipped == "locked"
        with pytest.raises(ConflictError, match="another rotation is running"):
            world.runs().one("a", Wish(wanted=True))
    folder.close()
    assert names(world.due()) == ["a"]


def test_who_asked_before_it_was_rotated_is_told_that_it_was(world: World) -> None:
    world.keep("a")
    asked = world.now
    world.now += 5
    world.runs().one("a", Wish(wanted=True), asked=asked)
    with pytest.raises(ConflictError, match="has just rotated a"):
        world.runs().one("a", Wish(wanted=True), asked=asked)
    assert len(world.stages("a")) == 2


def test_a_deleted_secret_is_left_alone_and_a_restored_one_is_not(world: World) -> None:
    world.keep("a")
    world.now += 2 * DAY
    world.changes.delete("a")
    assert world.due() == Report()
    world.changes.restore("a")
    assert names(world.due()) == ["a"]


def test_the_version_before_stays_until_its_time(world: World) -> None:
    world.keep("a", "acme", grace=HOUR)
    world.runs().one("a", Wish(wanted=True))
    assert world.stages("a") == [PREVIOUS, CURRENT]
    with pytest.raises(ConflictError, match=r"version 1 of a, .* still accepted until 20\d\d-"):
        world.runs().one("a", Wish(wanted=True))
    result = world.runs().one("a", Wish(wanted=True, hurry=True))
    assert result.version == 3
    assert world.acme.count() == 2


def test_a_version_that_is_current_again_is_not_revoked(world: World) -> None:
    world.keep("a", "acme", grace=HOUR)
    world.now += 2 * DAY
    world.due()
    world.changes.rollback("a")
    assert world.value("a") == b"first"
    world.now += 2 * HOUR
    world.due()
    assert world.value("a") == b"first"
    assert b"first" in world.acme.keys
    assert world.policy("a").old is None


def test_what_is_to_be_revoked_and_is_forgotten_takes_no_other_with_it(world: World) -> None:
    world.keep("a", "acme", grace=HOUR)
    world.now += 2 * DAY
    world.due()
    for number in range(3):
        value = b"by hand %d" % number
        world.acme.add(value)
        world.changes.set("a", SecretValue(value))
    world.runs().wishes.keep("a", Asked(schedule.Schedule("")))
    world.now += 2 * HOUR
    world.due()
    assert b"first" not in world.acme.keys
    assert {b"by hand 0", b"by hand 1", b"by hand 2"} <= set(world.acme.keys)


def test_how_it_is_rotated_is_not_changed_in_the_middle(world: World) -> None:
    world.keep("a", "acme", grace=HOUR)
    world.now += 2 * DAY
    world.due()
    with pytest.raises(ConflictError, match="not over yet"):
        world.runs().wishes.keep("a", Asked(rotator="minted"))


def test_a_bug_in_one_rotator_does_not_keep_the_others_waiting(world: World) -> None:
    world.keep("a", "acme")
    world.keep("b", value=b"other")
    world.now += 2 * DAY

    def crash(_when: str, _what: str) -> None:
        raise ZeroDivisionError("hunter2")

    world.acme.fault = crash
    report = world.due()
    assert names(report) == ["b"]
    [(name, error)] = report.failed
    assert name == "a"
    assert "ZeroDivisionError" in error.message
    assert "hunter2" not in error.message


def test_a_leaked_value_is_revoked_at_once(world: World) -> None:
    world.keep("a", "acme", grace=DAY)
    world.runs().one("a", Wish(wanted=True, compromised=True))
    assert list(world.acme.keys) == [world.value("a")]
    assert world.stages("a") == [RETIRED, CURRENT]


def test_a_leaked_value_is_revoked_first_where_it_is_not_needed(world: World) -> None:
    world.changes.create("admin", SecretValue(b"may do all"))
    world.keep("a", "minted", settings={"admin": "admin"})
    world.acme.asked.clear()
    world.runs().one("a", Wish(wanted=True, compromised=True))
    assert world.acme.asked == ["check", "revoke", "create", "test"]
    assert list(world.acme.keys) == [world.value("a")]


def test_a_rotation_that_is_given_up_begins_anew(world: World) -> None:
    world.keep("a", "acme")
    world.now += 2 * DAY

    def refuse(when: str, what: str) -> None:
        if (when, what) == ("before", "test"):
            raise RefusedError("no")

    world.acme.fault = refuse
    for _ in range(4):
        world.due()
        world.now += HOUR
    assert world.value("a") == b"first"
    assert world.policy("a").failed >= 3
    world.acme.fault = lambda _when, _what: None
    for _ in range(3):
        world.due()
        world.now += HOUR
    assert world.value("a") != b"first"
    assert world.policy("a").failures == 0


def test_settings_that_cannot_work_change_nothing(world: World) -> None:
    world.keep("a")
    before = world.generation()
    for asked in (
        Asked(rotator="acme", settings={"nothing": "x"}),
        Asked(rotator="acme", settings={"admin": "no-such-secret"}),
    ):
        with pytest.raises(OpenclawError):
            world.runs().wishes.keep("a", asked)
    assert world.generation() == before


def test_the_same_wish_again_is_no_change(world: World) -> None:
    world.keep("a")
    before = world.generation()
    world.runs().wishes.keep("a", Asked(DAILY))
    assert world.generation() == before


def test_no_schedule_any_more_is_never_due(world: World) -> None:
    world.keep("a")
    world.runs().wishes.keep("a", Asked(schedule.Schedule("")))
    world.now += 9 * DAY
    assert world.due() == Report()


@pytest.mark.parametrize("where", ["label", "expected"])
def test_the_rotator_is_told_what_the_key_may_do(
    world: World, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    world.keep("a", "minted")
    if where == "label":
        world.changes.describe("a", provider=None, labels={"scope": "model.request"})
    else:
        world.secrets.expected["a"] = {"scope": "model.request"}
    seen = []
    create = Minted.create

    def watched(rotator: Minted, task: Task) -> Made:
        seen.append(task.scope)
        return create(rotator, task)

    monkeypatch.setattr(Minted, "create", watched)
    world.runs().one("a", Wish(wanted=True))
    assert seen == ["model.request"]


def test_a_thousand_due_are_one_commit(world: World) -> None:
    many = {f"key-{number}": SecretValue(b"x") for number in range(1000)}
    world.changes.set_many(many)

    def planned(draft: Draft, _now: int) -> None:
        for name in many:
            entry = draft.directory.entries[name]
            found = policy.Policy(rotator="generate", schedule="daily", next_due=world.now)
            entry.policy = policy.write(found)
            agenda.note(draft.directory, name, world.now)

    world.changes.amend("rotation_policy", {}, planned)
    world.now += HOUR
    before = world.generation()
    assert len(world.due().done) == 1000
    assert world.generation() == before + 1
