"""Telling consumers that secrets have new values, and keeping who was not told yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from openclaw_cli.errors import OpenclawError
from openclaw_cli.rotation import telling

if TYPE_CHECKING:
    from openclaw_cli.rotation.ledger import Ledger
    from openclaw_cli.rotation.view import View


class Announcer:
    """Tells the consumers of one run; `tell` is given a consumer, a name and its version."""

    def __init__(self, ledger: Ledger, tell: Callable[[str, str, str], None]) -> None:
        self._ledger = ledger
        self._tell = tell
        self._heard: set[str] = set()

    def tell_everybody(
        self, views: Iterable[View], tell: Callable[[View], object]
    ) -> list[tuple[str, OpenclawError]]:
        """Tell the consumers of many secrets, one after another; return what went wrong.

        Who is not told which secret it is (a process, an agent) is told once for all of them.
        """
        failed = []
        for view in views:
            if view.policy.telling:
                try:
                    tell(view)
                except OpenclawError as refused:
                    failed.append((view.name, refused))
        return failed

    def tell(self, view: View) -> None:
        """Tell the consumers of one secret; raises what the first said that could not be told."""
        done, failure = [], None
        for each in view.policy.telling:
            try:
                if each not in self._heard:
                    self._tell(each, view.name, str(view.current))
            except OpenclawError as refused:
                failure = failure or refused
            else:
                done.append(each)
                if not each.startswith(telling.NAMED):
                    self._heard.add(each)
        if done:
            self._ledger.told(view.name, done)
        if failure:
            raise failure
