"""What articles write of secrets in a configuration, spelling by spelling, and what it means."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openclaw_cli import config, settings_file
from openclaw_cli.errors import ConfigError, NotFoundError, OpenclawError
from openclaw_cli.home import Home, find
from openclaw_cli.published import reading as published
from openclaw_cli.published.meaning import API_KEYS
from openclaw_cli.published.words import rotation
from openclaw_cli.settings import AGENTS, Settings, quick

C7 = """{
  "externalSecrets": {
    "claude-api-key": {"source": "env", "key": "CLAUDE_API_KEY"},
    "openai-api-key": {"source": "file", "path": "/etc/openclaw/secrets/openai.key"}
  }
}"""
C8 = """{"externalSecrets":
  {"provider": "aws-secrets-manager", "region": "ap-east-1", "cacheTTL": 300}}"""
C9 = """{"externalSecrets": {"anthropic": {"apiKey": {
  "source": "vault://aws-kms/anthropic/api-key", "cacheDuration": "1h", "rotationPolicy": "daily",
  "envVar": "ANTHROPIC_API_KEY"}}}}"""
C10 = """{"secrets": {
  "aws": {"provider": "external", "source": "vault", "rotation": "daily"},
  "openai": {"provider": "external", "source": "secrets-manager", "rotation": "weekly"},
  "encryption": {"provider": "external", "source": "aws-kms"}}}"""
C11 = '{"secrets": {"openai": {"api-key": "sk-xxx", "model": "…"}}}'
C18 = """{"anthropic": {"apiKey": "sk-ant-…"},
  "secrets": {"database": {"db-user": "ada", "db-password": "s3cret", "model": "…"}}}"""
C20 = """{"secrets": {"encryption": {"provider": "external", "source": "aws-kms",
  "rotation": "daily"}, "api-keys": {"source": "vault", "rotation": "weekly"}}}"""
EXAMPLES = {"C7": C7, "C8": C8, "C9": C9, "C10": C10, "C11": C11, "C18": C18, "C20": C20}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "state").mkdir()
    return find(os.environ)


def loaded(home: Home, text: str, name: str = "openclaw.json") -> Settings:
    Path(home.root, name).write_text(text)
    return config.load(home, {})


def without_origin(settings: Settings) -> dict[str, dict[str, Any]]:
    return {
        name: {key: value for key, value in each.items() if key != "origin"}
        for name, each in settings.names.items()
    }


def slips(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(".".join(each.path), each.fix) for each in published.read(document).slips]


def test_c7_names_resolve_through_a_backend(home: Home) -> None:
    settings = loaded(home, C7)
    assert without_origin(settings) == {
        "claude-api-key": {"reference": "env://CLAUDE_API_KEY"},
        "openai-api-key": {"reference": "file:///etc/openclaw/secrets/openai.key"},
    }
    assert settings.names["openai-api-key"]["origin"] == f"{home.root}/openclaw.json:4"


def test_c8_is_the_backend_of_all_names_with_its_settings(home: Home) -> None:
    settings = loaded(home, C8)
    assert settings["backend"] == "aws-secrets-manager"
    assert settings["cache.seconds"] == 300
    assert settings.backend("aws-secrets-manager") == {"region": "ap-east-1"}
    assert settings.origin["backend"] == f"{home.root}/openclaw.json:2"


def test_c9_is_a_reference_with_its_cache_its_rotation_and_its_variable(home: Home) -> None:
    assert without_origin(loaded(home, C9)) == {
        "anthropic/apiKey": {
            "reference": "vault://aws-kms/anthropic/api-key",
            "cache": 3600,
            "rotation": "daily",
            "variable": "ANTHROPIC_API_KEY",
        }
    }


def test_c10_is_a_backend_and_a_rotation_by_name(home: Home) -> None:
    settings = loaded(home, C10)
    assert without_origin(settings) == {
        "aws": {"reference": "vault://aws", "rotation": "daily"},
        "openai": {"reference": "aws-secrets-manager://openai", "rotation": "weekly"},
    }
    assert settings.values["encryption"] == {"slot": "aws-kms"}


@pytest.mark.parametrize(
    ("word", "backend"),
    [
        ("vault", "vault"),
        ("hashiCorp-vault", "vault"),
        ("hashicorp_vault", "vault"),
        ("HashiCorp Vault", "vault"),
        ("openbao", "vault"),
        ("secrets-manager", "aws-secrets-manager"),
        ("aws-secrets-manager", "aws-secrets-manager"),
        ("awsSecretsManager", "aws-secrets-manager"),
        ("parameter-store", "aws-parameter-store"),
        ("aws-ssm", "aws-parameter-store"),
        ("keychain", "keyring"),
        ("aws-kms", "local"),
        ("local", "local"),
    ],
)
def test_a_backend_is_known_by_each_of_its_names(word: str, backend: str) -> None:
    document = {"secrets": {"x": {"provider": "external", "source": word}}}
    assert published.read(document).names["x"]["reference"] == f"{backend}://x"


def test_c11_plain_text_is_known_by_its_key_and_never_compiled(home: Home) -> None:
    settings = loaded(home, C11)
    assert settings.plaintext == {
        "openai/api-key": {
            "origin": f"{home.root}/openclaw.json:1",
            "keys": ["secrets", "openai", "api-key"],
        }
    }
    assert "sk-xxx" not in Path(home.root, "compiled").read_text()


def test_c18_finds_two_secrets_and_a_key_at_the_top(home: Home) -> None:
    assert set(loaded(home, C18).plaintext) == {
        "anthropic/apiKey",
        "database/db-user",
        "database/db-password",
    }


@pytest.mark.parametrize("environment", ["prod", "production"])
def test_c18_plain_text_is_refused_in_production(home: Home, environment: str) -> None:
    loaded(home, C18)
    there = Home(home.root, environment)
    assert quick(there, {}) is None
    with pytest.raises(ConfigError) as refused:
        config.load(there, {})
    assert refused.value.status == 78
    assert f"{home.root}/openclaw.json, line 1: anthropic.apiKey is plain text" in str(
        refused.value
    )
    assert "sk-ant" not in str(refused.value) + refused.value.hint
    assert not config.load(Home(home.root, "staging"), {}).plaintext
    assert config.load(home, {}).plaintext


@pytest.mark.parametrize("name", EXAMPLES)
def test_c17_a_wrapper_changes_nothing(home: Home, name: str) -> None:
    plain = published.read(json.loads(EXAMPLES[name]))
    wrapped = published.read({"openclaw": json.loads(EXAMPLES[name])})
    assert (wrapped.names, wrapped.encryption) == (plain.names, plain.encryption)
    assert set(wrapped.plaintext) == set(plain.plaintext)
    assert [(each.name, each.value) for each in wrapped.settings] == [
        (each.name, each.value) for each in plain.settings
    ]
    Path(home.root, "openclaw.json").write_text(f'{{"openclaw": {EXAMPLES[name]}}}')
    assert config.check(f"{home.root}/openclaw.json") == []


def test_c20_a_default_for_api_keys_is_not_a_secret_of_that_name(home: Home) -> None:
    settings = loaded(home, C20)
    assert without_origin(settings) == {API_KEYS: {"backend": "vault", "rotation": "weekly"}}
    assert settings.values["encryption"] == {"slot": "aws-kms", "rotation": "daily"}


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("file", ["openclaw.json", "openclaw.yaml", "openclaw.yml"])
def test_c27_the_same_as_yaml(home: Home, name: str, file: str) -> None:
    import yaml

    wanted = published.read(json.loads(EXAMPLES[name]))
    text = yaml.safe_dump(json.loads(EXAMPLES[name]), allow_unicode=True)
    settings = loaded(home, f"# in YAML\n{text}", file)
    assert without_origin(settings) == wanted.names
    assert set(settings.plaintext) == set(wanted.plaintext)
    for said in wanted.settings:
        assert settings[said.name] == said.value


def test_c27_a_mistake_in_yaml_has_its_line(home: Home) -> None:
    path = Path(home.root, "openclaw.yaml")
    path.write_text("# source: env\nexternalSecrets:\n  x:  # a name\n    sorce: env\n    key: K\n")
    found = config.check(str(path))
    assert [(each.line, each.fix) for each in found] == [(4, "did you mean source?")]
    path.write_text("a: [\n")
    assert config.check(str(path))[0].what == "this is not YAML"


def test_c27_yaml_that_could_grow_is_refused(home: Home) -> None:
    path = Path(home.root, "openclaw.yaml")
    path.write_text("a: &a [x, x]\nb: [*a, *a]\n")
    assert [each.line for each in config.check(str(path))] == [2]
    path.write_text("a: " + "[" * 100 + "]" * 100)
    assert config.check(str(path))
    path.write_text("a: !!python/object/apply:os.getcwd []\n")
    assert config.check(str(path))


@pytest.mark.parametrize(
    "keys",
    [
        ("externalSecrets", "cacheDuration", "rotationPolicy", "envVar"),
        ("external-secrets", "cache-duration", "rotation-policy", "env-var"),
        ("external_secrets", "cache_duration", "rotation_policy", "env_var"),
    ],
)
def test_spellings_of_a_key_mean_the_same(keys: tuple[str, str, str, str]) -> None:
    top, cache, policy, variable = keys
    document = {top: {"a": {"source": "vault", cache: 60, policy: "weekly", variable: "A"}}}
    assert published.read(document).names == {
        "a": {"reference": "vault://a", "cache": 60, "rotation": "weekly", "variable": "A"}
    }


@pytest.mark.parametrize("text", ["sk-xxx", "postgres://user:pass@host/db", "$PATH", "a: b"])
def test_a_plain_text_is_one_whatever_it_looks_like(text: str) -> None:
    assert set(published.read({"secrets": {"a": text}}).plaintext) == {"a"}


@pytest.mark.parametrize(
    ("text", "reference"),
    [("${OPENAI_API_KEY}", "env://OPENAI_API_KEY"), ("vault://team/db#key", "vault://team/db#key")],
)
def test_a_reference_in_the_place_of_a_value_is_no_plain_text(text: str, reference: str) -> None:
    meaning = published.read({"secrets": {"openai": {"api-key": text}}})
    assert meaning.names == {"openai/api-key": {"reference": reference}}
    assert not meaning.plaintext


def test_the_gateways_own_keys_are_left_alone_in_silence(home: Home) -> None:
    text = json.dumps(
        {
            "secrets": {
                "providers": {"x": {"source": "exec", "command": "/x", "args": ["a"]}},
                "defaults": {"env": "default"},
                "resolution": {"maxProviderConcurrency": 4},
            },
            "agents": {
                "list": [{"id": "main"}],
                "entries": {},
                "defaults": {"threadBound": True},
                "x": {"type": "thread-bound", "model": "claude", "max-concurrency": 100},
            },
            "channels": {"telegram": {"botToken": "t"}, "slack": {"token": "t"}},
            "telegram": {"botToken": "t", "token": "t"},
            "models": {"providers": {"openai": {"apiKey": "sk-theirs"}}},
            "gateway": {"host": "127.0.0.1", "port": 18789, "auth": {"token": "t"}},
            "threadManagement": {"maxThreads": 100},
            "auditLog": {"enabled": True, "storage": "qdrant://audit-logs"},
            "agentPermissions": {"deniedCommands": ["rm"]},
            "monitoring": {"secrets": {"metrics": ["access-count"]}},
            "cron": [{"name": "rotate-secrets", "schedule": "0 3 * * *"}],
            "memory": {"max-age": "30d"},
            "sandbox": {"docker": {"enabled": True}},
            "defaultModel": "claude",
        }
    )
    settings = loaded(home, text)
    assert settings.values == {AGENTS: {"x": f"{home.root}/openclaw.json"}}
    assert config.check(f"{home.root}/openclaw.json") == []


@pytest.mark.parametrize(
    ("document", "key", "fix"),
    [
        ({"a": {"sorce": "env"}}, "externalSecrets.a.sorce", "source"),
        ({"a": {"source": "env"}}, "externalSecrets.a.source", '"key"'),
        ({"a": {"source": "file"}}, "externalSecrets.a.source", '"path"'),
        ({"a": {"source": "vualt"}}, "externalSecrets.a.source", "did you mean vault?"),
        ({"a": {"source": "qdrant"}}, "externalSecrets.a.source", "known: local, env"),
        ({"a": {"source": "op://x/y"}}, "externalSecrets.a.source", "backend://path"),
        ({"a": {"source": "gcp://x/y"}}, "externalSecrets.a.source", "known: local, env"),
        ({"a": {"source": "env", "key": "A B"}}, "externalSecrets.a.key", "letters, digits"),
        ({"a": {"source": "env", "key": 7}}, "externalSecrets.a.key", "where env has it"),
        ({"a": {"source": "vault", "path": "../x"}}, "externalSecrets.a.path", "backend://"),
        ({"a b": {"source": "vault", "path": "x"}}, "externalSecrets.a b", "use letters"),
        ({"a": {"source": "vault", "cache": "long"}}, "externalSecrets.a.cache", "1h"),
        ({"a": {"source": "vault", "rotation": "often"}}, "externalSecrets.a.rotation", "weekly"),
        ({"a": {"source": "vault", "envVar": "1A"}}, "externalSecrets.a.envVar", "letters"),
        ({"a": {"source": "vault", "keys": "x"}}, "externalSecrets.a.keys", "did you mean key?"),
        ({"a": {}}, "externalSecrets.a", "source"),
        ({"provider": "qdrant"}, "externalSecrets.provider", "known: local, env"),
        ({"provider": "external"}, "externalSecrets.provider", "known: local, env"),
        ({"region": "eu-west-1"}, "externalSecrets.region", "provider"),
        (
            {"provider": "vault", "regoin": "x"},
            "externalSecrets.regoin",
            "known: ",
        ),
    ],
)
def test_a_mistake_has_its_key_and_its_mend(document: dict[str, Any], key: str, fix: str) -> None:
    found = slips({"externalSecrets": document})
    assert key in [each for each, _ in found]
    assert any(fix in mend for each, mend in found if each == key), found


@pytest.mark.parametrize(
    "document",
    [
        {"externalSecrets": {"a": {"source": "exec", "command": "/bin/sh", "args": ["-c", "x"]}}},
        {"externalSecrets": {"a": {"source": "vault", "address": "https://evil.example"}}},
        {"externalSecrets": {"provider": "vault", "address": "https://evil.example"}},
        {"externalSecrets": {"provider": "aws-secrets-manager", "endpoint": "https://evil"}},
        {"externalSecrets": {"provider": "vault", "skip-verify": True}},
        {"externalSecrets": {"provider": "vault", "proxy": "http://evil.example"}},
        {"externalSecrets": {"provider": "exec", "command": "/bin/sh"}},
        {"backends": {"exec": {"command": "/bin/sh"}}},
        {"backends": {"vault": {"address": "https://evil.example", "mount": "secret"}}},
        {"openclaw": {"backends": {"vault": {"address": "https://evil.example"}}}},
    ],
)
def test_no_program_and_no_address_is_taken_from_a_shared_file(
    home: Home, document: dict[str, Any]
) -> None:
    path = Path(home.root, "openclaw.json")
    path.write_text(json.dumps(document))
    found = config.check(str(path))
    assert any("not taken from this file" in each.what for each in found)
    assert all("settings.toml" in each.fix for each in found if "not taken" in each.what)
    with pytest.raises(ConfigError):
        config.load(home, {})


def test_the_settings_file_takes_the_same_spelling(home: Home) -> None:
    text = """
versions = 3
[external-secrets.claude]
source = "env"
key = "CLAUDE"
[secrets]
plain = "sk-xxx"
""".replace("versions = 3", "store.versions = 3")
    settings = loaded(home, text, "settings.toml")
    assert without_origin(settings) == {"claude": {"reference": "env://CLAUDE"}}
    assert set(settings.plaintext) == {"plain"}
    settings_file.change(home, "store.versions", "4")
    after = config.load(home, {})
    assert after["store.versions"] == 4
    assert without_origin(after) == {"claude": {"reference": "env://CLAUDE"}}


def test_names_of_two_files_come_together_and_ours_win(home: Home) -> None:
    Path(home.root, "openclaw.yaml").write_text("externalSecrets: {a: {source: env, key: A}}\n")
    Path(home.root, "settings.toml").write_text("externalSecrets.b = {source='env', key='X'}\n")
    settings = loaded(
        home, '{"externalSecrets": {"b": {"source": "env", "key": "B"}, "c": "env://C"}}'
    )
    assert {name: each["reference"] for name, each in settings.names.items()} == {
        "a": "env://A",
        "b": "env://X",
        "c": "env://C",
    }


def test_a_name_that_is_said_twice_is_a_mistake() -> None:
    document = {
        "externalSecrets": {"a": {"source": "env", "key": "A"}},
        "external-secrets": {"a": {"source": "env", "key": "B"}},
    }
    assert slips(document) == [("external-secrets.a", "keep one; the other: externalSecrets.a")]


def test_what_is_nearly_ours_is_asked_about() -> None:
    assert slips({"externalSecret": {}}) == [("externalSecret", "did you mean externalSecrets?")]


def test_a_value_is_read_from_the_file_as_it_is_now(home: Home) -> None:
    place = loaded(home, C11).plaintext["openai/api-key"]
    Path(home.root, "openclaw.json").write_text(C11.replace("sk-xxx", "sk-new"))
    assert config.plain_value(place["origin"], place["keys"]).reveal() == b"sk-new"
    Path(home.root, "openclaw.json").write_text("{}")
    with pytest.raises(NotFoundError):
        config.plain_value(place["origin"], place["keys"])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("daily", "daily"),
        ("Weekly", "weekly"),
        ("monthly", "monthly"),
        ("every:12h", "every:12h"),
        ("90d", "every:12w6d"),
        ("cron:0 3 * * *", "cron:0 3 * * *"),
        ("0 3 * * *", "cron:0 3 * * *"),
        ("never", ""),
        (False, ""),
        ("often", None),
        ("every:0s", None),
        (7, None),
    ],
)
def test_a_rotation_is_written_as_people_do(written: object, meant: str | None) -> None:
    assert rotation(written) == meant


# Words that the reader knows, so that hypothesis comes past the first lines; then anything.
_KEYS = st.sampled_from(
    [
        *(
            "openclaw",
            "externalSecrets",
            "secrets",
            "encryption",
            "api-keys",
            "anthropic",
            "openai",
        ),
        *("source", "provider", "key", "path", "field", "rotation", "cacheTTL", "envVar", "region"),
        *("backends", "vault", "exec", "command", "api-key", "model", "providers", "a", "b c"),
    ]
)
_WORDS = st.sampled_from(
    ["env", "file", "vault", "external", "aws-kms", "exec", "daily", "1h", "vault://a/b", "env://A"]
)
_PRIVATE = st.integers(0, 10**9).map(lambda number: f"PRIVATE{number}")
_LEAVES = st.one_of(
    _WORDS, _PRIVATE, st.text(max_size=5), st.none(), st.booleans(), st.integers(), st.floats()
)
_DOCUMENTS = st.dictionaries(
    _KEYS | st.text(max_size=3),
    st.recursive(
        _LEAVES,
        lambda inner: (
            st.dictionaries(_KEYS | st.text(max_size=3), inner, max_size=4)
            | st.lists(inner, max_size=2)
        ),
        max_leaves=12,
    ),
    max_size=4,
)


def leaves(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for inner in node.values():
            yield from leaves(inner)
    elif isinstance(node, str):
        yield node


@given(_DOCUMENTS)
@example({"secrets": {"a": {"source": "PRIVATE1"}}})
@example({"externalSecrets": {"a": {"source": "env", "key": "PRIVATE 1"}, "cacheTTL": "PRIVATE2"}})
@example({"externalSecrets": {"provider": "vault", "mount": 1, "region": "PRIVATE3"}})
def test_any_document_gives_settings_or_mistakes_and_never_a_value(
    document: dict[str, Any],
) -> None:
    meaning = published.read(document)
    said = [f"{each.what} {each.fix}" for each in meaning.slips]
    private = {leaf for leaf in leaves(document) if leaf.startswith("PRIVATE")}
    assert not [text for text in said for leaf in private if leaf in text]
    kept = json.dumps([list(meaning.plaintext), [each.path for each in meaning.slips]])
    assert not [leaf for leaf in private if leaf in kept]
    for name in (*meaning.names, *meaning.plaintext):
        assert name in meaning.places


@given(_DOCUMENTS)
def test_any_file_is_loaded_or_refused_by_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("any") / "openclaw.json"
    path.write_text(json.dumps(document))
    home = Home(str(path.parent))
    private = [leaf for leaf in leaves(document) if leaf.startswith("PRIVATE")]
    try:
        settings = config.load(home, {})
    except OpenclawError as refused:
        settings = Settings({}, {})
        said = refused.message + refused.hint
        assert not [leaf for leaf in private if leaf in said]
    for name, each in settings.plaintext.items():
        value = config.plain_value(each["origin"], each["keys"]).reveal()
        assert value in [leaf.encode() for leaf in leaves(document)], name


@given(st.text(max_size=200))
@example("a: \udc80")
@example("? [a]\n: b")
@example("2026-11-20: 1")
@example("a: 2026-99-99")
def test_any_text_is_loaded_or_refused_by_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.mktemp("any") / "openclaw.yaml"
    path.write_bytes(text.encode(errors="surrogatepass"))
    try:
        config.load(Home(str(path.parent)), {})
    except OpenclawError:
        return
