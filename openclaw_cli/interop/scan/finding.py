"""What a scan finds: where, and of which kind. Never the text, nor a part of it."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

OWN = "own-value"
KEY = "provider-key"
CREDENTIAL = "credential"
LIKELY = "likely-secret"

RULES = {
    OWN: "a value of the store, as it is or in another spelling",
    KEY: "what is by its form the key of a known service",
    CREDENTIAL: "what stands where a configuration has a credential",
    LIKELY: "what is as random as a secret, beside a word that means one",
}

_SHOWN = 16  # hexadecimal digits of a fingerprint


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text that is a finding; `what` says what it is, for people.

    `name` is the secret's whose value it is.
    """

    start: int
    end: int
    rule: str
    what: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding in a file, or in a blob of a repository (`blob` is its name there).

    `name` is the secret's whose value it is.
    """

    path: str
    line: int
    rule: str
    what: str
    fingerprint: str
    blob: str = ""
    name: str = ""


def fingerprint(key: bytes, value: bytes) -> str:
    """Return what tells a value from others to whoever has the key, and nothing to anybody else."""
    return hmac.new(key, value, hashlib.sha256).hexdigest()[:_SHOWN]


def settled(spans: list[Span]) -> list[Span]:
    """Return the spans in order, without those that a surer one covers in part."""
    order = list(RULES)
    kept: list[Span] = []
    for span in sorted(spans, key=lambda each: (order.index(each.rule), each.start)):
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda each: each.start)
