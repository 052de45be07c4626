"""What the services document of their keys, held against our patterns.

Keys are put together from parts: whole, they would look real to whoever scans this repository.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli import providers
from openclaw_cli.errors import ConfigError

X = "Ab0" * 60

KEYS = {
    "anthropic": "sk-ant-" + "api03-" + X[:93] + "AA",
    "aws": "AKIA" + "IOSFODNN7EXAMPLE",
    "discord": "M" + X[:23] + "." + X[:6] + "." + X[:38],
    "elevenlabs": "sk_" + "0a" * 24,
    "gemini": "AQ." + X[:50],
    "github": "ghp_" + X[:36],
    "google": "AIza" + X[:35],
    "groq": "gsk_" + X[:52],
    "huggingface": "hf_" + X[:34],
    "mysql": "mysql://root:" + "hunter2@db/app",
    "notion": "ntn_" + X[:46],
    "openai": "sk-" + "proj-" + X[:74] + "T3BlbkFJ" + X[:74],
    "openrouter": "sk-" + "or-v1-" + "0a" * 32,
    "postgres": "postgresql://app:" + "hunter2@db:5432/app",
    "replicate": "r8_" + X[:37],
    "sendgrid": "SG." + X[:22] + "." + X[:43],
    "slack": "xoxb-" + "123456789012-123456789012-" + X[:24],
    "stripe": "sk_" + "live_" + X[:24],
    "tavily": "tvly-" + "dev-" + X[:32],
    "telegram": "123456789:" + "AA" + X[:33],
    "twilio": "SK" + "0a" * 16,
    "xai": "xai-" + X[:80],
}
ALSO = [
    ("openai", "sk-" + X[:20] + "T3BlbkFJ" + X[:20]),
    ("openai", "sk-" + "svcacct-" + X[:60]),
    ("anthropic", "sk-ant-" + "oat01-" + X[:93] + "AA"),
    ("github", "github_pat_" + X[:22] + "_" + X[:59]),
    ("github", "ghs_" + "eyJ" + X[:60] + "." + X[:150] + "." + X[:86]),
    ("slack", "xoxe.xoxp-" + "1-" + X[:100]),
    ("slack", "xapp-" + "1-A0123-456-" + X[:64]),
    ("slack", "https://hooks.slack.com/services/" + "T0/B0/" + X[:24]),
    ("discord", "https://discord.com/api/webhooks/" + "1234/" + X[:68]),
    ("stripe", "rk_" + "test_" + X[:99]),
    ("aws", "ASIA" + "IOSFODNN7EXAMPLE"),
]
FORMLESS = [
    ("aws", X[:40]),
    ("azure-openai", "0a" * 16),
    ("azure-openai", X[:84]),
    ("brave", "BSA" + X[:28]),
    ("cohere", X[:40]),
    ("deepseek", "sk-" + "0a" * 16),
    ("elevenlabs", "0a" * 16),
    ("gemini", "AIza" + X[:35]),
    ("generic", "anything at all\n"),
    ("google", '{"type": "service_account"}\n'),
    ("mistral", X[:32]),
    ("mysql", "hunter2"),
    ("notion", "secret_" + X[:43]),
    ("postgres", "correct horse"),
    ("stripe", "whsec_" + X[:32]),
    ("twilio", "0a" * 16),
]


def test_every_provider_has_a_key_here() -> None:
    here = {name for name, _ in (*KEYS.items(), *ALSO, *FORMLESS)}
    assert here == set(providers.PROVIDERS.ours)


@pytest.mark.parametrize(("name", "key"), [*KEYS.items(), *ALSO])
def test_a_documented_key_is_recognised_and_gets_no_warning(name: str, key: str) -> None:
    issuer = providers.recognise(key.encode())
    assert issuer is not None
    assert issuer.name == name
    assert providers.get(name).check(key.encode()) is None


@pytest.mark.parametrize(("name", "key"), FORMLESS)
def test_a_key_without_a_form_of_its_own_gets_no_warning(name: str, key: str) -> None:
    assert providers.get(name).check(key.encode()) is None


@pytest.mark.parametrize(
    "value", [b"", b"sk-", b"hunter2", b"hf_model", b"0a" * 16, X[:40].encode(), b"\xff" * 40]
)
def test_a_value_that_may_be_anybody_s_is_recognised_as_nobody_s(value: bytes) -> None:
    assert providers.recognise(value) is None


@pytest.mark.parametrize("name", providers.PROVIDERS.ours)
@given(data=st.data())
def test_every_distinct_key_is_recognised_whatever_else_it_might_be(
    name: str, data: st.DataObject
) -> None:
    """The table of beginnings leaves none out."""
    for pattern in providers.get(name).distinct:
        key = data.draw(st.from_regex(pattern, fullmatch=True))
        assert providers.recognise(key) is not None


def test_a_value_that_begins_as_no_key_does_loads_no_provider() -> None:
    program = """
import sys
from openclaw_cli import providers
assert providers.recognise(b"hunter2") is None
assert providers.recognise(b"xai-" + b"a" * 80).name == "xai"
print(sorted(name for name in sys.modules if name.startswith("openclaw_cli.providers.")))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    loaded = ["openclaw_cli.providers.provider", "openclaw_cli.providers.xai"]
    assert done.stdout.decode().strip() == str(loaded)


def test_a_key_of_another_service_is_pointed_out() -> None:
    warning = providers.get("openai").check(KEYS["anthropic"].encode())
    assert warning == "this looks like a key of Anthropic, not of OpenAI"


@pytest.mark.parametrize("name", ["anthropic", "groq", "telegram", "xai", "openrouter", "google"])
def test_a_key_cut_short_gets_a_warning(name: str) -> None:
    warning = providers.get(name).check(KEYS[name][: len(KEYS[name]) // 2].encode())
    assert warning is not None
    assert warning.startswith("this does not look like a key of")


def test_a_placeholder_gets_a_warning_that_says_what_a_key_looks_like() -> None:
    assert providers.get("openai").check(b"sk-xxx") == (
        "this does not look like a key of OpenAI: "
        "that is sk- and 48 or more letters, digits, - and _"
    )


@pytest.mark.parametrize("around", [" {}", "{}\n", "\t{}\r\n"])
def test_a_blank_around_a_key_is_pointed_out(around: str) -> None:
    warning = providers.get("openai").check(around.format(KEYS["openai"]).encode())
    assert warning == "the value has a space or a line break at its start or end"


@pytest.mark.parametrize("around", ['"{}"', "'{}'"])
def test_quotes_around_a_key_are_pointed_out(around: str) -> None:
    warning = providers.get("groq").check(around.format(KEYS["groq"]).encode())
    assert warning == "the value is wrapped in quotes"


def test_an_unknown_provider_is_refused_with_a_suggestion() -> None:
    with pytest.raises(ConfigError) as caught:
        providers.get("opnai")
    assert caught.value.hint.startswith("did you mean openai? ")


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("OPENAI_API_KEY", "openai"),
        ("AWS_ACCESS_KEY_ID", "aws"),
        ("GH_TOKEN", "github"),
        ("GEMINI_API_KEY", "gemini"),
        ("GOOGLE_API_KEY", "google"),
        ("PGPASSWORD", "postgres"),
    ],
)
def test_a_usual_variable_tells_the_provider(variable: str, name: str) -> None:
    issuer = providers.for_variable(variable)
    assert issuer is not None
    assert issuer.name == name


@pytest.mark.parametrize("variable", ["", "PATH", "DATABASE_URL", "openai_api_key", "API_KEY"])
def test_a_variable_that_may_hold_anything_tells_nothing(variable: str) -> None:
    assert providers.for_variable(variable) is None


@pytest.mark.parametrize(
    ("secret", "provider", "variable"),
    [
        ("openai-api-key", "openai", "OPENAI_API_KEY"),
        ("openai-api-key", "", "OPENAI_API_KEY"),
        ("prod/openai-api-key", "openai", "OPENAI_API_KEY"),
        ("prod/openai-api-key", "", "PROD_OPENAI_API_KEY"),
        ("openai", "openai", "OPENAI_API_KEY"),
        ("team/GitHub", "github", "GITHUB_TOKEN"),
        ("gh-token", "github", "GH_TOKEN"),
        ("my-key", "openai", "MY_KEY"),
        ("db.password", "generic", "DB_PASSWORD"),
        ("generic", "generic", "GENERIC"),
        ("0day", "", "_0DAY"),
        ("openai", "no-such-provider", "OPENAI"),
        ("vault:token", "vault", "VAULT_TOKEN"),
    ],
)
def test_a_secret_s_variable_is_its_provider_s_usual_one_or_its_name(
    secret: str, provider: str, variable: str
) -> None:
    assert providers.variable_for(secret, provider) == variable


@given(secret=st.text(max_size=40), provider=st.sampled_from(["", "openai", "aws", "generic", "?"]))
def test_any_name_at_all_makes_a_valid_variable(secret: str, provider: str) -> None:
    assert re.fullmatch(r"[A-Z_][A-Z0-9_]*", providers.variable_for(secret, provider))


def test_finding_one_provider_s_variable_loads_no_other_and_nothing_heavy() -> None:
    program = """
import sys
from pathlib import Path
before = set(sys.modules)
from openclaw_cli import providers
assert providers.variable_for("openai", "openai") == "OPENAI_API_KEY"
loaded = {name for name in set(sys.modules) - before if name.startswith("openclaw_cli.providers.")}
assert loaded == {"openclaw_cli.providers.provider", "openclaw_cli.providers.openai"}, loaded
heavy = {"re", "typing", "enum", "dataclasses", "json", "importlib.metadata"} - before
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_another_package_s_provider_is_asked_too_and_a_broken_one_stops_nothing(
    tmp_path: Path,
) -> None:
    dist = tmp_path / "acme-1.0.dist-info"
    dist.mkdir()
    (dist / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (dist / "entry_points.txt").write_text(
        "[openclaw_cli.provider]\nabroken = acme_broken:Broken\nacme = acme_provider:Acme\n"
    )
    (tmp_path / "acme_broken.py").write_text("raise RuntimeError\n")
    (tmp_path / "acme_provider.py").write_text(
        "from openclaw_cli.providers import Provider\n"
        "class Acme(Provider):\n"
        "    name, title, variables, distinct = 'acme', 'Acme', ('ACME_KEY',), (rb'acme_[a-z]+',)\n"
    )
    program = f"""
import sys
from pathlib import Path
sys.path.append({str(tmp_path)!r})
from openclaw_cli import providers
assert providers.recognise(b"acme_key").name == "acme"
assert providers.for_variable("ACME_KEY").name == "acme"
assert providers.variable_for("acme", "acme") == "ACME_KEY"
assert providers.names()[-2:] == ("abroken", "acme")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
