"""The whole way with keys from a real ceremony: what the sealing room signs, the published key set verifies."""

from datetime import timedelta
from pathlib import Path

from issuer.clock import SimulatedClock
from issuer.migrations.runner import migrate
from issuer.publication.outbox import announce_certificate
from issuer.publication.relay import Relay
from issuer.records.database import Database, make_engine
from issuer.sealing.credential import sign_credential
from issuer.sealing.room import first_ceremony, open_sealing_room
from issuer.settings import Settings
from keys.public.keyset import load_key_set
from tests.factories.claims import sample_claims
from tests.factories.feed import sample_record, token_of
from tests.factories.signing import NOW
from verifier.record.credential import verify_credential
from verifier.record.log_reading import origin_of, verify_checkpoint
from verifier.record.register import SqlRegister
from verifier.record.status_list import verify_status_list


def test_credential_lists_and_checkpoint_verify_against_the_published_keys(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, verify_base_url="https://verify.example/")
    first_ceremony(settings, NOW - timedelta(hours=1))
    clock = SimulatedClock(NOW)
    room = open_sealing_room(settings, clock)
    issuer_engine, register_engine = make_engine(settings.issuer_database), make_engine(settings.register_database)
    migrate(issuer_engine, "issuer")
    migrate(register_engine, "public_record")
    database = Database(issuer_engine)
    with database.write() as session:
        announce_certificate(session, sample_record(1))
    relay = Relay(database, register_engine, lambda: room, clock, base_url=settings.verify_base_url)
    assert relay.flush() == 1

    published = load_key_set(settings.keys_dir)
    assert verify_credential(sign_credential(room, sample_claims()), published).claims == sample_claims()
    register = SqlRegister(settings.register_database)
    assert register.by_token(token_of(1)) == sample_record(1)
    stored, head = register.status_list("1"), register.latest_checkpoint()
    assert stored is not None and head is not None
    for token in (stored.token_jwt, stored.token_cwt):
        verify_status_list(token, published, list_id="1", now=NOW, base_url="https://verify.example")
    origin = origin_of(settings.verify_base_url)
    assert verify_checkpoint(head.signed_note, published, origin=origin).tree_size == 1
    register.close()
    issuer_engine.dispose()
    register_engine.dispose()
