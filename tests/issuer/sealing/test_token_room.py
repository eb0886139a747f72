"""A sealing room whose keys are in a token."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from issuer.errors import UnavailableError
from issuer.sealing.room import first_ceremony, open_sealing_room
from issuer.settings import Settings
from keys.public.purposes import KeyPurpose
from tests.factories import pdf_judges as judges
from tests.factories.soft_token import soft_token


@pytest.fixture
def settings_with_token(tmp_path: Path) -> Settings:
    token = soft_token()
    settings = Settings(
        data_dir=tmp_path / "data",
        pkcs11_module=Path(token.module),
        pkcs11_label=token.label,
        pkcs11_pin=SecretStr(token.pin),
    )
    first_ceremony(settings, datetime.now(UTC) - timedelta(days=1))
    return settings


def test_seals_with_a_key_that_never_leaves_the_token(
    settings_with_token: Settings, page: bytes, tmp_path: Path
) -> None:
    room = open_sealing_room(settings_with_token)
    sealed = room.seal_pdf(page)
    (tmp_path / "sealed.pdf").write_bytes(sealed)
    assert "Signature is Valid." in judges.poppler(tmp_path / "sealed.pdf")
    assert judges.openssl(sealed, room.key_set, tmp_path).returncode == 0
    good, reason = judges.long_term(sealed, room.key_set, datetime.now(UTC) + timedelta(minutes=1))
    assert good, reason
    files = sorted(file.name for file in (settings_with_token.keys_dir / "private").iterdir())
    assert files == ["issuing-ca.p12", "root-ca.p12"]
    assert len(room.signer(KeyPurpose.QR_CREDENTIAL).sign_raw(b"message")) == 64


def test_a_token_that_is_not_there_is_unavailable(settings_with_token: Settings) -> None:
    gone = Settings(
        data_dir=settings_with_token.data_dir, pkcs11_module=Path("/nowhere/lib.so"), pkcs11_pin=SecretStr("0")
    )
    with pytest.raises(UnavailableError) as caught:
        open_sealing_room(gone).signer(KeyPurpose.DOCUMENT_SEAL)
    assert caught.value.code == "token-unavailable"
