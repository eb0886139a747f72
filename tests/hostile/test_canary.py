"""A file that names addresses to be fetched (issuer, OCSP, CRL, links, forms, streams elsewhere): nobody calls there.

The canary listens on loopback, TCP and UDP: a wall that only keeps other hosts out would not hide a call.
"""

import io
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from cryptography.x509.oid import NameOID
from pyhanko.keys import load_private_key_from_pemder_data
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from tests.factories.world import World
from tests.services.ports import free_port
from verifier.check.checker import Checker
from verifier.check.sandbox import Sandbox
from verifier.record.register import SqlRegister
from verifier.record.verdict import Verdict


class Canary:
    """Counts connections and datagrams on one loopback port."""

    def __init__(self) -> None:
        self.port = free_port()
        self._tcp = socket.create_server(("127.0.0.1", self.port))
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        self.calls = 0
        self._heard = threading.Condition()
        for wait in (self._accept, self._receive):
            threading.Thread(target=wait, daemon=True).start()

    @property
    def url(self) -> str:
        """An address that leads here."""
        return f"http://127.0.0.1:{self.port}/x"

    def wait_for(self, calls: int) -> bool:
        """Whether so many calls came within two minutes."""
        with self._heard:
            return self._heard.wait_for(lambda: self.calls >= calls, timeout=120)

    def _accept(self) -> None:
        while True:
            connection, _ = self._tcp.accept()
            connection.close()
            self._count()

    def _receive(self) -> None:
        while True:
            self._udp.recv(2048)
            self._count()

    def _count(self) -> None:
        with self._heard:
            self.calls += 1
            self._heard.notify_all()


@pytest.fixture
def canary() -> Canary:
    return Canary()


@pytest.fixture
def checkers(issued_world: World) -> Iterator[list[Checker]]:
    """The check in this process and in the sandboxed one."""
    world = issued_world
    sandbox = Sandbox(workers=1, waiting=0)
    register, keys = SqlRegister(world.settings.register_database), world.key_set
    asked = (register, lambda: keys, world.ctx.lookup_key, world.clock.now, (world.settings.verify_base_url,))
    yield [Checker(*asked), Checker(*asked, inspect=sandbox)]
    sandbox.close()


def test_a_check_calls_nobody(canary: Canary, checkers: list[Checker], issued_world: World) -> None:
    sealed = issued_world.pdf(issued_world.certificates()[0])
    tempting = [sealed, signed_by_a_stranger(_page(b""), canary.url, issued_world)]
    for entry in _ENTRIES:
        named = entry(canary.url.encode())
        page = _page(named)
        tempting += [page, sealed + _update(named), signed_by_a_stranger(page, canary.url, issued_world)]
    for checker in checkers:
        verdicts = [checker.check_pdf(pdf).verdict for pdf in tempting]
        assert verdicts[0] is Verdict.VALID
        assert set(verdicts[1:]) <= {Verdict.UNTRUSTED, Verdict.ALTERED, Verdict.MALFORMED}
        assert Verdict.UNTRUSTED in verdicts, "a stranger's signature was not even read"
    assert canary.calls == 0
    with socket.create_connection(("127.0.0.1", canary.port)):
        assert canary.wait_for(1), "the canary hears nothing at all"


def signed_by_a_stranger(pdf: bytes, url: str, world: World) -> bytes:
    """`pdf` signed with a certificate that says where its issuer, its OCSP answer and its CRL are to be had."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Stranger")])
    address = x509.UniformResourceIdentifier(url)
    places = [x509.AccessDescription(kind, address) for kind in (Access.CA_ISSUERS, Access.OCSP)]
    point = x509.DistributionPoint([address], None, None, None)
    now = world.clock.now()
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.AuthorityInformationAccess(places), critical=False)
        .add_extension(x509.CRLDistributionPoints([point]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    signer = signers.SimpleSigner(
        asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER)),
        load_private_key_from_pemder_data(private, None),
        SimpleCertificateStore(),
    )
    out = signers.sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(pdf)), signers.PdfSignatureMetadata(field_name="S"), signer=signer
    )
    return bytes(out.getvalue())


_ENTRIES: tuple[Callable[[bytes], bytes], ...] = (
    lambda url: b"/OpenAction<</S/URI/URI(%b)>>" % url,
    lambda url: b"/OpenAction<</S/GoToR/F<</FS/URL/F(%b)>>/D[0/Fit]>>" % url,
    lambda url: b"/OpenAction<</S/Launch/F<</FS/URL/F(%b)>>>>" % url,
    lambda url: b"/OpenAction<</S/SubmitForm/F<</FS/URL/F(%b)>>/Flags 4>>" % url,
    lambda url: b"/OpenAction<</S/JavaScript/JS(app.launchURL\\('%b'\\))>>" % url,
    lambda url: b"/AA<</WC<</S/ImportData/F<</FS/URL/F(%b)>>>>>>" % url,
    lambda url: b"/Names<</EmbeddedFiles<</Names[(a)<</FS/URL/F(%b)>>]>>>>" % url,
    lambda url: b"/AcroForm<</Fields[]/XFA(<xdp href='%b'/>)>>" % url,
    lambda url: b"/URI<</Base(%b)>>" % url,
)


def _page(entry: bytes) -> bytes:
    """A PDF of one empty page with `entry` in its catalog; its content lies, if one believes it, elsewhere."""
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R%b>>" % entry,
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R>>",
        b"<</Length 0/F<</FS/URL/F(http://127.0.0.1/y)>>>>stream\n\nendstream",
    ]
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    table = b"xref\n0 5\n0000000000 65535 f \n" + rows
    return out + table + b"trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(out)


def _update(entry: bytes) -> bytes:
    return b"\n900 0 obj\n<<%b>>\nendobj\n%%%%EOF\n" % entry
