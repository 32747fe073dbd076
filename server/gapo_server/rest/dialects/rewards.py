"""What the dialects share: templated texts become pairs, one failed sample does not end a run, errors name the fields
that the client knows."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastapi import Request, Response
from gapo import chat
from gapo_core.pairs import TruncationPolicy

from gapo_server.errors import InvalidInput, RequestError
from gapo_server.rest.middleware import exchange_of
from gapo_server.rest.responses import tell_truncation
from gapo_server.scoring.encoding import Pair
from gapo_server.scoring.service import Question, Scored, ScoringService

Field = str | Callable[["re.Match[str]"], str]
"""Replaces `pairs[3].prompt` as `re.sub` does: group 1 is `[3]`, group 2 the name behind it."""


def split(texts: Sequence[str], prompts: Sequence[str] | None, field: str, remedy: str) -> list[Pair]:
    """Prompt and response of each templated conversation; `prompts` are their beginnings, where those are known.

    Raises `InvalidInput`, whose field is `field` with the text's number for `{}`, where the two cannot be told apart.
    """
    pairs = []
    for number, text in enumerate(texts):
        pair = chat.split(text, prompts[number] if prompts is not None else None)
        if pair is None:
            raise InvalidInput(f"prompt and response cannot be told apart; {remedy}", field.format(number))
        pairs.append(pair)
    return pairs


def fields(prompt: str, response: str) -> Field:
    """The names that prompts and responses have in a request; the pair's number, as `[3]`, stands for `{}`."""
    return lambda found: (prompt if found[2] == "prompt" else response).format(found[1] or "")


def order(scored: Scored) -> list[int]:
    """The pairs' numbers, the best first, equal ones as they came.

    By the logits, whatever is told: far from zero, probabilities are equal.
    """
    return sorted(range(len(scored.results)), key=lambda number: -scored.results[number].score)


async def score(
    service: ScoringService,
    pairs: Sequence[Pair],
    model: str,
    truncation: TruncationPolicy | None,
    field: Field,
    allows_empty: bool = True,
) -> Scored:
    """Raw logits, one for each pair; a completion without visible text has `--empty-reward` if it `allows_empty`.

    Raises a `RequestError` in the client's words.
    """
    # An actor that ends at once is no fault of the trainer's: an error would end its run.
    empty = service.settings.empty_reward if allows_empty else None
    try:
        return await service.score(Question(pairs, model, truncation, empty_score=empty))
    except RequestError as error:
        error.field = re.sub(r"^pairs(\[\d+\])?(?:\.(\w+))?$", field, error.field)
        raise


@dataclass(frozen=True)
class Call:
    """One request of a dialect. Its user gives a URL and little else, so `model` and `truncation` may stand there."""

    service: ScoringService
    request: Request
    response: Response
    model: str
    truncation: TruncationPolicy

    async def score(
        self,
        pairs: Sequence[Pair],
        model: str | None,
        truncation: TruncationPolicy | None,
        field: Field,
        allows_empty: bool = False,
    ) -> Scored:
        """As `score` of this module; a `model` of the body wins over the URL's."""
        exchange_of(self.request).pairs = len(pairs)
        scored = await score(self.service, pairs, model or self.model, truncation, field, allows_empty)
        tell_truncation(scored, self.response)
        return scored


def calls(service: ScoringService) -> Callable[..., Call]:
    """A dependency: the call that FastAPI answers with this service."""

    def call(
        request: Request,
        response: Response,
        model: str = "",
        truncation: TruncationPolicy = TruncationPolicy.KEEP_BOTH_ENDS,
    ) -> Call:
        return Call(service, request, response, model, truncation)

    return call
