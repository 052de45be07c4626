"""Build the wheel and the source archive, twice, and let nothing out that is not the same twice.

    .venv/bin/python scripts/build.py dist

Each build is made from a copy of what is in the repository, in a folder of its own with another
name, umask, time zone and language; the only time in it is that of the last commit, or
SOURCE_DATE_EPOCH. Beside them lie the bill of materials and SHA256SUMS.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from openclaw_cli import __version__  # noqa: E402
from scripts import sbom  # noqa: E402
from scripts.locked import US  # noqa: E402

_BUILD = (
    "import sys, flit_core.buildapi as b; b.build_wheel(sys.argv[1]); b.build_sdist(sys.argv[1])"
)
_PLACES = (
    ("a", {"TZ": "UTC", "LC_ALL": "C"}, 0o022),
    ("another one", {"TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"}, 0o077),
)


def epoch() -> str:
    """Return the time that the archives say: that of the last commit, where nobody says another."""
    said = os.environ.get("SOURCE_DATE_EPOCH")
    if said:
        return said
    line = ["git", "log", "-1", "--format=%ct"]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def tracked() -> list[str]:
    """Return what is in the repository, as far as it is here."""
    line = ["git", "ls-files", "-z"]
    named = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in named.split("\0") if name and (ROOT / name).is_file()]


def built(
    tree: Path, into: Path, time: str, environ: dict[str, str], umask: int
) -> dict[str, bytes]:
    """Build what is in a folder; return both archives by their names."""
    into.mkdir(parents=True)
    subprocess.run(
        [sys.executable, "-c", _BUILD, str(into)],
        cwd=tree,
        env={"PATH": os.defpath, "SOURCE_DATE_EPOCH": time, **environ},
        umask=umask,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return {each.name: each.read_bytes() for each in sorted(into.iterdir())}


def twice(work: Path, time: str) -> list[dict[str, bytes]]:
    """Build twice, as differently as two machines would."""
    found = []
    for name, environ, umask in _PLACES:
        tree = work / name / "tree"
        for each in tracked():
            (tree / each).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / each, tree / each)  # neither its mode nor its time
        found.append(built(tree, work / name / "out", time, environ, umask))
    return found


def main(arguments: list[str]) -> int:
    """Build into the folder that is named."""
    out = Path(arguments[0] if arguments else "dist")
    with tempfile.TemporaryDirectory() as work:
        first, second = twice(Path(work), epoch())
    if first != second:
        differ = [name for name in first if second.get(name) != first[name]]
        print(f"two builds of the same source differ: {', '.join(differ)}", file=sys.stderr)
        return 1
    bill = json.dumps(sbom.bill(), indent=1, sort_keys=True) + "\n"
    files = {**first, f"{US}-{__version__}.cdx.json": bill.encode()}
    sums = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items()]
    out.mkdir(parents=True, exist_ok=True)
    for name, data in {**files, "SHA256SUMS": "".join(sums).encode()}.items():
        (out / name).write_bytes(data)
    print("".join(sums), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
