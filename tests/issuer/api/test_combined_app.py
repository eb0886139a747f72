"""Both sides on one port: paths decide, and each side is started and stopped."""

import anyio
import pytest
from fastapi.testclient import TestClient

from issuer.app import _live, belongs_to_issuer, create_combined_app
from tests.factories.world import World


def test_paths_decide_which_side_answers(world_copy: World) -> None:
    certificate = world_copy.certificates()[0]
    app = create_combined_app(world_copy.settings, world_copy.ctx)
    with TestClient(app, follow_redirects=False) as client:  # type: ignore[arg-type]
        checked = client.get(f"/api/v1/certificates/{certificate.token}")
        assert (checked.status_code, checked.json()["verdict"]) == (200, "valid")
        assert client.get(f"/v/{certificate.token}").status_code == 200
        assert client.get(f"/api/v1/certificates/{certificate.management_no}").status_code == 401
        assert client.get("/my/").status_code == 200
        assert client.get("/console/").status_code == 303
        assert client.get("/console/static/console.css").status_code == 200
        assert client.get("/api/v1/sittings").status_code == 401
        assert client.get("/.well-known/ecert-keys.json").status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/v/X", "/api/v1/check", "/api/v1/lookup", "/api/v2/sittings", "/consoles", "/myself"]
)
def test_everything_else_is_public(path: str) -> None:
    assert not belongs_to_issuer(path)


def test_all_applications_live_and_die_together() -> None:
    told: list[str] = []

    def part(name: str, *, fails: bool = False):  # type: ignore[no-untyped-def]
        async def app(_scope, receive, send) -> None:  # type: ignore[no-untyped-def]
            while True:
                kind = (await receive())["type"]
                told.append(f"{name} {kind}")
                if fails:
                    await send({"type": "lifespan.startup.failed", "message": "no"})
                    return
                await send({"type": f"{kind}.complete"})
                if kind == "lifespan.shutdown":
                    return

        return app

    async def live(apps: tuple[object, ...]) -> list[str]:
        said: list[str] = []
        messages = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive() -> dict[str, str]:
            return {"type": next(messages)}

        async def send(message: dict[str, str]) -> None:
            said.append(message["type"])

        await _live({"type": "lifespan"}, receive, send, apps)  # type: ignore[arg-type]
        return said

    assert anyio.run(live, (part("a"), part("b"))) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert told == ["a lifespan.startup", "b lifespan.startup", "b lifespan.shutdown", "a lifespan.shutdown"]
    told.clear()
    assert anyio.run(live, (part("a"), part("b", fails=True))) == ["lifespan.startup.failed"]
    assert told == ["a lifespan.startup", "b lifespan.startup", "a lifespan.shutdown"]
