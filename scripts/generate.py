"""Write what is made from the program: reference and manual pages, completions, a picture.

`--check` writes nothing, names the files that differ and fails.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OWNED = ("man/*.1", "openclaw_cli/cli/completions/openclaw.*")
"""Where a file that is not made any more is taken away."""


def files() -> dict[str, str]:
    """Return every file by its path from the root."""
    os.environ["COLUMNS"] = "80"
    sys.path.insert(0, str(ROOT))
    from scripts import licences, pages, picture, rotators, shells, tree

    root = tree.whole()
    found = {
        "docs/session.svg": picture.readme(),
        "docs/reference/cli.md": pages.reference(root),
        "docs/reference/licences.md": licences.page(),
        "docs/reference/rotators.md": rotators.page(),
        "docs/reference/settings.md": pages.settings(),
        "docs/reference/statuses.md": pages.statuses(),
    }
    found |= {f"man/{name}": text for name, text in pages.manual(root).items()}
    for shell, text in shells.scripts(root).items():
        found[f"openclaw_cli/cli/completions/openclaw.{shell}"] = text
    return found


def main(arguments: list[str]) -> int:
    """Write the files, or compare them."""
    found = files()
    left = {str(path.relative_to(ROOT)) for pattern in OWNED for path in ROOT.glob(pattern)}
    stale = sorted(left - found.keys())
    changed = [name for name, text in found.items() if _read(ROOT / name) != text]
    if "--check" in arguments:
        for name in [*changed, *stale]:
            print(f"not what the program says: {name}")
        if changed or stale:
            print("mend it: make docs")
        return 1 if changed or stale else 0
    for name in changed:
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(found[name], encoding="utf-8")
        print(f"wrote {name}")
    for name in stale:
        (ROOT / name).unlink()
        print(f"removed {name}")
    return 0


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
