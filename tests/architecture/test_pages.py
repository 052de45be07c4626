"""The pages and the map: what they name exists, and they name all there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaw_cli import providers
from openclaw_cli.cli import tree
from openclaw_cli.options import SETTINGS
from openclaw_cli.rotation import generators
from tests.architecture.tree import PACKAGE, ROOT, inside, modules, pages, tracked

MAP = ROOT / "ARCHITECTURE.md"
DOCS = ROOT / "docs"
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return what can be linked to in a page, as forges make it of a heading."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    made = set(re.findall(r'<a id="([^"]+)">', text))
    for heading in _HEADING.findall(text):
        plain = re.sub(r"[^\w\- ]", "", heading.lower())
        made.add(plain.replace(" ", "-"))
    return made


@pytest.mark.parametrize("page", pages(), ids=inside)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for link in _LINK.findall(text):
        if link.startswith(("https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{inside(page)}: {link}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{inside(page)}: {link}"


def test_the_index_lists_every_page() -> None:
    index = DOCS / "README.md"
    listed = {
        (DOCS / link.partition("#")[0]).resolve() for link in _LINK.findall(index.read_text())
    }
    every = {page for page in pages() if DOCS in page.parents and page != index}
    assert not every - listed


def test_every_file_that_the_pages_name_is_there() -> None:
    named = re.compile(r"`((?:tests|scripts|openclaw_cli|docs)/[\w./-]+)`")
    for page in pages():
        for path in named.findall(page.read_text()):
            assert (ROOT / path).exists(), f"{inside(page)}: {path}"


def test_every_module_on_the_map_is_there() -> None:
    for row in re.findall(r"^\| (`.*?) \|", MAP.read_text(), flags=re.MULTILINE):
        for name in re.findall(r"`([\w./]+)`", row):
            if "NAME" not in name and name.endswith((".py", "/")):
                assert (ROOT / name).exists() or (PACKAGE / name).exists(), name


def test_every_part_of_the_package_is_on_the_map() -> None:
    parts = {path.relative_to(PACKAGE).parts[0] for path in modules()} - {"__init__.py"}
    text = MAP.read_text()
    missing = [
        part for part in sorted(parts) if f"{part}/`" not in text and f"`{part}`" not in text
    ]
    assert not missing


def test_every_provider_is_on_its_page() -> None:
    page = (DOCS / "reference" / "providers.md").read_text()
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.*) \|$", page, flags=re.MULTILINE))
    words = {
        providers.CHOSEN: "by API, we choose the value",
        providers.MINTED: "by API, the service makes the value",
        providers.PERSON: "by a person",
    }
    wanted = {}
    for name in providers.PROVIDERS.ours:
        one = providers.get(name)
        variable = f"`{one.variable}`" if one.variable else ""
        rotator = f"[`{one.rotator}`](rotators.md#{one.rotator})" if one.rotator else ""
        allowed = words[one.rotation]
        wanted[name] = f"{one.title} | {variable} | {allowed} | {rotator} | {one.how}"
    assert rows == wanted


def test_every_generator_is_on_its_page() -> None:
    page = (DOCS / "reference" / "generators.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", page, flags=re.MULTILINE))
    assert list(rows) == list(generators.GENERATORS.ours)
    for name, row in rows.items():
        kind = generators.GENERATORS.get(name)
        assert row.startswith(f"{generators.parse(name).describe()} | ")
        assert row.endswith(f"| `--generate={kind.example}`")
        for option, takes in kind.options.items():
            assert f"`{option}`: {takes.expects}" in row


def test_every_variable_of_ours_is_on_its_page() -> None:
    page = (DOCS / "reference" / "environment-variables.md").read_text()
    page += (DOCS / "reference" / "settings.md").read_text()
    said = {each.variable for each in SETTINGS}
    for path in modules():
        said |= set(re.findall(r'"(OPENCLAW_[A-Z_]*[A-Z])"', path.read_text()))
    assert not {name for name in said if f"`{name}`" not in page}


# A way of this machine, or a host that packages are fetched from, has no place in the project.
_FOREIGN = re.compile(
    r"(?<![\w$.~/-])/(?:work|root|home/(?!ada\b|me\b|you\b)\w+|tmp)/\w"
    r"|\b(?:files\.)?python"
    r"hosted\.org|\bpypi"
    r"\.org|registry\.npm"
    r"js\.org"
)
_TEXT = {".py", ".md", ".toml", ".txt", ".sh", ".yml", ".yaml", ".json", ".cfg", ""}
# A path in a test is an example, and is only named there.
_EXAMPLES = ("tests/",)


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("see /root/notes", True),
        ("cd /tmp/x", True),
        ("https://pypi" + ".org/simple", True),
        ("$HOME/tmp/x", False),
        ("/home/ada/.openclaw", False),
        ("/dev/shm/x", False),
    ],
)
def test_what_is_foreign_is_told_from_what_is_not(text: str, *, foreign: bool) -> None:
    assert bool(_FOREIGN.search(text)) is foreign


def test_nothing_names_this_machine_or_where_packages_come_from() -> None:
    found = []
    for path in tracked():
        if path.suffix not in _TEXT or inside(path).startswith(_EXAMPLES):
            continue
        text = path.read_text(errors="replace")
        found += [f"{inside(path)}: {each[0]}" for each in _FOREIGN.finditer(text)]
    assert not found


_TYPED = re.compile(r"(?:^|[`$(|;&] ?|\s)openclaw((?: [a-z][a-z-]*)+)(?=[` \n])", re.MULTILINE)


_THEIRS = {" secrets reload"}
"""Of the OpenClaw gateway's own program, which is called `openclaw`, too."""


def unknown(words: list[str], table: tree.Table) -> bool:
    """Tell whether words begin with something that is no command."""
    if words[0] not in table:
        return True
    where = table[words[0]][0]
    return isinstance(where, dict) and len(words) > 1 and unknown(words[1:], where)


def commands(page: Path) -> Iterator[str]:
    """Yield the words behind `openclaw` in a page's code."""
    for code in re.findall(r"`openclaw[^`]*`|^\$ .*$", page.read_text(), flags=re.MULTILINE):
        yield from (typed for typed in _TYPED.findall(code) if typed not in _THEIRS)


def test_every_command_that_a_page_names_is_one() -> None:
    typed = [(inside(page), each) for page in pages() for each in commands(page)]
    assert len(typed) > 100
    assert [each for each in typed if unknown(each[1].split(), tree.TOP)] == []
