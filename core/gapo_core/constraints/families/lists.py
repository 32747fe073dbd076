"""Lists whose items are known: multiples, dates, countries, capitals; and multiple-choice questions."""

import re
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from unicodedata import normalize

from gapo_core.constraints.document import Document, Span
from gapo_core.constraints.nltk_compat import PUNCTUATION
from gapo_core.constraints.registry import NoKwargs, Plain, register
from gapo_core.constraints.relations import amount
from gapo_core.constraints.types import EVIDENCE_LIMIT, Verdict, spans
from gapo_core.constraints.words import folded

_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]+")
_MULTIPLES = ["14", "21", "28", "35", "42", "49"]
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_LONGEST = 65_536  # characters; the lists asked for have a few hundred
_TOO_LONG = Verdict("violated", "the response is far longer than the list asked for")

_ONE_WORD_NAMES = (
    "algeria angola benin botswana burundi cameroon chad comoros djibouti egypt eritrea ethiopia gabon gambia "
    "ghana guinea kenya lesotho liberia libya madagascar malawi mali mauritania mauritius morocco mozambique "
    "namibia niger nigeria rwanda senegal seychelles somalia sudan tanzania togo tunisia uganda zambia zimbabwe "
)
# The member states of the United Nations in Africa, each by the names in use, without accents and punctuation.
_COUNTRIES: Mapping[str, str] = {
    name: names.split("/")[0]
    for names in (
        *_ONE_WORD_NAMES.split(),
        *("burkina faso", "equatorial guinea", "sierra leone", "south africa", "south sudan", "eswatini/swaziland"),
        *(
            "cabo verde/cape verde",
            "central african republic",
            "guinea bissau/guineabissau",
            "ivory coast/cote divoire",
        ),
        "sao tome and principe/sao tome principe",
        "democratic republic of the congo/democratic republic of congo/dr congo/drc/congo democratic republic of the"
        "/congo democratic republic/congo drc/congo kinshasa",
        "republic of the congo/congo/congo republic/republic of congo/congo republic of the/congo brazzaville",
    )
    for name in names.split("/")
}
_MARKER = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])?\s*")

# Latitudes in degrees north of the capitals above 45°.
_CAPITALS: Mapping[str, float] = {
    **{"reykjavik": 64.15, "helsinki": 60.17, "oslo": 59.91, "tallinn": 59.44, "stockholm": 59.33, "riga": 56.95},
    **{"moscow": 55.76, "copenhagen": 55.68, "vilnius": 54.69, "minsk": 53.90, "dublin": 53.35, "berlin": 52.52},
    **{"amsterdam": 52.37, "warsaw": 52.23, "london": 51.51, "brussels": 50.85, "kyiv": 50.45, "prague": 50.08},
    **{"luxembourg": 49.61, "paris": 48.86, "vienna": 48.21, "bratislava": 48.15, "budapest": 47.50, "vaduz": 47.14},
    **{"chisinau": 47.01, "bern": 46.95, "ljubljana": 46.06, "zagreb": 45.81},
}
_OTHER_NAMES = {"kiev": "kyiv", "luxembourg city": "luxembourg", "berne": "bern"}
_REFERENCE_CAPITALS = [name.capitalize() for name in _CAPITALS if name != "kyiv"]

_QUESTION = re.compile(r"^[ \t>*_#]*Question\b[ \t]*\d*[ \t*_]*[.):\-–]*[ \t*_]*", re.MULTILINE)
_OPTION = re.compile(r"^[ \t>*_-]*\(?[A-Ea-e][.):][ \t*_]*\S", re.MULTILINE)
_REFERENCE_QUESTION = re.compile(r"\n*(?:Question \d+[.|):;]?\s*)")
_REFERENCE_OPTION = re.compile(r"[A-Ea-e][.|)]\s*\w+")


class Multiples(Plain):
    id = "custom:multiples"
    phrasings = (
        "Count from 10 to 50 but only print multiples of 7.",
        "Print the multiples of 7 between 10 and 50, in order, and no other number.",
        "Counting from 10 to 50, output nothing but the multiples of 7.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        numbers = list(_NUMBER.finditer(document.text))
        observed = [match.group()[:20] for match in numbers[:EVIDENCE_LIMIT]]
        if observed != _MULTIPLES:
            return Verdict("violated", "the numbers are not 14, 21, 28, 35, 42 and 49", observed, spans(numbers))
        word = next((m for m in _WORD.finditer(document.text) if m.group().lower() != "and"), None)
        if word:
            return Verdict("violated", "something other than the multiples is printed", observed, spans([word]))
        return Verdict("satisfied", "the multiples of 7 and nothing else", observed, spans(numbers))

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        return _NUMBER.findall(response) == _MULTIPLES


class NapoleonDates(Plain):
    """That the dates are those of battles is not looked at, but that they fall into Napoleon's wars."""

    id = "custom:date_format_list"
    phrasings = (
        "List the start dates of all the battles Napoleon fought separated by commas, use the following date format: "
        "YYYY-MM-DD. Do not provide an explanation.",
        "Give the dates on which Napoleon's battles began as YYYY-MM-DD, separated by commas, and nothing else.",
        "Write a comma-separated list of the start dates of Napoleon's battles in the format YYYY-MM-DD without any "
        "explanation.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        dates, at = document.text.rstrip(" .\r\n").split(","), 0
        for number, text in enumerate(dates, 1):
            span = document.part(at, at + len(text))
            match = _DATE.fullmatch(text.strip())
            if not match or not text.isascii():
                return Verdict("violated", f"entry {number} is not a date of the form YYYY-MM-DD", text[:40], span)
            try:
                day = date(*map(int, match.groups()))
            except ValueError:
                return Verdict("violated", f"{match.group()} is no day of the calendar", match.group(), span)
            if not 1793 <= day.year <= 1815:
                return Verdict("violated", f"Napoleon fought no battle in {day.year}", match.group(), span)
            at += len(text) + 1
        return Verdict("satisfied", f"{amount(len(dates), 'date')} of the form YYYY-MM-DD", len(dates))

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        # Any year of Napoleon's life; month 0, day 0 and 29 February of any year pass.
        matches = [_DATE.fullmatch(text.strip()) for text in response.strip().split(",")]
        days = [31, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        for match in matches:
            year, month, day = map(int, match.groups()) if match else (0, 0, 0)
            if not 1769 <= year <= 1821 or month > 12 or day > (99 if month == 0 else days[month]):
                return False
        return True


class CountriesReversed(Plain):
    id = "custom:reverse_newline"
    phrasings = (
        "List the countries of Africa in reverse alphabetical order, each on a new line.",
        "Name all African countries from Z to A, one a line.",
        "Write every country of Africa on a line of its own, in reverse alphabetical order.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        if len(document.text) > _LONGEST:
            return _TOO_LONG
        lines = [name for line in document.text.split("\n") if (name := _country(line))]
        unknown = [name for name in lines if name not in _COUNTRIES and name != "western sahara"]
        if unknown:
            return Verdict("violated", f"{unknown[0][:60]} is no country of Africa", len(lines))
        missing = sorted(set(_COUNTRIES.values()) - {_COUNTRIES.get(name, "") for name in lines})
        if missing:
            return Verdict("violated", f"{amount(len(missing), 'country', 'countries')} missing: {missing[0]}", missing)
        for one, two in pairwise(lines):
            if two >= one:
                return Verdict("violated", f"{two} stands below {one}", len(lines))
        return Verdict("satisfied", f"{amount(len(lines), 'country', 'countries')} from Z to A", len(lines))

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        edges = PUNCTUATION + " "
        lines = [line.strip(edges) for line in response.split("\n") if line.strip(edges)]
        first = next((at for at, line in enumerate(lines) if "Zimbabwe" in line), len(lines))
        names = [_ascii(line) for line in lines[first:]]
        return len(names) >= 52 and names == sorted(names, reverse=True)


def _ascii(text: str) -> str:
    return normalize("NFKD", text).encode("ascii", "ignore").decode()


def _country(line: str) -> str:
    """The name on a line, without list marker, article, accents and punctuation."""
    name = re.sub(r"[^\w\s]", "", folded(_MARKER.sub("", line)).replace("-", " ").replace("&", "and"))
    return " ".join(name.split()).removeprefix("the ")


class CapitalsByLatitude(Plain):
    id = "custom:european_capitals_sort"
    phrasings = (
        "Give me the names of all capital cities of european countries whose latitude is higher than than 45 "
        "degrees? List "
        "the capital cities without country names, separated by commas, sorted by latitude, from highest to lowest.",
        "List all European capitals north of 45 degrees, separated by commas, from the northernmost to the "
        "southernmost, "
        "without their countries.",
        "Name every capital in Europe above latitude 45, sorted from north to south and separated by commas.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        if len(document.text) > _LONGEST:
            return _TOO_LONG
        names = [" ".join(folded(name).split()) for name in document.text.strip(" .\r\n").split(",") if name.strip()]
        names = [_OTHER_NAMES.get(name, name) for name in names]
        other = [name for name in names if name not in _CAPITALS]
        missing = [name for name in _CAPITALS if name not in names]
        if other:
            return Verdict("violated", f"{other[0][:60]} is no European capital north of 45 degrees", len(names))
        if missing:
            return Verdict("violated", f"{missing[0].capitalize()} is missing", missing)
        for one, two in pairwise(names):
            if _CAPITALS[two] >= _CAPITALS[one]:
                return Verdict("violated", f"{two.capitalize()} is not south of {one.capitalize()}", len(names))
        return Verdict("satisfied", f"{amount(len(names), 'capital')} from north to south", len(names))

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        # Kyiv is not on the reference's list.
        return [name.strip() for name in _ascii(response).split(",") if name.strip()] == _REFERENCE_CAPITALS


class GrowingQuestions(Plain):
    id = "custom:mcq_count_length"
    phrasings = (
        'Generate 4 multiple choice questions with 5 options each about "20th century art history". Each question '
        "should "
        'start with the label "Question". The questions should get progressively longer. Do not provide an '
        "explanation.",
        'Write four multiple-choice questions on 20th century art history, each labelled "Question", each with five '
        "options and each longer than the one before it, and nothing else.",
        "Make 4 questions about 20th century art history with 5 options each; every question begins with "
        '"Question" and is '
        "longer than the previous one. Explain nothing.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        if len(document.text) > _LONGEST:
            return _TOO_LONG
        text, labels = document.text, list(_QUESTION.finditer(document.text))
        where = spans(labels)
        if len(labels) != 4:
            return Verdict(
                "violated", f"{amount(len(labels), 'question')} found where 4 are wanted", len(labels), where
            )
        if _WORD.search(text, 0, labels[0].start()):
            return Verdict("violated", "text stands before the first question", 4, (Span(0, labels[0].start()),))
        lengths = []
        for label, end in zip(labels, [*(match.start() for match in labels[1:]), len(text)], strict=True):
            options = list(_OPTION.finditer(text, label.end(), end))
            if len(options) != 5:
                reason = f"a question has {amount(len(options), 'option')} where 5 are wanted"
                return Verdict("violated", reason, len(options), spans(options) or spans([label]))
            lengths.append(len(" ".join(text[label.end() : options[0].start()].split()).strip("*_ ")))
        if any(two <= one for one, two in pairwise(lengths)):
            return Verdict("violated", "the questions do not get longer each time", lengths, where)
        return Verdict("satisfied", "4 questions with 5 options, each longer than the one before", lengths, where)

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        if not response.startswith("Question"):
            return False
        questions = [part.strip() for part in _REFERENCE_QUESTION.split(response) if part.strip()]
        lengths = []
        for question in questions:
            lines = [line.strip() for line in question.split("\n")]
            options = [at for at, line in enumerate(lines) if _REFERENCE_OPTION.match(line)]
            if len(options) != 5:
                return False
            lengths.append(len(" ".join(lines[: options[0]]).strip()))
        return len(questions) == 4 and all(two > one for one, two in pairwise(lengths))


register(Multiples(), NapoleonDates(), CountriesReversed(), CapitalsByLatitude(), GrowingQuestions())
