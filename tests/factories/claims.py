"""A credential's content for tests."""

from dataclasses import replace
from datetime import date
from typing import Any

from tests.factories.signing import NOW
from verifier.record.credential import CredentialClaims, id_digest

TOKEN = "MFRGG2DFMZTWQ2LKNNWG23TPOA"


def sample_claims(**changes: Any) -> CredentialClaims:
    """A typical certificate of an invented person, with `changes`."""
    claims = CredentialClaims(
        token=TOKEN,
        management_no="202541070100012348",
        name="欧阳示例",
        programme_code="EJJZ",
        programme_name="二级建造师",
        level="二级",
        specialty="水利水电工程",
        approved_on=date(2025, 6, 8),
        id_digest=id_digest(TOKEN, "passport", "X0000001"),
        list_id="1",
        list_index=131_071,
        issued_at=NOW,
    )
    return replace(claims, **changes)
