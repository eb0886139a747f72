"""Where the time of one press goes: processor time of each step, medians, on one core.

python -m tests.benchmarks.steps
"""

import hashlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from issuer.sealing.credential import sign_credential
from templates.certificate.fast.symbol import symbol
from templates.certificate.page import lint_page, render, typeset
from templates.certificate.photo import prepare_photo
from templates.certificate.qr import qr_matrix
from tests.benchmarks.bench_world import open_room, people, portraits
from verifier.check.document import inspect_document
from verifier.record.credential import verify_credential


def main() -> None:
    """Measure and print."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        room, photo, content = open_room(Path(folder) / "data"), portraits()[0], people(1)[0]
        claims = content.claims()
        credential = sign_credential(room, claims)
        page = content.page(credential, photo)
        drawn = render(page)
        sealed = room.seal_pdf(drawn)
        key = ec.generate_private_key(ec.SECP256R1())
        steps: dict[str, Callable[[], object]] = {
            "the limit: one hash and one P-256 signature": lambda: key.sign(
                hashlib.sha256(drawn).digest(), ec.ECDSA(hashes.SHA256())
            ),
            "claims (the slow digest of the ID number)": content.claims,
            "sign the credential": lambda: sign_credential(room, claims),
            "portrait": lambda: prepare_photo.__wrapped__(photo),
            "page, all but the portrait": lambda: render(page),
            "  of it the QR symbol": lambda: symbol(page.qr_segments),
            "the same page by Typst": lambda: typeset(page),
            "  the QR symbol by qrcode, fixed mask": lambda: qr_matrix(page.qr_segments),
            "seal B-B": lambda: room.seal_pdf(drawn, level="B-B"),
            "seal B-LTA": lambda: room.seal_pdf(drawn, level="B-LTA"),
            "lint (once in a press)": lambda: lint_page(drawn, page),
            "inspect as any verifier": lambda: inspect_document(sealed, room.key_set, now=room.clock.now()),
            "verify the credential": lambda: verify_credential(credential, room.key_set),
        }
        for name, step in steps.items():
            print(f"{name:48} {_median(step):7.2f} ms")


def _median(step: Callable[[], object], times: int = 31) -> float:
    step()
    spent = []
    for _ in range(times):
        start = time.process_time()
        step()
        spent.append(time.process_time() - start)
    return statistics.median(spent) * 1000


if __name__ == "__main__":
    main()
