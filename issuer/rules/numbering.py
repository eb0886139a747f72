"""Management numbers (管理号): composed from a programme's pattern, e.g.
`{year}{region:02}{specialty:02}{serial:06}{check}`.

The check digit is ISO/IEC 7064 MOD 11,10 over all decimal digits before it, in order; other literal
characters of the pattern do not count. It catches every single wrong digit and nearly all swaps.
"""

import re
import string
from dataclasses import dataclass
from functools import lru_cache

from issuer.rules.violation import RuleViolation

FIELDS = ("year", "region", "specialty", "serial", "check")
_WIDTHS = {"year": 4, "region": 2, "specialty": 2, "check": 1}
_LITERAL = re.compile(r"[0-9A-Z\-]*")
MAX_LENGTH = 40


class PatternError(ValueError):
    """A management-number pattern that cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class NumberPattern:
    """A parsed pattern: (literal, field or None, width of the field in digits) in order."""

    text: str
    parts: tuple[tuple[str, str | None, int], ...]

    @property
    def serial_width(self) -> int:
        """Digits of the serial."""
        return next(width for _, name, width in self.parts if name == "serial")

    def series(self, *, programme: str, year: int, region: str, specialty: int) -> str:
        """Name of the series whose serials are counted together: everything of the number but serial and check."""
        names = {name for _, name, _ in self.parts}
        values = {"year": str(year), "region": region, "specialty": str(specialty)}
        return "|".join([programme, *(f"{key}={values[key]}" for key in values if key in names)])

    def compose(self, *, year: int, region: str, specialty: int, serial: int) -> str:
        """The number for these values.

        year: of the approval, four digits; region: digits; specialty and serial: from 1.
        Raises RuleViolation (R11) when a value does not fit its width.
        """
        values = {"year": str(year), "region": region, "specialty": str(specialty), "serial": str(serial)}
        out = ""
        for literal, name, width in self.parts:
            out += literal
            if name == "check":
                out += check_digit(out)
            elif name is not None:
                value = values[name]
                if not (value.isascii() and value.isdigit()) or len(value) > width:
                    code = "serial-exhausted" if name == "serial" else "number-field-too-long"
                    raise RuleViolation(
                        "R11",
                        code,
                        found=(f"{name} 为 {value}", f"{name} is {value}"),
                        expected=(f"不超过 {width} 位数字", f"at most {width} digits"),
                    )
                out += value.zfill(width)
        return out

    def accepts(self, number: str) -> bool:
        """Whether `number` has this pattern's shape and, where it has a check digit, the right one."""
        regex = "".join(
            re.escape(literal) + (f"([0-9]{{{width}}})" if name else "") for literal, name, width in self.parts
        )
        if re.fullmatch(regex, number, re.ASCII) is None:
            return False
        at = 0
        for literal, name, width in self.parts:
            at += len(literal)
            if name == "check":
                return number[at] == check_digit(number[:at])
            at += width if name else 0
        return True


@lru_cache(maxsize=256)
def parse_pattern(text: str) -> NumberPattern:
    """Parse a programme's pattern; raises PatternError.

    Fields: year, region, specialty, serial (needed), check (once, last). A width is written `:06`; year,
    region, specialty and check default to 4, 2, 2 and 1 digits, serial to 6.
    Literals: digits, capital letters and hyphens.
    """
    try:
        raw = list(string.Formatter().parse(text))
    except ValueError as exc:
        raise PatternError(f"{text!r}: {exc}") from exc
    parts: list[tuple[str, str | None, int]] = []
    seen: set[str] = set()
    for literal, name, spec, conversion in raw:
        if _LITERAL.fullmatch(literal) is None:
            raise PatternError(f"{text!r}: literal {literal!r} may hold digits, capital letters and hyphens only")
        if name is None:
            parts.append((literal, None, 0))
            continue
        if name not in FIELDS or conversion:
            raise PatternError(f"{text!r}: unknown field {name!r}; known: {', '.join(FIELDS)}")
        if name in seen:
            raise PatternError(f"{text!r}: field {name!r} twice")
        if "check" in seen:
            raise PatternError(f"{text!r}: nothing may follow the check digit")
        seen.add(name)
        parts.append((literal, name, _width(text, name, spec or "")))
    if "check" in seen and parts[-1][1] != "check":
        raise PatternError(f"{text!r}: nothing may follow the check digit")
    if "serial" not in seen:
        raise PatternError(f"{text!r}: field 'serial' is missing")
    if sum(len(literal) + width for literal, _, width in parts) > MAX_LENGTH:
        raise PatternError(f"{text!r}: longer than {MAX_LENGTH} characters")
    return NumberPattern(text, tuple(parts))


def check_digit(text: str) -> str:
    """ISO/IEC 7064 MOD 11,10 check digit over the decimal digits of `text`."""
    product = 10
    for char in text:
        if char in string.digits:
            total = (product + int(char)) % 10 or 10
            product = total * 2 % 11
    return str((11 - product) % 10)


def _width(text: str, name: str, spec: str) -> int:
    default = _WIDTHS.get(name, 6)
    if spec == "":
        return default
    if re.fullmatch(r"0[1-9]", spec) is None:
        raise PatternError(f"{text!r}: width of {name!r} must be written like :06")
    width = int(spec)
    if name in ("year", "check") and width != default:
        raise PatternError(f"{text!r}: {name!r} has {default} digit(s)")
    return width
