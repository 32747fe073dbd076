"""Two responses in one, and the request repeated before the answer."""

import re
from collections.abc import Mapping
from functools import lru_cache
from random import Random
from typing import Any

from pydantic import Field

from gapo_core.constraints.document import Document
from gapo_core.constraints.registry import Family, Kwargs, NoKwargs, Phrase, Plain, register
from gapo_core.constraints.relations import amount
from gapo_core.constraints.types import Span, Verdict

_SEPARATOR = re.compile(r"\*{6}(?<!\*{7})(?!\*)")
_DRESS = "\"'*_>` \t\r\n"  # quotes and emphasis around the request are typography, not words said before it
_REQUESTS = ("Write a short poem about a lantern.", "Tell me how a violin is made.", "Describe a walk by a glacier.")


class TwoResponses(Plain):
    id = "combination:two_responses"
    phrasings = (
        "Give two different responses. Responses and only responses should be separated by 6 asterisk symbols: ******.",
        "Provide two different answers, separated by six asterisks: ******.",
        "Answer twice, in two different ways, with ****** between the two responses.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        parts = tuple(document.between(_SEPARATOR))
        if len(parts) != 2:
            reason = f"{amount(len(parts), 'response')} found where 2, separated by ******, are wanted"
            return Verdict("violated", reason, len(parts), parts[:8])
        first, second = (document[part].lower().split() for part in parts)
        if first == second:
            return Verdict("violated", "the two responses are the same", 2, parts)
        return Verdict("satisfied", "two different responses are separated by ******", 2, parts)

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        parts = [part.strip() for part in response.split("******")]
        given = [part for part in parts if part]
        return all(parts[1:-1]) and len(given) == 2 and given[0] != given[1]


class RepeatKwargs(Kwargs):
    prompt_to_repeat: Phrase = Field(description="the request that the response repeats first, word for word")


@lru_cache(maxsize=512)
def _repeated(request: str) -> re.Pattern[str]:
    words = Document.of(request).plain.lstrip(_DRESS).split()
    return re.compile(r"\s+".join(map(re.escape, words)) + r"(?!\w)", re.IGNORECASE)


class RepeatPrompt(Family[RepeatKwargs]):
    id = "combination:repeat_prompt"
    kwargs = RepeatKwargs
    example = '{"prompt_to_repeat": "Write a haiku about rain."}'
    phrasings = (
        "First repeat the request word for word without change, then give your answer (1. do not say any words or "
        "characters before repeating the request; 2. the request you need to repeat does not include this sentence)",
        "Before you answer, repeat the request above word for word, without saying anything before it.",
        "Start your response by repeating the request exactly as it stands, and only then answer it.",
    )

    def judge(self, document: Document, kwargs: RepeatKwargs, prompt: str | None) -> Verdict:
        text = document.plain
        found = _repeated(kwargs.prompt_to_repeat).match(text, len(text) - len(text.lstrip(_DRESS)))
        if not found:
            reason = "the response does not start with the request"
            return Verdict("violated", reason, None, document.part(0, 80))
        where = (Span(*found.span()),)
        if not re.search(r"\w", document.text[found.end() :]):
            return Verdict("violated", "no answer follows the repeated request", None, where)
        return Verdict("satisfied", "the request is repeated, and an answer follows", None, where)

    def compat(self, response: str, kwargs: RepeatKwargs) -> bool:
        return response.strip().lower().startswith(kwargs.prompt_to_repeat.strip().lower())

    def satisfy(self, response: str, kwargs: RepeatKwargs, rng: Random) -> Mapping[str, Any] | None:
        document = Document.of(response)
        starts = [document[Span(document.sentences[0].start, span.end)] for span in document.sentences[:3]]
        return self._with(document, "satisfied", starts, rng)

    def violate(self, response: str, kwargs: RepeatKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._with(Document.of(response), "violated", [kwargs.prompt_to_repeat, *_REQUESTS], rng)

    def _with(self, document: Document, status: str, requests: list[str], rng: Random) -> Mapping[str, Any] | None:
        fitting = [
            request
            for request in requests
            if request.strip() and self.judge(document, RepeatKwargs(prompt_to_repeat=request), None).status == status
        ]
        return {"prompt_to_repeat": rng.choice(fitting)} if fitting else None

    def requires(self, kwargs: RepeatKwargs) -> tuple[str, ...]:
        return (kwargs.prompt_to_repeat,)


register(TwoResponses(), RepeatPrompt())
