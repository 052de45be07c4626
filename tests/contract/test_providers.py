"""Every provider of the table keeps the contract, and none claims what is another's."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_cli import providers
from openclaw_cli.providers import Provider
from openclaw_cli.testing.providers import ProviderContract


class TestEveryProvider(ProviderContract):
    @pytest.fixture(params=providers.PROVIDERS.ours)
    def provider(self, request: pytest.FixtureRequest) -> Provider:
        return providers.get(request.param)


ALL = [providers.get(name) for name in providers.PROVIDERS.ours]


def test_a_provider_is_called_what_its_line_in_the_table_says() -> None:
    assert [one.name for one in ALL] == list(providers.PROVIDERS.ours)


def test_no_two_providers_claim_one_variable() -> None:
    claims = [variable for one in ALL for variable in one.variables]
    assert len(claims) == len(set(claims))


@pytest.mark.parametrize("provider", [one for one in ALL if one.distinct], ids=lambda p: p.name)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_distinct_form_is_recognised_as_no_other_provider_s(
    provider: Provider, data: st.DataObject
) -> None:
    for pattern in provider.distinct:
        value = data.draw(st.from_regex(pattern, fullmatch=True))
        assert [one.name for one in ALL if one.recognises(value)] == [provider.name]
