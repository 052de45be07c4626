"""The directory changes a few lines and leaves the others, as if all were read and written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.errors import ConfigError, IntegrityError
from openclaw_cli.store import directory
from openclaw_cli.store.directory import Directory, Entry, Row
from openclaw_cli.store.index import Place

MANY = 40  # more than are found one by one
NAMES = [f"team/key-{number}" for number in range(MANY)]


def entry(name: str, text: str = "") -> Entry:
    made = Entry(name, "openai", 1_790_000_000_000)
    made.labels = {"said": text}
    made.rows = [Row(1, "current", 1, 1, "set", Place(0, 108, bytes(16)))]
    return made


def written(names: list[str]) -> bytes:
    made = Directory()
    made.extra = {"grants": {"mailer": ['["team/key-1",0,']}}
    for name in names:
        made.entries[name] = entry(name)
    return directory.encode(made)


def said(found: Directory) -> dict[str, str]:
    return {each.name: each.labels["said"] for each in found.entries.values()}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["look", "look", "change", "put", "take", "read all"]),
        st.sampled_from([*NAMES, "new/1", "new/2", "team/key", "key-1"]),
        st.sampled_from(["", "one", '\n["team/key-3",0,', "\N{SNOWMAN}"]),
    ),
    max_size=60,
)


@given(st.integers(0, MANY), STEPS)
def test_whatever_is_changed_it_holds_what_a_dictionary_would(
    count: int, steps: list[tuple[str, str, str]]
) -> None:
    model = dict.fromkeys(NAMES[:count], "")
    found = directory.decode(written(NAMES[:count]))
    entries = found.entries
    for what, name, text in steps:
        looked_at = entries.get(name)
        assert (looked_at is not None) == (name in entries) == (name in model)
        if what == "read all":
            assert said(found) == model
        elif what == "put" or (what == "change" and looked_at is None):
            entries[name] = entry(name, text)
            model[name] = text
        elif what == "change" and looked_at is not None:
            looked_at.labels["said"] = model[name] = text
        elif what == "take" and looked_at is not None:
            del entries[name]
            del model[name]
    again = directory.decode(directory.encode(found))
    assert said(again) == model
    assert again.extra == found.extra
    assert sorted(glance[0] for glance in again.entries.glances()) == sorted(again.entries)
    assert list(again.entries) == list(entries)


def test_what_is_only_looked_at_stays_as_it_is() -> None:
    plain = written(NAMES)
    found = directory.decode(plain)
    for name in [*NAMES, "other"]:
        found.entries.get(name)
    assert directory.encode(found) == plain
    assert len(found.entries) == MANY


def test_only_whole_names_are_found() -> None:
    entries = directory.decode(written(["a", "b/a", "aa"])).entries
    for name in ("b", "", "a\n", 'a",0,"openai', "a.", "A"):
        assert entries.get(name) is None
        assert name not in entries
        with pytest.raises(KeyError):
            entries[name]
        with pytest.raises(KeyError):
            del entries[name]
    assert 1 not in entries


def test_the_deleted_are_found_without_reading_the_others() -> None:
    made = directory.decode(written(NAMES))
    for name in (NAMES[0], NAMES[7], NAMES[-1]):
        made.entries[name].deleted = 1_790_000_000_001
    entries = directory.decode(directory.encode(made)).entries
    assert [each.name for each in entries.deleted()] == [NAMES[0], NAMES[7], NAMES[-1]]
    assert len(entries.touched()) == 3
    entries[NAMES[0]].deleted = 0
    entries[NAMES[3]].deleted = 1
    assert {each.name for each in entries.deleted()} == {NAMES[3], NAMES[7], NAMES[-1]}


@pytest.mark.parametrize(
    "lines", ["[]", "{}", "7", "[1,0,2,3,4,5,6]", '["a",0,"",1,{},{},7]', '[["a"],0,"",1,{},{},[]]']
)
def test_a_line_that_nobody_wrote_is_said_to_be_malformed(lines: str) -> None:
    entries = directory.decode(f'{{"v":1,"extra":{{}}}}\n{lines}'.encode()).entries
    with pytest.raises(IntegrityError, match="malformed"):
        entries.values()


def test_a_later_format_is_refused() -> None:
    with pytest.raises(ConfigError, match="format 2"):
        directory.decode(b'{"v":2,"extra":{}}')
