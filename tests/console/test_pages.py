"""Every `console` block of the README and of `docs/` does what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.runner import problems, steps

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "README.zh-TW.md", *sorted(ROOT.glob("docs/**/*.md"))]
# Those that need servers of their own run in tests/integration/, by the file of that name.
WITH_SERVERS = {
    "docs/openclaw-gateway.md": "test_gateway_page.py",
    "docs/backends/vault.md": "test_backend_pages.py",
    "docs/backends/aws.md": "test_backend_pages.py",
    "docs/backends/keyring.md": "test_backend_pages.py",
    "docs/tutorial/unattended-rotation.md": "test_unattended_rotation.py",
}
WITH_SESSIONS = [
    page
    for page in PAGES
    if steps(page.read_text()) and str(page.relative_to(ROOT)) not in WITH_SERVERS
]


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_SESSIONS, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_tells_the_truth(page: Path, tmp_path: Path) -> None:
    wrong = problems(page.read_text(), tmp_path / "reader")
    assert not wrong, f"{page.relative_to(ROOT)}\n" + "\n\n".join(wrong)


def test_a_page_that_needs_servers_is_run_with_them() -> None:
    for page, test in WITH_SERVERS.items():
        assert Path(page).name in (ROOT / "tests" / "integration" / test).read_text()


def test_no_session_is_written_so_that_it_would_not_be_run() -> None:
    for page in PAGES:
        text = page.read_text()
        assert text.count("```console") == text.count("\n```console\n"), page
