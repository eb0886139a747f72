"""The whole story with the programs people use: from the day results come out to the employer who checks."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest

from issuer.clock import SystemClock
from issuer.demo.files import SITTING, write_decisions, write_roster
from issuer.demo.people import DemoPerson, invent_people
from tests.factories.command_line import CommandLine
from tests.factories.scanning import page_text, scanned

CLERK, CHIEF, APPEALS, OPERATOR = "wang.jingban", "li.fuhe", "zhao.shensu", "chen.yunwei"
ROLES = {
    CLERK: "authority-issuer",
    CHIEF: "authority-approver",
    APPEALS: "authority-approver",
    OPERATOR: "operator",
}
JSON = {"Accept": "application/json"}


@dataclass(frozen=True)
class Story:
    """Where it plays: the authority's machine, its web, the files the exam centre sent, and the people in them."""

    ecert: CommandLine
    desk: Path
    today: date
    people: list[DemoPerson]

    def day(self, ago: int) -> str:
        """A day before today, ISO 8601."""
        return (self.today - timedelta(days=ago)).isoformat()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    desk = tmp_path_factory.mktemp("desk")
    today = SystemClock().today()
    people = invent_people(6)
    people[5] = DemoPerson(
        **{slot: getattr(people[5], slot) for slot in DemoPerson.__slots__} | {"scores": (88, 71, 41)}
    )
    write_roster(desk / "exam-centre", people, today)
    yield Story(CommandLine(desk / "data"), desk, today, people)


def test_result_day_to_employer(story: Story) -> None:
    ecert, people = story.ecert, story.people
    the_authority_sets_up(story)
    the_roster_arrives(story)
    nobody_gets_a_certificate_before_the_review(story)
    both_rounds_of_review(story)
    issued = certificates_are_issued(story)
    assert set(issued) == {people[0].name, people[1].name, people[2].name}
    number = issued[people[0].name]
    pdf = the_holder_has_a_file(story, number, people[0])
    with (
        ecert.serving("all", log=story.desk / "server.log") as base_url,
        httpx.Client(base_url=base_url, timeout=200, headers=JSON) as web,
    ):
        holder_signs_in_and_downloads(web, people[0], number, pdf)
        employer = Employer(story, web, pdf, scanned(pdf, story.desk), number, people[0].name)
        assert employer.finds() == {"valid"}
        a_certificate_falls_by_two_people(story, number)
        assert employer.finds() == {"invalid"}
        an_appeal_stands_it_up_again(story, number)
        assert employer.finds() == {"valid"}
        corrected = a_name_is_corrected(story, number)
        assert employer.finds() == {"superseded"}
        the_old_one_points_to_the_new(story, employer, corrected)
        paper_is_refused(story, web, corrected)
    every_act_is_on_record(story)


def the_authority_sets_up(story: Story) -> None:
    ecert = story.ecert
    assert ecert.ask("init") == {"data_dir": str(ecert.folder), "created": True}
    assert ecert.look("init")["created"] is False
    password = story.desk / "password"
    password.write_text("示例口令 correct horse\n", encoding="utf-8")
    for username, role in ROLES.items():
        ecert.look("staff", "add", username, "--role", role, "--password-file", password)
    assert {row["username"] for row in ecert.look("staff", "list")["accounts"]} == set(ROLES)
    assert ecert.look("doctor")["ok"] is True


def the_roster_arrives(story: Story) -> None:
    """Result day: good rows go in, the bad one is named, the same file again changes nothing."""
    ecert, folder = story.ecert, story.desk / "exam-centre"
    defined = ecert.ask("sitting", "define", folder / "sitting.toml", "--as", CLERK)
    assert (defined["code"], defined["registrations"]) == (SITTING, 0)
    roster = ("roster", "import", folder / "roster.xlsx", "--sitting", SITTING, "--as", CLERK)
    tried = ecert.look(*roster, "--dry-run")
    assert (tried["imported"], tried["rejected"]) == (5, 1)
    assert ecert.look("sitting", "show", SITTING)["registrations"] == 0
    done = ecert.ask(*roster)
    assert (done["imported"], done["rejected"]) == (5, 1)
    (finding,) = [finding for finding in done["findings"] if finding["level"] == "error"]
    assert finding["row"] == 8 and finding["remedy"]
    again = ecert.ask(*roster)
    assert (again["imported"], again["updated"], again["unchanged"]) == (0, 0, 5)


def nobody_gets_a_certificate_before_the_review(story: Story) -> None:
    plan = story.ecert.look("issue", "--sitting", SITTING, "--plan", "--as", CLERK)
    assert plan["new"] == 0 and len(plan["refused"]) == 5
    report = story.ecert.look("issue", "--sitting", SITTING, "--as", CLERK)
    assert report["published"] == 0
    assert {row["clause"] for row in report["refused"]} <= {"R4", "R5", "R7"}


def both_rounds_of_review(story: Story) -> None:
    """Two eligible, one pending then eligible, one refused, one who never came: decided in time, entered today."""
    ecert, numbers = story.ecert, [person.admission_no for person in story.people]
    sitting = ("--sitting", SITTING, "--as", CLERK)
    first = write_decisions(
        story.desk / "first.xlsx",
        [
            (numbers[0], "合格", "", ""),
            (numbers[1], "合格", "", ""),
            (numbers[2], "待核查", "", "学历信息无法在线比对。"),
            (numbers[3], "不合格", "work-years", "工作年限不足。"),
            ("9999999999999", "合格", "", ""),
        ],
    )
    done = ecert.ask("review", "decide", first, "--round", "first", "--on", story.day(42), *sitting)
    assert done["moved"] == {"合格": 2, "待核查": 1, "不合格": 1}
    assert [finding["code"] for finding in done["findings"]] == ["not_in_sitting"]
    assert ecert.look("review", "close-first-round", *sitting)["moved"] == 1
    assert ecert.look("review", "open-supplementary", "--on", story.day(35), *sitting)["moved"] == 2
    second = write_decisions(story.desk / "second.xlsx", [(numbers[2], "合格", "", "")])
    done = ecert.ask("review", "decide", second, "--round", "supplementary", "--on", story.day(20), *sitting)
    assert done["moved"] == {"合格": 1}
    assert ecert.ask("review", "lapse", *sitting)["moved"] == 1
    counts = ecert.look("review", "status", *sitting)["counts"]
    assert {(row["round"], row["outcome"]): row["count"] for row in counts} == {
        ("first", "eligible"): 2,
        ("first", "ineligible"): 1,
        ("supplementary", "eligible"): 1,
        ("supplementary", "deemed-waived"): 1,
    }


def certificates_are_issued(story: Story) -> dict[str, str]:
    """Plan, apply, run again: three certificates and not one more. Name → management number."""
    ecert = story.ecert
    issue = ("issue", "--sitting", SITTING, "--workers", 1, "--as", CLERK)
    plan = ecert.ask(*issue, "--plan")
    assert (plan["new"], len(plan["refused"])) == (3, 2)
    stale = ecert.look(*issue, "--apply", "0" * 64, code=2)
    assert stale["error"]["code"] == "plan-moved"
    report = ecert.ask(*issue, "--apply", plan["digest"])
    assert (report["published"], len(report["refused"])) == (3, 2)
    again = ecert.ask(*issue)
    assert (again["published"], again["already_published"]) == (0, 3)
    numbers = {}
    for number in certificate_numbers(story):
        view = ecert.look("certificate", "show", number)
        assert (view["state"], view["status"]) == ("published", "valid")
        numbers[view["name"]] = number
    return numbers


def certificate_numbers(story: Story) -> list[str]:
    """Management numbers of everything published, by the search the console and the command line share."""
    return [
        row["management_no"] for row in story.ecert.look("certificate", "list", "--sitting", SITTING)["certificates"]
    ]


def the_holder_has_a_file(story: Story, number: str, person: DemoPerson) -> Path:
    """The sealed PDF says who and which number, in text that can be read out and searched."""
    written = story.ecert.ask("certificate", "pdf", number, "--out", story.desk / "mine.pdf")
    pdf = Path(written["path"])
    text = page_text(pdf)
    assert number in text and person.name in text and "示例" in text
    return pdf


def holder_signs_in_and_downloads(web: httpx.Client, person: DemoPerson, number: str, pdf: Path) -> None:
    """Three facts open the page; one wrong fact opens nothing and says nothing about which."""
    facts = {"id_no": person.id_no, "name": person.name, "admission_no": person.admission_no}
    wrong = web.post("/my/sign-in", data=facts | {"name": "别人"})
    assert wrong.status_code == 403 and person.id_no not in wrong.text
    assert web.post("/my/sign-in", data=facts).status_code == 303
    page = web.get("/my/", headers={"Accept": "text/html"})
    assert number in page.text and person.name in page.text
    file = web.get(f"/my/certificates/{number}.pdf")
    assert (file.status_code, file.headers["content-type"]) == (200, "application/pdf")
    assert file.content == pdf.read_bytes()
    web.cookies.clear()


@dataclass(frozen=True)
class Employer:
    """Somebody who was handed the file and asks in every way at hand."""

    story: Story
    web: httpx.Client
    pdf: Path
    code: str
    number: str
    name: str

    def finds(self) -> set[str]:
        """The verdicts of all ways; one of them means that they agree."""
        token = self.code.split("#")[0].rsplit("/", 1)[1]
        asked = {"management_no": self.number, "name": self.name}
        answers = [
            self.web.post("/api/v1/check", files={"file": (self.pdf.name, self.pdf.read_bytes(), "application/pdf")}),
            self.web.post("/api/v1/lookup", json=asked),
            self.web.get(f"/v/{token}"),
        ]
        ecert = self.story.ecert
        at_server = ecert.verdict(self.number, "--name", self.name, "--server", ecert.base_url)
        return {*(str(answer.json()["verdict"]) for answer in answers), ecert.verdict(self.code), at_server}


def a_certificate_falls_by_two_people(story: Story, number: str) -> None:
    ecert = story.ecert
    revoke = ("revoke", number, "--ground", "R9", "--basis", "示例：日常监管发现不符合报考条件。")
    alone = ecert.look(*revoke, "--proposed-by", CHIEF, "--approved-by", CHIEF, code=2)
    assert alone["error"]["code"] in ("same-person", "role-missing", "not-allowed"), alone
    case = ecert.ask(*revoke, "--proposed-by", CLERK)
    assert case["state"] == "proposed" and set(case["approvers"]) == {CHIEF, APPEALS}
    assert ecert.verdict(number) == "valid", "a proposal alone changes nothing"
    by_proposer = ecert.look("invalidation", "approve", case["id"], "--by", CLERK, code=2)
    assert by_proposer["error"]["code"]
    approved = ecert.ask("invalidation", "approve", case["id"], "--by", CHIEF)
    assert (approved["state"], approved["clause"], approved["decided_by"]) == ("applied", "R9", CHIEF)


def an_appeal_stands_it_up_again(story: Story, number: str) -> None:
    appeal = ("reinstate", number, "--basis", "示例：申诉成立。", "--proposed-by", CLERK)
    same = story.ecert.look(*appeal, "--approved-by", CHIEF, code=2)
    assert same["error"]["code"] == "same-person", "who approved the invalidation does not decide on the appeal"
    assert story.ecert.ask(*appeal, "--approved-by", APPEALS)["state"] == "applied"


def a_name_is_corrected(story: Story, number: str) -> str:
    ecert = story.ecert
    right = ("--name", "王𠮷安", "--basis", "示例：公安机关更名证明。", "--as", CLERK)
    correction = ecert.ask("certificate", "correct", number, *right)["correction"]
    new = str(ecert.ask("certificate", "approve-correction", correction, "--as", CHIEF)["management_no"])
    assert new != number
    assert ecert.look("certificate", "show", new)["name"] == "王𠮷安"
    return new


def the_old_one_points_to_the_new(story: Story, employer: Employer, corrected: str) -> None:
    told = employer.web.post(
        "/api/v1/check", content=employer.pdf.read_bytes(), headers={"Content-Type": "application/pdf"}
    )
    pointed = told.json()["certificate"]["superseded_by"]
    new = Path(story.ecert.ask("certificate", "pdf", corrected, "--out", story.desk / "new.pdf")["path"])
    code = scanned(new, story.desk)
    assert f"/V/{pointed}#" in code
    assert Employer(story, employer.web, new, code, corrected, "王𠮷安").finds() == {"valid"}


def paper_is_refused(story: Story, web: httpx.Client, number: str) -> None:
    """R14, at the desk and over HTTP."""
    asked = story.ecert.look(
        "paper", "replace", "--management-no", number, "--reason", "示例：遗失", "--as", CLERK, code=2
    )
    assert asked["error"]["clause"] == "R14"
    line = story.ecert.run("paper", "replace", "--management-no", number, "--reason", "示例：遗失", "--as", CLERK)
    line.assert_refused_in_one_line()
    assert "R14" in line.err and number not in line.err
    secret = story.ecert.look("staff", "token", CLERK, "--label", "journey")["token"]
    bearer = {"Authorization": f"Bearer {secret}"}
    body = {"management_no": number, "reason": "示例：遗失"}
    answer = web.post("/api/v1/paper/replacements", json=body, headers=bearer)
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert answer.json()["clause"] == "R14"
    assert web.post("/api/v1/paper/replacements", json=body).status_code == 401


def every_act_is_on_record(story: Story) -> None:
    """The audit chain is whole, knows each act, and holds no name and no ID number."""
    assert story.ecert.ask("audit", "verify")["intact"] is True
    events = story.ecert.look("audit", "list", "--limit", 1000)["events"]
    acts = {event["act"] for event in events}
    for act in ("roster.import", "review.decision-file", "certificate.intent", "certificate.publish"):
        assert act in acts
    for act in ("invalidation.propose", "invalidation.approve", "correction.approve", "paper.replacement.refuse"):
        assert act in acts
    written = json.dumps(events, ensure_ascii=False) + (story.desk / "server.log").read_text(encoding="utf-8")
    personal = [text for person in story.people for text in (person.name, person.id_no, person.admission_no)]
    assert [text for text in personal if text in written] == []
