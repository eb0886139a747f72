"""What checking a B-LTA certificate costs beside stock pyHanko and pdfsig, in one run: `make bench-check`.

Ours: ten steps and the register. Stock: pyHanko's validation of the signature and its timestamp with our root and no
network, which looks at less (no register, no credential, no archive timestamp). All in turn, medians, milliseconds.
"""

import argparse
import hashlib
import http.client
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from asn1crypto import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from tests.benchmarks.rivals import verifier
from tests.factories.world import World
from verifier.check.checker import Checker
from verifier.check.sandbox import Sandbox
from verifier.record.register import SqlRegister
from verifier.record.verdict import Verdict

LIMIT_MS, DIGEST_LIMIT_MS = 60.0, 2.0


def stock(pdf: bytes, root: bytes) -> bool:
    """Stock validation of the first signature."""
    trusted = x509.Certificate.load(root)
    context = ValidationContext(trust_roots=[trusted], allow_fetching=False)
    reader = PdfFileReader(io.BytesIO(pdf))
    status = validate_pdf_signature(reader.embedded_regular_signatures[0], signer_validation_context=context)
    return bool(status.valid and status.intact and status.timestamp_validity)


def measure(folder: Path, rounds: int) -> dict[str, float]:
    """Medians in milliseconds by way; every answer is looked at."""
    world = World.eligible(folder / "data", 4)
    world.issue()
    certificate = world.certificates()[0]
    pdf, keys = world.pdf(certificate), world.key_set
    digest = hashlib.sha256(pdf).hexdigest()
    file = folder / "certificate.pdf"
    file.write_bytes(pdf)
    root = keys.anchors[0].public_bytes(Encoding.DER)
    checker = world.checker()
    register, sandbox = SqlRegister(world.settings.register_database), Sandbox(workers=1)
    asked = (register, lambda: keys, world.ctx.lookup_key, world.clock.now, (world.settings.verify_base_url,))
    apart = Checker(*asked, inspect=sandbox)
    world_base = urlsplit(world.settings.verify_base_url).netloc
    more = {"ECERT_VERIFY_BASE_URL": world.settings.verify_base_url, "ECERT_TRUSTED_PROXIES": '["127.0.0.1/32"]'}
    with verifier(world.folder, register=world.settings.register_database, core=None, **more) as (base, _):
        connection = http.client.HTTPConnection(urlsplit(base).netloc)

        def ask(method: str, path: str, body: bytes | None = None) -> bool:
            address = f"10.1.{time.monotonic_ns() // 250 % 250}.{time.monotonic_ns() % 250}"
            fields = {"Host": world_base, "X-Forwarded-For": address, "Content-Type": "application/pdf"}
            connection.request(method, path, body, fields)
            return bool(json.loads(connection.getresponse().read())["verdict"] == "valid")

        ways: dict[str, Callable[[], bool]] = {
            "check": lambda: checker.check_pdf(pdf).verdict is Verdict.VALID,
            "sandbox": lambda: apart.check_pdf(pdf).verdict is Verdict.VALID,
            "upload": lambda: ask("POST", "/api/v1/check", pdf),
            "digest": lambda: ask("GET", f"/api/v1/files/{digest}"),
            "stock": lambda: stock(pdf, root),
            "pdfsig": lambda: b"Signature is Valid" in subprocess.run(["pdfsig", file], capture_output=True).stdout,
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(rounds + 3):
            for name, way in ways.items():
                start = time.perf_counter()
                good = way()
                if number >= 3:
                    times[name].append((time.perf_counter() - start) * 1000)
                if not good:
                    raise SystemExit(f"{name} does not find the file valid")
    sandbox.close()
    world.close()
    return {name: statistics.median(found) for name, found in times.items()}


def main() -> None:
    """Measure and print; the last line is JSON; exit 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ecert-check-") as folder:
        found = measure(Path(folder), asked.rounds)
    for name, median in found.items():
        print(f"{name:8} {median:7.2f} ms")
    print(json.dumps({f"{name}_ms": round(median, 2) for name, median in found.items()}))
    slow = found["upload"] > min(LIMIT_MS, found["stock"]) or found["digest"] > DIGEST_LIMIT_MS
    sys.exit(1 if slow else 0)


if __name__ == "__main__":
    main()
