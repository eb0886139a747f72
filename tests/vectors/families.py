"""The attack table of docs/security.md, made from the attack set itself: `python -m tests.vectors.families`.

Each attack belongs to the first family whose pattern its name fits. `source` is where the idea was published; every
file is made anew by our own code from our own certificates.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.vectors.attacks import all_attacks

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
START, END = "<!-- attack table: python -m tests.vectors.families -->", "<!-- end of the attack table -->"
_CCS = "Mladenov et al., 1 Trillion Dollar Refund, CCS 2019"
_NDSS = "Mainka et al., Shadow Attacks, NDSS 2021"
_SP = "Rohlmann et al., Breaking the Specification: PDF Certification, S&P 2021"


@dataclass(frozen=True, slots=True)
class Family:
    """A class of attacks. `steps`: those of `verifier.check.document` that stop it."""

    title: str
    what: str
    source: str
    steps: str
    pattern: str


FAMILIES = (
    Family(
        "Universal signature forgery",
        "/ByteRange or /Contents missing, null, empty, negative, of the wrong kind, wider or elsewhere",
        f"{_CCS}; ISO 32000-2, 12.8.1",
        "2, 3",
        r"forged-|gap-|contents-lower-case|archive-contents-other-case",
    ),
    Family(
        "Signature wrapping and exchange",
        "a second range, a signed part moved, the seal of one file or revision in another",
        _CCS,
        "2, 4, 7",
        r"wrapping-|.*-of-another-certificate|.*contents-in-the-|archive-table-reordered|between-the-revisions",
    ),
    Family(
        "Shadow attacks: hide, replace, hide and replace",
        "content prepared before or exchanged after the seal: fonts, layers, page trees, freed or overridden objects",
        _NDSS,
        "7",
        r"shadow-|update-(sealed-revision-)?(font|layers|page-tree|text-in-place|appearances|object)|revision-dropped",
    ),
    Family(
        "Evil annotation and sneaky signature",
        "annotations and fields over the page, a second signature, the seal's own field moved or emptied",
        _SP,
        "6, 7",
        r"update-.*(annotation|text-field|seal-field)|another-authority-over-our-seal|our-key-(twice|permitting)"
        r"|our-key-without-certification",
    ),
    Family(
        "The same updates under a timestamp we accept",
        "a public timestamp service stamps whatever it is sent: the stamp does not make the update ours",
        "own",
        "7",
        r"timestamped-",
    ),
    Family(
        "Incremental saving",
        "any other update or bytes behind the seal, with and without a table; the file saved again",
        _CCS,
        "7",
        r"update-|append-|saved-again",
    ),
    Family(
        "File structure",
        "hybrid references, object streams, duplicate and unlisted objects, loops and gaps of /Prev, encryption",
        "ISO 32000-2, 7.5",
        "4, 5, 7",
        r"structure-",
    ),
    Family(
        "Polyglots and rewritten files",
        "another format in front, inside a ZIP, two files in a row, line ends rewritten on the way",
        "Albertini, Abusing file formats, PoC or GTFO issue 7, 2015",
        "1, 2, 4",
        r"prefix-|empty-gap|twice-|two-cert|text-mode|newlines|version-",
    ),
    Family(
        "Forged and misused keys",
        "an authority with our names, our keys of other purposes, our own seal without what a seal needs",
        "own; ETSI EN 319 142-1 (PAdES)",
        "3, 4, 6, 8, 9, 10",
        r"another-authority|our-",
    ),
    Family(
        "Single bytes and cuts",
        "one byte of every region changed, the file cut in every section",
        "own",
        "2–7",
        r"flip-|cut-|name-",
    ),
)


def table() -> str:
    """Markdown: one row a family, then every attack with the verdicts it may get."""
    rows: dict[str, list[str]] = {family.title: [] for family in FAMILIES}
    for name, _, verdicts in all_attacks():
        rows[_family(name).title].append(f"`{name}` {' or '.join(sorted(verdicts))}")
    lines = ["| family | what it does | origin of the idea | stopped by step | vectors |", "|---|---|---|---|---|"]
    lines += [
        f"| {family.title} | {family.what} | {family.source} | {family.steps} | {len(rows[family.title])} |"
        for family in FAMILIES
    ]
    for family in FAMILIES:
        lines += ["", f"**{family.title}** ({len(rows[family.title])}): {'; '.join(rows[family.title])}."]
    return "\n".join(lines)


def _family(name: str) -> Family:
    for family in FAMILIES:
        if re.match(family.pattern, name):
            return family
    raise LookupError(f"{name} belongs to no family of attacks: add it to one in {Path(__file__).name}")


def written() -> str:
    """The page as it ought to be."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(START)
    after = rest.split(END)[1]
    return f"{before}{START}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
