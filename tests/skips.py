"""A skipped test is a failed session wherever all tests are required to run.

`CI` and `OPENCLAW_REQUIRE=all` (which `make test` sets) require it: "not available here" would
otherwise stay green for ever. An expected failure (`xfail`) is not a skip.
"""

from __future__ import annotations

import os

import pytest


def all_required() -> bool:
    """Tell whether this machine promised to run every test."""
    return bool(os.environ.get("CI")) or os.environ.get("OPENCLAW_REQUIRE") == "all"


class NoSkips:
    """Collects what was skipped, names it at the end and fails the session."""

    def __init__(self) -> None:
        self._skipped: list[str] = []

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
            self._skipped.append(f"{report.nodeid}: {reason}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a skipped test."""
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a skipped module."""
        self._note(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Turn an otherwise green session red."""
        if self._skipped and session.exitstatus in (
            pytest.ExitCode.OK,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        ):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which."""
        if self._skipped:
            terminalreporter.section("skipped, where every test is required", sep="=", red=True)
            for line in self._skipped:
                terminalreporter.write_line(line)
