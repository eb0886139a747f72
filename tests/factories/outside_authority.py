"""A time-stamp authority of another house: any key, any SHA-2, the token put together by asn1crypto."""

import hashlib
from datetime import UTC, datetime, timedelta

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


class OutsideAuthority:
    """Its root, certificate and CRL, and answers to requests. `named`: what its tokens call their algorithm."""

    def __init__(
        self, key: PrivateKey, digest: str = "sha256", *, named: str | None = None, usage: str = "digital_signature"
    ) -> None:
        self.key, self.digest = key, digest
        plain = "rsassa_pkcs1v15" if isinstance(key, rsa.RSAPrivateKey) else f"{digest}_ecdsa"
        self.signature_name = named or plain
        now = datetime.now(UTC)
        root_key = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "示例 外部根 Outside Root")])
        leaf = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "示例 外部时间戳 Outside Time")])
        self.root = (
            _builder(name, name, root_key.public_key(), now)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
            .sign(root_key, hashes.SHA256())
        )
        self.certificate = (
            _builder(leaf, name, key.public_key(), now)
            .add_extension(_usage(usage), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            .sign(root_key, hashes.SHA384())
        )
        self.crl = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(name)
            .last_update(now - timedelta(days=1))
            .next_update(now + timedelta(days=90))
            .sign(root_key, hashes.SHA256())
        )

    def answer(self, request: bytes) -> bytes:
        """A DER TimeStampResp."""
        asked = tsp.TimeStampReq.load(request)
        certificate = asn1_x509.Certificate.load(self.certificate.public_bytes(Encoding.DER))
        info = tsp.TSTInfo(
            {
                "version": 1,
                "policy": "2.999.1",
                "message_imprint": asked["message_imprint"],
                "serial_number": x509.random_serial_number(),
                "gen_time": datetime.now(UTC).replace(microsecond=0),
                "nonce": asked["nonce"].native,
            }
        ).dump()
        named = tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(certificate.dump()).digest()})
        attributes = cms.CMSAttributes(
            [
                cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}),
                cms.CMSAttribute({"type": "message_digest", "values": [hashlib.new(self.digest, info).digest()]}),
                cms.CMSAttribute({"type": "signing_time", "values": [cms.Time({"utc_time": datetime.now(UTC)})]}),
                cms.CMSAttribute(
                    {"type": "signing_certificate_v2", "values": [tsp.SigningCertificateV2({"certs": [named]})]}
                ),
            ]
        )
        algorithm = algos.DigestAlgorithm({"algorithm": self.digest})
        signer = cms.SignerInfo(
            {
                "version": "v1",
                "sid": cms.SignerIdentifier(
                    "issuer_and_serial_number",
                    cms.IssuerAndSerialNumber(
                        {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
                    ),
                ),
                "digest_algorithm": algorithm,
                "signed_attrs": attributes,
                "signature_algorithm": self._signature_algorithm(),
                "signature": self._sign(attributes.dump()),
            }
        )
        data = cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": [algorithm],
                "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(info)},
                "certificates": [cms.CertificateChoices("certificate", certificate)],
                "signer_infos": [signer],
            }
        )
        token = cms.ContentInfo({"content_type": "signed_data", "content": data})
        return bytes(tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump())

    def _signature_algorithm(self) -> algos.SignedDigestAlgorithm:
        with_null = isinstance(self.key, rsa.RSAPrivateKey) and self.signature_name != "rsassa_pss"
        parameters = {"parameters": core.Null()} if with_null else {}
        return algos.SignedDigestAlgorithm({"algorithm": self.signature_name, **parameters})

    def _sign(self, message: bytes) -> bytes:
        algorithm = _HASHES[self.digest]
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(message, padding.PKCS1v15(), algorithm)
        return self.key.sign(message, ec.ECDSA(algorithm))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=900))
    )


def _usage(*named: str) -> x509.KeyUsage:
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{name: name in named for name in names})
