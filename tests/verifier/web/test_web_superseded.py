"""What was replaced leads to what replaces it, by every way to ask, and step by step if replaced again."""

import hashlib

from starlette.testclient import TestClient

from tests.factories.public_register import PublicRegister, Published


def every_way(client: TestClient, one: Published) -> list[dict[str, object]]:
    """The answer by token, by the old file's digest, by number and name, and in bulk."""
    asked = {"management_no": one.claims.management_no, "name": one.claims.name}
    digest = hashlib.sha256(one.file).hexdigest()
    bulk = client.post("/api/v1/checks", json={"checks": [{"token": one.token}, {"sha256": digest}, asked]})
    return [
        client.get(f"/api/v1/certificates/{one.token}").json(),
        client.get(f"/api/v1/files/{digest}").json(),
        client.post("/api/v1/lookup", json=asked).json(),
        *bulk.json()["results"],
    ]


def test_an_old_certificate_leads_to_the_present_one(
    client: TestClient, browser_client: TestClient, register: PublicRegister
) -> None:
    old, newer, newest = register.publish(), register.publish(), register.publish()
    register.change(old.token, "superseded", reason_class="corrected", superseded_by=newer.token)
    register.change(newer.token, "superseded", reason_class="corrected", superseded_by=newest.token)
    for one, successor in ((old, newer), (newer, newest)):
        for answer in every_way(client, one):
            shown = answer["certificate"]
            assert (answer["verdict"], shown["superseded_by"]) == ("superseded", successor.token)  # type: ignore[index]
        digest = hashlib.sha256(one.file).hexdigest()
        for address in (f"/v/{one.token}", f"/api/v1/files/{digest}"):
            assert f'href="/v/{successor.token}"' in browser_client.get(address).text
    assert {answer["verdict"] for answer in every_way(client, newest)} == {"valid"}
    receipt = client.post("/api/v1/receipts", json={"subject": old.token}).json()
    assert receipt["statement"]["verdict"] == "superseded"
