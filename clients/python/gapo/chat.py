"""Conversations as plain text, for the server's dialects and the trainers' adapters alike.

What trainers send carries the actor's template, special tokens and padding. Known are ChatML (Qwen, Phi-4), Llama 3,
Llama 2 and Mistral, Gemma, Phi-3, DeepSeek, and NeMo's. Texts of system and user turns are kept in order; the tokens
around them are not, so that a pair reads as it did in training.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

_ROLES = r"(?:system|developer|user|tool|assistant|model)"
_ASSISTANT = re.compile(
    r"<\|im_start\|>assistant(?:<\|im_sep\|>|\n)?"
    r"|<\|start_header_id\|>assistant<\|end_header_id\|>"
    r"|<start_of_turn>model\n?"
    r"|<\|assistant\|>"
    r"|<｜Assistant｜>"
    r"|\[/INST\]"
    r"|<extra_id_1>Assistant\n?"
)
_MARK = re.compile(
    rf"<\|im_start\|>{_ROLES}?(?:<\|im_sep\|>|\n)?"
    rf"|<\|start_header_id\|>{_ROLES}?<\|end_header_id\|>"
    rf"|<start_of_turn>{_ROLES}?\n?"
    r"|<end_of_turn>|<bos>|<eos>|</?s>|<pad>|<unk>|\[PAD\]"
    r"|<\|[a-z0-9_]+\|>|<｜[^｜<>]{1,40}｜>"
    r"|<extra_id_[01]>(?:System|User|Assistant)?\n?|<extra_id_2>"
    r"|\[/?INST\]|\[/?SYSTEM_PROMPT\]|<</?SYS>>"
)


def plain(text: str) -> str:
    """The text without template and padding; turns stand on lines of their own."""
    return "\n".join(part for part in map(str.strip, _MARK.split(text)) if part)


def split(query: str, prompt: str | None) -> tuple[str, str] | None:
    """(prompt, response) of a templated conversation, both plain, or None where they cannot be told apart.

    `prompt` is the templated prompt when the trainer sends it. Padding may stand before it, and a trainer that
    had to shorten it cut its beginning off. Without it the last assistant turn is the response.
    """
    if prompt:
        start = query.find(prompt)
        end = start + len(prompt) if start >= 0 else _end_of_shortened(query, prompt)
        if end:
            return plain(query[:end]), plain(query[end:])
    marks = list(_ASSISTANT.finditer(query))
    if not marks:
        return None
    return plain(query[: marks[-1].start()]), plain(query[marks[-1].end() :])


def _end_of_shortened(query: str, prompt: str) -> int:
    """Where the response begins in a query that starts with an end of the prompt; 0 if it does not.

    Knuth, Morris and Pratt's search: trying every end of "aaaa…" would take the square of its length.
    """
    head = query[:16]
    start = prompt.find(head)
    if not head or start < 0:
        return 0
    text = prompt[start:]
    pattern = query[: len(text)]
    borders = [0]  # of each beginning of the pattern: its longest proper beginning that it also ends with
    matched = 0
    for character in pattern[1:]:
        while matched and character != pattern[matched]:
            matched = borders[matched - 1]
        matched += character == pattern[matched]
        borders.append(matched)
    matched = 0
    for character in text:
        while matched and (matched == len(pattern) or character != pattern[matched]):
            matched = borders[matched - 1]
        matched += character == pattern[matched]
    return matched if matched >= len(head) else 0


def conversation(text: Any) -> str:
    """A text as it is, or the texts of messages on lines of their own, as `plain` gives those of templated turns.

    Raises `ValueError` for what holds more than text.
    """
    if isinstance(text, str):
        return text.strip()
    if isinstance(text, Mapping) or not isinstance(text, Iterable):
        raise ValueError(f"a conversation is of type {type(text).__name__}; give a text or a list of messages")
    turns = []
    for message in text:
        if not isinstance(message, Mapping):
            raise ValueError(f"a message is of type {type(message).__name__}; give its role and content")
        turns.append(content(message.get("content")))
    return "\n".join(filter(None, turns))


def content(parts: Any) -> str:
    """The text of one message's content. Raises `ValueError` as `conversation` does."""
    if parts is None:  # a message that only calls tools
        return ""
    if isinstance(parts, str):
        return parts.strip()
    if isinstance(parts, Mapping) or not isinstance(parts, Iterable):
        raise ValueError(f"a message's content is of type {type(parts).__name__}; give a text or parts of text")
    texts = []
    for part in parts:
        kind, text = (part.get("type"), part.get("text")) if isinstance(part, Mapping) else (None, None)
        if kind != "text" or not isinstance(text, str):
            raise ValueError(f"a message holds a part of type {kind!r}; the reward model reads text alone")
        texts.append(text.strip())
    return "\n".join(texts)


UNSEEN = "\ufffd\u115f\u1160\u2800\u3164\uffa0"
"""What a tokenizer makes of half a character; and letters and a symbol that are drawn as blanks."""


def visible(text: str) -> bool:
    """Whether a letter, digit, punctuation mark or symbol is there that can be seen."""
    return any(character not in UNSEEN and unicodedata.category(character)[0] in "LNPS" for character in text)
