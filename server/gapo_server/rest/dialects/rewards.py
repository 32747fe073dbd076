"""What the dialects of trainers share: templated texts become pairs, and one failed sample does not end a run."""

import re
from collections.abc import Sequence

from gapo import chat
from gapo_core.pairs import TruncationPolicy

from gapo_server.errors import InvalidInput, RequestError
from gapo_server.scoring.encoding import Pair
from gapo_server.scoring.service import Question, Scored, ScoringService


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


async def score(
    service: ScoringService, pairs: Sequence[Pair], model: str, truncation: TruncationPolicy, field: str
) -> Scored:
    r"""Raw logits, one for each pair; a completion without visible text has `--empty-reward`.

    Raises a `RequestError` in the trainer's words: `field` replaces `pairs[3].prompt`, its `\1` is `[3]`, its `\2`
    the name behind it.
    """
    try:
        # An actor that ends at once is no fault of the trainer's: an error would end its run.
        return await service.score(Question(pairs, model, truncation, empty_score=service.settings.empty_reward))
    except RequestError as error:
        error.field = re.sub(r"^pairs(\[\d+\])?(?:\.(\w+))?$", field, error.field)
        raise
