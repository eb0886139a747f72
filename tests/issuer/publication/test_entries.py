"""Status-list entries: each once, and telling nothing of their neighbours."""

import itertools

import pytest

from issuer.publication.entries import list_entry
from verifier.record.status_list import LIST_ENTRIES

KEY = bytes(range(32))


def test_a_whole_list_is_filled_without_a_repeat() -> None:
    given = [list_entry(n, KEY) for n in range(LIST_ENTRIES)]
    assert {list_id for list_id, _ in given} == {"1"}
    assert {index for _, index in given} == set(range(LIST_ENTRIES))
    assert list_entry(LIST_ENTRIES, KEY)[0] == "2"


def test_places_issued_one_after_another_lie_scattered() -> None:
    indexes = [list_entry(n, KEY)[1] for n in range(2000)]
    gaps = [abs(later - earlier) for earlier, later in itertools.pairwise(indexes)]
    # A third of the list is the mean distance of two places drawn at random.
    assert LIST_ENTRIES * 0.30 < sum(gaps) / len(gaps) < LIST_ENTRIES * 0.37
    assert sum(gap < 100 for gap in gaps) < 15


def test_the_order_depends_on_the_key_and_on_the_list() -> None:
    one = [list_entry(n, KEY)[1] for n in range(50)]
    assert one != [list_entry(n, bytes(32))[1] for n in range(50)]
    assert one != [list_entry(LIST_ENTRIES + n, KEY)[1] for n in range(50)]
    assert one == [list_entry(n, KEY)[1] for n in range(50)]


def test_counting_begins_at_nought() -> None:
    with pytest.raises(ValueError):
        list_entry(-1, KEY)
