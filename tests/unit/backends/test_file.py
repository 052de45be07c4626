"""Files: which ones are believed, what is picked from them, how they are written."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openclaw_cli.backends.file import FileBackend
from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    NotFoundError,
    OpenclawError,
    RefusedError,
    StorageError,
    UsageError,
)
from openclaw_cli.model import MAX_VALUE, SecretValue

VALUE = b"sk-canary-7f3a"

Write = Callable[..., Path]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    made.mkdir()
    return made


@pytest.fixture
def backend(root: Path) -> FileBackend:
    return FileBackend({"root": str(root)})


@pytest.fixture
def write(root: Path) -> Write:
    def made(path: str, content: bytes = VALUE, mode: int = 0o600) -> Path:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(mode)
        return file

    return made


def value(backend: FileBackend, path: str | Path, field: str = "") -> bytes:
    return backend.get(str(path), field=field).value.reveal()


def refusal(backend: FileBackend, path: str | Path) -> DeniedError:
    with pytest.raises(DeniedError) as refused:
        backend.get(str(path))
    assert VALUE.decode() not in refused.value.message + refused.value.hint
    return refused.value


class TestContent:
    def test_one_final_newline_is_not_part_of_the_value(
        self, backend: FileBackend, write: Write
    ) -> None:
        for content, expected in {
            b"sk\n": b"sk",
            b"sk\r\n": b"sk",
            b"sk\n\n": b"sk\n",
            b"sk": b"sk",
            b"sk\r": b"sk\r",
            b"\nsk": b"\nsk",
        }.items():
            write("key", content)
            assert value(backend, "key") == expected

    def test_a_file_without_a_value_is_not_found(self, backend: FileBackend, write: Write) -> None:
        for content in (b"", b"\n", b"\r\n"):
            write("key", content)
            with pytest.raises(NotFoundError, match="is empty"):
                backend.get("key")

    def test_a_json_pointer_picks_a_text(self, backend: FileBackend, write: Write) -> None:
        document = {"models": [{"apiKey": "first"}, {"a/b": {"m~n": "second"}}], "": "third"}
        write("config", json.dumps(document).encode())
        assert value(backend, "config", "/models/0/apiKey") == b"first"
        assert value(backend, "config", "/models/1/a~1b/m~0n") == b"second"
        assert value(backend, "config", "/") == b"third"

    @pytest.mark.parametrize(
        "pointer",
        [
            "/models",
            "/models/9",
            "/models/-1",
            "/models/x",
            "/models/\u0660",  # a digit zero, but not of ours
            "/models/" + "9" * 5000,
            "/n",
            "/null",
            "/no",
            "/n/deeper",
            "/text/0",
        ],
    )
    def test_a_pointer_to_anything_but_text_is_not_found(
        self, backend: FileBackend, write: Write, pointer: str
    ) -> None:
        document = {"models": ["a"], "n": 1, "null": None, "text": "canary", "empty": ""}
        write("config", json.dumps(document).encode())
        with pytest.raises(NotFoundError) as absent:
            backend.get("config", field=pointer)
        assert "canary" not in absent.value.message

    def test_a_pointer_into_what_is_not_json_is_not_found(
        self, backend: FileBackend, write: Write
    ) -> None:
        for content in (b"canary", b"[" * 100_000, b"\xff", b'{"a": "\\ud800"}'):
            write("config", content)
            with pytest.raises(NotFoundError) as absent:
                backend.get("config", field="/a")
            assert "canary" not in absent.value.message

    def test_a_name_picks_from_a_dotenv_file(self, backend: FileBackend, write: Write) -> None:
        for name in (".env", ".env.local", "prod.env"):
            write(name, b"# keys\nOPENAI_API_KEY='sk 1'\nOTHER=2\n")
            assert value(backend, name, "OPENAI_API_KEY") == b"sk 1"
            with pytest.raises(NotFoundError, match="has no ABSENT"):
                backend.get(name, field="ABSENT")

    def test_a_dotenv_file_that_cannot_be_read_is_refused_by_its_line(
        self, backend: FileBackend, write: Write
    ) -> None:
        write(".env", b"A=1\nthis canary is no line\n")
        with pytest.raises(RefusedError, match="line 2") as refused:
            backend.get(".env", field="A")
        assert "canary" not in refused.value.message

    def test_a_file_or_value_that_is_too_large_is_refused(
        self, backend: FileBackend, write: Write
    ) -> None:
        write("most", b"x" * MAX_VALUE + b"\n")
        assert len(value(backend, "most")) == MAX_VALUE
        write("more", b"x" * (MAX_VALUE + 1))
        with pytest.raises(RefusedError, match="larger than 64 KiB"):
            backend.get("more")
        huge = write("huge")
        os.truncate(huge, 10 << 30)
        with pytest.raises(RefusedError, match="larger than 1 MiB"):
            backend.get("huge")


class TestPaths:
    def test_an_absolute_path_needs_no_root(self, write: Write) -> None:
        assert value(FileBackend({}), write("key")) == VALUE

    def test_a_relative_path_without_a_root_is_a_missing_setting(self) -> None:
        with pytest.raises(ConfigError, match="has no root"):
            FileBackend({}).get("key")
        assert FileBackend({}).names() == []

    def test_a_tilde_is_the_home_directory(self, tmp_path: Path) -> None:
        file = tmp_path / "home" / "key"
        file.write_bytes(VALUE)
        file.chmod(0o600)
        assert value(FileBackend({}), "~/key") == VALUE
        assert value(FileBackend({"root": "~/"}), "key") == VALUE

    def test_a_relative_root_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="absolute"):
            FileBackend({"root": "secrets"})

    @pytest.mark.parametrize(
        "path",
        ["/etc/../etc/passwd", "//etc/passwd", "/etc/./passwd", "/", "~/../x", "/etc/", "~/"],
    )
    def test_an_absolute_path_has_one_spelling_too(self, backend: FileBackend, path: str) -> None:
        with pytest.raises(UsageError):
            backend.get(path)

    def test_what_leads_through_a_file_is_not_found(
        self, backend: FileBackend, write: Write
    ) -> None:
        write("key")
        with pytest.raises(NotFoundError):
            backend.get("key/deeper")

    def test_a_name_no_file_can_have_is_an_error_of_ours(self, backend: FileBackend) -> None:
        with pytest.raises(OpenclawError):
            backend.get("x" * 300)


class TestWhoMayOpenIt:
    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o444])
    def test_a_file_that_others_can_read_is_refused(
        self, backend: FileBackend, write: Write, mode: int
    ) -> None:
        file = write("key", mode=mode)
        refused = refusal(backend, "key")
        assert refused.message == f"others can read {file}"
        assert refused.hint == f"chmod 600 {file}"

    @pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
    def test_a_private_file_is_read(self, backend: FileBackend, write: Write, mode: int) -> None:
        write("key", mode=mode)
        assert value(backend, "key") == VALUE

    def test_a_setting_accepts_what_others_can_read_but_not_what_they_can_write(
        self, root: Path, write: Write
    ) -> None:
        backend = FileBackend({"root": str(root), "allow-readable": True})
        file = write("key", mode=0o444)
        assert value(backend, "key") == VALUE
        for mode in (0o620, 0o602, 0o666):
            file.chmod(mode)
            assert "others can write to" in refusal(backend, "key").message

    @pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
    def test_a_directory_that_others_can_write_to_is_refused(
        self, backend: FileBackend, write: Write, mode: int
    ) -> None:
        folder = write("team/key").parent
        folder.chmod(mode)
        refused = refusal(backend, "team/key")
        assert refused.message == f"others can write to {folder}"
        assert refused.hint == f"chmod go-w {folder}"

    def test_a_sticky_directory_is_as_good_as_a_closed_one(
        self, backend: FileBackend, write: Write
    ) -> None:
        write("team/key").parent.chmod(0o1777)
        assert value(backend, "team/key") == VALUE

    def test_a_directory_above_is_looked_at_too(self, backend: FileBackend, write: Write) -> None:
        write("a/b/c/key")
        (write("a/x").parent).chmod(0o777)
        assert "others can write to" in refusal(backend, "a/b/c/key").message


class TestLinks:
    def test_a_link_through_safe_places_is_followed(
        self, backend: FileBackend, write: Write, root: Path
    ) -> None:
        """As Kubernetes lays out a secret: the file, a link to its version, a link to the file."""
        write("..2026_01_01/key")
        (root / "..data").symlink_to("..2026_01_01")
        (root / "key").symlink_to("..data/key")
        (root / "up").mkdir()
        (root / "up" / "key").symlink_to("../key")
        assert value(backend, "key") == VALUE
        assert value(backend, "up/key") == VALUE
        assert backend.names() == ["key", "up/key"]

    def test_a_link_to_a_file_that_others_can_read_is_refused(
        self, backend: FileBackend, write: Write, root: Path
    ) -> None:
        file = write("open", mode=0o644)
        (root / "key").symlink_to(file)
        assert refusal(backend, "key").message == f"others can read {file}"

    def test_a_link_through_a_directory_that_others_can_write_to_is_refused(
        self, backend: FileBackend, write: Write, root: Path
    ) -> None:
        write("safe/key")
        (root / "shared").mkdir()
        (root / "shared" / "hop").symlink_to(root / "safe")
        (root / "shared").chmod(0o777)
        (root / "link").symlink_to("shared/hop/key")
        assert refusal(backend, "link").message == f"others can write to {root / 'shared'}"

    def test_links_in_a_circle_are_refused(self, backend: FileBackend, root: Path) -> None:
        (root / "a").symlink_to("b")
        (root / "b").symlink_to("a")
        assert "too many symbolic links" in refusal(backend, "a").message

    def test_a_link_to_nowhere_is_not_found(self, backend: FileBackend, root: Path) -> None:
        (root / "key").symlink_to("gone")
        with pytest.raises(NotFoundError):
            backend.get("key")
        assert backend.names() == []


class TestNoFile:
    def test_a_pipe_is_refused_at_once(self, backend: FileBackend, root: Path) -> None:
        os.mkfifo(root / "key", 0o600)
        assert "is not a plain file" in refusal(backend, "key").message

    @pytest.mark.parametrize("path", ["/dev/zero", "/dev/stdin", "/dev"])
    def test_a_device_and_a_directory_are_refused(self, backend: FileBackend, path: str) -> None:
        refusal(backend, path)

    def test_what_says_it_is_empty_and_is_not_is_bounded(self) -> None:
        with pytest.raises(StorageError, match="larger than"):
            FileBackend({"allow-readable": True}).get("/proc/kallsyms")


class TestWriting:
    def test_a_file_and_its_directories_are_made_private(
        self, backend: FileBackend, root: Path
    ) -> None:
        os.umask(0)
        backend.put("team/prod/db", SecretValue(VALUE))
        made = [root / "team", root / "team" / "prod", root / "team" / "prod" / "db"]
        assert [stat.S_IMODE(each.stat().st_mode) for each in made] == [0o700, 0o700, 0o600]
        assert made[-1].read_bytes() == VALUE

    def test_the_root_is_made_when_it_is_missing(self, tmp_path: Path) -> None:
        backend = FileBackend({"root": f"{tmp_path}/new/root/"})
        backend.put("key", SecretValue(VALUE))
        assert value(backend, "key") == VALUE

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(content=st.binary(min_size=1, max_size=20), end=st.sampled_from([b"", b"\n", b"\r\n"]))
    def test_every_value_comes_back(self, backend: FileBackend, content: bytes, end: bytes) -> None:
        backend.put("key", SecretValue(content + end))
        assert value(backend, "key") == content + end

    def test_a_link_is_replaced_not_written_through(
        self, backend: FileBackend, write: Write, root: Path
    ) -> None:
        other = write("other", b"untouched")
        (root / "key").symlink_to(other)
        backend.put("key", SecretValue(VALUE))
        assert other.read_bytes() == b"untouched"
        assert not (root / "key").is_symlink()

    def test_an_open_reader_keeps_the_old_content(self, backend: FileBackend, write: Write) -> None:
        with write("key", b"old").open("rb") as reader:
            backend.put("key", SecretValue(b"new"))
            assert reader.read() == b"old"

    @pytest.mark.parametrize("path", ["/etc/key", "~/key", ".lock", ".hidden", "team/.aside"])
    def test_nothing_is_written_or_deleted_elsewhere(self, backend: FileBackend, path: str) -> None:
        with pytest.raises(UsageError):
            backend.put(path, SecretValue(VALUE))
        with pytest.raises(UsageError):
            backend.delete(path)

    def test_nothing_is_written_where_others_may_enter(
        self, backend: FileBackend, root: Path
    ) -> None:
        root.chmod(0o755)
        with pytest.raises(DeniedError) as refused:
            backend.put("key", SecretValue(VALUE))
        assert refused.value.hint == f"chmod 700 {root}"
        assert list(root.iterdir()) == []

    def test_nothing_is_written_below_a_directory_that_others_can_write_to(
        self, tmp_path: Path
    ) -> None:
        shared = tmp_path / "shared"
        (shared / "root").mkdir(parents=True)
        shared.chmod(0o777)
        with pytest.raises(DeniedError, match="others can write to"):
            FileBackend({"root": f"{shared}/root"}).put("key", SecretValue(VALUE))
        assert list((shared / "root").iterdir()) == []

    def test_a_directory_is_not_a_secret(self, backend: FileBackend, write: Write) -> None:
        write("team/key")
        with pytest.raises(StorageError):
            backend.put("team", SecretValue(VALUE))
        assert backend.delete("team") is False
        assert backend.names() == ["team/key"]
        assert not (write("x").parent / ".aside").exists()

    def test_a_stray_file_of_a_writer_that_was_killed_is_no_obstacle(
        self, backend: FileBackend, write: Write, root: Path
    ) -> None:
        write(".aside", b"half of a val")
        backend.put("key", SecretValue(VALUE))
        assert value(backend, "key") == VALUE
        assert not (root / ".aside").exists()


class TestListingAndHealth:
    def test_hidden_files_and_what_is_no_file_are_left_out(
        self, backend: FileBackend, write: Write, root: Path
    ) -> None:
        for path in ("b", "a/c", "a/.hidden", ".git/config", "bad\nname"):
            write(path)
        os.mkfifo(root / "pipe")
        assert backend.names() == ["a/c", "b"]

    def test_each_file_that_would_be_refused_is_named_with_what_mends_it(
        self, backend: FileBackend, write: Write
    ) -> None:
        write("good")
        bad = write("bad", mode=0o644)
        health = backend.check()
        assert health.reachable
        assert health.detail == "2 files"
        assert health.problems == ((f"others can read {bad}", f"chmod 600 {bad}"),)

    def test_a_root_that_is_not_there_is_said(self, tmp_path: Path) -> None:
        health = FileBackend({"root": f"{tmp_path}/none"}).check()
        assert not health.reachable
        assert health.problems[0][1] == f"mkdir -m 700 {tmp_path}/none"
