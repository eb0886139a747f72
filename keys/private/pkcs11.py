"""Keys in a PKCS#11 token (an HSM, or SoftHSM2 in tests). The private key never leaves it.

python-pkcs11 is not safe for threads: it initialises the library without locks and drops the GIL while inside. So a
process has one session a token, opened once, and every call into any library stands under one process-wide lock. A
process forked after that must not use it; workers are spawned and open their own.
"""

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, cast

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

from keys.private.errors import KeyStoreError
from keys.private.signer import Certify
from keys.private.software import raw_signature
from keys.public.ecdsa import lower_half
from keys.public.keyset import PublishedKey, key_id, published_key
from keys.public.purposes import KeyPurpose

_LOCK = threading.RLock()
_OPEN: dict[tuple[str, str], "Token"] = {}


def open_token(module: str, label: str, pin: str) -> "Token":
    """The token with this label behind the library `module`; one object a process, however often it is asked for.

    Raises KeyStoreError `token-unavailable`, `token-pin-wrong`.
    """
    with _LOCK:
        token = _OPEN.get((module, label))
        if token is None or token.process != os.getpid():
            token = _OPEN[module, label] = Token(module, label, pin)
        return token


class Token:
    """One open session. Get it from `open_token`."""

    def __init__(self, module: str, label: str, pin: str) -> None:
        self.process = os.getpid()
        with _device():
            library = pkcs11.lib(module)
            self._session = library.get_token(token_label=label).open(rw=True, user_pin=pin)

    def make(self, purpose: KeyPurpose, certify: Certify) -> PublishedKey:
        """A new P-256 key that can sign and can never be read out (`keys.private.signer.KeyMaker`).

        Its CKA_ID is the key id of the published key set, its label the purpose.
        """
        with _device():
            curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
            parameters = self._session.create_domain_parameters(KeyType.EC, curve, local=True)
            public, private = parameters.generate_keypair(
                store=True,
                label=purpose.value,
                private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.SIGN: True},
            )
            public_key = load_der_public_key(encode_ec_public_key(public))
            if not isinstance(public_key, ec.EllipticCurvePublicKey):
                raise TypeError("the token made another kind of key")
            for half in (public, private):
                half[Attribute.ID] = bytes.fromhex(key_id(public_key))
        certificate, chain = certify(public_key)
        return published_key(purpose, certificate, chain[:-1])

    def retire(self, key: PublishedKey) -> None:
        """Take from a replaced key its right to sign. It stays in the token."""
        with _device():
            found = self._find(key.kid)
            if found is not None:
                found[Attribute.SIGN] = False

    def signer(self, published: PublishedKey, root: x509.Certificate) -> "TokenSigner":
        """The private half of a published key under `root`; raises KeyStoreError `token-key-missing`."""
        with _device():
            key = cast(_SigningKey, self._private_key(published.kid))
            return TokenSigner(published, (*published.chain, root), key)

    def _private_key(self, kid: str) -> pkcs11.PrivateKey:
        key = self._find(kid)
        if key is None:
            raise KeyStoreError(
                "token-key-missing",
                f"令牌中没有编号为 {kid} 的密钥。请检查令牌标签，或用 ecert keys list 查看在用密钥。",
                f"The token holds no key {kid}. Check the token label, or see `ecert keys list`.",
            )
        return key

    def _find(self, kid: str) -> pkcs11.PrivateKey | None:
        wanted = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.ID: bytes.fromhex(kid)}
        keys = [key for key in self._session.get_objects(wanted) if isinstance(key, pkcs11.PrivateKey)]
        return keys[0] if keys else None


class _SigningKey(Protocol):
    def sign(self, data: bytes, *, mechanism: Mechanism) -> bytes: ...


class TokenSigner:
    """Implements `keys.private.signer.Signer` with a key in a token. Threads take turns."""

    def __init__(self, published: PublishedKey, chain: tuple[x509.Certificate, ...], key: _SigningKey) -> None:
        self.purpose = published.purpose
        self.kid = published.kid
        self.public_key = published.public_key
        self.certificate = published.certificate
        self.chain = chain
        self._key = key
        self._process = os.getpid()

    def sign(self, message: bytes) -> bytes:
        """ECDSA P-256 with SHA-256 over `message`, DER, s in its lower half.


        Raises KeyStoreError `token-unavailable`, and RuntimeError in a child forked after the token was opened.
        """
        if self._process != os.getpid():
            raise RuntimeError("a token session does not survive a fork; open the token in the new process")
        # Hashed here: many tokens have only the raw ECDSA mechanism.
        digest = hashlib.sha256(message).digest()
        with _device():
            raw = bytes(self._key.sign(digest, mechanism=Mechanism.ECDSA))
        half = len(raw) // 2
        return lower_half(encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")))

    def sign_raw(self, message: bytes) -> bytes:
        """The same as 64 bytes, r then s; raises as `sign`."""
        return raw_signature(self.sign(message))

    def __repr__(self) -> str:
        return f"TokenSigner({self.purpose.value}, {self.kid})"


@contextmanager
def _device() -> Iterator[None]:
    """One caller at a time, and the device's errors in our words."""
    with _LOCK:
        try:
            yield
        except (pkcs11.exceptions.PinIncorrect, pkcs11.exceptions.PinLocked, pkcs11.exceptions.PinInvalid) as error:
            raise KeyStoreError(
                "token-pin-wrong",
                "令牌口令不对或已锁定。请检查 ECERT_PKCS11_PIN。",
                "The token's PIN is wrong or locked. Check ECERT_PKCS11_PIN.",
            ) from error
        except (pkcs11.exceptions.PKCS11Error, RuntimeError) as error:
            # The binding raises RuntimeError when the library itself cannot be loaded.
            raise KeyStoreError(
                "token-unavailable",
                f"密码令牌不可用（{type(error).__name__}），什么也没有签。请检查 ECERT_PKCS11_MODULE 和设备。",
                f"The token cannot be used ({type(error).__name__}); nothing was signed. "
                "Check ECERT_PKCS11_MODULE and the device.",
            ) from error
