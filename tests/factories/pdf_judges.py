"""Independent judges of a sealed file: poppler, openssl, qpdf, outloud, pyHanko."""

import asyncio
import io
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.ades import ades_lta_validation
from pyhanko.sign.validation.policy_decl import (
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager

from keys.public.keyset import KeySet


def run(*words: object) -> subprocess.CompletedProcess[str]:
    """A command with both outputs as text; never raises on its exit code."""
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)


def poppler(pdf: Path) -> str:
    """What `pdfsig` says, without a look at the certificate's issuer."""
    return run("pdfsig", "-nocert", pdf).stdout


def openssl(pdf: bytes, key_set: KeySet, folder: Path) -> subprocess.CompletedProcess[str]:
    """`openssl cms -verify` of the first signature over its byte range, trusting our root only."""
    match = re.search(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)", pdf)
    assert match is not None
    start, length, after, rest = (int(number) for number in match.groups())
    contents = bytes.fromhex(pdf[start + length + 1 : after - 1].decode())
    (folder / "cms.der").write_bytes(contents)
    (folder / "signed.bin").write_bytes(pdf[start : start + length] + pdf[after : after + rest])
    (folder / "root.pem").write_bytes(key_set.anchors[0].public_bytes(Encoding.PEM))
    command = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", folder / "cms.der"]
    return run(*command, "-content", folder / "signed.bin", "-CAfile", folder / "root.pem", "-out", folder / "out")


def outloud(pdf: Path) -> subprocess.CompletedProcess[str]:
    """PDF/UA-1 by outloud; exit code 0 when there is no error."""
    return run(Path(sys.executable).parent / "outloud", pdf)


def long_term(pdf: bytes, key_set: KeySet, at: datetime) -> tuple[bool, str]:
    """pyHanko's B-LTA validation (ETSI EN 319 102-1, 5.6.3) at an instant, offline; the verdict and its reason."""
    roots = [asn1_x509.Certificate.load(anchor.public_bytes(Encoding.DER)) for anchor in key_set.anchors]
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(roots), revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO)
    )
    offline = RevocationInfoGatheringSpec(RevinfoOnlineFetchingRule.LOCAL_ONLY)
    spec = PdfSignatureValidationSpec(SignatureValidationSpec(policy, revinfo_gathering_policy=offline))
    signature = PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures[0]
    timing = ValidationTimingInfo(validation_time=at, best_signature_time=at, point_in_time_validation=True)
    result = asyncio.run(ades_lta_validation(signature, spec, timing))
    status = result.api_status
    return bool(status and status.bottom_line), f"{result.ades_subindic} {result.failure_msg}"
