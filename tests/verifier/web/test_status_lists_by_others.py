"""Status lists as somebody else's program reads them over HTTP, and theirs as ours does."""

from starlette.testclient import TestClient

from keys.public.purposes import KeyPurpose
from tests.factories.public_register import PublicRegister
from tests.judges.npm import ask
from verifier.record import jws
from verifier.record.status import CertificateStatus
from verifier.record.status_list import LIST_ENTRIES, StatusList

_STATUSES = {0: 1, 7: 2, 8: 3, 100_000: 1, LIST_ENTRIES - 1: 2}


def test_another_implementation_reads_the_same_statuses(client: TestClient, register: PublicRegister) -> None:
    register.set_list_entries({i: CertificateStatus.from_list_value(value) for i, value in _STATUSES.items()})
    answer = client.get("/status-lists/1", headers={"Accept": "application/statuslist+jwt"})
    keys = client.get("/.well-known/ecert-keys.json").json()["keys"]
    jwk = next(key for key in keys if key["use"] == KeyPurpose.STATUS_LIST.value)
    values = [(index * 7) % 4 for index in range(1000)]
    found = ask(
        "status_list.mjs",
        {
            "jwt": answer.text,
            "jwk": {name: jwk[name] for name in ("kty", "crv", "x", "y")},
            "values": values,
            "bits": 2,
        },
    )
    assert found["verified"] is True
    assert (found["bits"], found["entries"]) == (2, LIST_ENTRIES)
    assert {int(index): value for index, value in found["set"].items()} == _STATUSES
    assert found["header"]["typ"] == "statuslist+jwt"
    assert found["claims"]["sub"] == f"{register.base_url}/status-lists/1"
    assert found["claims"]["exp"] - found["claims"]["iat"] == 24 * 3600
    assert found["claims"]["status_list"]["aggregation_uri"] == f"{register.base_url}/status-lists"
    theirs = StatusList.from_compressed(jws.unb64url(found["made"]["lst"]), found["made"]["bits"])
    assert [theirs.get(index) for index in range(1000)] == values
