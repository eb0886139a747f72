"""Guessing at the look-up finds nothing and learns nothing; the long run is `python -m tests.benchmarks.guesses`."""

from pathlib import Path

from tests.benchmarks.guesses import run
from tests.factories.public_register import PublicRegister
from verifier.check.checker import Checker
from verifier.record.register import SqlRegister
from verifier.record.verdict import Verdict


def test_no_guess_hits_and_all_refusals_are_one(tmp_path: Path) -> None:
    found = run(4_000, 150, 40, tmp_path)
    assert (found["hits"], found["http_hits"], found["bodies"]) == (0, 0, 1)
    assert found["limited_after"] <= 20


class Counted(SqlRegister):
    """A register that writes down what it was asked."""

    asked: list[tuple[str, int]]

    def by_holder_digest(self, digest: str) -> None:
        self.asked.append(("holder", len(digest)))
        return super().by_holder_digest(digest)  # type: ignore[return-value]

    def by_number_digest(self, digest: str) -> None:
        self.asked.append(("number", len(digest)))
        return super().by_number_digest(digest)  # type: ignore[return-value]


def test_a_wrong_name_and_a_wrong_number_take_the_same_steps(register: PublicRegister) -> None:
    """Not timed: what is done is compared, and it is the same single question of the same length."""
    one = register.publish()
    counted = Counted(register.settings.register_database)
    key = (register.folder / "keys" / "lookup.key").read_bytes()
    checker = Checker(counted, lambda: register.bench.key_set, key, lambda: register.bench.key_set.generated_at, ())
    steps = []
    for number, name in ((one.claims.management_no, "别人"), ("0", one.claims.name), ("0", "别人")):
        counted.asked = []
        assert checker.check_number(number, name).verdict is Verdict.NOT_FOUND
        steps.append(counted.asked)
    assert steps == [[("holder", 64)]] * 3
    counted.close()
