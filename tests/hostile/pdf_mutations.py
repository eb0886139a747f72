"""Changed PDFs: bytes, tokens, objects, CMS, updates. Each kind is a function of a seeded chance and our files.

Ideas for the kinds: ISO 32000-2 7.5 (file structure), the attack classes named in `tests/vectors/attacks.py`,
and what general PDF fuzzers do to tokens and tables.
"""

import random
import re
from collections.abc import Callable
from itertools import pairwise

Mutation = Callable[[random.Random, list[bytes]], bytes]

_OBJECT = re.compile(rb"\d+ 0 obj\b")
_NUMBER = re.compile(rb"(?<=[ \[/])\d{1,10}(?=[ \]\n/>])")
_CONTENTS = re.compile(rb"/Contents ?<([0-9a-fA-F]+)>")
_BOUNDARIES = (b"0", b"-1", b"1", b"2147483648", b"4294967296", b"9999999999", b"00000", b"1.5", b"1e9")
_WORDS = (
    *(b"obj", b"endobj", b"stream\n", b"endstream", b"xref\n", b"trailer", b"startxref\n0\n%%EOF\n", b"%%EOF"),
    *(b"<<", b">>", b"[", b"]", b"(", b")", b"<", b">", b"null", b"true", b"R", b"%", b"\x00", b"\xff\xfe"),
    *(b"/Type/Catalog", b"/AcroForm", b"/OpenAction", b"/JavaScript", b"/JS(app.alert(1))", b"/Encrypt 1 0 R"),
    *(b"/ByteRange[0 1 2 3]", b"/Contents<00>", b"/Sig", b"/DocTimeStamp", b"/Perms", b"/DSS", b"/Prev 0"),
    *(b"/ObjStm", b"/XRef", b"/Filter/FlateDecode", b"/Length 99999999", b"/Kids[1 0 R]", b"/Annots[9 0 R]"),
)


def flip(chance: random.Random, files: list[bytes]) -> bytes:
    """One to eight bits anywhere."""
    data = bytearray(chance.choice(files))
    for _ in range(chance.randint(1, 8)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def overwrite(chance: random.Random, files: list[bytes]) -> bytes:
    """A run of bytes replaced by as many others."""
    data = bytearray(chance.choice(files))
    size = chance.randint(1, min(200, len(data) - 1))
    at = chance.randrange(len(data) - size)
    data[at : at + size] = chance.randbytes(size)
    return bytes(data)


def cut(chance: random.Random, files: list[bytes]) -> bytes:
    """The end, the beginning or a middle piece left out."""
    data = chance.choice(files)
    a, b = sorted(chance.sample(range(len(data)), 2))
    return chance.choice((data[:b], data[a:], data[:a] + data[b:]))


def append(chance: random.Random, files: list[bytes]) -> bytes:
    """Something behind the last byte: noise, words of the syntax, another file, a plausible update."""
    data, other = chance.choice(files), chance.choice(files)
    tail = chance.choice(
        (
            chance.randbytes(chance.randint(1, 3000)),
            b" ".join(chance.choices(_WORDS, k=chance.randint(1, 60))),
            other[chance.randrange(len(other)) :],
            other,
            _update(chance, data),
        )
    )
    return data + tail


def words(chance: random.Random, files: list[bytes]) -> bytes:
    """Words of the syntax put in, mostly where there is structure."""
    data = chance.choice(files)
    for _ in range(chance.randint(1, 4)):
        marks = [found.start() for found in _OBJECT.finditer(data)]
        at = chance.choice(marks) + chance.randint(0, 40) if marks and chance.random() < 0.8 else 0
        data = data[:at] + chance.choice(_WORDS) + data[at:]
    return data


def numbers(chance: random.Random, files: list[bytes]) -> bytes:
    """Numbers of tables, lengths, references and byte ranges set to their limits."""
    data = chance.choice(files)
    found = list(_NUMBER.finditer(data))
    for place in sorted(chance.sample(found, min(len(found), chance.randint(1, 5))), key=lambda f: -f.start()):
        near = str(int(place[0]) + chance.choice((-1, 1, 2, 100))).encode()
        data = data[: place.start()] + chance.choice((*_BOUNDARIES, near, near)) + data[place.end() :]
    return data


def objects(chance: random.Random, files: list[bytes]) -> bytes:
    """Whole objects doubled, left out, exchanged, or taken from another file."""
    data, other = chance.choice(files), chance.choice(files)
    pieces, strange = _objects(data), _objects(other)
    if len(pieces) < 2 or not strange:
        return data[:-1]
    (a, b), (c, d) = sorted(chance.sample(pieces, 2))
    x, y = chance.choice(strange)
    first, second, foreign = data[a:b], data[c:d], other[x:y]
    return chance.choice(
        (
            data[:a] + second + data[b:c] + first + data[d:],
            data[:c] + first + data[c:],
            data[:a] + data[b:],
            data[:a] + foreign + data[b:],
            data + foreign,
        )
    )


def splice(chance: random.Random, files: list[bytes]) -> bytes:
    """The front of one file and the back of another, cut at bytes, objects or ends of revisions."""
    first, second = chance.sample(files, 2) if len(files) > 1 else (files[0], files[0])
    cutters = chance.choice((_any_place, _object_places, _revision_ends))
    a, b = chance.choice(cutters(chance, first)), chance.choice(cutters(chance, second))
    return first[:a] + second[b:]


def signature(chance: random.Random, files: list[bytes]) -> bytes:
    """The CMS of a seal or of an archive timestamp, decoded, changed as DER, and written back."""
    data = chance.choice(files)
    gaps = list(_CONTENTS.finditer(data))
    gap = chance.choice(gaps)
    der = bytearray.fromhex(gap[1].decode())
    used = 4 + int.from_bytes(der[2:4], "big")
    kind = chance.randrange(4)
    if kind == 0:
        der[chance.randrange(min(used, len(der)))] ^= 1 << chance.randrange(8)
    elif kind == 1:
        at = chance.randrange(min(used, len(der)) - 1)
        der[at : at + 1] = chance.choice((b"\x80", b"\x84\xff\xff\xff\xff", b"\x30\x00", b"\xa0\x03", b"\x05\x00"))
    elif kind == 2:
        strange = bytes.fromhex(chance.choice(_CONTENTS.findall(chance.choice(files))).decode())
        der = bytearray(strange)
    else:
        der[chance.randrange(len(der)) :] = b""
    size = len(gap[1]) // 2
    der = (der + bytes(size))[:size]
    return data[: gap.start(1)] + der.hex().encode() + data[gap.end(1) :]


def tail(chance: random.Random, files: list[bytes]) -> bytes:
    """Only what follows the sealed revision changed: our reader of updates meets it, not the digest."""
    data = chance.choice(files)
    ends = [found.end() for found in re.finditer(rb"%%EOF\n?", data)]
    if len(ends) < 3:
        return data[:-1]
    tails = [data[ends[1] :], *(file[chance.randrange(len(file)) :][:20_000] for file in files)]
    kind = chance.choice((flip, overwrite, cut, words, numbers, objects))
    return data[: ends[1]] + kind(chance, [tails[0], tails[0], *tails] if kind is objects else tails[:1])


MUTATIONS: dict[str, Mutation] = {
    "flip": flip,
    "overwrite": overwrite,
    "cut": cut,
    "append": append,
    "words": words,
    "numbers": numbers,
    "objects": objects,
    "splice": splice,
    "signature": signature,
    "tail": tail,
}


def mutated(chance: random.Random, files: list[bytes], kinds: tuple[str, ...] = tuple(MUTATIONS)) -> bytes:
    """One mutation, now and then several on top of each other; never one of `files` itself."""
    while True:
        data = MUTATIONS[chance.choice(kinds)](chance, files)
        while chance.random() < 0.15 and len(data) > 1000 and _CONTENTS.search(data):
            data = MUTATIONS[chance.choice(kinds)](chance, [data, *files])
        if data not in files:
            return data


def _objects(data: bytes) -> list[tuple[int, int]]:
    places = []
    for found in _OBJECT.finditer(data):
        end = data.find(b"endobj", found.end())
        if end > 0:
            places.append((found.start(), end + 6))
    return [piece for piece, after in pairwise(places) if piece[1] <= after[0]]


def _update(chance: random.Random, data: bytes) -> bytes:
    """An incremental update with a table that fits, bringing one object."""
    number = chance.choice((*range(1, 40), 900))
    bodies = (b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Annot/Subtype/FreeText/Contents(x)>>", b"null", b"[1 2 3]")
    start = len(data)
    found = re.findall(rb"startxref\s+(\d+)", data)
    previous = found[-1] if found else b"0"
    body = b"%d 0 obj\n%b\nendobj\n" % (number, chance.choice(bodies))
    table = b"xref\n%d 1\n%010d 00000 n \n" % (number, start)
    trailer = b"trailer\n<</Size 999/Root 1 0 R/Prev %b>>\n" % previous
    return body + table + trailer + b"startxref\n%d\n%%%%EOF\n" % (start + len(body))


def _any_place(chance: random.Random, data: bytes) -> list[int]:
    return [chance.randrange(len(data))]


def _object_places(_: random.Random, data: bytes) -> list[int]:
    return [found.start() for found in _OBJECT.finditer(data)] or [len(data) // 2]


def _revision_ends(_: random.Random, data: bytes) -> list[int]:
    return [found.end() for found in re.finditer(rb"%%EOF\n?", data)] or [len(data) // 2]
