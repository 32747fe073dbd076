"""Quantities in a text: numbers with their units, whatever name of the unit is used."""

import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from gapo_core.constraints.document import Document, Rows, Span, remembered
from gapo_core.constraints.types import EVIDENCE_LIMIT

# Names of one unit, the first of which is shown. Names of up to two letters are told apart by case ("MB" and "mb" are
# both megabytes, as people write them); longer ones match whatever their case.
_UNITS: dict[str, tuple[str, ...]] = {
    "information": (
        *("bit bits", "byte bytes", "KB kb kilobyte kilobytes", "MB mb megabyte megabytes"),
        *("GB gb gigabyte gigabytes gig gigs", "TB tb terabyte terabytes", "PB petabyte petabytes"),
    ),
    "length": (
        *("mm millimetre millimetres millimeter millimeters", "cm centimetre centimetres centimeter centimeters"),
        *("m metre metres meter meters", "km kilometre kilometres kilometer kilometers"),
        *("in inch inches ″", "ft foot feet", "yd yard yards", "mi mile miles"),
    ),
    "mass": (
        *("mg milligram milligrams", "g gram grams", "kg kilogram kilograms kilo kilos", "t tonne tonnes"),
        *("oz ounce ounces", "lb lbs pound pounds"),
    ),
    "volume": (
        *("ml mL millilitre millilitres milliliter milliliters", "cl centilitre centilitres"),
        *("l L litre litres liter liters", "gal gallon gallons", "cup cups"),
        *("tsp teaspoon teaspoons", "tbsp tablespoon tablespoons"),
    ),
    "time": (
        *("ms millisecond milliseconds", "s sec secs second seconds", "min mins minute minutes"),
        *("h hr hrs hour hours", "day days", "week weeks", "month months", "year years"),
    ),
    "power": ("W watt watts", "kW kilowatt kilowatts"),
    "energy": ("kWh kilowatt-hour kilowatt-hours", "Wh watt-hour watt-hours", "kcal kilocalories", "J joule joules"),
    "frequency": ("Hz hertz", "kHz kilohertz", "MHz megahertz", "GHz gigahertz"),
    "voltage": ("V volt volts",),
    "temperature": ("°C celsius", "°F fahrenheit"),
    "speed": ("km/h kph", "mph", "m/s"),
    "share": ("% percent",),
    "money": ("$ USD dollar dollars", "€ EUR euro euros", "£ GBP", "¥ JPY yen"),
    "resolution": ("px pixel pixels", "MP megapixel megapixels"),
}
_DIMENSION = {names.split()[0]: dimension for dimension, units in _UNITS.items() for names in units}
_CANONICAL = {name: names.split()[0] for units in _UNITS.values() for names in units for name in names.split()}
_ANY_CASE = {name.lower(): unit for name, unit in _CANONICAL.items() if len(name) > 2}
_SYMBOLS = "$€£¥"
_UNIT_NAMES = "|".join(re.escape(name) for name in sorted(_CANONICAL, key=len, reverse=True))
_INITIALS = "".join(sorted({re.escape(name[0]) for name in _CANONICAL}))  # behind most numbers there is no unit
_QUANTITY = re.compile(
    rf"(?<![\w.,])(?P<before>[{_SYMBOLS}]?)[ \t]?(?P<number>[-+−]?\d{{1,15}}(?:[.,]\d{{1,15}})*)"
    rf"(?:(?:[ \t]|-(?=[a-z]{{2}}))?(?P<unit>(?i:(?=[{_INITIALS}])(?:{_UNIT_NAMES})))(?![\w]))?"
)
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+")


class Quantity(NamedTuple):
    """`unit` is the first name of the unit ("GB" for gigabytes), or empty for a bare number."""

    number: Decimal
    unit: str
    span: Span


def unit_of(name: str) -> str | None:
    """The unit that has this name; None for an unknown one."""
    name = name.strip()
    return _CANONICAL.get(name) or _ANY_CASE.get(name.lower())


def dimension_of(unit: str) -> str:
    return _DIMENSION[unit]


@remembered
def quantities(document: Document) -> Sequence[Quantity]:
    """All numbers of a text, with their units where these stand beside them."""
    return Rows.of(_quantity, _rows(document))


def counted(document: Document, kind: Callable[[Decimal, str], bool]) -> tuple[int, tuple[Quantity, ...]]:
    """How many quantities have a number and a unit of a kind, and the first few of them, for evidence."""
    found = [row for row in _rows(document) if kind(row[0], row[1])]
    return len(found), tuple(map(_quantity, found[:EVIDENCE_LIMIT]))


@remembered
def _rows(document: Document) -> list[tuple[Decimal, str, tuple[int, int]]]:
    return list(_found(document.text))


def parse_quantity(text: str) -> Quantity | None:
    """The quantity that a short text is, such as "8 GB"; None where it is anything else."""
    found = [_quantity(row) for row in _found(text.strip())]
    return found[0] if len(found) == 1 and found[0].span == (0, len(text.strip())) else None


def _quantity(row: tuple[Decimal, str, tuple[int, int]]) -> Quantity:
    number, unit, place = row
    return Quantity(number, unit, Span._make(place))


def _found(text: str) -> Iterator[tuple[Decimal, str, tuple[int, int]]]:
    """The fields of the quantities."""
    for match in _QUANTITY.finditer(text):
        before, digits, behind = match.groups()
        number = _decimal(digits)
        if number is None:
            continue
        name = behind or before
        if name == "in" and match.end("number") < match.start("unit"):
            name = ""  # "5 in the box"
        unit = unit_of(name) if name else None
        if unit is None:
            yield number, "", match.span("number")
        else:
            yield number, unit, (match.start("before" if before else "number"), match.end())


@lru_cache(maxsize=4096)
def _decimal(text: str) -> Decimal | None:
    """The number; commas group thousands, or stand for a decimal point ("2,5"). None for "1.2.3"."""
    sign = -1 if text[0] in "-−" else 1
    digits = text.lstrip("+-−")
    whole, point, rest = digits.partition(".")
    if _GROUPED.fullmatch(whole):
        whole = whole.replace(",", "")
    elif whole.count(",") == 1 and not point:
        whole, point, rest = whole.partition(",")
    if not whole.isdecimal() or (point and not rest.isdecimal()):
        return None
    return sign * Decimal(f"{whole}.{rest or 0}").normalize()
