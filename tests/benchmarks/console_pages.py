"""The addresses of all GET routes of the console, with the numbers of real rows of a crowded office."""

from typing import Any

from sqlalchemy import text

from issuer.rules.queues import WorkQueue
from tests.benchmarks.crowd import Crowd
from tests.factories.candidates import SITTING
from tests.factories.model_office import IN_REVIEW, KEPT, POSTED
from tests.factories.world import World


def addresses(world: World, crowd: Crowd) -> dict[str, list[str]]:
    """Addresses by route, of the middle copy of each kind of thing."""
    one = _numbers(world)
    electronic, reviewed, posted, kept = (
        f"{code}-{crowd.sittings[code]}" for code in (SITTING, IN_REVIEW, POSTED, KEPT)
    )
    queues = [f"/console/queues/{queue.value}" for queue in WorkQueue]
    certificates = "/console/certificates"
    return {
        "/console": ["/console"],
        "/console/sign-in": ["/console/sign-in"],
        "/console/sign-in/code": [],  # between two steps of signing in
        "/console/sign-in/oidc": [],  # leads to the provider
        "/console/sign-in/oidc/back": [],
        "/console/account": ["/console/account"],
        "/console/account/second-factor": ["/console/account/second-factor"],
        "/console/": ["/console/"],
        "/console/sittings/{code}": [f"/console/sittings/{code}" for code in (electronic, reviewed, posted, kept)],
        "/console/sittings/{code}/returned/{name}.xlsx": [],
        "/console/sittings/{code}/template": [f"/console/sittings/{reviewed}/template?round=first"],
        "/console/sittings/{code}/issue": [f"/console/sittings/{code}/issue" for code in (electronic, reviewed)],
        "/console/batches/{number}": [f"/console/batches/{one['batch']}"],
        "/console/batches/{number}/progress": [f"/console/batches/{one['batch']}/progress"],
        "/console/batches/{number}/events": [],  # a stream lasts as long as its work
        "/console/batches/{number}/outcome.xlsx": [f"/console/batches/{one['batch']}/outcome.xlsx"],
        certificates: [
            certificates,
            *(f"{certificates}?{query}" for query in (f"sitting={electronic}&status=valid", "status=invalid")),
            f"{certificates}?sitting={electronic}&status=suspended",
            f"{certificates}?before={one['certificate']}",
        ],
        "/console/certificates/{management_no}": [f"{certificates}/{one['number']}"],
        "/console/certificates/{management_no}/pdf": [f"{certificates}/{one['real']}/pdf"],
        "/console/certificates/{management_no}/invalidate": [
            f"{certificates}/{one['free']}/invalidate?ground=false-materials"
        ],
        "/console/cases": [
            "/console/cases",
            *(f"/console/cases?state={state}" for state in ("proposed", "applied", "rejected")),
            f"/console/cases?before={one['case']}",
        ],
        "/console/cases/{case_id}": [f"/console/cases/{one['case']}"],
        "/console/cases/about/{registration_id}": [
            f"/console/cases/about/{one['registration']}?ground=false-materials"
        ],
        "/console/cases/{case_id}/pack.zip": [f"/console/cases/{one['case']}/pack.zip"],
        "/console/misconduct": ["/console/misconduct", "/console/misconduct?state=active"],
        "/console/misconduct/{record_id}": _rows("/console/misconduct/{}", one["record"]),
        "/console/misconduct/transfers/{number}.pdf": [],
        "/console/objections": ["/console/objections"],
        "/console/announcements": ["/console/announcements"],
        "/console/announcements/{announcement_id}": [f"/console/announcements/{one['announcement']}"],
        "/console/late": ["/console/late"],
        "/console/samples/{code}": [f"/console/samples/{electronic}"],
        "/console/staff/{username}": ["/console/staff/reviewer"],
        "/console/hearings/{number}": _rows("/console/hearings/{}", one["hearing"]),
        "/console/hearings/{number}/record.pdf": [],
        "/console/hearings/{number}/scan": [],
        "/console/samples/{code}/pack.zip": [f"/console/samples/{electronic}/pack.zip?count=3&seed=1"],
        "/console/people/{person_id}/data": [f"/console/people/{one['person']}/data"],
        "/console/registrations/{code}": [f"/console/registrations/{code}" for code in (electronic, reviewed)],
        "/console/registrations/{code}/returned/{name}.xlsx": [],
        "/console/materials/{material_id}": _rows("/console/materials/{}", one["material"]),
        "/console/materials/{material_id}/{page}.png": [],
        "/console/extensions/{number}": _rows("/console/extensions/{}", one["extension"]),
        "/console/extensions/{number}/progress": _rows("/console/extensions/{}/progress", one["extension"]),
        "/console/extensions/{number}/events": [],
        "/console/working/{name}/progress": ["/console/working/unknown/progress"],
        "/console/working/{name}/events": [],
        "/console/lists": ["/console/lists"],
        "/console/lists/checked/{name}.xlsx": [],
        "/console/lists/{number}": [f"/console/lists/{one['list']}"],
        "/console/lists/{number}/progress": [f"/console/lists/{one['list']}/progress"],
        "/console/lists/{number}/events": [],
        "/console/lists/{number}/outcome.xlsx": [f"/console/lists/{one['list']}/outcome.xlsx"],
        "/console/people": ["/console/people"],
        "/console/people/{person_id}": [f"/console/people/{one[key]}" for key in ("person", "candidate", "holder")],
        "/console/people/{person_id}/pack.zip": [f"/console/people/{one['person']}/pack.zip"],
        "/console/queues": ["/console/queues"],
        "/console/queues/{queue}.xlsx": [f"{queues[0]}.xlsx"],
        "/console/queues/{queue}": [
            *queues,
            *(f"{queues[0]}?{query}" for query in ("hold=free", "hold=held", "due=week", f"sitting={reviewed}")),
            f"{queues[0]}?city=东江&after={one['reviewed']}",
        ],
        "/console/work/{kind}/{case_id}": [
            f"/console/work/review/{one['reviewed']}",
            f"/console/work/invalidation/{one['case']}",
            f"/console/work/correction/{one['correction']}",
            f"/console/work/data-objection/{one['objected']}",
        ],
        "/console/paper": ["/console/paper", *(f"/console/paper?sitting={code}" for code in (posted, kept))],
        "/console/paper/list": [
            "/console/paper/list",
            f"/console/paper/list?sitting={posted}&state=booked",
            *(f"/console/paper/list?queue={queue}" for queue in ("to-release", "returned", "overdue", "kept")),
            f"/console/paper/list?before={one['paper']}",
        ],
        "/console/paper/find": [f"/console/paper/find?number={one['serial']}"],
        "/console/paper/certificates/{number}": [f"/console/paper/certificates/{one['serial']}"],
        "/console/paper/sittings/{code}": [f"/console/paper/sittings/{code}" for code in (posted, kept)],
        "/console/paper/sittings/{code}/courier.xlsx": [f"/console/paper/sittings/{posted}/courier.xlsx"],
        "/console/paper/scan/{name}": [f"/console/paper/scan/{name}" for name in ("pack", "post", "store")],
        "/console/paper/keeping": ["/console/paper/keeping"],
        "/console/paper/registers/{number}.pdf": [],
        "/console/paper/registers/{number}.xlsx": [],
        "/console/paper/registers/{number}": [f"/console/paper/registers/{one['register']}"],
        "/console/paper/stock": ["/console/paper/stock"],
        "/console/paper/replacements": ["/console/paper/replacements"],
        "/console/templates": ["/console/templates"],
        "/console/templates/{code}/{name}.png": ["/console/templates/TEST/rare.png"],
        "/console/templates/{code}/{name}.pdf": ["/console/templates/TEST/rare.pdf"],
        "/console/audit": [
            "/console/audit",
            f"/console/audit?subject=certificate:{one['certificate']}",
            "/console/audit?act=paper.",
            "/console/audit?by=li.approver",
            "/console/audit?by=nobody",
            f"/console/audit?before={one['event'] // 2}",
            "/console/audit?check=true",
        ],
    }


def _numbers(world: World) -> dict[str, Any]:
    """Keys of copies in the middle of the crowd."""
    found: dict[str, Any] = {}
    with world.ctx.database.read() as session:

        def one(name: str, query: str) -> None:
            found[name] = session.execute(text(query)).scalar_one()

        prefix = "issuer." if session.get_bind().dialect.name == "postgresql" else ""
        for name, table, column, where in (
            ("batch", "batches", "id", "true"),
            ("certificate", "e_certificates", "id", "status = 'valid'"),
            ("case", "invalidations", "id", "state = 'proposed'"),
            ("correction", "corrections", "id", "true"),
            ("objected", "data_objections", "id", "true"),
            ("announcement", "announcements", "id", "state = 'published'"),
            ("register", "handover_registers", "number", "true"),
            ("reviewed", "eligibility_reviews", "registration_id", "outcome = 'awaiting'"),
            ("paper", "paper_certificates", "id", "state = 'booked'"),
            ("event", "audit_events", "sequence", "true"),
            ("list", "large_acts", "id", "kind = 'invalidate'"),
            ("extension", "large_acts", "id", "kind <> 'invalidate'"),
            ("hearing", "hearings", "id", "true"),
            ("record", "misconduct_records", "id", "true"),
            ("material", "materials", "id", "true"),
        ):
            one(name, f"SELECT max({column}) FROM {prefix}{table} WHERE {where}")
        for name, column in (
            ("number", "management_no"),
            ("holder", "person_id"),
            ("registration", "registration_id"),
        ):
            one(name, f"SELECT {column} FROM {prefix}e_certificates WHERE id = {found['certificate']}")
        one("real", f"SELECT management_no FROM {prefix}e_certificates WHERE status = 'valid' ORDER BY id LIMIT 1")
        one("serial", f"SELECT serial FROM {prefix}paper_certificates WHERE id = {found['paper']}")
        one("person", f"SELECT person_id FROM {prefix}misconduct_records ORDER BY id DESC LIMIT 1")
        one("candidate", f"SELECT person_id FROM {prefix}registrations WHERE id = {found['reviewed']}")
    found["free"] = found["number"]
    return found


def _rows(address: str, number: int | None) -> list[str]:
    """The address with a row's number, or nothing where the office has no such row."""
    return [] if number is None else [address.format(number)]
