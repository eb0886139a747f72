"""Two people on one case at the same moment: how often it is tried, and what one winner means."""

from collections.abc import Callable

from issuer.errors import ConflictError
from tests.factories.small_world import race

ROUNDS = 10


def one_winner(*acts: Callable[[], object]) -> int:
    """Do all acts at once; the number of the one that went through. The others must be clear conflicts, in two
    languages and with a code; anything else, or two winners, or none, fails."""
    results = race(*acts)
    winners = [number for number, result in enumerate(results) if not isinstance(result, Exception)]
    losers = [result for result in results if isinstance(result, Exception)]
    assert len(winners) == 1, results
    for loser in losers:
        assert isinstance(loser, ConflictError), repr(loser)
        assert loser.code and loser.words.zh and loser.words.en
    return winners[0]
