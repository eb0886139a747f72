"""A small tagged page and a sealing room, on an authority of a few seconds ago."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typst

from issuer.clock import SystemClock
from issuer.sealing.room import SealingRoom, first_ceremony, open_sealing_room
from issuer.settings import Settings

PAGE = """
#set document(title: "示例证书", author: "示例省", date: datetime(year: 2026, month: 3, day: 1))
#set page(width: 210mm, height: 297mm)
#set text(lang: "zh", font: "Noto Serif SC")
#pdf.attach("/credential.cbor", bytes("not a credential"), relationship: "data",
  mime-type: "application/cbor", description: "credential")
= 示例证书
本页只用于测试。
"""


@pytest.fixture(scope="session")
def page() -> bytes:
    """A page as PDF/A-3a and PDF/UA-1 with an attachment."""
    import pylopdf_fonts_zh_cn

    fonts = [str(Path(pylopdf_fonts_zh_cn.__file__).parent)]
    pdf = typst.compile(PAGE.encode(), pdf_standards=["a-3a", "ua-1"], font_paths=fonts, ignore_system_fonts=True)
    assert isinstance(pdf, bytes)
    return pdf


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a data folder in which a ceremony was held."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("sealing") / "data")
    # A day ago, so that the moment of a seal is inside every certificate's life.
    first_ceremony(settings, datetime.now(UTC) - timedelta(days=1))
    return settings


@pytest.fixture(scope="session")
def room(settings: Settings) -> SealingRoom:
    return open_sealing_room(settings, SystemClock())


@pytest.fixture(scope="session")
def sealed(room: SealingRoom, page: bytes) -> bytes:
    """The page sealed at level B-LTA."""
    return room.seal_pdf(page, level="B-LTA")
