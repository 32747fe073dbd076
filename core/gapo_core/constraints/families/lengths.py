"""Lengths in words, sentences, paragraphs, characters and tokens, with any relation."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from pydantic import Field

from gapo_core.constraints.document import Document, Span
from gapo_core.constraints.families.counting import Counted
from gapo_core.constraints.registry import Family, Kwargs, Phrase, register
from gapo_core.constraints.relations import Relation, amount, exclude, holds, limit_for
from gapo_core.constraints.token_counts import count_tokens
from gapo_core.constraints.types import EVIDENCE_LIMIT, Verdict


class LengthKwargs(Kwargs):
    count: int = Field(ge=0, description="the number that the length is compared with")
    relation: Relation


class _Length(Counted[LengthKwargs]):
    kwargs = LengthKwargs
    example = '{"count": 100, "relation": "at most"}'
    limit, relation = "count", "relation"
    phrasings = (
        "Your response must be {limited} long.",
        "Write {limited}.",
        "Keep your answer to {limited}.",
        "The length of your response should be {limited}.",
    )


class Words(_Length):
    id = "length:words"
    noun, additive = ("word", "words"), True

    def count(self, document: Document, kwargs: LengthKwargs) -> tuple[int, tuple[Span, ...]]:
        words = document.words
        surplus = words[kwargs.count :]
        return len(words), (Span(surplus[0].start, surplus[-1].end),) if surplus else ()


class Sentences(_Length):
    id = "length:sentences"
    noun = ("sentence", "sentences")

    def count(self, document: Document, kwargs: LengthKwargs) -> tuple[int, Sequence[Span]]:
        return len(document.sentences), document.sentences


class Paragraphs(_Length):
    id = "length:paragraphs"
    noun = ("paragraph", "paragraphs")
    example = '{"count": 2, "relation": "at least"}'

    def count(self, document: Document, kwargs: LengthKwargs) -> tuple[int, tuple[Span, ...]]:
        return len(document.paragraphs), document.paragraphs[:EVIDENCE_LIMIT]


class Characters(_Length):
    """Characters are Unicode code points, white space around the response not counted."""

    id = "length:characters"
    noun, additive = ("character", "characters"), True

    def count(self, document: Document, kwargs: LengthKwargs) -> tuple[int, tuple[Span, ...]]:
        text = document.text.strip()
        start = len(document.text) - len(document.text.lstrip())
        return len(text), document.part(start + kwargs.count, start + len(text))


class TokensKwargs(LengthKwargs):
    tokenizer: Phrase = Field(description="the name under which the host knows the tokenizer")


class Tokens(Family[TokensKwargs]):
    """`unknown` until `token_counts.use_tokenizer` has said what the name means."""

    id = "length:tokens"
    kwargs = TokensKwargs
    example = '{"count": 200, "relation": "at most", "tokenizer": "default"}'
    phrasings = (
        "Your response must be {limited} long.",
        "Write {limited}.",
        "Keep your answer to {limited}.",
    )

    def judge(self, document: Document, kwargs: TokensKwargs, prompt: str | None) -> Verdict:
        observed = count_tokens(kwargs.tokenizer, document.text)
        if observed is None:
            return Verdict("unknown", f"no tokenizer is known as {' '.join(kwargs.tokenizer.split())}")
        kept = holds(kwargs.relation, observed, kwargs.count)
        reason = f"{amount(observed, 'token')} found where {kwargs.relation} {kwargs.count} are wanted"
        return Verdict("satisfied" if kept else "violated", reason, observed)

    def satisfy(self, response: str, kwargs: TokensKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._limited(response, kwargs, True, rng)

    def violate(self, response: str, kwargs: TokensKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._limited(response, kwargs, False, rng)

    def _limited(self, response: str, kwargs: TokensKwargs, wanted: bool, rng: Random) -> Mapping[str, Any] | None:
        observed = count_tokens(kwargs.tokenizer, response)
        limit = None if observed is None else limit_for(kwargs.relation, observed, wanted, rng)
        return None if limit is None else {**kwargs.model_dump(), "count": limit}

    def conflicts(self, this: Any, other: Any) -> bool:
        if this.id != other.id or this.kwargs["tokenizer"] != other.kwargs["tokenizer"]:
            return bool(super().conflicts(this, other))
        one, two = ((c.kwargs["relation"], c.kwargs["count"]) for c in (this, other))
        return exclude(one, two)

    def wording(self, kwargs: TokensKwargs) -> Mapping[str, object]:
        return {"limited": f"{kwargs.relation} {amount(kwargs.count, 'token')}"}


register(Words(), Sentences(), Paragraphs(), Characters(), Tokens())
