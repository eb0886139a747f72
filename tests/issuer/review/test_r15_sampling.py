"""R15: a random sample anybody can draw again, with a seed that stood in public before; targeted checks; results."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.access.actor import Actor
from issuer.cli import run
from issuer.errors import ConflictError, NotAllowedError, NotFoundError
from issuer.review import sampling
from issuer.rules.sampling import drawn, list_digest, sample_size
from issuer.rules.terms import Role
from tests.factories.office import CSRF, Office
from tests.factories.world import PROPOSER, World

IDS = st.sets(st.text(min_size=1, max_size=8), max_size=60)


@given(seed=st.text(max_size=20), ids=IDS, per_mille=st.integers(1, 1000))
def test_a_draw_is_a_function_of_seed_list_and_rate(seed: str, ids: set[str], per_mille: int) -> None:
    picked = drawn(seed, sorted(ids), per_mille)
    assert picked == drawn(seed, [*sorted(ids, reverse=True), *ids], per_mille), "order and repeats do not matter"
    assert set(picked) <= ids and len(set(picked)) == len(picked) == sample_size(len(ids), per_mille)
    assert set(picked) <= set(drawn(seed, ids, 1000)) == ids


def test_the_draw_is_the_one_the_public_page_describes() -> None:
    ids = [f"4100{number:04}" for number in range(200)]
    by_hand = sorted(ids, key=lambda one: hashlib.sha256(f"seed:{one}".encode()).hexdigest())[:10]
    assert list(drawn("seed", ids, 50)) == by_hand
    assert drawn("other", ids, 50) != drawn("seed", ids, 50)
    assert sample_size(1, 1) == 1 and sample_size(0, 500) == 0 and sample_size(1001, 100) == 101


def test_the_seed_comes_first_is_public_and_cannot_be_exchanged(
    eligible_world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = eligible_world
    with pytest.raises(ConflictError) as none_yet:
        sampling.draw_sample(world.ctx, PROPOSER, world.sitting)
    assert none_yet.value.code == "no-seed"
    fixed = sampling.fix_seed(world.ctx, PROPOSER, world.sitting, 250)
    with pytest.raises(ConflictError) as again:
        sampling.fix_seed(world.ctx, PROPOSER, world.sitting, 250)
    assert again.value.code == "seed-waits"
    world.close()
    words = ["--data-dir", str(world.folder), "--json"]
    assert run(["review", "sample", "draw", "--sitting", world.sitting, *words]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["seed"], done["population"], len(done["picked"])) == (fixed.seed, 8, 2)
    numbers = tmp_path / "list.txt"
    numbers.write_text("\n".join(person.admission_no for person in reversed(world.people)), encoding="utf-8")
    command = ["review", "sample", "recompute", str(numbers), "--seed", fixed.seed, "--per-mille", "250", "--json"]
    assert run(command) == 0
    redone = json.loads(capsys.readouterr().out)
    assert redone["picked"] == done["picked"] and redone["list_sha256"] == done["list_sha256"]
    assert redone["list_sha256"] == list_digest(person.admission_no for person in world.people)


def test_staff_draw_target_and_record_once_and_others_look(eligible_office: Office) -> None:
    office, world = eligible_office, eligible_office.world
    address, supervisor = f"/console/samples/{world.sitting}", office.desk("supervisor")
    form = {"csrf": CSRF}
    assert office.desk("reviewer").post(f"{address}/seed", data={**form, "per_mille": "250"}).status_code == 403
    assert supervisor.post(f"{address}/seed", data={**form, "per_mille": "250"}).status_code == 303
    seed = sampling.samplings_of(world.ctx, PROPOSER, world.sitting)[0].seed
    assert seed in office.anybody().get("/announcements").text, "public before the draw"
    assert supervisor.post(f"{address}/draw", data=form).status_code == 303
    picked = {check.admission_no for check in sampling.list_checks(world.ctx, PROPOSER, world.sitting)}
    assert picked == set(drawn(seed, [person.admission_no for person in world.people], 250))
    other = next(person.admission_no for person in world.people if person.admission_no not in picked)
    target = {**form, "admission_no": other, "reason": "年限存疑"}
    assert supervisor.post(f"{address}/targets", data=target).status_code == 303
    twice = supervisor.post(f"{address}/targets", data=target)
    assert twice.status_code == 409 and "不重复" in twice.text
    result = {**form, "result": "in-order", "note": "社保记录相符"}
    assert office.desk("reviewer").post(f"{address}/checks/3", data=result).status_code == 303
    assert office.desk("reviewer").post(f"{address}/checks/3", data=result).status_code == 409
    assert office.desk("stranger").post(f"{address}/checks/1", data=result).status_code == 403
    auditor = office.desk("auditor").get(address).text
    assert "社保记录相符" in auditor and "年限存疑" in auditor
    assert 'method="post"' not in auditor.partition("<main")[2]


def test_a_city_office_records_for_its_own_city_only(eligible_world: World) -> None:
    world = eligible_world
    for person in world.people:
        sampling.target_check(world.ctx, PROPOSER, world.sitting, person.admission_no, "专项")
    programme = frozenset({world.sitting.split("-")[0]})
    city = Actor("city", frozenset({Role.REVIEW_BODY}), "console", programme, frozenset({"东江"}))
    seen = sampling.list_checks(world.ctx, city, world.sitting)
    assert {check.city for check in seen} == {"东江"} and len(seen) == 4
    everybody = sampling.list_checks(world.ctx, PROPOSER, world.sitting)
    elsewhere = next(check for check in everybody if check.city != "东江")
    with pytest.raises(NotFoundError):
        sampling.record_result(world.ctx, city, elsewhere.id, "in-order", "相符")
    with pytest.raises(NotAllowedError):
        sampling.fix_seed(world.ctx, city, world.sitting, 100)
