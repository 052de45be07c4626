"""What a `get` is made of: programs that do ever more of what it does, and then end at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.measure import Command

_BEGIN = """
import gc, os, sys
from openclaw_cli import __main__ as start
gc.disable()
sys.meta_path.insert(0, start._Beside)
"""
_LIBRARIES = """
import _json, _struct, fcntl, resource
try:
    import _sha256
except ImportError:
    import _sha2
from cryptography.hazmat.bindings._rust import openssl
"""
_CIPHERS = """
for cipher in (openssl.aead.AESGCMSIV, openssl.aead.AESGCM):
    cipher(bytes(32)).encrypt(bytes(12), b"", None)
"""
_OURS = """
from openclaw_cli import assembly, home, names, settings
from openclaw_cli.cli import hot
"""
_END = "os._exit(0)\n"

_STAGES = {
    "Python, ended without tidying up": "import os\n",
    "and the compiled modules that a get needs": _BEGIN + _LIBRARIES,
    "and a first message by each of its two ciphers": _BEGIN + _LIBRARIES + _CIPHERS,
    "and our own modules": _BEGIN + _LIBRARIES + _CIPHERS + _OURS,
}


def commands(place: Path) -> Iterator[tuple[str, Command]]:
    """Yield each stage before the work itself; the programs are written into `place`."""
    for number, (words, text) in enumerate(_STAGES.items()):
        program = place / f"stage-{number}"
        program.write_text(f"#!{sys.executable}\n{text}{_END}")
        program.chmod(0o700)
        yield words, Command([str(program)])
