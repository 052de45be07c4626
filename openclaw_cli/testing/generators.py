"""What every generator promises. Needs pytest.

class TestAcme(GeneratorContract):
    @pytest.fixture
    def generator(self):
        return Acme()
"""

from __future__ import annotations

import os
import warnings

import pytest

from openclaw_cli.rotation.generators import MINIMUM_BITS, Generator

# The most a version may hold.
_LARGEST = 64 * 1024


class GeneratorContract:
    @pytest.fixture
    def generator(self) -> Generator:
        raise NotImplementedError

    def test_no_two_values_are_the_same(self, generator: Generator) -> None:
        assert generator.generate().value != generator.generate().value

    def test_a_value_is_printable_and_fits_a_version(self, generator: Generator) -> None:
        value = generator.generate().value
        assert 0 < len(value) <= _LARGEST
        assert value.decode("ascii").replace("\n", "").isprintable()

    def test_the_entropy_is_said_and_is_enough(self, generator: Generator) -> None:
        assert generator.entropy_bits >= MINIMUM_BITS
        assert generator.generate().entropy_bits == generator.entropy_bits
        assert f"{int(generator.entropy_bits)} bits" in generator.describe()

    def test_the_entropy_is_no_more_than_the_value_can_hold(self, generator: Generator) -> None:
        assert generator.entropy_bits <= 8 * len(generator.generate().value)

    def test_what_is_shown_of_a_generated_value_is_not_the_value(
        self, generator: Generator
    ) -> None:
        made = generator.generate()
        assert made.value.decode("ascii") not in repr(made)
        assert made.value.decode("ascii") not in generator.describe()
        assert made.public is None or made.value.decode("ascii") not in made.public

    def test_children_of_one_process_make_different_values(self, generator: Generator) -> None:
        values = {_value_of_a_child(generator) for _ in range(2)}
        assert len(values | {generator.generate().value}) == 3  # noqa: PLR2004 - two and ours


def _value_of_a_child(generator: Generator) -> bytes:
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # From 3.12 Python warns of threads, which test runners have; this child needs none.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            os.write(writing, generator.generate().value)
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        value = pipe.read()
    os.waitpid(child, 0)
    return value
