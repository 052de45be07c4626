"""What git has: every blob of the history once, or what is about to be committed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from openclaw_cli.errors import RefusedError, UsageError
from openclaw_cli.which import which

_CHUNK = 1024 * 1024
_DIFF = (
    *("diff", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--diff-filter=ACMRT"),
    *("--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty"),
)

_SUBMODULE = b"160000"
_NOT_HERE = "its content is not in this clone"

_QUIET = ("--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
"""A repository's own settings can name programs, and one that is scanned may be anybody's."""


class Blob:
    """The content of a file in git, to be read once: `name` is that of the blob."""

    def __init__(self, path: str, name: str, size: int, answers: IO[bytes]) -> None:
        self.path = path
        self.name = name
        self.size = size
        self._left = size
        self._answers = answers

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most `size`."""
        data = self._answers.read(min(size, self._left))
        self._left -= len(data)
        return data

    def skip(self) -> None:
        """Go on to what comes after it."""
        while self._left and self.read(_CHUNK):
            pass
        self._answers.read(1)  # a newline


def is_repository(path: str) -> bool:
    """Tell whether a directory is the top of a work tree, or a bare repository."""
    if not os.path.isdir(path):
        return False
    bare = os.path.isdir(f"{path}/objects") and os.path.isfile(f"{path}/HEAD")
    return os.path.lexists(f"{path}/.git") or bare


def history(repository: str, unread: list[tuple[str, str]]) -> Iterator[Blob]:
    """Yield every blob that any commit has, each with a path that it had.

    What a partial clone lacks is not fetched; that there is such is added to `unread`.
    """
    listing = ["rev-list", "--objects", "--all", "--missing=print"]
    hint = f"openclaw secrets scan --no-history {repository}"
    lacking = 0
    with _running(repository, listing, hint) as listed, _asked(repository) as (asking, answers):
        for line in listed:
            name, _, path = line.rstrip(b"\n").partition(b" ")
            if name.startswith(b"?"):
                lacking += 1
            elif path:
                blob = _one(asking, answers, name, os.fsdecode(path))
                if blob is not None:
                    yield blob
                    blob.skip()
    if lacking:
        objects = "1 object" if lacking == 1 else f"{lacking} objects"
        unread.append((repository, f"{objects} of its history are not in this clone"))


def staged(repository: str, unread: list[tuple[str, str]]) -> Iterator[Blob]:
    """Yield the files that are about to be committed, as they are in the index.

    One whose content git does not have is added to `unread`.
    """
    with _running(repository, _DIFF, f"git -C {repository} status") as listed:
        words = listed.read().split(b"\0")
    with _asked(repository) as (asking, answers):
        for about, name in zip(words[::2], words[1::2], strict=False):
            _, mode, _, blob_name, _ = about.split()
            if mode == _SUBMODULE:
                continue
            blob = _one(asking, answers, blob_name, os.fsdecode(name))
            if blob is None:
                unread.append((os.fsdecode(name), _NOT_HERE))
            else:
                yield blob
                blob.skip()


def top(path: str) -> str:
    """Return the top of the work tree around a path; raises `UsageError` where there is none."""
    done = subprocess.run(  # noqa: S603  git, on a path that was named
        [_git(), *_QUIET, "-C", path, "rev-parse", "--show-toplevel"],
        capture_output=True,
        check=False,
        env=_environment(),
    )
    if done.returncode:
        raise UsageError("this is not in a git work tree", hint="cd to the repository")
    return os.fsdecode(done.stdout.rstrip(b"\n"))


def _one(asking: IO[bytes], answers: IO[bytes], name: bytes, path: str) -> Blob | None:
    asking.write(name + b"\n")
    asking.flush()
    words = answers.readline().split()
    if not words or not words[-1].isdigit():
        return None  # "missing"
    blob = Blob(path, words[0].decode(), int(words[-1]), answers)
    if words[-2] != b"blob":
        blob.skip()
        return None
    return blob


@contextmanager
def _running(repository: str, arguments: Sequence[str], hint: str) -> Iterator[IO[bytes]]:
    process = subprocess.Popen(  # noqa: S603  the same
        [_git(), *_QUIET, "-C", repository, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
    )
    with process:
        if process.stdout is None:
            raise RefusedError("git gave no output")
        yield process.stdout
        process.stdout.close()
    if process.returncode > 0:
        raise RefusedError(f"git could not read {repository}", hint=hint)


@contextmanager
def _asked(repository: str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    with subprocess.Popen(  # noqa: S603  the same
        [_git(), *_QUIET, "-C", repository, "cat-file", "--batch"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RefusedError("git gave no output")
        yield process.stdin, process.stdout
        process.stdin.close()
        process.stdout.close()


def _environment() -> dict[str, str]:
    """Return the environment with a hook's GIT_DIR and GIT_INDEX_FILE: they say what is staged.

    Nothing is fetched: a partial clone's own settings say which program fetches what it lacks.
    Older versions of git know only the word about protocols.
    """
    return {
        **os.environ,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
    }


def _git() -> str:
    path = which("git")
    if path is None:
        raise UsageError("git is not on PATH", hint="apt-get install git")
    return path
