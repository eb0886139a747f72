"""Portraits from a zip: found by name, decoded to make sure, stored encrypted."""

import hashlib
import unicodedata
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from issuer.errors import Words
from issuer.records.people import PHOTO_PURPOSE
from issuer.roster.limits import refuse_large, refuse_unreadable
from issuer.roster.ports import RosterContext
from templates.certificate.photo import MAX_BYTES, PhotoError, prepare_photo

MAX_PHOTOS = 250_000
MAX_ENTRY = 100 * 1024 * 1024
MAX_TOTAL = 40 * 1024**3
_KEEP_AS_SENT = 200_000
_SMALLER_PHOTOS = Words(
    "只压缩证件照（单张不超过 10 MB），去掉其他文件。",
    "Pack the portraits alone, at most 10 MB each.",
)
_JPEG = (".jpg", ".jpeg")
_SUFFIXES = (*_JPEG, ".png")


def photo_key(sitting_code: str, sha256: str) -> str:
    """Storage key of a portrait; `sha256` is that of the file as it was sent."""
    return f"photos/{sitting_code}/{sha256}.enc"


class PhotoArchive:
    """A zip of portraits; close it after use."""

    def __init__(self, path: Path) -> None:
        """Open the archive at `path`; raises InputError or TooLargeError when it cannot be used."""
        try:
            self._archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            refuse_unreadable(
                "photos-unreadable",
                "照片压缩包不是可读取的 .zip 文件",
                "The photo archive is not a readable .zip file",
                "重新压缩为 .zip 后提交",
                "Pack the photos again as .zip",
            )
        self._by_path: dict[str, zipfile.ZipInfo] = {}
        self._by_name: dict[str, zipfile.ZipInfo | None] = {}
        self._by_stem: dict[str, zipfile.ZipInfo | None] = {}
        try:
            self._index()
        except BaseException:
            self._archive.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._archive.close()

    def find(self, *names: str) -> zipfile.ZipInfo | None:
        """The entry for the first of `names` that is there: by path, by file name, then without its suffix."""
        for name in names:
            key = _key(name)
            if not key:
                continue
            base = PurePosixPath(key).name
            found = self._by_path.get(key) or self._by_name.get(base)
            if found is None and not base.endswith(_SUFFIXES):
                found = self._by_stem.get(base)
            if found is None and base.endswith(_JPEG):
                stem = base.rpartition(".")[0]
                found = next((hit for suffix in _JPEG if (hit := self._by_name.get(stem + suffix))), None)
            if found is not None:
                return found
        return None

    def read(self, entry: zipfile.ZipInfo) -> bytes:
        """The entry's bytes; raises PhotoError (photo-too-large, photo-undecodable)."""
        if entry.file_size > MAX_BYTES:
            raise PhotoError("photo-too-large", "the photo file is too large")
        try:
            with self._archive.open(entry) as file:
                return file.read(MAX_BYTES + 1)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as exc:
            raise PhotoError("photo-undecodable", "the photo cannot be unpacked") from exc

    def _index(self) -> None:
        entries = [info for info in self._archive.infolist() if not info.is_dir()]
        if len(entries) > MAX_PHOTOS or sum(info.file_size for info in entries) > MAX_TOTAL:
            refuse_large("photos-too-large", "照片压缩包过大", "The photo archive is too large", _SMALLER_PHOTOS)
        for info in entries:
            name = _real_name(info)
            path = PurePosixPath(name.replace("\\", "/"))
            if path.is_absolute() or ".." in path.parts or "\0" in name or (len(name) > 1 and name[1] == ":"):
                refuse_unreadable(
                    "photos-unsafe-path",
                    "照片压缩包内有越出目录的路径",
                    "The photo archive holds a path that leaves its folder",
                    "只把照片文件重新压缩后提交",
                    "Pack the photo files alone again",
                )
            if info.flag_bits & 1:
                refuse_unreadable(
                    "photos-password-protected",
                    "照片压缩包设有密码",
                    "The photo archive asks for a password",
                    "取消密码后重新压缩",
                    "Pack it again without a password",
                )
            if info.file_size > MAX_ENTRY:
                refuse_large(
                    "photos-too-large",
                    "照片压缩包内有过大的文件",
                    "The photo archive holds a giant file",
                    _SMALLER_PHOTOS,
                )
            if "__MACOSX" in path.parts or path.name.startswith("."):
                continue
            key = _key(str(path))
            base = PurePosixPath(key).name
            self._by_path[key] = info
            # Two different files of one name in different folders: the name alone does not tell which is meant.
            _file_under(self._by_name, base, info)
            _file_under(self._by_stem, PurePosixPath(base).stem, info)


def _file_under(places: dict[str, zipfile.ZipInfo | None], name: str, info: zipfile.ZipInfo) -> None:
    known = places.setdefault(name, info)
    # A photo that was packed twice is one photo.
    if known is not None and (known.file_size, known.CRC) != (info.file_size, info.CRC):
        places[name] = None


def check_photo(data: bytes) -> tuple[str, bytes]:
    """(SHA-256 of `data`, the picture to keep); raises PhotoError when it cannot be printed.

    A large picture is kept as the page will print it, a small one as it was sent.
    """
    prepared = prepare_photo(data)
    return hashlib.sha256(data).hexdigest(), data if len(data) <= _KEEP_AS_SENT else prepared


def store_photo(ctx: RosterContext, key: str, picture: bytes) -> None:
    """Encrypt and store a portrait."""
    ctx.storage.put(key, ctx.data_key.seal(PHOTO_PURPOSE, picture))


def _real_name(info: zipfile.ZipInfo) -> str:
    """The entry's name; without the UTF-8 flag, packers in China write GB 18030 bytes."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        raw = info.filename.encode("cp437")
    except UnicodeEncodeError:
        return info.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip().replace("\\", "/")).lower().removeprefix("./")
