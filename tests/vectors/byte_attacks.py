"""One byte changed in each region; bytes put before, behind and between; the file cut, doubled, wrapped."""

import zlib

from tests.vectors.attacks import ALTERED, BROKEN, MALFORMED, UNTRUSTED, Target, attack, put, swap

_REGIONS = {
    "header-version": lambda t: 5,
    "header-percent": lambda t: 0,
    "page-content": lambda t: t.sealed.index(b"stream") + 40,
    "page-dictionary": lambda t: t.sealed.index(b"/MediaBox") + 12,
    "attachment": lambda t: t.sealed.index(b"/EmbeddedFile") + 60,
    "metadata": lambda t: t.sealed.index(b"<rdf:RDF") + 60,
    "page-xref": lambda t: t.sealed.index(b"xref") + 40,
    "page-trailer": lambda t: t.sealed.index(b"trailer") + 12,
    "page-eof": lambda t: t.ends[0] - 3,
    "seal-contents-start": lambda t: t.gap()[0] + 2,
    "seal-contents-certificate": lambda t: t.gap()[0] + 900,
    "seal-contents-middle": lambda t: sum(t.gap()) // 2,
    "seal-contents-padding": lambda t: t.gap()[1] - 9,
    "seal-byterange": lambda t: t.sealed.index(b"/ByteRange [0 ") + 15,
    "seal-byterange-key": lambda t: t.sealed.index(b"/ByteRange") + 4,
    "seal-dictionary": lambda t: t.sealed.index(b"/ETSI.CAdES.detached") + 6,
    "seal-permission": lambda t: t.sealed.index(b"/P 1") + 3,
    "sealed-xref": lambda t: t.sealed.index(b"xref", t.ends[0] + 10) + 30,
    "sealed-startxref": lambda t: t.ends[1] - 9,
    "store-certificate": lambda t: t.sealed.index(b"stream", t.ends[1]) + 60,
    "store-list": lambda t: t.sealed.index(b"/Certs") + 9,
    "archive-contents": lambda t: t.gap(1)[0] + 700,
    "archive-padding": lambda t: t.gap(1)[1] - 5,
    "archive-byterange": lambda t: t.sealed.index(b"/ByteRange [0 ", t.ends[1]) + 15,
    "archive-subfilter": lambda t: t.sealed.index(b"/ETSI.RFC3161") + 6,
    "archive-startxref": lambda t: len(t.sealed) - 10,
    "last-byte": lambda t: len(t.sealed) - 2,
}

for _name, _place in _REGIONS.items():

    @attack(f"flip-{_name}", ALTERED)
    def _flip(target: Target, place=_place) -> bytes:  # type: ignore[no-untyped-def]
        at = place(target)
        return put(target.sealed, at, bytes([target.sealed[at] ^ 1]))


_TAILS = {
    "newline": b"\n",
    "space": b" ",
    "nul": b"\0",
    "comment": b"% hello\n",
    "eof": b"%%EOF\n",
    "garbage": bytes(range(256)),
    "zeros": bytes(1_000_000),
    "startxref": b"startxref\n0\n%%EOF\n",
    "object": b"900 0 obj\n(x)\nendobj\n",
    "script": b"<script>alert(1)</script>",
}
for _name, _tail in _TAILS.items():

    @attack(f"append-{_name}", ALTERED)
    def _append(target: Target, tail: bytes = _tail) -> bytes:
        return target.sealed + tail


for _name, _head in {"newline": b"\n", "gif": b"GIF89a", "html": b"<html>", "junk": b"%!PS\n" * 20}.items():

    @attack(f"prefix-{_name}", ALTERED)
    def _prefix(target: Target, head: bytes = _head) -> bytes:
        return head + target.sealed


@attack("twice-in-a-row", ALTERED)
def _twice(target: Target) -> bytes:
    return target.sealed * 2


@attack("two-certificates-in-a-row", ALTERED)
def _two(target: Target) -> bytes:
    return target.sealed + target.other


@attack("cut-last-byte-pair", ALTERED)
def _cut_tail(target: Target) -> bytes:
    return target.sealed[:-3]


@attack("cut-half", BROKEN)
def _cut_half(target: Target) -> bytes:
    return target.sealed[: len(target.sealed) // 2]


@attack("cut-archive-timestamp", ALTERED)
def _cut_archive(target: Target) -> bytes:
    return target.cut


@attack("cut-to-the-page", UNTRUSTED)
def _cut_page(target: Target) -> bytes:
    return target.page


@attack("cut-archive-trailer", ALTERED)
def _cut_trailer(target: Target) -> bytes:
    return target.sealed[: target.sealed.rindex(b"trailer")]


@attack("newlines-rewritten", ALTERED)
def _newlines(target: Target) -> bytes:
    return target.sealed.replace(b"\n", b"\r\n")


@attack("text-mode-transfer", ALTERED)
def _text_mode(target: Target) -> bytes:
    return target.sealed.decode("latin-1").encode("utf-8")


@attack("contents-lower-case", ALTERED)
def _lower(target: Target) -> bytes:
    start, end = target.gap()
    digits = target.sealed[start:end]
    return put(target.sealed, start, digits.lower() if digits != digits.lower() else digits.upper())


@attack("archive-contents-other-case", ALTERED)
def _lower_archive(target: Target) -> bytes:
    start, end = target.gap(1)
    digits = target.sealed[start:end]
    mixed = digits[:100].swapcase() + digits[100:]
    return put(target.sealed, start, mixed)


@attack("empty-gap-in-zip", MALFORMED)
def _compressed(target: Target) -> bytes:
    return zlib.compress(target.sealed)


@attack("version-raised", ALTERED)
def _version(target: Target) -> bytes:
    return swap(target.sealed, b"%PDF-1.", b"%PDF-2.")


@attack("name-replaced-in-place", ALTERED)
def _title(target: Target) -> bytes:
    return swap(target.sealed, b"/Title", b"/Titel")
