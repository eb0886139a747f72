"""A target for attacks: two published certificates and an authority of the attacker's own with our names."""

from datetime import timedelta
from pathlib import Path

import pytest

from issuer.sealing.room import first_ceremony, open_sealing_room
from issuer.settings import Settings
from tests.factories.world import World
from tests.vectors.attacks import Target


@pytest.fixture(scope="session")
def target(issued_world: World, tmp_path_factory: pytest.TempPathFactory) -> Target:
    """What an attacker may have."""
    foreign = Settings(data_dir=tmp_path_factory.mktemp("foreign") / "data")
    # The same names in every certificate as ours: the ceremony's own.
    first_ceremony(foreign, issued_world.clock.now() - timedelta(days=1))
    first, second, *_ = issued_world.certificates()
    return Target(
        sealed=issued_world.pdf(first),
        other=issued_world.pdf(second),
        room=issued_world.ctx.room(),
        foreign=open_sealing_room(foreign, issued_world.clock),
    )


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what tests write."""
    return tmp_path_factory.mktemp("elsewhere")
