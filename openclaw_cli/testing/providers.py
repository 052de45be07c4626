"""What every provider promises. Needs pytest and hypothesis.

class TestAcme(ProviderContract):
    @pytest.fixture
    def provider(self):
        return Acme()
"""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openclaw_cli.providers import CHOSEN, MINTED, PERSON, Provider, variable_for

# `--provider` takes a backend's name as well: people say it for both.
BACKENDS = frozenset(
    (
        "local",
        "vault",
        "aws-secrets-manager",
        "aws-parameter-store",
        "keyring",
        "env",
        "file",
        "exec",
    )
)

# A provider is data and keeps nothing, so one may serve all examples.
_examples = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)


class ProviderContract:
    @pytest.fixture
    def provider(self) -> Provider:
        raise NotImplementedError

    def test_its_name_is_a_plain_word_and_no_backend_s(self, provider: Provider) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", provider.name)
        assert provider.name not in BACKENDS
        assert provider.title

    def test_its_variables_are_valid_and_the_first_is_the_usual_one(
        self, provider: Provider
    ) -> None:
        assert all(re.fullmatch(r"[A-Z_][A-Z0-9_]*", one) for one in provider.variables)
        assert len(set(provider.variables)) == len(provider.variables)
        assert provider.variable == next(iter(provider.variables), "")

    def test_it_says_where_a_key_comes_from(self, provider: Provider) -> None:
        assert provider.page.startswith("https://") or provider.name == "generic"

    def test_it_says_whether_an_api_rotates_it_and_why(self, provider: Provider) -> None:
        assert provider.rotation in {CHOSEN, MINTED, PERSON}
        assert provider.rotates_by_api == (provider.rotation != PERSON)
        assert provider.how
        assert "\n" not in provider.how
        assert not provider.how.endswith(".")

    def test_who_checks_a_form_can_describe_it(self, provider: Provider) -> None:
        assert bool(provider.looks) == bool(provider.distinct or provider.plausible)

    @_examples
    @given(data=st.data())
    def test_what_fits_its_form_gets_no_warning(
        self, provider: Provider, data: st.DataObject
    ) -> None:
        for pattern in provider.distinct + provider.plausible:
            assert provider.check(data.draw(st.from_regex(pattern, fullmatch=True))) is None

    @_examples
    @given(data=st.data())
    def test_it_recognises_its_distinct_forms(
        self, provider: Provider, data: st.DataObject
    ) -> None:
        for pattern in provider.distinct:
            assert provider.recognises(data.draw(st.from_regex(pattern, fullmatch=True)))

    @_examples
    @given(value=st.binary(max_size=300))
    def test_a_look_at_any_bytes_ends_in_a_warning_or_none(
        self, provider: Provider, value: bytes
    ) -> None:
        warning = provider.check(value)
        assert warning is None or (warning and "\n" not in warning)

    @_examples
    @given(
        value=st.binary(min_size=1, max_size=60),
        shorter=st.integers(1, 60),
        pattern=st.integers(0, 20),
        data=st.data(),
    )
    def test_a_warning_tells_nothing_of_the_value(
        self, provider: Provider, value: bytes, shorter: int, pattern: int, data: st.DataObject
    ) -> None:
        """Only a few sentences exist, none of which depends on what was looked at."""
        patterns = provider.distinct + provider.plausible
        if patterns:
            form = patterns[pattern % len(patterns)]
            value = data.draw(st.from_regex(form, fullmatch=True))[:-shorter] + value
        warning = provider.check(value)
        assert warning is None or warning in {
            "the value has a space or a line break at its start or end",
            "the value is wrapped in quotes",
            f"this does not look like a key of {provider.title}: that is {provider.looks}",
        } | {_taken_for(other, provider) for other in _titles()}

    def test_its_secrets_get_a_variable_whatever_their_name(self, provider: Provider) -> None:
        for name in ("a", "0", "prod/api-key.v2", provider.name, f"prod/{provider.name}"):
            assert re.fullmatch(r"[A-Z_][A-Z0-9_]*", variable_for(name, provider.name))


def _titles() -> list[str]:
    from openclaw_cli import providers

    return [providers.get(name).title for name in providers.names()]


def _taken_for(title: str, provider: Provider) -> str:
    return f"this looks like a key of {title}, not of {provider.title}"
