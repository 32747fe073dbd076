"""Punctuation that a response must do without."""

import re

from gapo_core.constraints.document import Document
from gapo_core.constraints.registry import NoKwargs, Plain, register
from gapo_core.constraints.relations import amount
from gapo_core.constraints.types import Verdict, spans

# Every character that Unicode names a comma and that is one: full-width, ideographic, Arabic, Armenian,
# Ethiopic, Mongolian, N'Ko, Vai, Bamum, Lisu, Newa, Medefaidrin, SignWriting, reversed, raised, turned, small and
# vertical ones.
COMMAS = ",，、،՝߸፣᠂᠈⸲⸴⹁⹉⹌꓾꘍꛵︐︑﹐﹑､𑑍𑑚𖺗𝪇"
_COMMA = re.compile(f"[{COMMAS}]")


class NoComma(Plain):
    id = "punctuation:no_comma"
    phrasings = (
        "In your entire response, refrain from the use of any commas.",
        "Do not use any commas in your response.",
        "Write your answer without commas.",
        "Your response must not contain commas.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        count = len(_COMMA.findall(document.text))
        if count:
            return Verdict("violated", f"{amount(count, 'comma')} found", count, spans(_COMMA.finditer(document.text)))
        return Verdict("satisfied", "no comma is used", 0)

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        return "," not in response

    def forbids(self, text: str, kwargs: NoKwargs) -> bool:
        return _COMMA.search(text) is not None


register(NoComma())
