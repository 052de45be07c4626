"""Our part of a crontab, and our units: in their place, and nothing else changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.errors import ConfigError
from openclaw_cli.rotation import unattended
from openclaw_cli.rotation.unattended import cron_lines, markers, ours_in, with_ours

BEGIN, END = markers()

OURS = [BEGIN, "7 * * * * env A=b /bin/openclaw secrets rotate --due", END]

others = st.lists(
    st.text(st.characters(blacklist_characters="\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"))
    .map(lambda text: text + "\n")
    .filter(lambda text: text.strip() not in (BEGIN, END))
).map("".join)


@given(others)
def test_what_is_not_ours_stays_to_the_byte(theirs: str) -> None:
    installed = with_ours(theirs, OURS)
    assert installed.startswith(theirs)
    assert with_ours(installed, []) == theirs
    assert with_ours(installed, OURS) == installed


@given(others, others)
def test_ours_is_replaced_where_it_stands(before: str, after: str) -> None:
    installed = before + "".join(f"{line}\n" for line in OURS) + after
    newer = [BEGIN, "8 * * * * other", END]
    assert with_ours(installed, newer) == before + "".join(f"{line}\n" for line in newer) + after


def test_a_last_line_without_its_end_is_given_one() -> None:
    assert with_ours("0 0 * * * true", OURS).startswith("0 0 * * * true\n")


@pytest.mark.parametrize(
    "broken", [f"{BEGIN}\n", f"{END}\n", f"{END}\n{BEGIN}\n", f"{BEGIN}\n{BEGIN}\n{END}\n{END}\n"]
)
def test_half_of_our_markers_is_a_reason_to_stop(broken: str) -> None:
    with pytest.raises(ConfigError, match="marker"):
        with_ours(broken, OURS)


def test_the_line_that_is_installed_is_found_again() -> None:
    assert ours_in(with_ours("x\n", OURS)) == OURS[1]
    assert ours_in("x\n") == ""


def test_each_environment_has_a_part_of_its_own() -> None:
    prod = cron_lines({"OPENCLAW_ENVIRONMENT": "prod"}, ["/bin/o"], "/lock", 7)
    both = with_ours(with_ours("mine\n", OURS), prod, "prod")
    assert ours_in(both) == OURS[1]
    assert ours_in(both, "prod") == prod[1]
    assert with_ours(both, []) == with_ours("mine\n", prod, "prod")
    assert with_ours(with_ours(both, []), [], "prod") == "mine\n"
    assert "openclaw-rotate-prod.timer" in unattended.units({"OPENCLAW_ENVIRONMENT": "prod"}, ["o"])


def test_a_strange_path_is_one_word_of_the_line() -> None:
    lines = cron_lines({"OPENCLAW_STATE_DIR": "/a b/100%/$x"}, ["/bin/o"], "/lock", 7)
    assert "OPENCLAW_STATE_DIR='/a b/100\\%/$x'" in lines[1]
    assert lines[1].startswith("7 * * * * env ")


def test_a_strange_path_is_one_word_of_the_unit() -> None:
    files = unattended.units({"A": 'x "y" 100%'}, ["/a b/$o"])
    assert 'Environment="A=x \\"y\\" 100%%"' in files["openclaw-rotate.service"]
    assert 'ExecStart="/a b/$$o"' in files["openclaw-rotate.service"]
