"""A value keeps quiet."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback

import pytest

from openclaw_cli.model import CURRENT, Secret, SecretValue, Version

HUNTER = b"hunter2"


@pytest.fixture
def value() -> SecretValue:
    return SecretValue(HUNTER)


def test_only_reveal_gives_the_bytes(value: SecretValue) -> None:
    assert value.reveal() == HUNTER
    assert len(value) == 7


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{!r}".format, "%s".__mod__, ascii])
def test_nothing_that_prints_it_shows_it(show: object, value: SecretValue) -> None:
    assert show(value) == "SecretValue(hidden)"  # type: ignore[operator]
    assert "hunter2" not in show([value, {"a": value}])  # type: ignore[operator]


def test_a_log_and_a_traceback_do_not_show_it(
    value: SecretValue, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("test").warning("read %s of %r", value, Secret(value, Version("1"), "local"))
    crash = ValueError(value, [value])
    assert "hunter2" not in caplog.text + "".join(traceback.format_exception(crash))


@pytest.mark.parametrize("write", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps])
def test_it_cannot_be_written_by_accident(write: object, value: SecretValue) -> None:
    with pytest.raises(TypeError):
        write(value)  # type: ignore[operator]


def test_two_values_are_never_compared(value: SecretValue) -> None:
    assert value != SecretValue(HUNTER)  # by identity: a comparison would tell by its time


def test_it_takes_no_other_attribute(value: SecretValue) -> None:
    with pytest.raises(AttributeError):
        value.note = "x"  # type: ignore[attr-defined]


def test_a_version_is_current_until_told_otherwise() -> None:
    assert (Version("3").stage, Version("3").created) == (CURRENT, 0)
