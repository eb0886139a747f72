"""A conforming OpenID provider for tests: Authlib's server parts over HTTP on this machine, with keys of its own.

It signs in whoever it is told to (`person`), without a page. `twist` spoils one thing at a time, as a broken or
hostile provider would; everything else stays as the standard has it.
"""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import AuthorizationCodeMixin, UserInfo
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, Response, redirect, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

CLIENT_ID = "ecert-console"
CLIENT_SECRET = "a secret of the test"


@dataclass
class Code(AuthorizationCodeMixin):
    """An authorization code as it was given out."""

    code: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str | None
    code_challenge_method: str | None
    acr: str | None = None
    amr: list[str] = field(default_factory=list)

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> None:
        return None

    def get_acr(self) -> str | None:
        return self.acr

    def get_amr(self) -> list[str]:
        return self.amr


class Client(ClientMixin):
    """Our console, as it is registered there."""

    def __init__(self, redirect_uri: str) -> None:
        self.redirect_uri = redirect_uri

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> None:
        return None

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class OpenIdProvider:
    """Where it is, whom it signs in, and how it misbehaves (`claims`, `sign`, `describe`, `replays`)."""

    now: Callable[[], float]
    issuer: str = ""
    redirect_uri: str = ""
    person: str = "subject-of-the-test"
    acr: str | None = None
    amr: list[str] = field(default_factory=list)
    claims: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
    sign: Callable[["OpenIdProvider", dict[str, Any]], str] | None = None
    describe: Callable[[dict[str, Any]], dict[str, Any]] = lambda document: document
    replays: bool = False
    """Take a code more than once, which no provider may."""
    lives: int = 300
    keys: list[RSAKey] = field(default_factory=list)
    published: list[RSAKey] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    """Paths that were asked for, oldest first."""
    codes: dict[str, Code] = field(default_factory=dict)
    denies: bool = False

    def rotate(self) -> None:
        """Sign with a new key from now on, and publish it only."""
        self.keys = [RSAKey.generate_key(2048, auto_kid=True)]
        self.published = list(self.keys)

    def described(self) -> dict[str, Any]:
        """The discovery document."""
        return self.describe(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "end_session_endpoint": f"{self.issuer}/leave",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    def id_token(self, claims: dict[str, Any]) -> str:
        """The claims, signed with the newest key or as `sign` has it."""
        claims = self.claims(claims)
        if self.sign is not None:
            return self.sign(self, claims)
        return jwt.encode({"alg": "RS256", "kid": self.keys[0].kid}, claims, self.keys[0])


def unsigned(_provider: OpenIdProvider, claims: dict[str, Any]) -> str:
    """`alg` none."""
    return _two_parts({"alg": "none"}, claims) + "."


def signed_with_the_public_key(provider: OpenIdProvider, claims: dict[str, Any]) -> str:
    """HMAC with what everybody knows: the provider's public key as PEM."""
    return _hmac(provider, claims, provider.keys[0].as_pem(private=False))


def signed_with_the_client_secret(provider: OpenIdProvider, claims: dict[str, Any]) -> str:
    """HMAC with the client's secret: allowed by the standard, refused by us."""
    return _hmac(provider, claims, CLIENT_SECRET.encode())


def _hmac(provider: OpenIdProvider, claims: dict[str, Any], key: bytes) -> str:
    # By hand: joserfc refuses to make such a token.
    said = _two_parts({"alg": "HS256", "kid": provider.keys[0].kid}, claims)
    return f"{said}.{_plain(hmac.new(key, said.encode(), hashlib.sha256).digest())}"


def _two_parts(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return ".".join(_plain(json.dumps(part).encode()) for part in (header, claims))


def _plain(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def signed_by_a_stranger(provider: OpenIdProvider, claims: dict[str, Any]) -> str:
    """Somebody else's key under the provider's key id."""
    stranger = RSAKey.generate_key(2048)
    return jwt.encode({"alg": "RS256", "kid": provider.keys[0].kid}, claims, stranger)


def signed_with_its_own_key(_provider: OpenIdProvider, claims: dict[str, Any]) -> str:
    """The key that checks it comes in the token's own header."""
    stranger = RSAKey.generate_key(2048, auto_kid=True)
    header = {"alg": "RS256", "kid": stranger.kid, "jwk": stranger.as_dict(private=False)}
    return jwt.encode(header, claims, stranger)


@contextmanager
def openid_provider(now: Callable[[], float]) -> Iterator[OpenIdProvider]:
    """Serve on a free port until the block ends; `now` is the provider's clock, in seconds."""
    provider = OpenIdProvider(now, keys=[_first_key()], published=[_first_key()])
    server = make_server("127.0.0.1", 0, _application(provider), threaded=True)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@cache
def _first_key() -> RSAKey:
    """Making one takes its time: every provider of a test run begins with the same."""
    return RSAKey.generate_key(2048, auto_kid=True)


def _application(provider: OpenIdProvider) -> Flask:
    app = Flask("openid-provider")

    class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

        def save_authorization_code(self, code: str, asked: Any) -> None:
            data = asked.payload.data
            provider.codes[code] = Code(
                code,
                asked.payload.redirect_uri,
                asked.payload.scope,
                data.get("nonce"),
                data.get("code_challenge"),
                data.get("code_challenge_method"),
                provider.acr,
                list(provider.amr),
            )

        def query_authorization_code(self, code: str, client: Any) -> Code | None:
            return provider.codes.get(code)

        def delete_authorization_code(self, code: Code) -> None:
            if not provider.replays:
                del provider.codes[code.code]

        def authenticate_user(self, code: Code) -> str:
            return provider.person

    class IdToken(OpenIDCode):  # type: ignore[misc]
        def exists_nonce(self, nonce: str, asked: Any) -> bool:
            return any(code.nonce == nonce for code in provider.codes.values()) and not provider.replays

        def generate_user_info(self, user: str, scope: str) -> UserInfo:
            return UserInfo(sub=user)

        def encode_id_token(self, token: dict[str, Any], asked: Any) -> str:
            now = int(provider.now())
            claims = {"iss": provider.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + provider.lives}
            claims |= self.get_authorization_code_claims(asked.authorization_code)
            return provider.id_token({**claims, **self.generate_user_info(asked.user, token["scope"])})

    server = AuthorizationServer(
        app,
        query_client=lambda client_id: Client(provider.redirect_uri) if client_id == CLIENT_ID else None,
        save_token=lambda token, asked: None,
    )
    server.register_grant(CodeGrant, [IdToken(require_nonce=True), CodeChallenge(required=True)])

    @app.before_request
    def note() -> None:
        provider.requests.append(request.path)

    @app.get("/.well-known/openid-configuration")
    def description() -> dict[str, Any]:
        return provider.described()

    @app.get("/keys")
    def keys() -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False) for key in provider.published]}

    @app.get("/authorize")
    def authorize() -> Any:
        if provider.denies:
            query = urlencode({"error": "access_denied", "state": request.args["state"], "iss": provider.issuer})
            return redirect(f"{request.args['redirect_uri']}?{query}")
        grant = server.get_consent_grant(end_user=provider.person)
        answer = server.create_authorization_response(grant_user=provider.person, grant=grant)
        answer.headers["Location"] += "&" + urlencode({"iss": provider.issuer})
        return answer

    @app.post("/token")
    def token() -> Any:
        return server.create_token_response()

    @app.get("/leave")
    def leave() -> Response:
        target = request.args.get("post_logout_redirect_uri", "")
        return Response(f'<p>Bye</p><a id="back" href="{target}">back</a>', mimetype="text/html")

    return app


def parameters(address: str) -> dict[str, str]:
    """The query of an address, each name once."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
