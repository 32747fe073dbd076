"""Comma- and tab-separated tables with given columns."""

import csv
import re
from io import StringIO

from gapo_core.constraints.document import Document, Span
from gapo_core.constraints.registry import NoKwargs, Plain, register
from gapo_core.constraints.relations import amount
from gapo_core.constraints.types import Verdict

_CITY = ["ID", "Country", "City", "Year", "Count"]
_PRODUCT = ["ProductID", "Category", "Brand", "Price", "Stock"]
_STUDENT = ["StudentID", "Subject", "Grade", "Semester", "Score"]
_FENCED = re.compile(r"\A\s*```\w*[ \t]*\n(?P<table>.*?)\n?```\s*\Z", re.DOTALL)
_SPECIAL = re.compile(r'"[^"\n]*[^\w\s"][^"\n]*"')
_LONGEST = 262_144  # characters; the tables asked for have a few hundred
_TOO_LONG = Verdict("violated", "the response is far longer than the table asked for")


def _optional_quotes(names: list[str], separator: str) -> re.Pattern[str]:
    return re.compile(separator.join(f'({name}|"{name}")' for name in names) + "$")


_REFERENCE_PRODUCT = _optional_quotes(_PRODUCT, r",[ \t]*")
_REFERENCE_STUDENT = _optional_quotes(_STUDENT, r"\t *")


def _table(text: str) -> str:
    """The table, out of the code fence that may be around it."""
    fenced = _FENCED.match(text)
    return (fenced["table"] if fenced else text).strip("\r\n")


def _rows(table: str, delimiter: str) -> list[list[str]] | None:
    """The rows of a well-formed table; None where a quote is left open."""
    try:
        rows = csv.reader(StringIO(table), delimiter=delimiter, skipinitialspace=True, strict=True)
        return [[field.strip() for field in row] for row in rows]
    except csv.Error:
        return None


def _shape(document: Document, columns: list[str], count: int, delimiter: str) -> Verdict | None:
    """What is wrong with the header and the size of the table; None where they are right."""
    if len(document.text) > _LONGEST:
        return _TOO_LONG
    rows = _rows(_table(document.text), delimiter)
    if not rows:
        return Verdict("violated", "the response is not well-formed CSV")
    if rows[0] != columns:
        header = document.part(0, document.text.find("\n"))
        return Verdict("violated", f"the column names are not {', '.join(columns)}", rows[0][:8], header)
    if wrong := next((number for number, row in enumerate(rows[1:], 1) if len(row) != len(columns)), None):
        return Verdict("violated", f"row {wrong} has {amount(len(rows[wrong]), 'field')}", len(rows[wrong]))
    if len(rows) != count + 1:
        return Verdict("violated", f"{amount(len(rows) - 1, 'row')} found where {count} are wanted", len(rows) - 1)
    return None


def _reference_rows(response: str, delimiter: str = ",") -> list[list[str]]:
    """Rows as the reference reads them; no row where its reader would fail."""
    try:
        return list(csv.reader(StringIO(response), delimiter=delimiter))
    except csv.Error:
        return []


class CityTable(Plain):
    id = "custom:csv_city"
    phrasings = (
        'Generate CSV data: The column names are ["ID", "Country", "City", "Year", "Count"], the data should be comma '
        "delimited. Please generate 7 rows.",
        "Write comma-separated data with the columns ID, Country, City, Year and Count and 7 rows.",
        "Output a CSV table of 7 rows under the header ID,Country,City,Year,Count and nothing else.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        wrong = _shape(document, _CITY, 7, ",")
        return wrong or Verdict("satisfied", "a CSV table with the columns wanted and 7 rows", 7)

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        rows = _reference_rows(response)
        return len(rows) == 8 and rows[0] == _CITY and all(len(row) == 5 for row in rows[1:])


class ProductTable(Plain):
    id = "custom:csv_special_character"
    phrasings = (
        'Generate CSV data: The column names are ["ProductID", "Category", "Brand", "Price", "Stock"], the data '
        "should be "
        "comma delimited. Please generate 14 rows. Add one field which contains a special character and enclose it in "
        "double quotes.",
        "Write 14 rows of comma-separated data with the columns ProductID, Category, Brand, Price and Stock; one field "
        "holds a special character and stands in double quotes.",
        "Output a CSV table of 14 rows under the header ProductID,Category,Brand,Price,Stock, with a "
        "double-quoted field "
        "that contains a special character.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        if wrong := _shape(document, _PRODUCT, 14, ","):
            return wrong
        found = _SPECIAL.search(document.text)
        if not found:
            return Verdict("violated", "no field in double quotes holds a special character", 14)
        return Verdict("satisfied", "a CSV table with a special character in quotes", 14, (Span(*found.span()),))

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        if not _REFERENCE_PRODUCT.match(response.split("\n")[0].strip()):
            return False
        rows = _reference_rows(response.replace('"', '"""'))
        if len(rows) != 15:
            return False
        for row in rows[1:]:  # the rows behind the first special character are not looked at
            if len(row) != 5:
                return False
            if any(re.match(r'".*[^\d\w\s].*"', field) for field in row):
                return True
        return False


class StudentTable(Plain):
    id = "custom:csv_quotes"
    phrasings = (
        'Generate CSV data: The column names are ["StudentID", "Subject", "Grade", "Semester", "Score"], the data '
        "should "
        "be tab delimited. Please generate 3 rows and enclose each single field in double quotes.",
        "Write 3 rows of tab-separated data with the columns StudentID, Subject, Grade, Semester and Score, every "
        "field "
        "in double quotes.",
        "Output a tab-delimited table with the header StudentID, Subject, Grade, Semester, Score and 3 rows; put each "
        "field in double quotes.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        if wrong := _shape(document, _STUDENT, 3, "\t"):
            return wrong
        for number, line in enumerate(_table(document.text).splitlines()):
            bare = [f for f in map(str.strip, line.split("\t")) if not (len(f) > 1 and f[0] == f[-1] == '"')]
            if bare:
                return Verdict("violated", f"a field of line {number + 1} is not in double quotes", bare[0][:40])
        return Verdict("satisfied", "a tab-delimited table of 3 rows, every field in double quotes", 3)

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        if not _REFERENCE_STUDENT.match(response.split("\n")[0].strip()):
            return False
        rows = _reference_rows(response.replace('"', '"""'), "\t")
        if len(rows) != 4 or any(len(row) != 5 for row in rows):
            return False
        fields = [field.strip() for row in rows for field in row]
        return all(field and field[0] == field[-1] == '"' for field in fields)


register(CityTable(), ProductTable(), StudentTable())
