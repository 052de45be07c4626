"""Every `console` block of the README and of `docs/` does what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.runner import problems, steps

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
WITH_SESSIONS = [page for page in PAGES if steps(page.read_text())]


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_SESSIONS, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_tells_the_truth(page: Path, tmp_path: Path) -> None:
    wrong = problems(page.read_text(), tmp_path / "reader")
    assert not wrong, f"{page.relative_to(ROOT)}\n" + "\n\n".join(wrong)


def test_no_session_is_written_so_that_it_would_not_be_run() -> None:
    for page in PAGES:
        text = page.read_text()
        assert text.count("```console") == text.count("\n```console\n"), page
