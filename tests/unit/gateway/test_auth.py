"""Who may ask the gateway what."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.errors import ConfigError, DeniedError
from openclaw_cli.gateway import auth
from openclaw_cli.gateway.auth import ADMIN, INVOKE, OPEN, READ, Asked, Rules, Token, judged

TEXT = "a-token-of-sixteen-characters"
READER = "another-token-for-reading"
TOKENS = (
    Token("all", hashlib.sha256(TEXT.encode()).digest(), frozenset((INVOKE, READ, ADMIN))),
    Token("reader", hashlib.sha256(READER.encode()).digest(), frozenset((READ,))),
)
RULES = Rules(TOKENS)
PROXIED = Rules(TOKENS, proxies=("10.0.0.0/8",))
GOOD = {"host": "localhost:18789", "authorization": f"Bearer {TEXT}"}


def status(
    scope: str, headers: dict[str, str], rules: Rules = RULES, peer: str = "127.0.0.1"
) -> int:
    return judged(Asked(peer, scope, headers), rules).status


def test_a_good_token_is_let_in_and_its_name_is_known() -> None:
    verdict = judged(Asked("127.0.0.1", INVOKE, GOOD), RULES)
    assert (verdict.status, verdict.who, verdict.address) == (0, "all", "127.0.0.1")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TEXT[:-1]}",
        f"Bearer {TEXT}x",
        f"Bearer {TEXT.upper()}",
        f"Basic {TEXT}",
        TEXT,
        "Bearer täken",
        "Bearer \udcff\udcfe",
        f"Bearer {TEXT}\x00",
    ],
)
def test_anything_else_is_401(header: str) -> None:
    assert status(READ, {**GOOD, "authorization": header}) == 401


@given(st.text())
def test_no_other_text_is_a_token(text: str) -> None:
    assert status(READ, {**GOOD, "authorization": f"Bearer {text}"}) == 401


def test_a_scope_too_small_is_403() -> None:
    reader = {**GOOD, "authorization": f"Bearer {READER}"}
    assert status(READ, reader) == 0
    assert status(INVOKE, reader) == 403


def test_what_is_open_needs_no_token() -> None:
    assert status(OPEN, {"host": "localhost"}) == 0


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "", "evil.example:18789"]
)
def test_a_host_that_is_not_ours_is_403(host: str) -> None:
    assert status(OPEN, {"host": host}) == 403
    assert status(READ, {**GOOD, "host": host}) == 403


def test_a_host_of_the_settings_an_address_and_localhost_are_ours() -> None:
    rules = Rules(TOKENS, hosts=("Gateway.example",))
    for host in ("gateway.example:1", "127.0.0.1:18789", "[::1]:18789", "LOCALHOST"):
        assert status(READ, {**GOOD, "host": host}, rules) == 0


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"origin": "http://localhost:18789"}, 0),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 0),
    ],
)
def test_a_page_of_another_origin_is_403(headers: dict[str, str], expected: int) -> None:
    assert status(READ, {**GOOD, **headers}) == expected


def test_a_trusted_proxy_says_for_whom_and_the_right_most_stranger_counts() -> None:
    host = {**GOOD, "host": "your-host"}
    assert status(READ, host, PROXIED, "10.1.2.3") == 401
    forwarded = {**host, "x-forwarded-for": "1.2.3.4, 203.0.113.7, 10.9.9.9"}
    verdict = judged(Asked("10.1.2.3", READ, forwarded), PROXIED)
    assert (verdict.status, verdict.address) == (0, "203.0.113.7")
    forwarded = {**host, "forwarded": 'for=1.2.3.4, for="203.0.113.7";proto=https'}
    assert judged(Asked("10.1.2.3", READ, forwarded), PROXIED).address == "203.0.113.7"


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"x-forwarded-for": "6.6.6.6", "x-real-ip": "203.0.113.7"}, ""),
        ({"x-forwarded-for": "6.6.6.6", "forwarded": "for=203.0.113.7"}, ""),
        ({"x-forwarded-for": "nobody", "x-real-ip": "203.0.113.7"}, ""),
        ({"x-forwarded-for": "6.6.6.6, 203.0.113.7", "x-real-ip": "203.0.113.7"}, "203.0.113.7"),
        ({"x-forwarded-for": "203.0.113.7, 10.9.9.9", "x-real-ip": "10.9.9.9"}, "203.0.113.7"),
        ({"x-forwarded-for": "2001:DB8::1", "x-real-ip": "2001:db8:0::1"}, "2001:db8::1"),
        ({"x-real-ip": "203.0.113.7"}, "203.0.113.7"),
        ({"x-real-ip": "nobody"}, "10.1.2.3"),
        ({"x-forwarded-for": "10.9.9.9"}, "10.1.2.3"),
        ({"x-forwarded-for": ""}, "10.1.2.3"),
    ],
)
def test_headers_that_contradict_each_other_name_nobody(
    headers: dict[str, str], address: str
) -> None:
    assert auth.client_address(headers, "10.1.2.3", PROXIED.proxies) == address
    verdict = judged(Asked("10.1.2.3", READ, {**GOOD, **headers}), PROXIED)
    assert (verdict.status, verdict.address) == (0, address or "10.1.2.3")
    assert verdict.why == ("" if address else auth.CONTRADICTION)


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("192.0.2.1", {}, False),
        ("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, False),
        ("127.0.0.1", {"forwarded": ""}, False),
        ("127.0.0.1", {"x-real-ip": "127.0.0.1"}, False),
        ("127.9.9.9", {}, False),
    ],
)
def test_near_is_this_machine_and_no_proxy(
    peer: str, headers: dict[str, str], *, expected: bool
) -> None:
    assert auth.is_near(peer, headers, Rules(proxies=("127.9.9.9",))) is expected


def test_a_header_of_proxies_from_anybody_else_is_403() -> None:
    for name in ("x-forwarded-for", "forwarded", "x-real-ip"):
        assert status(READ, {**GOOD, name: "10.0.0.1"}, PROXIED, "192.0.2.1") == 403


def test_a_link_opens_reading_alone() -> None:
    asked = {"host": "localhost"}
    assert judged(Asked("127.0.0.1", READ, asked, linked=True), RULES).status == 0
    assert judged(Asked("127.0.0.1", INVOKE, asked, linked=True), RULES).status == 401


def test_the_first_token_is_made_for_its_owner_alone_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "gateway" / "tokens.toml"
    first = auth.load(str(path))
    assert [each.generated for each in first] == [True]
    assert path.stat().st_mode & 0o777 == 0o600
    assert auth.load(str(path)) == first
    text = tomllib.loads(path.read_text())["default"]["token"]
    assert hashlib.sha256(text.encode()).digest() == first[0].digest
    path.chmod(0o644)
    with pytest.raises(DeniedError):
        auth.load(str(path))


@pytest.mark.parametrize(
    "text",
    [
        "no toml",
        "x = 1\n",
        f"format = {'9' * 10_000}\n",
        f"x = {'[' * 20_000}\n",
        '[a]\ntoken = "short"\nscopes = ["read"]\n',
        '[a]\ntoken = "long-enough-for-a-token"\nscopes = ["all"]\n',
        '[a]\ntoken = "long-enough-for-a-tökén"\nscopes = ["read"]\n',
        '[a]\ntoken = "long-enough-for-a-token"\n',
    ],
)
def test_a_mistake_in_the_tokens_is_told_and_shows_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tokens.toml"
    tmp_path.chmod(0o700)
    path.write_text(text)
    with pytest.raises(ConfigError) as refused:
        auth.load(str(path))
    assert "long-enough" not in refused.value.message
