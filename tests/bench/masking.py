"""How fast output is masked: megabytes a second with 100 secrets, at several kinds of output.

Run it by hand: `python tests/bench/masking.py [SECRETS]`. It prints a table and judges nothing.
"""

from __future__ import annotations

import base64
import os
import sys
import time

from openclaw_cli.running.masking import Masker, Needles

MEGABYTES = 8
READ = 65536

LOG = b"2026-01-01T12:00:00Z INFO request id=4711 path=/api/v1/users user=alice status=200 ms=12\n"
JSON = b'{"id":"msg_01","type":"message","role":"assistant","content":[{"text":"hi \\u2014"}]}\n'


def values(count: int) -> dict[str, bytes]:
    """Return keys that begin alike, as a provider's do."""
    return {
        f"team/key-{number}": b"sk-proj-" + base64.urlsafe_b64encode(os.urandom(36))
        for number in range(count)
    }


def outputs(secrets: dict[str, bytes]) -> dict[str, bytes]:
    """Return the kinds of output, each some megabytes."""
    keys = list(secrets.values())
    kinds = {
        "log lines": LOG,
        "JSON": JSON,
        "random bytes": os.urandom(1 << 20),
        "base64": base64.encodebytes(os.urandom(1 << 20)),
        "one secret in 100 lines": LOG * 100 + keys[0] + b"\n",
        "a secret in each line": b"".join(b"key=%s\n" % key for key in keys) + LOG,
        "nothing but secrets": b"".join(keys),
        "beginnings of 8 bytes": b"sk-proj-",
        "beginnings of 32 bytes": b"".join(key[:32] for key in keys),
        "secrets without an end": b"".join(key[:-1] for key in keys),
    }
    size = MEGABYTES << 20
    return {kind: (text * (size // len(text) + 1))[:size] for kind, text in kinds.items()}


def rate(needles: Needles, output: bytes, read: int) -> float:
    """Return megabytes (a million bytes) a second."""
    masker = Masker(needles)
    chunks = [output[at : at + read] for at in range(0, len(output), read)]
    started = time.perf_counter()
    for chunk in chunks:
        masker.feed(chunk)
    masker.finish()
    return len(output) / (time.perf_counter() - started) / 1e6


def main() -> None:
    """Print the table."""
    secrets = values(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
    started = time.perf_counter()
    needles = Needles(secrets)
    ready = (time.perf_counter() - started) * 1000
    print(f"{len(secrets)} secrets, ready in {ready:.1f} ms")
    for kind, output in outputs(secrets).items():
        large, small = (rate(needles, output, read) for read in (READ, 512))
        print(f"{kind:26} {large:8.0f} MB/s  {small:8.0f} MB/s in pieces of 512 bytes")


if __name__ == "__main__":
    main()
