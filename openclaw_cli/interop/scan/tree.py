"""Which files are looked at: plain ones, each once, links not followed; the rest is said."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping

_SKIPPED = frozenset((".git", ".hg", ".svn"))  # packed: the history is asked of git itself
_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK

HISTORIES = (
    ".bash_history",
    ".zsh_history",
    ".zhistory",
    ".histfile",
    ".sh_history",
    ".python_history",
    ".node_repl_history",
    ".psql_history",
    ".mysql_history",
    ".sqlite_history",
    ".rediscli_history",
    ".config/nushell/history.txt",
    ".config/zsh/.zsh_history",
    ".local/share/fish/fish_history",
    ".local/share/powershell/PSReadLine/ConsoleHost_history.txt",
    ".local/state/bash/history",
    ".local/state/zsh/history",
)
TRANSCRIPTS = (
    ".claude/projects",
    ".claude/history.jsonl",
    ".codex/sessions",
    ".codex/history.jsonl",
    ".gemini/tmp",
    ".local/share/opencode",
)


def usual(home: str, state: str, environ: Mapping[str, str]) -> list[str]:
    """Return where secrets are left lying: the state directory, histories, agents' transcripts."""
    named = environ.get("HISTFILE", "")
    places = [state, *(f"{home}/{each}" for each in (*HISTORIES, *TRANSCRIPTS))]
    dotenv = [f"{each}" for each in sorted(os.listdir(".")) if each.startswith(".env")]
    every = [*places, *([named] if named.startswith("/") else []), *dotenv]
    return [each for each in dict.fromkeys(every) if os.path.lexists(each)]


def files(path: str, unread: list[tuple[str, str]]) -> Iterator[str]:
    """Yield every plain file at or below a path; what cannot be listed is added to `unread`."""
    try:
        found = os.lstat(path)
    except OSError as refused:
        unread.append((path, _why(refused)))
        return
    if not stat.S_ISDIR(found.st_mode):
        if stat.S_ISREG(found.st_mode):
            yield path
        return
    try:
        with os.scandir(path) as entries:
            listed = sorted(entries, key=lambda each: each.name)
    except OSError as refused:
        unread.append((path, _why(refused)))
        return
    for entry in listed:
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in _SKIPPED:
                yield from files(entry.path, unread)
        elif entry.is_file(follow_symlinks=False):
            yield entry.path


def opened(path: str) -> int:
    """Open a plain file; raises `OSError`, for one that became something else too."""
    fd = os.open(path, _OPEN)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError("not a plain file")
    return fd


def why(refused: OSError) -> str:
    """Say why a file could not be read."""
    return _why(refused)


def _why(refused: OSError) -> str:
    return os.strerror(refused.errno).lower() if refused.errno else "it is not a plain file"
