"""Purpose-bound copies for tests: a holder of the world makes one; what is in hand afterwards."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from issuer.holders.copies import HeldCopy, copy_file, make_copy
from issuer.holders.sign_in import Holder
from tests.factories.scanning import scanned
from tests.factories.world import World

PURPOSE = "示例建设有限公司2026年度市政工程项目投标资格审查"


@dataclass(frozen=True)
class CopyInHand:
    """A copy as an employer gets it, with its number and name as read from the page."""

    copy: HeldCopy
    pdf: bytes
    qr_text: str
    name: str


def holder_of_certificate(world: World, which: int = 0) -> tuple[Holder, str]:
    """The holder of a certificate (oldest first) and its management number."""
    certificate = world.certificates()[which]
    return Holder(certificate.person_id, "csrf"), certificate.management_no


def copy_in_hand(world: World, folder: Path, which: int = 0, days: int = 29, purpose: str = PURPOSE) -> CopyInHand:
    """Make a copy of a certificate that lasts `days` days after today."""
    holder, number = holder_of_certificate(world, which)
    copy = make_copy(world.ctx, holder, number, purpose, world.clock.today() + timedelta(days=days))
    pdf, _, _ = copy_file(world.ctx, holder, copy.id)
    file = folder / f"{copy.copy_no}.pdf"
    file.write_bytes(pdf)
    return CopyInHand(copy, pdf, scanned(file, folder), world.certificates()[which].name)
