"""The one place that turns a (prompt, response) pair into token ids, for training, export and server alike."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tokenizers import Tokenizer

TEMPLATE = "cls-prompt-sep-response-sep/1"
SPECIAL_TOKENS = 3


class TruncationPolicy(str, Enum):
    """What to do with a field that is longer than its token budget."""

    ERROR = "error"
    KEEP_HEAD = "keep_head"
    KEEP_TAIL = "keep_tail"
    KEEP_BOTH_ENDS = "keep_both_ends"


class PairError(ValueError):
    """A pair that cannot be encoded. `field` is "prompt" or "response"; the message names the remedy."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class PairTooLong(PairError):
    """A pair over its token budget under policy `error`."""


@dataclass(frozen=True)
class EncodedPair:
    """Token ids of one pair with special tokens, and how many tokens of each field they hold."""

    ids: list[int]
    prompt_tokens: int
    response_tokens: int
    truncated_tokens: int


class PairEncoder:
    """Encodes pairs as `[CLS] prompt [SEP] response [SEP]`, at most `max_tokens` ids.

    Without an explicit `prompt_budget` (tokens), the prompt may take what the response leaves, and at
    least half of the room; the response then has the rest.
    """

    def __init__(self, tokenizer_file: str | Path, max_tokens: int, prompt_budget: int | None = None) -> None:
        self._tokenizer = Tokenizer.from_file(str(tokenizer_file))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._cls, self._sep = self._special("[CLS]", "<s>"), self._special("[SEP]", "</s>")
        self.pad_id = self._special("[PAD]", "<pad>")
        self.room = max_tokens - SPECIAL_TOKENS
        if self.room < 2:
            raise ValueError(f"max_tokens: {max_tokens} leaves no room for a pair; use at least 5")
        if prompt_budget is not None and not 0 < prompt_budget < self.room:
            raise ValueError(f"prompt_budget: {prompt_budget} is outside 1 … {self.room - 1}")
        self._prompt_budget = prompt_budget

    def _special(self, *names: str) -> int:
        for name in names:
            number = self._tokenizer.token_to_id(name)
            if number is not None:
                return int(number)
        raise ValueError(f"tokenizer: none of the tokens {names} is in its vocabulary")

    def encode(self, prompt: str, response: str, truncation: TruncationPolicy = TruncationPolicy.ERROR) -> EncodedPair:
        """Raises `PairError` for an empty or undecodable field, `PairTooLong` under policy `error`."""
        fields = [self._tokens("prompt", prompt), self._tokens("response", response)]
        lengths = [len(ids) for ids in fields]
        prompt_room = self._prompt_budget or max(self.room // 2, self.room - lengths[1])
        kept_prompt = min(lengths[0], prompt_room)
        kept = [kept_prompt, min(lengths[1], self.room - kept_prompt)]
        cut = sum(lengths) - sum(kept)
        if cut and truncation is TruncationPolicy.ERROR:
            field = "response" if kept[1] < lengths[1] else "prompt"
            raise PairTooLong(
                field,
                f"the pair has {sum(lengths)} tokens and {cut} of them do not fit {self.room}; shorten it or "
                "ask for truncation keep_head, keep_tail or keep_both_ends",
            )
        a, b = (_cut(ids, room, truncation) for ids, room in zip(fields, kept, strict=True))
        return EncodedPair([self._cls, *a, self._sep, *b, self._sep], len(a), len(b), cut)

    def _tokens(self, field: str, text: str) -> list[int]:
        if not text or text.isspace():
            raise PairError(field, "is empty; send the text to judge")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise PairError(field, f"holds a lone surrogate at character {error.start}; send valid Unicode") from None
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        if not ids:
            raise PairError(field, "holds no visible text; send the text to judge")
        return ids


def _cut(ids: list[int], room: int, policy: TruncationPolicy) -> list[int]:
    if len(ids) <= room:
        return ids
    if policy is TruncationPolicy.KEEP_TAIL:
        return ids[-room:]
    if policy is TruncationPolicy.KEEP_BOTH_ENDS:
        head = (room + 1) // 2
        return ids[:head] + ids[len(ids) - (room - head) :]
    return ids[:room]
