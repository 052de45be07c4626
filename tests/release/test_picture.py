"""The picture of a session is a picture of what the README says, which a test runs."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from scripts import picture

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"


def drawn(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - our own


def test_it_shows_every_line_of_the_readmes_first_session() -> None:
    whole = drawn((ROOT / "docs" / "session.svg").read_text())
    lines = [each.text for each in whole.iter(f"{SVG}text")]
    page = (ROOT / "README.md").read_text().partition("```console\n")[2].partition("```")[0]
    assert lines == [line for line in page.split("\n") if line]
    assert len(lines) > 20


def test_it_asks_nobody_for_anything_and_everything_is_within_it() -> None:
    text = (ROOT / "docs" / "session.svg").read_text()
    assert text.replace("http://www.w3.org/2000/svg", "").count("http") == 0
    whole = drawn(text)
    height = float(whole.attrib["height"])
    assert all(float(each.attrib["y"]) < height for each in whole.iter(f"{SVG}text"))


def test_what_is_markup_is_text_there() -> None:
    made = picture.svg("$ echo '<a & b>'\n  a hint\n", "it's")
    line, hint = drawn(made).iter(f"{SVG}text")
    assert (line.text, line.attrib["class"]) == ("$ echo '<a & b>'", "typed")
    assert (hint.text, hint.attrib["class"]) == ("  a hint", "hint")
