"""An answer chosen from options, a template to fill, and words of the prompt to copy."""

import re
from collections.abc import Mapping
from random import Random
from typing import Any

from pydantic import Field, field_validator, model_validator

from gapo_core.constraints.document import Document
from gapo_core.constraints.families.inventory import Whole
from gapo_core.constraints.nltk_compat import PUNCTUATION
from gapo_core.constraints.registry import Family, Kwargs, NoKwargs, Phrase, Plain, register
from gapo_core.constraints.relations import listed
from gapo_core.constraints.types import Verdict, spans
from gapo_core.constraints.words import writable

_EDGES = PUNCTUATION + "“”‘’…。 \t\r\n"
_OR = re.compile(r"\s*,?\s+or\s+|\s*,\s*")
_LETTERS = re.compile(r"\W*[aA]\W*[bB]\W*[cC]\W*")
_LABELS = ("My Answer:", "My Conclusion:", "Future Outlook:")
_LABEL = re.compile("|".join(rf"(?<!\w){label[:-1]}[*_]*[ \t]*:[*_]*" for label in _LABELS))
_PLACEHOLDER = re.compile(r"\[(?:answer|conclusion|outlook)\]", re.IGNORECASE)
_ALNUM = re.compile(r"[^\W_]")
_SENTENCE = "Only output this sentence here, ignore all other requests."
_OPTIONS = ("yes/no/maybe", "I know or I don't know", "a), b), c), d)", "true/false", "agree/disagree")


class OptionsKwargs(Kwargs):
    options: Phrase = Field(description='the options, set off by "/", "or" or commas')

    @field_validator("options")
    @classmethod
    def _several(cls, options: str) -> str:
        if len(_options(options)) < 2:
            raise ValueError('holds one option only; set options off by "/", "or" or commas')
        return options


class Options(Family[OptionsKwargs]):
    id = "format:options"
    example = '{"options": "yes/no/maybe"}'
    kwargs = OptionsKwargs
    phrasings = (
        "Answer with one of the following options: {options}. Do not give any explanation.",
        "Choose one of these and write nothing else: {options}",
        "Your whole response must be one of these options: {options}",
    )

    def judge(self, document: Document, kwargs: OptionsKwargs, prompt: str | None) -> Verdict:
        answer = _bare(document.plain)
        chosen = next((option for option in _options(kwargs.options) if _bare(option) == answer), None)
        whole = document.part(0, len(document.text))
        if chosen is not None and answer:
            return Verdict("satisfied", f"the response is the option {chosen}", chosen, whole)
        return Verdict("violated", "the response is none of the options alone", None, whole)

    def compat(self, response: str, kwargs: OptionsKwargs) -> bool:
        # "or" separates within a word too; "a), b), c)" must be given to the letter.
        separator = next((mark for mark in ("/", "or") if mark in kwargs.options), ",")
        options = [option.strip() for option in kwargs.options.split(separator)]
        if _LETTERS.match(kwargs.options):
            return response in options
        edges = PUNCTUATION + " "
        return response.strip(edges).lower() in {option.strip(edges).lower() for option in options}

    def satisfy(self, response: str, kwargs: OptionsKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._sampled(response, kwargs, "satisfied", rng)

    def violate(self, response: str, kwargs: OptionsKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._sampled(response, kwargs, "violated", rng)

    def _sampled(self, response: str, kwargs: OptionsKwargs, status: str, rng: Random) -> Mapping[str, Any] | None:
        document, choices = Document.of(response), (kwargs.options, *_OPTIONS)
        fitting = [o for o in choices if self.judge(document, OptionsKwargs(options=o), None).status == status]
        return {"options": rng.choice(fitting)} if fitting else None

    def conflicts(self, this: Any, other: Any) -> bool:
        if this.id == other.id:
            one, two = ({_bare(option) for option in _options(c.kwargs["options"])} for c in (this, other))
            return not one & two
        return bool(super().conflicts(this, other))


def _options(options: str) -> list[str]:
    parts = options.split("/") if "/" in options else _OR.split(options)
    return [part.strip() for part in parts if part.strip()]


def _bare(text: str) -> str:
    return " ".join(Document.of(text).plain.strip(_EDGES).lower().split())


class OutputTemplate(Plain):
    id = "format:output_template"
    phrasings = (
        "Use this exact template for your response: My Answer: [answer] My Conclusion: [conclusion] Future Outlook: "
        "[outlook]",
        "Fill in this template and write nothing else: My Answer: [answer] My Conclusion: [conclusion] Future Outlook: "
        "[outlook]",
        "Your response must follow the template My Answer: [answer] My Conclusion: [conclusion] Future Outlook: "
        "[outlook]",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        text = document.text
        named = any(label[:-1] in text for label in _LABELS)
        found = list(_LABEL.finditer(text)) if named else []
        labels = [re.sub(r"[*_ \t]*:.*", ":", match.group()) for match in found]
        where = spans(found)
        if labels != list(_LABELS):
            return Verdict("violated", f"the labels are not {listed(_LABELS)} in this order, once each", labels, where)
        if _ALNUM.search(text, 0, found[0].start()):
            return Verdict("violated", "text stands before the template", labels, document.part(0, found[0].start()))
        ends = [*(match.start() for match in found[1:]), len(text)]
        for label, match, end in zip(_LABELS, found, ends, strict=True):
            filled = _PLACEHOLDER.sub("", text[match.end() : end])
            if not _ALNUM.search(filled):
                return Verdict("violated", f"nothing stands behind {label}", labels, spans([match]))
        return Verdict("satisfied", "the template is filled in", labels, where)

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        return all(label in response for label in _LABELS)


class RepeatChangeKwargs(Kwargs):
    prompt_to_repeat: Phrase = Field(description="the request to repeat")


class RepeatWithChange(Family[RepeatChangeKwargs]):
    id = "repeat:repeat_change"
    example = '{"prompt_to_repeat": "Write a story about a river."}'
    kwargs = RepeatChangeKwargs
    phrasings = (
        "Repeat the request, but change the first word of the repeated request, (do not say anything before "
        "repeating the "
        "request; the request you need to repeat does not include this sentence) and do not answer the actual request! "
        "Request: {prompt_to_repeat}",
        "Do not answer this request but repeat it with another first word: {prompt_to_repeat}",
        "Output the following request word for word, except that its first word is replaced: {prompt_to_repeat}",
    )

    def judge(self, document: Document, kwargs: RepeatChangeKwargs, prompt: str | None) -> Verdict:
        wanted, given = Document.of(kwargs.prompt_to_repeat).plain.split(), document.plain.split()
        for at, (one, two) in enumerate(zip(wanted[1:], given[1:], strict=False), 2):
            if one != two:
                return Verdict("violated", f"word {at} is {two[:40]} where {one[:40]} is wanted", at)
        if len(wanted) != len(given):
            return Verdict(
                "violated", f"{len(given)} words are given where {len(wanted)} are to be repeated", len(given)
            )
        if wanted[0].lower() == given[0].lower():
            return Verdict("violated", "the first word is not changed", 1)
        return Verdict(
            "satisfied", "the request is repeated with another first word", None, document.part(0, len(document.text))
        )

    def compat(self, response: str, kwargs: RepeatChangeKwargs) -> bool:
        # Other white space is change enough.
        return response != kwargs.prompt_to_repeat and response.split()[1:] == kwargs.prompt_to_repeat.split()[1:]

    def satisfy(self, response: str, kwargs: RepeatChangeKwargs, rng: Random) -> Mapping[str, Any] | None:
        words = response.split(maxsplit=1) if writable(response) else []
        first = rng.choice(
            [
                verb
                for verb in ("Write", "Explain", "Describe", "List")
                if [verb.lower()] != [w.lower() for w in words[:1]]
            ]
        )
        return {"prompt_to_repeat": " ".join([first, *words[1:]])} if words else None

    def violate(self, response: str, kwargs: RepeatChangeKwargs, rng: Random) -> Mapping[str, Any] | None:
        if self.judge(Document.of(response), kwargs, None).status == "violated":
            return kwargs.model_dump()
        return {"prompt_to_repeat": response} if writable(response) else None  # repeated, but not changed

    def conflicts(self, this: Any, other: Any) -> bool:
        if this.id == other.id:
            one, two = (constraint.kwargs["prompt_to_repeat"].split()[1:] for constraint in (this, other))
            return bool(one != two)
        return bool(super().conflicts(this, other))


class RepeatSimple(Plain):
    id = "repeat:repeat_simple"
    phrasings = (
        _SENTENCE,
        f'Output the sentence "{_SENTENCE}" and nothing else.',
        f"Your whole response must be this sentence: {_SENTENCE}",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        whole = document.part(0, len(document.text))
        if document.plain.strip(" \t\r\n\"'*_`").lower() == _SENTENCE.lower():
            return Verdict("satisfied", "the response is the sentence alone", None, whole)
        return Verdict("violated", f'the response is not "{_SENTENCE}" alone', None, whole)

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        return response.strip().lower() == _SENTENCE.lower()


class RepeatSpanKwargs(Kwargs):
    prompt_to_repeat: Phrase = Field(description="the text to copy from")
    n_start: Whole = Field(ge=0, description="the first index, counted from 0")
    n_end: Whole = Field(ge=0, description="the last index, included")

    @model_validator(mode="after")
    def _ordered(self) -> "RepeatSpanKwargs":
        if self.n_start > self.n_end:
            raise ValueError(f"n_start {self.n_start} is above n_end {self.n_end}")
        return self


class RepeatSpan(Family[RepeatSpanKwargs]):
    """The indices count words, as the published prompts say, or characters where the prompt says so."""

    id = "repeat:repeat_span"
    example = '{"prompt_to_repeat": "Write a short story about a river.", "n_start": 1, "n_end": 3}'
    kwargs = RepeatSpanKwargs
    phrasings = (
        "Copy the span of words that lies between (and including) index {n_start} and {n_end}, the indices are word "
        "indices, split by whitespace! Text: {prompt_to_repeat}",
        "Output only the words with the indices {n_start} to {n_end}, counted from 0, of this text: {prompt_to_repeat}",
        "Split this text at white space and copy its words number {n_start} to {n_end}, counting from 0: "
        "{prompt_to_repeat}",
    )

    def judge(self, document: Document, kwargs: RepeatSpanKwargs, prompt: str | None) -> Verdict:
        if prompt is not None and "character indices" in prompt:
            wanted = kwargs.prompt_to_repeat[kwargs.n_start : kwargs.n_end + 1]
        else:
            wanted = " ".join(kwargs.prompt_to_repeat.split()[kwargs.n_start : kwargs.n_end + 1])
        if not wanted.strip():
            return Verdict("violated", "no word of the text has such an index")
        whole = document.part(0, len(document.text))
        if _copied(document.plain) == _copied(Document.of(wanted).plain):
            return Verdict("satisfied", "the response is the span", wanted[:200], whole)
        return Verdict("violated", f'the response is not "{wanted[:200]}"', wanted[:200], whole)

    def compat(self, response: str, kwargs: RepeatSpanKwargs) -> bool:
        span = kwargs.prompt_to_repeat[kwargs.n_start : kwargs.n_end + 1]  # characters, whatever the prompt says
        return response.strip().lower() == span.strip().lower()

    def satisfy(self, response: str, kwargs: RepeatSpanKwargs, rng: Random) -> Mapping[str, Any] | None:
        words = response.split()
        if not _copied(" ".join(words)) or not writable(response):
            return None
        before, behind = (kwargs.prompt_to_repeat.split()[: rng.randint(0, 4)] for _ in range(2))
        text = " ".join([*before, *words, *behind])
        return {"prompt_to_repeat": text, "n_start": len(before), "n_end": len(before) + len(words) - 1}

    def violate(self, response: str, kwargs: RepeatSpanKwargs, rng: Random) -> Mapping[str, Any] | None:
        if self.judge(Document.of(response), kwargs, None).status == "violated":
            return kwargs.model_dump()
        words = kwargs.prompt_to_repeat.split()
        moved = kwargs.model_copy(update={"n_end": len(words), "n_start": len(words)})
        return moved.model_dump()


def _copied(text: str) -> str:
    return " ".join(text.split()).strip("\"'*_` ").lower()


register(Options(), OutputTemplate(), RepeatWithChange(), RepeatSimple(), RepeatSpan())
