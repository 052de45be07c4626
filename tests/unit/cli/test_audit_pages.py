"""The page about a period: for people, with a picture, and nothing of it can act."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from openclaw_cli import duration
from openclaw_cli.audit import chain
from openclaw_cli.cli.secrets.audit_pages import MOST_BARS, picture, timeline
from tests.conftest import Openclaw, Result

Main = Callable[..., Result]
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script>|`*_[x](http://evil)\x1b[2J"


def line(at: float, kind: str = "secret_reveal", outcome: str = "ok", **rest: str) -> bytes:
    record = {"seq": 1, "at": chain.written(int(at * 1e6)), "kind": kind, "outcome": outcome}
    return chain.line(b"k" * 32, bytes(32), {**record, **rest})[0]


@pytest.fixture
def busy(main: Main) -> None:
    main("secrets", "set", "api_key", input=b"hunter2", check=0)
    for _ in range(3):
        main("secrets", "get", "api_key", check=0)
    main("secrets", "get", "absent", check=3)


@pytest.mark.usefixtures("busy")
def test_markdown_has_the_totals_and_a_picture(main: Main) -> None:
    page = main("secrets", "audit", "report", check=0).out.decode()
    assert "| api\\_key | 3 | 1 | 0 | 1 |" in page
    assert "3 reads" not in page
    assert re.search(r"^read +[▁-█]\| 3, at most 3 a step$", page, re.MULTILINE)
    assert "the chain of records is whole" in page
    assert "hunter2" not in page


@pytest.mark.usefixtures("busy")
def test_html_stands_alone_and_is_well_formed(main: Main, tmp_path: Path) -> None:
    out = tmp_path / "week.html"
    line_ = ("secrets", "audit", "report", "--period", "24h", "--format", "html", "-o", str(out))
    main(*line_, check=0)
    page = out.read_text()
    assert "hunter2" not in page
    for word in ("http://", "https://", "src=", "href=", "<script", "url("):
        assert word not in page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    drawn = ET.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])  # noqa: S314  our own
    titles = [each.text for each in drawn.iter(f"{SVG}title")]
    assert [title and title.partition(": ")[2] for title in titles] == [
        "3 read",
        "2 changed",
        "1 failed",
    ]
    main(*line_, check=11)
    main(*line_, "--force", check=0)


class Elements(HTMLParser):
    """Collects what stands in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]


@pytest.mark.parametrize("kind", ["html", "markdown"])
def test_what_somebody_else_chose_cannot_act(openclaw: Openclaw, kind: str) -> None:
    openclaw("secrets", "set", "key", input=b"value", check=0)
    openclaw("secrets", "get", "key", env={"OPENCLAW_AGENT": HOSTILE}, check=6)
    page = openclaw("secrets", "audit", "report", "--format", kind, check=0).out.decode()
    assert "alert(1)" in page
    assert "\x1b" not in page
    if kind == "html":
        found = Elements()
        found.feed(page)
        assert not found.tags & {"script", "a", "img", "b", "iframe", "link"}
    else:
        rows = [each for each in page.splitlines() if "alert(1)" in each]
        assert not [each for each in rows if "<script" in each.replace("\\<", "")]
        columns = [each.replace("\\|", "").count("|") for each in rows if each.startswith("|")]
        assert set(columns) <= {3, 7}
        assert columns


@pytest.mark.parametrize("days", [1 / 24, 1, 2, 7, 30, 365, 3650])
def test_the_picture_has_a_bounded_number_of_steps(days: float) -> None:
    end = 1_790_000_000.0
    start = end - days * duration.DAY
    found = timeline([line(end - 1), line(start), line(end - 1, "secret_set")], start, end)
    assert 1 <= len(found.reads) <= MOST_BARS * 10
    assert (sum(found.reads), sum(found.changes), sum(found.failures)) == (2, 1, 0)
    assert len(ET.fromstring(picture(found)).findall(f".//{SVG}rect")) in (2, 3)  # noqa: S314  our own


def test_intents_borders_and_damage_are_not_counted() -> None:
    end = 1_790_000_000.0
    lines = [
        line(end - 5, "secret_set", phase="intent"),
        line(end - 5).replace(b'"outcome":"ok"', b'"x":"y"'),
        b"damaged\n",
        b'{"at":"\xff","outcome":"ok"}\n',
        line(end - 5, outcome="not_found"),
    ]
    found = timeline(lines, end - 100, end)
    assert (sum(found.reads), sum(found.changes), sum(found.failures)) == (0, 0, 1)


def test_an_empty_period_is_a_page_too(main: Main) -> None:
    assert b"0 events" in main("secrets", "audit", "report", check=0).out
    assert b"<svg" in main("secrets", "audit", "report", "--format", "html", check=0).out
    main("secrets", "audit", "report", "--format", "pdf", check=2)
