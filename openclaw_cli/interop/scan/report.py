"""What was found, for machines: SARIF, and the baseline of what is known and accepted."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from typing import Any

from openclaw_cli import __version__, fileformat, newfile
from openclaw_cli.errors import ConfigError, NotFoundError
from openclaw_cli.files import failure, read_all
from openclaw_cli.interop.scan.finding import OWN, RULES, Finding

_SCHEMA = 1
_MOST = 16 * 1024 * 1024
_KEY = 32  # bytes
_LEVELS = {"likely-secret": "warning"}


class Baseline:
    """Findings that are known and accepted: by path, rule and fingerprint, not by their line.

    Its fingerprints are made with a key of its own, so that it works wherever the file is, and tell
    nothing of one value in two baselines. Values of the store are never accepted: they leaked.
    """

    def __init__(self, key: bytes, accepted: Iterable[tuple[str, str, str]] = ()) -> None:
        self.key = key
        self._accepted = Counter(accepted)

    @classmethod
    def made(cls) -> Baseline:
        """Return an empty one with a new key."""
        return cls(os.urandom(_KEY))

    @classmethod
    def read(cls, path: str) -> Baseline:
        """Read one; raises `NotFoundError` where there is none, `ConfigError` for another file."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            raise NotFoundError(
                f"there is no baseline {path}",
                hint=f"openclaw secrets scan --baseline {path} --update-baseline",
            ) from None
        except OSError as refused:
            raise failure("read", path, refused) from None
        try:
            found = json.loads(read_all(fd, path, _MOST))
            fileformat.check(found["schema"], path, _SCHEMA)
            entries = [(e["path"], e["rule"], e["fingerprint"]) for e in found["accepted"]]
            return cls(bytes.fromhex(found["key"]), entries)
        except (ValueError, KeyError, TypeError):
            raise ConfigError(
                f"{path} is not a baseline of openclaw secrets scan",
                hint="openclaw secrets scan --help",
            ) from None
        finally:
            os.close(fd)

    def unknown(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return the findings that are not accepted."""
        left = self._accepted.copy()
        found = []
        for each in findings:
            entry = (each.path, each.rule, each.fingerprint)
            if left[entry] > 0:
                left[entry] -= 1
            else:
                found.append(each)
        return found

    def write(self, path: str, findings: Iterable[Finding]) -> int:
        """Accept these findings from now on; return how many, the values of the store left out."""
        entries = [
            {"path": each.path, "rule": each.rule, "fingerprint": each.fingerprint}
            for each in findings
            if each.rule != OWN
        ]
        whole = {"schema": _SCHEMA, "key": self.key.hex(), "accepted": entries}
        newfile.write(path, [json.dumps(whole, indent=1).encode(), b"\n"], force=True)
        return len(entries)


def sarif(findings: Iterable[Finding]) -> dict[str, Any]:
    """Return the findings as SARIF 2.1.0, as code scanning takes them."""
    rules = [{"id": rule, "shortDescription": {"text": text}} for rule, text in RULES.items()]
    driver = {"name": "openclaw", "version": __version__, "rules": rules}
    results = [
        {
            "ruleId": each.rule,
            "level": _LEVELS.get(each.rule, "error"),
            "message": {"text": each.what},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": _uri(each.path)},
                        "region": {"startLine": max(1, each.line)},
                    }
                }
            ],
            "partialFingerprints": {"openclaw/v1": each.fingerprint},
        }
        for each in findings
    ]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _uri(path: str) -> str:
    """Return a path as a reference of RFC 3986; with a space or a `%` it would be none."""
    from urllib.parse import quote

    quoted = quote(os.fsencode(os.path.normpath(path)))
    return f"file://{quoted}" if quoted.startswith("/") else quoted
