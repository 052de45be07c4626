from __future__ import annotations

import math
import string
from collections import Counter
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from openclaw_cli.errors import UsageError
from openclaw_cli.rotation.generators.password import SYMBOLS, Password

CLASSES = {
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "digits": string.digits,
    "symbols": SYMBOLS,
}
uses = st.sampled_from(("yes", "no", "optional"))


@settings(max_examples=200, deadline=None)
@given(
    length=st.integers(1, 80),
    use=st.fixed_dictionaries(dict.fromkeys(CLASSES, uses)),
    ambiguous=st.sampled_from(("yes", "no")),
    exclude=st.text(alphabet=string.ascii_letters + string.digits + SYMBOLS, max_size=12),
)
def test_every_password_meets_its_policy(
    length: int, use: dict[str, str], ambiguous: str, exclude: str
) -> None:
    try:
        password = Password(length=length, **use, ambiguous=ambiguous, exclude=exclude)
    except UsageError:
        assume(False)
    value = password.generate().value.decode("ascii")
    assert len(value) == length
    assert not set(value) & set(exclude)
    if ambiguous == "no":
        assert not set(value) & set("0O1Il|")
    for name, characters in CLASSES.items():
        if use[name] == "yes":
            assert set(value) & set(characters)
        if use[name] == "no":
            assert not set(value) & set(characters)


def test_the_entropy_is_the_exact_count_of_what_the_policy_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("openclaw_cli.rotation.generators.generator.MINIMUM_BITS", 0)
    keep = "ab" + "01" + "-"
    exclude = "".join(set("".join(CLASSES.values())) - set(keep))
    small = Password(length=4, upper="no", symbols="optional", exclude=exclude)
    every = ["".join(word) for word in product(keep, repeat=4)]
    allowed = [word for word in every if set(word) & set("ab") and set(word) & set("01")]
    assert small.entropy_bits == pytest.approx(math.log2(len(allowed)), abs=1e-12)


def test_required_classes_cost_entropy_and_optional_ones_do_not() -> None:
    free = Password(lower="optional", upper="optional", digits="optional", symbols="optional")
    assert free.entropy_bits == pytest.approx(24 * math.log2(66), abs=1e-9)
    assert Password().entropy_bits < free.entropy_bits


def test_every_password_a_policy_allows_is_as_likely_as_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("openclaw_cli.rotation.generators.generator.MINIMUM_BITS", 0)
    exclude = "".join(set("".join(CLASSES.values())) - set("ab01"))
    small = Password(length=3, upper="no", symbols="no", exclude=exclude)
    drawn = Counter(small.generate().value for _ in range(24_000))
    assert len(drawn) == round(2**small.entropy_bits) == 48
    expected = 24_000 / 48
    chi_squared = sum((seen - expected) ** 2 / expected for seen in drawn.values())
    assert chi_squared < 110  # 47 degrees of freedom: 1 run in 1,000,000 has more


def test_every_character_of_the_alphabet_is_as_likely_as_any_other() -> None:
    letters = Password(length=1024, upper="no", digits="no", symbols="no")
    drawn = Counter(b"".join(letters.generate().value for _ in range(60)))
    expected = 60 * 1024 / 26
    chi_squared = sum((seen - expected) ** 2 / expected for seen in drawn.values())
    assert len(drawn) == 26
    assert chi_squared < 75  # 25 degrees of freedom: 1 run in 1,000,000 has more


def test_a_hundred_thousand_passwords_hold_no_two_alike() -> None:
    password = Password(
        length=12, lower="optional", upper="optional", digits="optional", symbols="optional"
    )
    assert len({password.generate().value for _ in range(100_000)}) == 100_000


def test_symbols_may_be_chosen() -> None:
    value = Password(length=400, symbols="!#").generate().value.decode("ascii")
    assert set(value) & set(string.punctuation) == set("!#")


def test_a_class_that_is_wanted_and_left_out_is_refused() -> None:
    with pytest.raises(UsageError, match="wants digits and leaves every one of them out") as caught:
        Password(exclude=string.digits)
    assert caught.value.hint == "say digits=no"


def test_the_default_passes_through_a_url_and_a_dotenv_file_unchanged() -> None:
    from urllib.parse import quote

    value = Password(length=1024).generate().value.decode("ascii")
    assert quote(value, safe="") == value
    assert not set(value) & set(" #$'\"\\`")
