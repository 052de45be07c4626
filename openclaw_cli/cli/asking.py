"""What is said on a terminal while another backend is slow: whom we are waiting for.

Lean up to the moment that somebody is asked: both roads import it.
"""

from __future__ import annotations

from _thread import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openclaw_cli.cli.render import Output


class Asking:
    """A progress line for as long as any backend is asked; several may be, by as many threads."""

    def __init__(self, output: Output | None = None) -> None:
        self._output = output
        self._names: list[str] = []
        self._lock = allocate_lock()
        self._line: Any = None
        self._progress: Any = None

    def began(self, name: str) -> None:
        """Say that this backend is asked now."""
        with self._lock:
            self._names.append(name)
            if self._line is None:
                from openclaw_cli.cli.render import Output

                self._line = (self._output or Output()).progress("asking")
                self._progress = self._line.__enter__()
            self._progress.name(f"asking {', '.join(self._names)}")

    def ended(self, name: str) -> None:
        """Say that it has answered; the line goes with the last one."""
        with self._lock:
            self._names.remove(name)
            if self._names:
                self._progress.name(f"asking {', '.join(self._names)}")
                return
            line, self._line = self._line, None
            line.__exit__(None, None, None)
