"""Files by key: whole or not at all, and never outside the folder."""

from pathlib import Path

import pytest

from issuer.records.storage import FileMissingError, Storage, StorageKeyError


def test_what_is_put_is_got(tmp_path: Path) -> None:
    storage = Storage.in_folder(tmp_path / "files")
    storage.put("certificates/1/A.pdf", b"first")
    storage.put("certificates/1/A.pdf", b"second")
    storage.put("photos/S-1/b.enc", b"")
    assert storage.get("certificates/1/A.pdf") == b"second"
    assert storage.get("photos/S-1/b.enc") == b""
    assert storage.exists("photos/S-1/b.enc")
    assert not storage.exists("photos/S-1/c.enc")
    assert storage.list("") == ("certificates/1/A.pdf", "photos/S-1/b.enc")
    assert storage.list("certificates") == ("certificates/1/A.pdf",)
    with pytest.raises(FileMissingError):
        storage.get("certificates/1/none.pdf")


def test_an_address_opens_the_same_folder(tmp_path: Path) -> None:
    Storage.in_folder(tmp_path / "files").put("a/b", b"x")
    assert Storage.at(f"file://{tmp_path / 'files'}").get("a/b") == b"x"


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../a", "a/../../b", "a//b", "a/", "a b", ".hidden", "a\x00b", "张"]
)
def test_a_key_cannot_leave_the_folder(tmp_path: Path, key: str) -> None:
    storage = Storage.in_folder(tmp_path / "files")
    with pytest.raises(StorageKeyError):
        storage.put(key, b"x")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
