"""An invented certificate to look at: nobody's data."""

import secrets
from datetime import UTC, date, datetime
from typing import Any

from templates.certificate.data import CertificatePage

SPECIMEN = "K7QWERTYUIOPASDFGHJKLZXCVB"


def specimen(**changes: Any) -> CertificatePage:
    """A sample page of an invented person; keyword arguments replace fields."""
    fields: dict[str, Any] = {
        "name": "李㛃䶮",
        "gender": "女",
        "id_type": "居民身份证",
        "id_number": "990101199003074526",
        "programme_name": "二级建造师",
        "level": "二级",
        "specialty": "市政公用工程",
        "management_no": "20259904000127X",
        "approved_on": date(2025, 6, 8),
        "issued_on": date(2025, 11, 3),
        "authority": "示例省人力资源和社会保障厅",
        "qr_segments": (f"HTTPS://ZS.EXAMPLE.ORG.CN/V/{SPECIMEN}", "#", payload(310)),
        "verify_host": "zs.example.org.cn",
        "credential": bytes(range(190)),
        "document_id": "20259904000127X",
        "made_at": datetime(2025, 11, 3, 2, 0, tzinfo=UTC),
        "sample": True,
        "template": "constructor-2",
    }
    return CertificatePage(**{**fields, **changes})


def payload(length: int) -> str:
    """Base32 characters that look like a signed payload."""
    return "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(length))
