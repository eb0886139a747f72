"""An OpenID provider as the first step of signing in: authorization code flow with PKCE, by Authlib.

OpenID Connect Core 1.0 §3.1, Discovery 1.0, RP-Initiated Logout 1.0, RFC 7636 (PKCE, S256), RFC 9207 (`iss` in the
answer). The ID token must be signed by a key of the provider's set, with an algorithm of `ALGORITHMS`, for us, now,
and for this very attempt. Access tokens are not kept; nothing of a token is logged.
"""

import contextlib
import hmac
import logging
import secrets
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet, import_key
from joserfc.jws import JWSRegistry

from issuer.access.oidc_documents import TIMEOUT, Documents, is_safe, trust, unreachable
from issuer.clock import Clock
from issuer.errors import NotAllowedError, UnavailableError, Words
from issuer.settings import Settings

with warnings.catch_warnings():
    # Authlib announces another HTTP client; ours is the one it still supports.
    warnings.simplefilter("ignore")
    from authlib.deprecate import AuthlibDeprecationWarning

    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.base_client import OAuthError
    from authlib.integrations.httpx_client import OAuth2Client
    from authlib.oidc.core import CodeIDToken

log = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Public-key signatures only: with `none` or HMAC anybody who knows our client could speak for the provider."""
_REGISTRY = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
# Some providers put their certificates into the header; the rest of joserfc's limits stay.
_REGISTRY.max_header_length = 16_384
LEEWAY_SECONDS = 60
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to sign in: what only this browser and we know until it comes back."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says it is, and how they proved it there (`acr`, `amr`)."""

    issuer: str
    subject: str
    acr: str | None
    amr: frozenset[str]


class Provider:
    """One identity provider, described by its discovery document. Safe to share between threads."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        if not settings.oidc_issuer or not settings.oidc_client_id:
            raise _misconfigured()
        self.issuer = settings.oidc_issuer
        self.label = settings.oidc_label
        self._client_id = settings.oidc_client_id
        self._secret = _client_secret(settings)
        self._acr = settings.oidc_second_factor_acr
        self._amr = frozenset(settings.oidc_second_factor_amr)
        self._clock = clock
        self._documents = Documents()
        if not is_safe(self.issuer):
            raise _misconfigured()

    def begin(self, return_to: str) -> tuple[str, Attempt]:
        """Where to send the browser, and what to remember. Raises UnavailableError."""
        attempt = Attempt(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))
        extra = {"acr_values": " ".join(self._acr)} if self._acr else {}
        with self._client(return_to) as client:
            url, _ = client.create_authorization_url(
                self._described()["authorization_endpoint"],
                state=attempt.state,
                nonce=attempt.nonce,
                code_verifier=attempt.verifier,
                **extra,
            )
        return str(url), attempt

    def finish(self, attempt: Attempt, answer: Mapping[str, str], return_to: str) -> Identity:
        """Who came back, by the parameters of the answer.

        Raises NotAllowedError (`oidc-answer`: not the answer to this attempt; `oidc-denied`: the provider refused;
        `oidc-token`: the token does not hold), UnavailableError.
        """
        described = self._described()
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise refuse_answer("state")
        named = answer.get("iss")
        if named != self.issuer and (
            named or described.get("authorization_response_iss_parameter_supported") is True
        ):
            raise refuse_answer("iss")
        if "error" in answer or not answer.get("code"):
            raise NotAllowedError(
                "oidc-denied",
                Words("身份认证平台没有通过本次登录。", "The identity provider did not let the sign-in through."),
                remedy=Words("请重新登录，或使用其他方式。", "Try again, or sign in another way."),
            )
        token = self._exchange(answer["code"], attempt, return_to)
        return self._identity(token, attempt.nonce)

    def is_second_factor(self, identity: Identity) -> bool:
        """Whether the house takes what was proved there for its own second factor."""
        return identity.acr in self._acr or bool(identity.amr & self._amr)

    def sign_out_address(self, return_to: str) -> str | None:
        """Where the provider ends its own session; None when it offers no such place or cannot be reached.

        Without `id_token_hint`: the ID token would have to be kept, and would stand in an address.
        """
        try:
            endpoint = self._described().get("end_session_endpoint")
        except UnavailableError:
            return None
        if not isinstance(endpoint, str) or not is_safe(endpoint):
            return None
        query = urlencode({"client_id": self._client_id, "post_logout_redirect_uri": return_to})
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"

    def _exchange(self, code: str, attempt: Attempt, return_to: str) -> dict[str, Any]:
        with self._client(return_to) as client:
            try:
                return dict(
                    client.fetch_token(
                        self._described()["token_endpoint"],
                        grant_type="authorization_code",
                        code=code,
                        code_verifier=attempt.verifier,
                    )
                )
            except OAuthError as exc:
                # The error code only: descriptions are the provider's text and may hold anything.
                log.warning("the identity provider refused a code: %s", str(exc.error)[:40])
                raise refuse_answer("code") from None
            except (httpx.HTTPError, ValueError) as exc:
                raise unreachable(type(exc).__qualname__) from None

    def _identity(self, token: Mapping[str, Any], nonce: str) -> Identity:
        value = token.get("id_token")
        if not isinstance(value, str):
            raise _refuse_token("missing")
        try:
            decoded = self._decoded(value)
            options: Any = {
                "iss": {"essential": True, "value": self.issuer},
                "aud": {"essential": True, "value": self._client_id},
            }
            known = {"nonce": nonce, "client_id": self._client_id, "access_token": token.get("access_token")}
            claims = CodeIDToken(decoded.claims, decoded.header, options, known)
            claims.validate(now=int(self._clock.now().timestamp()), leeway=LEEWAY_SECONDS)
        except JoseError as exc:
            raise _refuse_token(exc.error) from None
        except (ValueError, TypeError, KeyError, AttributeError) as exc:
            raise _refuse_token(type(exc).__name__) from None
        subject = claims.get("sub")
        # Another audience beside us would mean a token that others hold as well.
        if claims.get("aud") not in (self._client_id, [self._client_id]):
            raise _refuse_token("aud")
        if not isinstance(subject, str) or not 1 <= len(subject) <= 255:
            raise _refuse_token("sub")
        acr, amr = claims.get("acr"), claims.get("amr") or []
        return Identity(
            self.issuer,
            subject,
            acr if isinstance(acr, str) else None,
            frozenset(one for one in amr if isinstance(one, str)),
        )

    def _decoded(self, value: str) -> jwt.Token:
        """The token, its signature checked; asks once more for the keys when it was made with a new one."""
        address = self._described()["jwks_uri"]
        for again in (False, True):
            keys, fresh = self._documents.get(address, again=again)
            try:
                return jwt.decode(value, _signing_keys(keys), registry=_REGISTRY)
            except (InvalidKeyIdError, BadSignatureError):
                if again or fresh:
                    raise
        raise AssertionError("unreachable")  # pragma: no cover

    def _described(self) -> dict[str, Any]:
        found, _ = self._documents.get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self.issuer:
            raise unreachable("its description names another issuer")
        for name in _ENDPOINTS:
            if not isinstance(found.get(name), str) or not is_safe(found[name]):
                raise unreachable(f"its description lacks a usable {name}")
        return found

    def _client(self, return_to: str) -> Any:
        ways = self._described().get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "client_secret_post" if "client_secret_basic" not in ways else "client_secret_basic"
        return OAuth2Client(
            self._client_id,
            self._secret,
            token_endpoint_auth_method=method if self._secret else "none",
            scope="openid",
            redirect_uri=return_to,
            code_challenge_method="S256",
            timeout=TIMEOUT,
            verify=trust(),
            follow_redirects=False,
        )


def provider_of(settings: Settings, clock: Clock) -> Provider | None:
    """The provider of these settings; None where none is named. Raises UnavailableError (settings incomplete)."""
    return Provider(settings, clock) if settings.oidc_issuer else None


def refuse_answer(part: str) -> NotAllowedError:
    """What came back does not belong to this browser's attempt; `part` is written to the log only."""
    log.warning("an answer for an identity provider was refused: %s", part)
    return NotAllowedError(
        "oidc-answer",
        Words("这次登录已过期，或不是从本浏览器发起的。", "This sign-in is over, or was not begun in this browser."),
        remedy=Words("请从登录页重新开始。", "Begin again on the sign-in page."),
    )


def _refuse_token(fault: str) -> NotAllowedError:
    log.error("an identity provider's token was refused: %s", fault[:60])
    return NotAllowedError(
        "oidc-token",
        Words(
            "身份认证平台给出的凭据没有通过核验，未登录。",
            "The identity provider's token did not hold; not signed in.",
        ),
        remedy=Words(
            "请重新登录；仍然不行时请维护人员核对 ECERT_OIDC_* 设置和两边的时钟。",
            "Try again; if it stays, operators compare the ECERT_OIDC_* settings and both clocks.",
        ),
    )


def _signing_keys(document: Mapping[str, Any]) -> KeySet:
    """The provider's public keys for signatures; kinds we do not know (SM2, say) are left out, not stumbled over."""
    keys = []
    for found in document.get("keys", []):
        if isinstance(found, dict) and found.get("use", "sig") == "sig" and found.get("kty") != "oct":
            with contextlib.suppress(JoseError, ValueError, KeyError, TypeError):
                keys.append(import_key(found))
    return KeySet(keys)


def _client_secret(settings: Settings) -> str | None:
    if settings.oidc_client_secret_file is not None:
        try:
            text = settings.oidc_client_secret_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise _misconfigured() from None
        return text.split("\n", 1)[0].strip() or None
    return settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else None


def _misconfigured() -> UnavailableError:
    return UnavailableError(
        "oidc-settings",
        Words("统一身份认证的设置不完整。", "The settings of the identity provider are incomplete."),
        remedy=Words(
            "设置 ECERT_OIDC_ISSUER（https）、ECERT_OIDC_CLIENT_ID，密钥文件须可读。",
            "Set ECERT_OIDC_ISSUER (https) and ECERT_OIDC_CLIENT_ID; a secret file must be readable.",
        ),
    )
