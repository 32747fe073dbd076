"""The one place that turns a (prompt, response) pair into token ids, for training, export and server alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tokenizers import Tokenizer

TEMPLATE = "cls-prompt-sep-response-sep/1"
"""BERT's family: `[CLS] prompt [SEP] response [SEP]`."""
ROBERTA_TEMPLATE = "cls-prompt-sep-sep-response-sep/1"
"""RoBERTa's family, so also allenai's Longformer: `<s> prompt </s></s> response </s>`."""
TEMPLATES = (TEMPLATE, ROBERTA_TEMPLATE)


class TruncationPolicy(str, Enum):
    """What to do with a field that is longer than its token budget."""

    ERROR = "error"
    KEEP_HEAD = "keep_head"
    KEEP_TAIL = "keep_tail"
    KEEP_BOTH_ENDS = "keep_both_ends"


class PairError(ValueError):
    """A pair that cannot be encoded. `field` names the input, `number` its place in a batch; the message names the
    remedy."""

    def __init__(self, field: str, message: str, number: int = 0) -> None:
        super().__init__(f"{field}: {message}")
        self.field, self.message, self.number = field, message, number


class PairTooLong(PairError):
    """A field over its token budget under policy `error`; `field` is the longer one when both are."""


@dataclass(frozen=True)
class Budgets:
    """Most tokens of each field, special tokens not counted; None leaves a field what the other one leaves.

    With neither given the prompt may take what the response leaves, and at least half of the room. A field
    with a budget is sure of it: the other one gets what remains. Both together must fit the room.
    """

    prompt: int | None = None
    response: int | None = None


@dataclass(frozen=True)
class EncodedPair:
    """Token ids of one pair with special tokens; how many tokens of each field they hold, and how many were cut."""

    ids: list[int]
    prompt_tokens: int
    response_tokens: int
    prompt_truncated_tokens: int
    response_truncated_tokens: int

    @property
    def truncated_tokens(self) -> int:
        return self.prompt_truncated_tokens + self.response_truncated_tokens


class PairEncoder:
    """Encodes pairs in the tokenizer family's own template, at most `max_tokens` ids.

    Text that spells a special token (`[SEP]`, `</s>`) is encoded as text: a prompt cannot forge the
    boundary between prompt and response. Raises `ValueError` for a file that is no tokenizer of either family.
    """

    def __init__(self, tokenizer_file: str | Path, max_tokens: int, budgets: Budgets = Budgets()) -> None:
        try:
            self._tokenizer = Tokenizer.from_file(str(tokenizer_file))
        except Exception as error:  # tokenizers raises no narrower one
            raise ValueError(f"{tokenizer_file}: is no tokenizer that can be read: {error}") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True
        names = self._tokenizer.token_to_id
        if None not in (names("[CLS]"), names("[SEP]"), names("[PAD]")):
            self.template, self.pad_id = TEMPLATE, int(names("[PAD]"))
            self._first, self._last = [int(names("[CLS]"))], [int(names("[SEP]"))]
            self._between = self._last
        elif None not in (names("<s>"), names("</s>"), names("<pad>")):
            self.template, self.pad_id = ROBERTA_TEMPLATE, int(names("<pad>"))
            self._first, self._last = [int(names("<s>"))], [int(names("</s>"))]
            self._between = self._last * 2
        else:
            raise ValueError("tokenizer: has neither [CLS], [SEP] and [PAD] nor <s>, </s> and <pad>")
        self.room = max_tokens - len(self._first + self._between + self._last)
        if self.room < 2:
            raise ValueError(f"max_tokens: {max_tokens} leaves no room for a pair; use {max_tokens - self.room + 2}")
        self.check(budgets)
        self._budgets = budgets

    def check(self, budgets: Budgets) -> None:
        """Raises `PairError` naming `prompt_budget` or `response_budget` when they do not fit the room."""
        for field, tokens in (("prompt_budget", budgets.prompt), ("response_budget", budgets.response)):
            if tokens is not None and not 0 < tokens < self.room:
                raise PairError(field, f"{tokens} is outside 1 … {self.room - 1} tokens")
        if budgets.prompt and budgets.response and budgets.prompt + budgets.response > self.room:
            raise PairError(
                "response_budget",
                f"{budgets.response} tokens and a prompt_budget of {budgets.prompt} exceed the {self.room} that "
                "this model takes; lower one of them",
            )

    def encode(
        self,
        prompt: str,
        response: str,
        truncation: TruncationPolicy = TruncationPolicy.ERROR,
        budgets: Budgets | None = None,
    ) -> EncodedPair:
        """`budgets` replaces the encoder's own for this pair; `check` it first.

        Raises `PairError` for an empty or undecodable field, `PairTooLong` under policy `error`.
        """
        return self.encode_batch([(prompt, response)], truncation, budgets)[0]

    def encode_batch(
        self,
        pairs: Sequence[tuple[str, str]],
        truncation: TruncationPolicy = TruncationPolicy.ERROR,
        budgets: Budgets | None = None,
        empty_responses: bool = False,
    ) -> list[EncodedPair]:
        """As `encode`, with one call of the tokenizer: it works on threads of its own and holds no Python lock.

        With `empty_responses` one without visible text is no error, and has no tokens. Raises the error of the first
        pair that has one, whose place is the error's `number`.
        """
        problem: PairError | None = None
        for number, pair in enumerate(pairs):
            if problem := _unreadable(pair, number, empty_responses):
                pairs = pairs[:number]
                break
        texts = [text for pair in pairs for text in pair]
        ids = [found.ids for found in self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
        encoded = [
            self._compose(
                ids[2 * number], ids[2 * number + 1], truncation, budgets or self._budgets, number, empty_responses
            )
            for number in range(len(pairs))
        ]
        if problem:
            raise problem
        return encoded

    def _compose(
        self,
        prompt: list[int],
        response: list[int],
        truncation: TruncationPolicy,
        budgets: Budgets,
        number: int,
        empty_response: bool,
    ) -> EncodedPair:
        for field, tokens in (("prompt", prompt), ("response", response)):
            if not tokens and not (empty_response and field == "response"):
                raise PairError(field, "holds no visible text; send the text to judge", number)
        lengths = len(prompt), len(response)
        room = self._room(*lengths, budgets)
        over = [max(0, length - most) for length, most in zip(lengths, room, strict=True)]
        if any(over) and truncation is TruncationPolicy.ERROR:
            worst = over.index(max(over))
            raise PairTooLong(
                ("prompt", "response")[worst],
                f"has {lengths[worst]} tokens and may have {room[worst]} beside {lengths[1 - worst]} of the "
                f"{('response', 'prompt')[worst]}; shorten it or ask for truncation keep_head, keep_tail or "
                "keep_both_ends",
                number,
            )
        a, b = _cut(prompt, room[0], truncation), _cut(response, room[1], truncation)
        return EncodedPair([*self._first, *a, *self._between, *b, *self._last], len(a), len(b), over[0], over[1])

    def _room(self, prompt: int, response: int, budgets: Budgets) -> tuple[int, int]:
        """Most tokens of each field, given how many each has."""
        if budgets.prompt is None and budgets.response is None:
            most = max(self.room // 2, self.room - response)
            return most, self.room - min(prompt, most)
        if budgets.prompt is None:
            assert budgets.response is not None
            return self.room - min(response, budgets.response), budgets.response
        rest = self.room - min(prompt, budgets.prompt)
        return budgets.prompt, rest if budgets.response is None else budgets.response


def _unreadable(pair: tuple[str, str], number: int, empty_response: bool) -> PairError | None:
    for field, text in zip(("prompt", "response"), pair, strict=True):
        if (not text or text.isspace()) and not (empty_response and field == "response"):
            return PairError(field, "is empty; send the text to judge", number)
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            return PairError(field, f"holds a lone surrogate at character {error.start}; send valid Unicode", number)
    return None


def _cut(ids: list[int], room: int, policy: TruncationPolicy) -> list[int]:
    if len(ids) <= room:
        return ids
    if policy is TruncationPolicy.KEEP_TAIL:
        return ids[-room:]
    if policy is TruncationPolicy.KEEP_BOTH_ENDS:
        head = (room + 1) // 2
        return ids[:head] + ids[len(ids) - (room - head) :]
    return ids[:room]
