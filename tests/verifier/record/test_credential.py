"""The QR credential: layout, strictness, trust, and the room it takes in the symbol."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import qrcode.util
from cwt import COSE, COSEKey, COSEMessage
from hypothesis import given
from hypothesis import strategies as st

from issuer.sealing.credential import sign_credential
from keys.public.purposes import KeyPurpose
from tests.factories.claims import TOKEN, sample_claims
from tests.factories.signing import NOW, Bench
from verifier.record import cbor
from verifier.record.cose import ALG, ES256, KID, encode_sign1
from verifier.record.credential import (
    CERTIFICATE,
    CTI,
    IAT,
    CredentialClaims,
    CredentialMalformedError,
    CredentialUntrustedError,
    KeyState,
    decode_claims,
    encode_claims,
    id_digest,
    verify_credential,
)
from verifier.record.qr import qr_segments, unb32

BENCH = Bench()
SIGNER = BENCH.signer(KeyPurpose.QR_CREDENTIAL)
SIGNED = sign_credential(BENCH, sample_claims())


def _signed(payload: bytes, protected: dict[int, object] | None = None) -> bytes:
    header = {ALG: ES256, KID: bytes.fromhex(SIGNER.kid)} if protected is None else protected
    return encode_sign1(header, payload, SIGNER.sign_raw)


def test_verifies_and_gives_the_claims_back() -> None:
    verified = verify_credential(SIGNED, BENCH.key_set)
    assert verified.claims == sample_claims()
    assert verified.kid == SIGNER.kid
    assert verified.key_state is KeyState.CURRENT


def test_the_bytes_are_those_of_the_layout() -> None:
    """Written out by hand from the module's table, so that a change of layout is never by accident."""
    payload = bytes.fromhex("a3061a68fec410") + b"\x07\x50" + unb32(TOKEN) + bytes.fromhex("3a000100008a")
    payload += (
        b"\x72202541070100012348" + b"\x6c" + "欧阳示例".encode() + b"\x64EJJZ" + b"\x6f" + "二级建造师".encode()
    )
    payload += b"\x66" + "二级".encode() + b"\x72" + "水利水电工程".encode() + b"\x19\x4f\x17"
    payload += b"\x48" + sample_claims().id_digest + b"\x611" + bytes.fromhex("1a0001ffff")
    assert encode_claims(sample_claims()) == payload
    head = b"\xd2\x84\x4d\xa2\x01\x26\x04\x48" + bytes.fromhex(SIGNER.kid) + b"\xa0\x58" + bytes((len(payload),))
    assert SIGNED.startswith(head + payload + b"\x58\x40")
    assert len(SIGNED) == len(head) + len(payload) + 2 + 64


def test_an_independent_library_reads_and_verifies_it() -> None:
    key = COSEKey.from_pem(_pem(), kid=bytes.fromhex(SIGNER.kid), alg="ES256")
    protected, unprotected, payload = COSE.new().decode_with_headers(SIGNED, keys=[key])
    assert (protected, unprotected) == ({1: -7, 4: bytes.fromhex(SIGNER.kid)}, {})
    assert decode_claims(payload) == sample_claims()


def test_we_read_what_an_independent_library_signed() -> None:
    from cryptography.hazmat.primitives import serialization as pem

    private = SIGNER._key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())
    key = COSEKey.from_pem(private.decode(), kid=bytes.fromhex(SIGNER.kid), alg="ES256")
    protected = {1: -7, 4: bytes.fromhex(SIGNER.kid)}
    made = COSE.new().encode(encode_claims(sample_claims()), key, protected=protected, unprotected={})
    assert COSEMessage.loads(made).payload == encode_claims(sample_claims())
    assert verify_credential(made, BENCH.key_set).claims == sample_claims()


def test_no_flipped_bit_is_accepted() -> None:
    for bit in range(len(SIGNED) * 8):
        forged = bytearray(SIGNED)
        forged[bit // 8] ^= 1 << bit % 8
        with pytest.raises((CredentialMalformedError, CredentialUntrustedError)):
            verify_credential(bytes(forged), BENCH.key_set)


def test_no_cut_or_lengthened_credential_is_accepted() -> None:
    for length in range(len(SIGNED)):
        with pytest.raises(CredentialMalformedError):
            verify_credential(SIGNED[:length], BENCH.key_set)
    for tail in (b"\0", SIGNED):
        with pytest.raises(CredentialMalformedError):
            verify_credential(SIGNED + tail, BENCH.key_set)


@given(st.binary(max_size=300))
def test_random_bytes_are_malformed(data: bytes) -> None:
    with pytest.raises(CredentialMalformedError):
        verify_credential(data, BENCH.key_set)


def test_an_unprotected_header_is_refused_though_the_signature_holds() -> None:
    parts = cbor.decode(SIGNED[1:])
    for unprotected in ({4: b"other"}, {-100: "note"}):
        forged = b"\xd2" + cbor.encode([parts[0], unprotected, parts[2], parts[3]])
        with pytest.raises(CredentialMalformedError):
            verify_credential(forged, BENCH.key_set)


@pytest.mark.parametrize(
    "protected",
    [
        {ALG: ES256},
        {ALG: ES256, KID: b"short"},
        {ALG: -35, KID: bytes(8)},
        {ALG: ES256, KID: bytes(8), 3: 0},
        {ALG: "ES256", KID: bytes(8)},
        {ALG: ES256, KID: "00" * 8},
        {2: [99], ALG: ES256, KID: bytes(8)},
    ],
)
def test_the_protected_header_is_exactly_algorithm_and_key(protected: dict[int, object]) -> None:
    with pytest.raises(CredentialMalformedError):
        verify_credential(_signed(encode_claims(sample_claims()), protected), BENCH.key_set)


def test_without_the_tag_it_is_refused() -> None:
    with pytest.raises(CredentialMalformedError):
        verify_credential(SIGNED[1:], BENCH.key_set)


def test_an_unknown_key_is_not_trusted() -> None:
    with pytest.raises(CredentialUntrustedError) as refused:
        verify_credential(SIGNED, Bench().key_set)
    assert refused.value.code == "unknown-key"


def test_a_key_of_another_purpose_is_not_trusted() -> None:
    other = BENCH.signer(KeyPurpose.STATUS_LIST)
    protected = {ALG: ES256, KID: bytes.fromhex(other.kid)}
    forged = encode_sign1(protected, encode_claims(sample_claims()), other.sign_raw)
    with pytest.raises(CredentialUntrustedError) as refused:
        verify_credential(forged, BENCH.key_set)
    assert refused.value.code == "unknown-key"


def test_another_persons_claims_under_the_same_signature_are_refused() -> None:
    parts = cbor.decode(SIGNED[1:])
    forged = b"\xd2" + cbor.encode([parts[0], {}, encode_claims(sample_claims(name="他人")), parts[3]])
    with pytest.raises(CredentialUntrustedError) as refused:
        verify_credential(forged, BENCH.key_set)
    assert refused.value.code == "bad-signature"


def test_a_retired_key_vouches_for_what_it_signed_in_its_time_and_no_more() -> None:
    bench = Bench(retired={KeyPurpose.QR_CREDENTIAL: NOW + timedelta(days=1)})
    before = sign_credential(bench, sample_claims())
    after = sign_credential(bench, sample_claims(issued_at=NOW + timedelta(days=2)))
    assert verify_credential(before, bench.key_set).key_state is KeyState.RETIRED
    with pytest.raises(CredentialUntrustedError) as refused:
        verify_credential(after, bench.key_set)
    assert refused.value.code == "key-out-of-time"


@pytest.mark.parametrize(
    ("what", "place", "value"),
    [
        ("a number where text belongs", 1, 7),
        ("bytes where text belongs", 0, b"2025"),
        ("an empty name", 1, ""),
        ("a name beyond all bounds", 1, "长" * 129),
        ("a negative day", 6, -1),
        ("a day after the year 9999", 6, 2**40),
        ("a digest of another size", 7, b"1234567"),
        ("a negative index", 9, -1),
        ("an index beyond any list", 9, 1 << 20),
    ],
)
def test_wrong_values_are_malformed_though_signed(what: str, place: int, value: object) -> None:
    claims = cbor.decode(encode_claims(sample_claims()))
    claims[CERTIFICATE][place] = value
    with pytest.raises(CredentialMalformedError):
        verify_credential(_signed(cbor.encode(claims)), BENCH.key_set)


@pytest.mark.parametrize(
    "change", [{IAT: -1}, {IAT: 2**63}, {IAT: "now"}, {CTI: b"short"}, {CERTIFICATE: []}, {3: 1}]
)
def test_wrong_claims_are_malformed_though_signed(change: dict[int, object]) -> None:
    claims = {**cbor.decode(encode_claims(sample_claims())), **change}
    with pytest.raises(CredentialMalformedError):
        verify_credential(_signed(cbor.encode(claims)), BENCH.key_set)


def test_claims_that_could_not_be_read_back_cannot_be_made() -> None:
    for wrong in (
        {"name": ""},
        {"token": "SHORT"},
        {"token": TOKEN[:-1] + "B"},  # not the canonical spelling of any 16 bytes
        {"id_digest": b""},
        {"list_index": -1},
        {"issued_at": datetime(2025, 10, 27)},  # noqa: DTZ001 (the missing zone is the point)
        {"approved_on": date(1969, 12, 31)},
    ):
        with pytest.raises(ValueError):
            replace(sample_claims(), **wrong)


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=16)


@given(
    name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128),
    texts=st.tuples(_TEXT, _TEXT, _TEXT, _TEXT, _TEXT, _TEXT),
    approved_on=st.dates(date(1970, 1, 1)),
    issued_at=st.integers(0, 2**33).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    digest=st.binary(min_size=8, max_size=8),
    index=st.integers(0, (1 << 20) - 1),
)
def test_round_trip_of_any_script(
    name: str, texts: tuple[str, ...], approved_on: date, issued_at: datetime, digest: bytes, index: int
) -> None:
    claims = CredentialClaims(TOKEN, texts[0], name, *texts[1:5], approved_on, digest, texts[5], index, issued_at)
    assert decode_claims(encode_claims(claims)) == claims


def test_the_id_digest_is_salted_by_the_token_and_ignores_how_the_number_was_typed() -> None:
    digest = id_digest(TOKEN, "resident-id", "11010519491231002x")
    assert digest == id_digest(TOKEN, "resident-id", " 110105 19491231 002X")
    assert digest != id_digest(TOKEN, "passport", "11010519491231002X")
    assert digest != id_digest("A" * 26, "resident-id", "11010519491231002X")
    assert len(digest) == 8


HOST = "https://zhengshu.rst.shilisheng.gov.cn"
"""As long an official host name as is to be expected."""


@pytest.mark.parametrize(
    ("name", "highest"),
    [
        ("张三", 12),
        ("欧阳示例", 12),
        ("𠮷野𬱖", 12),
        ("阿卜杜热合曼·艾合买提", 15),
        ("阿卜杜热合曼·艾合买提·买买提依明·吐尔逊", 15),
        ("𪚥" * 20, 15),
    ],
)
def test_the_symbol_stays_small_enough(name: str, highest: int) -> None:
    signed = sign_credential(BENCH, sample_claims(name=name))
    assert _version(qr_segments(HOST, TOKEN, signed)) <= highest


def test_a_typical_credential_takes_about_two_hundred_bytes() -> None:
    assert len(sign_credential(BENCH, sample_claims(name="张三丰", specialty="建筑工程"))) <= 210


def _version(segments: tuple[str, str, str]) -> int:
    symbol = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M)
    for segment in segments:
        symbol.add_data(qrcode.util.QRData(segment.encode(), check_data=True))
    return int(symbol.best_fit(start=1))


def _pem() -> str:
    from cryptography.hazmat.primitives import serialization

    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return SIGNER.public_key.public_bytes(*form).decode()
