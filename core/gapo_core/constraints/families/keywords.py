"""Words that a response must hold or must not hold."""

import re
from collections.abc import Mapping
from functools import lru_cache
from random import Random
from typing import Any

from pydantic import Field

from gapo_core.constraints.document import Document
from gapo_core.constraints.registry import Family, Kwargs, register
from gapo_core.constraints.types import Span, Verdict


@lru_cache(maxsize=4096)
def _whole(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)


class ExistenceKwargs(Kwargs):
    keywords: tuple[str, ...] = Field(min_length=1, strict=False, description="words that must all stand in the text")


class Existence(Family[ExistenceKwargs]):
    id = "keywords:existence"
    kwargs = ExistenceKwargs
    phrasings = ("Include keywords {keywords} in the response.", "Use each of these words: {keywords}.")

    def judge(self, document: Document, kwargs: ExistenceKwargs, prompt: str | None) -> Verdict:
        found = {word: _whole(word).search(document.text) for word in kwargs.keywords}
        missing = [word for word, match in found.items() if match is None]
        evidence = tuple(Span(*match.span()) for match in found.values() if match)
        if missing:
            return Verdict("violated", f"{', '.join(missing)} is missing", missing, evidence)
        return Verdict("satisfied", "every keyword is there", [], evidence)

    def compat(self, response: str, kwargs: ExistenceKwargs) -> bool:
        # The reference searches the keyword as an unescaped regular expression, anywhere in the text.
        return all(re.search(word, response, re.IGNORECASE) for word in kwargs.keywords)

    def satisfy(self, response: str, kwargs: ExistenceKwargs, rng: Random) -> Mapping[str, Any] | None:
        words = sorted(set(re.findall(r"\w+", response)))
        return {"keywords": rng.sample(words, min(len(words), len(kwargs.keywords)))} if words else None

    def violate(self, response: str, kwargs: ExistenceKwargs, rng: Random) -> Mapping[str, Any] | None:
        absent = [word for word in ("lantern", "orchid", "granite") if not _whole(word).search(response)]
        return {"keywords": [*kwargs.keywords[1:], rng.choice(absent)]} if absent else None


register(Existence())
