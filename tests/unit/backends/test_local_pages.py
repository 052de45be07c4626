"""The pages of the local backends name every setting as the classes have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaw_cli.backends import BACKENDS

PAGES = Path(__file__).parents[3] / "docs" / "backends"


@pytest.mark.parametrize("name", ["env", "file", "exec", "keyring"])
def test_a_page_has_a_row_for_each_setting_and_no_other(name: str) -> None:
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    table = page.partition("| Setting | Default | Meaning |\n| --- | --- | --- |\n")[2]
    rows = table.partition("\n\n")[0].strip().splitlines()
    assert rows == [
        f"| `{each.name}` | {shown(each.default)} | {each.meaning} |"
        for each in BACKENDS.get(name).SETTINGS
    ]


def shown(default: object) -> str:
    if default == "":
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"
