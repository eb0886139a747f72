"""Tokens of outside authorities with RSA and other curves: accepted when published, and no byte of them spare."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import tsp
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from issuer.clock import SystemClock
from issuer.sealing.key_access import signer_source
from issuer.sealing.room import SealingRoom
from issuer.sealing.time_answers import accept_answer, request_for
from issuer.settings import Settings
from keys.private.ceremony import accept_timestamp_authority
from keys.private.errors import KeyStoreError
from keys.public.keyset import KeySet, load_key_set
from keys.public.profile import trust_faults
from tests.factories import pdf_judges as judges
from tests.factories.outside_authority import OutsideAuthority, PrivateKey
from verifier.check.cms import CmsError, ForeignSignerError, SignatureWrongError
from verifier.check.der import DerError
from verifier.check.document import inspect_document
from verifier.check.timestamps import TimeUnprovenError, read_token

IMPRINT = bytes(range(32))
KINDS: dict[str, Callable[[], OutsideAuthority]] = {
    "RSA-2048, SHA-256": lambda: OutsideAuthority(_rsa(2048)),
    "RSA-3072, SHA-512, named whole": lambda: OutsideAuthority(_rsa(3072), "sha512", named="sha512_rsa"),
    "P-256, non-repudiation": lambda: OutsideAuthority(_ec(ec.SECP256R1()), usage="content_commitment"),
    "P-384, SHA-384": lambda: OutsideAuthority(_ec(ec.SECP384R1()), "sha384"),
    "P-521, SHA-512": lambda: OutsideAuthority(_ec(ec.SECP521R1()), "sha512"),
}


def _rsa(bits: int) -> PrivateKey:
    return rsa.generate_private_key(65537, bits)


def _ec(curve: ec.EllipticCurve) -> PrivateKey:
    return ec.generate_private_key(curve)


@pytest.fixture(scope="module", params=KINDS)
def authority(request: pytest.FixtureRequest) -> OutsideAuthority:
    return KINDS[request.param]()


@pytest.fixture
def keys_dir(settings: Settings, tmp_path: Path) -> Path:
    """The public half of our keys, to be changed."""
    (tmp_path / "keys" / "public").mkdir(parents=True)
    name = Path("public") / "ecert-keys.json"
    (tmp_path / "keys" / name).write_bytes((settings.keys_dir / name).read_bytes())
    return tmp_path / "keys"


def _trusting(keys_dir: Path, authority: OutsideAuthority) -> KeySet:
    path, crls = (authority.root,), (authority.crl,)
    accept_timestamp_authority(keys_dir, authority.certificate, path, crls, now=datetime.now(UTC))
    return load_key_set(keys_dir)


def _token(authority: OutsideAuthority, key_set: KeySet) -> bytes:
    request, nonce = request_for(IMPRINT)
    return accept_answer(authority.answer(request), IMPRINT, nonce, key_set, datetime.now(UTC))[0]


def test_a_seal_with_its_tokens_is_good_for_every_judge(
    authority: OutsideAuthority, settings: Settings, keys_dir: Path, page: bytes, tmp_path: Path
) -> None:
    trusting = _trusting(keys_dir, authority)
    assert KeySet.from_json(trusting.to_json()) == trusting
    room = SealingRoom(trusting, signer_source(settings, trusting), SystemClock())
    sealer = room._sealing()
    sealer._timestamps = _Direct(authority, trusting)
    sealed = room.seal_pdf(page)
    later = datetime.now(UTC) + timedelta(minutes=1)
    found = inspect_document(sealed, trusting, now=later)
    assert {check.name for check in found.checks if check.ok} >= {"seal", "revisions", "seal-time"}, found.checks
    good, reason = judges.long_term(sealed, trusting, later)
    assert good, reason
    (tmp_path / "sealed.pdf").write_bytes(sealed)
    assert "Signature is Valid." in judges.poppler(tmp_path / "sealed.pdf")
    # Whoever does not know the authority does not take its word.
    assert not inspect_document(sealed, load_key_set(settings.keys_dir), now=later).ok


class _Direct:
    """The authority without a network between."""

    def __init__(self, authority: OutsideAuthority, key_set: KeySet) -> None:
        self._authority, self._key_set = authority, key_set
        self.certificates = (authority.certificate, authority.root)
        self.reserve = 4000

    def token(self, digest: bytes) -> bytes:
        request, nonce = request_for(digest)
        return accept_answer(self._authority.answer(request), digest, nonce, self._key_set, datetime.now(UTC))[0]


@pytest.mark.parametrize("kind", ["RSA-2048, SHA-256", "P-384, SHA-384"])
def test_no_byte_of_a_token_is_spare(kind: str, keys_dir: Path) -> None:
    authority = KINDS[kind]()
    trusting = _trusting(keys_dir, authority)
    token = _token(authority, trusting)
    assert read_token(token, IMPRINT, trusting)
    taken = []
    for at in range(len(token)):
        changed = bytearray(token)
        changed[at] ^= 1 << at % 8
        try:
            read_token(bytes(changed), IMPRINT, trusting)
        except (CmsError, ForeignSignerError, SignatureWrongError, TimeUnprovenError, DerError):
            continue
        taken.append(at)
    assert not taken
    for longer in (token + b"\0", token[:-1]):
        with pytest.raises((CmsError, DerError)):
            read_token(longer, IMPRINT, trusting)


def test_an_algorithm_of_another_key_is_refused(keys_dir: Path) -> None:
    """RSA's signature called ECDSA, one digest called another: never a matter of taste."""
    authority = KINDS["RSA-2048, SHA-256"]()
    trusting = _trusting(keys_dir, authority)
    for named in ("sha512_rsa", "sha256_ecdsa", "rsassa_pss"):
        wrong = OutsideAuthority.__new__(OutsideAuthority)
        wrong.__dict__.update(authority.__dict__, signature_name=named)
        request, _ = request_for(IMPRINT)
        token = tsp.TimeStampResp.load(wrong.answer(request))["time_stamp_token"].dump()
        with pytest.raises((CmsError, SignatureWrongError)):
            read_token(token, IMPRINT, trusting)


def test_an_outside_authority_seals_nothing_and_has_no_other_purpose(
    settings: Settings, keys_dir: Path, page: bytes
) -> None:
    """Its root is an anchor for its own tokens; our own keys of other purposes stay what they were."""
    trusting = _trusting(keys_dir, KINDS["P-384, SHA-384"]())
    own = load_key_set(settings.keys_dir)
    assert trusting.keys == own.keys
    assert [key.purpose for key in trusting.authorities] == ["timestamp"]
    without_crl = replace(trusting, crls=own.crls)
    assert "crl-missing" in trust_faults(trusting.authorities[0], without_crl, datetime.now(UTC))


@pytest.mark.parametrize(
    ("key", "usage", "fault"),
    [
        (lambda: _rsa(1024), "digital_signature", "key-unfit"),
        (lambda: _ec(ec.SECP256K1()), "digital_signature", "key-unfit"),
        (lambda: _rsa(2048), "key_encipherment", "key-usage"),
    ],
    ids=["a short key", "another curve", "a key for something else"],
)
def test_an_authority_that_is_not_fit_is_not_published(
    keys_dir: Path, key: Callable[[], PrivateKey], usage: str, fault: str
) -> None:
    before = load_key_set(keys_dir)
    with pytest.raises(KeyStoreError, match=fault):
        _trusting(keys_dir, OutsideAuthority(key(), usage=usage))
    assert load_key_set(keys_dir) == before
