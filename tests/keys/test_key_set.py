"""The published key set says the same after writing and reading, and refuses what contradicts itself."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from keys.public.keyset import KeySet, KeySetMalformedError, UnknownKeyError, key_id, load_key_set
from keys.public.purposes import KeyPurpose


def test_reads_back_what_it_wrote(key_set: KeySet) -> None:
    again = KeySet.from_json(json.loads(json.dumps(key_set.to_json())))
    assert again.to_json() == key_set.to_json()
    assert [key.kid for key in again.keys] == [key.kid for key in key_set.keys]


def test_has_one_key_for_each_purpose(key_set: KeySet) -> None:
    assert sorted(key.purpose for key in key_set.keys) == sorted(KeyPurpose)
    assert all(key.kid == key_id(key.public_key) for key in key_set.keys)


@pytest.mark.parametrize("purpose", list(KeyPurpose))
def test_a_key_is_found_for_its_own_purpose_only(key_set: KeySet, purpose: KeyPurpose) -> None:
    kid = key_set.current(purpose).kid
    assert key_set.find(kid, purpose).purpose is purpose
    for other in set(KeyPurpose) - {purpose}:
        with pytest.raises(UnknownKeyError):
            key_set.find(kid, other)


def test_current_is_the_newest_key_not_retired(key_set: KeySet, now: datetime) -> None:
    first = key_set.current(KeyPurpose.LOG)
    later = replace(first, kid="later", not_before=first.not_before + timedelta(days=1))
    assert replace(key_set, keys=(later, *key_set.keys)).current(KeyPurpose.LOG).kid == "later"
    retired = replace(later, retired_at=now)
    assert replace(key_set, keys=(retired, *key_set.keys)).current(KeyPurpose.LOG).kid == first.kid
    with pytest.raises(UnknownKeyError):
        replace(key_set, keys=(retired,)).current(KeyPurpose.LOG)


def test_a_retired_key_may_have_signed_until_it_was_retired(key_set: KeySet, now: datetime) -> None:
    key = replace(key_set.current(KeyPurpose.LOG), retired_at=now)
    assert key.may_have_signed_at(now - timedelta(minutes=1))
    assert not key.may_have_signed_at(now + timedelta(minutes=1))
    assert not key.may_have_signed_at(key.not_before - timedelta(seconds=1))


def _another_purpose(data: dict[str, Any]) -> None:
    data["keys"][0]["use"] = "ceremonial"


def _other_coordinates(data: dict[str, Any]) -> None:
    data["keys"][0]["x"], data["keys"][1]["x"] = data["keys"][1]["x"], data["keys"][0]["x"]


def _other_id(data: dict[str, Any]) -> None:
    data["keys"][0]["kid"] = "0" * 16


def _longer_life(data: dict[str, Any]) -> None:
    data["keys"][0]["exp"] += 1


def _no_certificate(data: dict[str, Any]) -> None:
    data["keys"][0]["x5c"] = []


def _broken_certificate(data: dict[str, Any]) -> None:
    data["keys"][0]["x5c"] = ["AAAA"]


def _broken_anchor(data: dict[str, Any]) -> None:
    data["anchors"] = ["-----BEGIN CERTIFICATE-----"]


def _not_a_list(data: dict[str, Any]) -> None:
    data["keys"] = 7


def _no_crls(data: dict[str, Any]) -> None:
    del data["crls"]


def _far_future(data: dict[str, Any]) -> None:
    data["keys"][0]["retired"] = 10**30


@pytest.mark.parametrize(
    "spoil",
    [
        _another_purpose,
        _other_coordinates,
        _other_id,
        _longer_life,
        _no_certificate,
        _broken_certificate,
        _broken_anchor,
        _not_a_list,
        _no_crls,
        _far_future,
    ],
)
def test_refuses_a_set_that_contradicts_itself(key_set: KeySet, spoil: Callable[[dict[str, Any]], None]) -> None:
    data = copy.deepcopy(key_set.to_json())
    spoil(data)
    with pytest.raises(KeySetMalformedError):
        KeySet.from_json(data)


@pytest.mark.parametrize("text", ["", "null", "[]", "7", "{}", '{"keys": null}', "\x00\xff"])
def test_refuses_files_that_are_no_key_set(keys_dir: Path, text: str) -> None:
    (keys_dir / "public" / "ecert-keys.json").write_text(text)
    with pytest.raises(KeySetMalformedError):
        load_key_set(keys_dir)


def test_a_missing_file_is_not_an_empty_set(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_key_set(tmp_path)
