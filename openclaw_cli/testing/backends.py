"""What every backend promises, a class for each capability. Needs pytest.

class TestAcme(WritableContract, ListableContract):
    @pytest.fixture
    def backend(self):
        return AcmeBackend({"address": "http://127.0.0.1:1"})

What is read only says in a fixture `keep` how a value gets there. `paths` are three that the
backend could hold, `values` what it gives back exactly, `unfit` what it cannot hold and refuses.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import pytest

from openclaw_cli.backends.protocols import (
    Batched,
    Checkable,
    Deletable,
    Listable,
    Readable,
    Setting,
    Versioned,
    Writable,
)
from openclaw_cli.errors import (
    ConfigError,
    ConflictError,
    NotFoundError,
    OpenclawError,
    RefusedError,
    UsageError,
)
from openclaw_cli.model import CURRENT, MAX_VALUE, SecretValue, Version

Keep = Callable[[str, bytes], object]

TEXTS = (
    b"sk-0123456789",
    b"two\nlines\n",
    b"  spaces and a tab\t ",
    b'"quoted" \\ {"not": "an object',
    "grüße, 密钥, 🗝".encode(),
    b"x" * MAX_VALUE,
)
BINARIES = (b"\x00", b"nul\x00inside", b"\xff\xfe not UTF-8", bytes(range(256)))

# What a library may fold into another path, or a log into another line.
STRANGE_PATHS = (
    "",
    ".",
    "..",
    "../escaped",
    "team/../escaped",
    "team/./escaped",
    "team//escaped",
    "/team/escaped",
    "team/escaped/",
    "team\nescaped",
    "team\0escaped",
)

_LIBRARIES = ("boto3", "botocore", "hvac", "keyring", "requests", "s3transfer", "urllib3")
_WRITERS = 6


class _Kept(Readable, Writable, Deletable, Listable, Versioned, Protocol):
    """A backend that can do what the tests of one contract use."""


class ReadableContract:
    paths: tuple[str, str, str] = ("team/db", "team/cache", "other")
    values: tuple[bytes, ...] = TEXTS + BINARIES
    unfit: tuple[bytes, ...] = ()
    strange: tuple[str, ...] = STRANGE_PATHS

    @pytest.fixture
    def backend(self) -> Any:  # noqa: ANN401 - of the class that is tested
        raise NotImplementedError

    @pytest.fixture
    def keep(self, backend: Any) -> Keep:  # noqa: ANN401
        """Return what puts a value at a path, best by another road than the backend's own."""
        return lambda path, value: backend.put(path, SecretValue(value))

    def test_a_value_comes_out_as_it_went_in(self, backend: Readable, keep: Keep) -> None:
        for value in self.values:
            keep(self.paths[0], value)
            found = backend.get(self.paths[0])
            assert found.value.reveal() == value

    def test_it_says_what_it_answered_with(self, backend: Readable, keep: Keep) -> None:
        keep(self.paths[0], self.values[0])
        found = backend.get(self.paths[0])
        assert found.version.id
        assert found.version.stage == CURRENT
        assert found.backend

    def test_what_is_not_there_is_not_found(self, backend: Readable, keep: Keep) -> None:
        keep(self.paths[0], self.values[0])
        with pytest.raises(NotFoundError) as absent:
            backend.get(self.paths[1])
        assert self.paths[1] in absent.value.message

    def test_a_version_that_never_was_is_not_found(self, backend: Readable, keep: Keep) -> None:
        keep(self.paths[0], self.values[0])
        for version in ("987654", "no-such-version"):
            with pytest.raises(NotFoundError):
                backend.get(self.paths[0], version=version)

    def test_the_version_it_named_can_be_asked_for(self, backend: Readable, keep: Keep) -> None:
        keep(self.paths[0], self.values[0])
        version = backend.get(self.paths[0]).version.id
        assert backend.get(self.paths[0], version=version).value.reveal() == self.values[0]

    def test_a_field_of_an_object_can_be_asked_for(self, backend: Readable, keep: Keep) -> None:
        keep(self.paths[0], json.dumps({"user": "ada", "password": "hunter2"}).encode())
        assert backend.get(self.paths[0], field="password").value.reveal() == b"hunter2"
        assert backend.get(self.paths[0], field="user").value.reveal() == b"ada"

    def test_a_field_that_is_not_there_is_not_found_and_tells_no_value(
        self, backend: Readable, keep: Keep
    ) -> None:
        for value in (
            b'{"password": "hunter2"}',
            b'{"user": "\\ud800"}',
            b"hunter2",
            b'["hunter2"]',
            b"[" * 4_000,
        ):
            keep(self.paths[0], value)
            with pytest.raises(NotFoundError) as absent:
                backend.get(self.paths[0], field="user")
            assert "hunter2" not in absent.value.message + absent.value.hint

    def test_a_path_that_could_be_another_is_refused(self, backend: Readable) -> None:
        for path in self.strange:
            with pytest.raises(UsageError) as refused:
                backend.get(path)
            assert "\n" not in refused.value.message

    def test_an_escaped_path_is_not_unescaped(self, backend: Readable, keep: Keep) -> None:
        keep(self.paths[2], self.values[0])
        for path in (f"team/%2e%2e/{self.paths[2]}", f"%2e/{self.paths[2]}"):
            with pytest.raises((UsageError, NotFoundError)):
                backend.get(path)

    def test_no_log_has_a_value(
        self, backend: Readable, keep: Keep, caplog: pytest.LogCaptureFixture
    ) -> None:
        value = b"canary-7d1f9c-0123456789"
        for library in (None, *_LIBRARIES):
            caplog.set_level(logging.DEBUG, logger=library)
        keep(self.paths[0], value)
        backend.get(self.paths[0])
        for written in (value, base64.b64encode(value), value.hex().encode()):
            assert written.decode() not in caplog.text

    def test_what_it_answers_shows_no_value(self, backend: Readable, keep: Keep) -> None:
        keep(self.paths[0], b"canary-7d1f9c")
        assert "canary" not in repr(backend.get(self.paths[0]).value) + repr(backend)

    def test_its_settings_are_described(self, backend: Readable) -> None:
        described: tuple[Setting, ...] = type(backend).SETTINGS  # type: ignore[attr-defined]
        names = [setting.name for setting in described]
        assert len(set(names)) == len(names)
        assert all(setting.name.replace("-", "").isalnum() for setting in described)
        assert all(setting.meaning.endswith(".") for setting in described)

    def test_an_unknown_setting_is_refused(self, backend: Readable) -> None:
        described: tuple[Setting, ...] = type(backend).SETTINGS  # type: ignore[attr-defined]
        unknown = described[0].name + "x" if described else "no-such-setting"
        with pytest.raises(ConfigError) as refused:
            type(backend)({unknown: "hunter2"})  # type: ignore[call-arg]
        assert unknown in refused.value.message
        assert "hunter2" not in refused.value.message + refused.value.hint
        assert not described or described[0].name in refused.value.hint


class BatchedContract(ReadableContract):
    def test_many_are_answered_at_once_each_with_its_own(
        self, backend: Batched, keep: Keep
    ) -> None:
        keep(self.paths[0], self.values[0])
        keep(self.paths[1], self.values[1])
        found = backend.get_many(self.paths)
        assert set(found) == set(self.paths)
        revealed = [_revealed(found[path]) for path in self.paths]
        assert revealed == [self.values[0], self.values[1], NotFoundError]

    def test_a_path_asked_for_twice_is_answered(self, backend: Batched, keep: Keep) -> None:
        keep(self.paths[0], self.values[0])
        found = backend.get_many([self.paths[0], self.paths[0]])
        assert {path: _revealed(one) for path, one in found.items()} == {
            self.paths[0]: self.values[0]
        }

    def test_nothing_asked_for_is_nothing_answered(self, backend: Batched) -> None:
        assert backend.get_many([]) == {}

    def test_a_bad_path_does_not_spoil_the_others(self, backend: Batched, keep: Keep) -> None:
        keep(self.paths[0], self.values[0])
        bad = self.strange[-1]
        found = backend.get_many([bad, self.paths[0]])
        assert _revealed(found[bad]) is UsageError
        assert _revealed(found[self.paths[0]]) == self.values[0]


class WritableContract(ReadableContract):
    def test_a_second_value_replaces_the_first(self, backend: _Kept) -> None:
        backend.put(self.paths[0], SecretValue(self.values[0]))
        backend.put(self.paths[0], SecretValue(self.values[1]))
        assert backend.get(self.paths[0]).value.reveal() == self.values[1]

    def test_what_it_wrote_is_the_version_it_reads(self, backend: _Kept) -> None:
        written = backend.put(self.paths[0], SecretValue(self.values[0]))
        assert written.stage == CURRENT
        assert backend.get(self.paths[0]).version.id == written.id

    def test_one_path_is_not_another(self, backend: _Kept) -> None:
        for path, value in zip(self.paths, self.values, strict=False):
            backend.put(path, SecretValue(value))
        found = [backend.get(path).value.reveal() for path in self.paths]
        assert found == list(self.values[: len(self.paths)])

    def test_what_it_cannot_hold_exactly_is_refused_and_nothing_is_written(
        self, backend: _Kept
    ) -> None:
        backend.put(self.paths[0], SecretValue(self.values[0]))
        for value in self.unfit:
            with pytest.raises((UsageError, RefusedError)) as refused:
                backend.put(self.paths[0], SecretValue(value))
            assert ascii(value)[2:-1] not in refused.value.message + refused.value.hint
            assert backend.get(self.paths[0]).value.reveal() == self.values[0]

    def test_a_path_that_could_be_another_is_not_written(self, backend: _Kept) -> None:
        for path in self.strange:
            with pytest.raises(UsageError):
                backend.put(path, SecretValue(self.values[0]))

    def test_of_writers_at_once_one_is_last_and_none_is_mixed(self, backend: _Kept) -> None:
        values = [f"writer {number} ".encode() * 50 for number in range(_WRITERS)]
        acknowledged = _written_at_once(backend, self.paths[0], values)
        assert backend.get(self.paths[0]).value.reveal() in [value for _, value in acknowledged]


class DeletableContract(WritableContract):
    def test_what_was_deleted_is_not_found(self, backend: _Kept) -> None:
        backend.put(self.paths[0], SecretValue(self.values[0]))
        assert backend.delete(self.paths[0]) is True
        with pytest.raises(NotFoundError):
            backend.get(self.paths[0])

    def test_deleting_what_is_not_there_says_so(self, backend: _Kept) -> None:
        assert backend.delete(self.paths[1]) is False
        backend.put(self.paths[0], SecretValue(self.values[0]))
        backend.delete(self.paths[0])
        assert backend.delete(self.paths[0]) is False

    def test_only_what_was_named_is_deleted(self, backend: _Kept) -> None:
        for path in self.paths[:2]:
            backend.put(path, SecretValue(self.values[0]))
        backend.delete(self.paths[0])
        assert backend.get(self.paths[1]).value.reveal() == self.values[0]

    def test_what_was_deleted_can_be_written_again(self, backend: _Kept) -> None:
        backend.put(self.paths[0], SecretValue(self.values[0]))
        backend.delete(self.paths[0])
        backend.put(self.paths[0], SecretValue(self.values[1]))
        assert backend.get(self.paths[0]).value.reveal() == self.values[1]

    def test_a_path_that_could_be_another_is_not_deleted(self, backend: _Kept) -> None:
        for path in self.strange:
            with pytest.raises(UsageError):
                backend.delete(path)


class ListableContract(ReadableContract):
    def test_it_lists_what_it_has_sorted(self, backend: _Kept, keep: Keep) -> None:
        for path in self.paths:
            keep(path, self.values[0])
        assert backend.names() == sorted(self.paths)

    def test_an_empty_one_lists_nothing(self, backend: _Kept) -> None:
        assert backend.names() == []

    def test_a_prefix_chooses(self, backend: _Kept, keep: Keep) -> None:
        for path in self.paths:
            keep(path, self.values[0])
        for end in range(len(self.paths[0]) + 1):
            prefix = self.paths[0][:end]
            assert backend.names(prefix) == sorted(
                path for path in self.paths if path.startswith(prefix)
            )
        assert backend.names(self.paths[0] + "-no-such") == []

    def test_each_listed_path_can_be_read(self, backend: _Kept, keep: Keep) -> None:
        for path in self.paths:
            keep(path, self.values[0])
        for path in backend.names():
            assert backend.get(path).value.reveal() == self.values[0]

    def test_many_are_listed_whole(self, backend: _Kept, keep: Keep) -> None:
        """More than a service returns in one page."""
        start = self.paths[0]
        expected = [f"{start}{number:03}" for number in range(101)]
        for path in expected:
            keep(path, self.values[0])
        assert backend.names(start) == expected


class VersionedContract(WritableContract):
    def test_older_versions_can_be_read(self, backend: _Kept) -> None:
        first = backend.put(self.paths[0], SecretValue(self.values[0]))
        second = backend.put(self.paths[0], SecretValue(self.values[1]))
        assert first.id != second.id
        assert backend.get(self.paths[0], version=first.id).value.reveal() == self.values[0]
        assert backend.get(self.paths[0], version=second.id).value.reveal() == self.values[1]

    def test_an_older_version_does_not_call_itself_current(self, backend: _Kept) -> None:
        first = backend.put(self.paths[0], SecretValue(self.values[0]))
        backend.put(self.paths[0], SecretValue(self.values[1]))
        assert backend.get(self.paths[0], version=first.id).version.stage != CURRENT

    def test_versions_are_listed_newest_first(self, backend: _Kept) -> None:
        written = [backend.put(self.paths[0], SecretValue(one)).id for one in self.values[:2]]
        found = backend.versions(self.paths[0])
        assert [version.id for version in found] == written[::-1]
        assert [version.stage == CURRENT for version in found] == [True, False]

    def test_the_versions_of_what_is_not_there_are_not_found(self, backend: _Kept) -> None:
        with pytest.raises(NotFoundError):
            backend.versions(self.paths[1])

    def test_of_writers_at_once_no_acknowledged_value_is_lost(self, backend: _Kept) -> None:
        values = [f"writer {number}".encode() for number in range(_WRITERS)]
        acknowledged = _written_at_once(backend, self.paths[0], values)
        assert len(dict(acknowledged)) == len(acknowledged)
        for version, value in acknowledged:
            assert backend.get(self.paths[0], version=version).value.reveal() == value


class CheckableContract(ReadableContract):
    def test_it_says_that_it_is_reachable_and_nothing_secret(
        self, backend: Checkable, keep: Keep
    ) -> None:
        keep(self.paths[0], b"canary-7d1f9c")
        health = backend.check()
        assert health.reachable
        assert "canary-7d1f9c" not in repr(health)


def _revealed(found: object) -> object:
    """Return the bytes, or the class of the error that came in their place."""
    if isinstance(found, OpenclawError):
        return type(found)
    return found.value.reveal()  # type: ignore[attr-defined]


def _written_at_once(backend: Writable, path: str, values: list[bytes]) -> list[tuple[str, bytes]]:
    """Let all write at once; return version and value acknowledged. A conflict is honest."""

    def write(value: bytes) -> Version | None:
        try:
            return backend.put(path, SecretValue(value))
        except ConflictError:
            return None

    with ThreadPoolExecutor(len(values)) as writers:
        written = list(writers.map(write, values))
    acknowledged = [
        (version.id, value) for version, value in zip(written, values, strict=True) if version
    ]
    assert acknowledged
    return acknowledged
