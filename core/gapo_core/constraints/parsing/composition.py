"""Constraints that are asked for in several sentences: facts found apart, put together."""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from gapo_core.constraints.parsing.reading import Reading
from gapo_core.constraints.parsing.rules import Draft, unquoted
from gapo_core.constraints.parsing.subjects.repetition import ANSWERS

_DIVIDER = re.compile(r"^[ \t]*\*{3}[ \t]*$", re.MULTILINE)
_TEMPLATE = re.compile(r"\b(?:exact|following) (?:format|template|form|structure)\b", re.IGNORECASE)
# Before a request that is to be repeated.
_LABEL = re.compile(r"^(?:the )?(?:(?:user|customer)(?:['’]s)? ?)?(?:request|question|prompt|query|task)?:\s+", re.I)
_THEN = re.compile(r"^(?:and )?(?:only )?then (?:please )?(?:answer|reply|respond)(?: it| to it)?[.:!]\s+", re.I)
_HERE_IT_IS = re.compile(r"(?:below|here) (?:is|are|comes|you find) [^.!?\n]{1,60}[.:!]", re.IGNORECASE)
_NEXT_LINE = re.compile(r"\s{1,6}(\S[^\n]{0,300}?)[ \t]*(?:\n|$)")


def compose(reading: Reading, drafts: Sequence[Draft]) -> list[Draft]:
    """The drafts with their facts replaced by the constraints that they make; facts that make none are dropped."""
    kept = [draft for draft in drafts if not draft.id.startswith("fact:")]
    facts = [draft for draft in drafts if draft.id.startswith("fact:")]
    for step in _STEPS:
        kept += step(reading, facts)
    kept += _of_the_request(reading, facts, kept)
    return _consistent(_enumerated(reading, _each_for_itself(reading, kept)))


_FORBIDDEN = "keywords:forbidden_words"
_ENUMERATED = re.compile(r"[\s,]{0,3}(?:(?:and|nor|or|&) ?)?", re.IGNORECASE)


def _enumerated(reading: Reading, drafts: Sequence[Draft]) -> list[Draft]:
    """Forbidden words of one enumeration ("not X and not Y") are one demand."""
    joined: list[Draft] = []
    for draft in sorted(drafts, key=lambda d: (d.start, d.end)):
        last = joined[-1] if joined else None
        if (
            last
            and last.id == draft.id == _FORBIDDEN
            and last.end <= draft.start
            and _ENUMERATED.fullmatch(reading.masked, last.end, draft.start)
        ):
            words = [*last.kwargs["forbidden_words"], *draft.kwargs["forbidden_words"]]
            joined[-1] = Draft(_FORBIDDEN, {"forbidden_words": words}, last.start, draft.end)
        else:
            joined.append(draft)
    return joined


def _consistent(drafts: Sequence[Draft]) -> list[Draft]:
    """Without the drafts that others make needless: the listed answers are no keywords, a case implies English."""
    drafts = [d for d in drafts if not _of_parts(d, drafts)]
    answers = [d for d in drafts if d.id == "detectable_format:constrained_response"]
    languages = [d for d in drafts if d.id == "language:response_language"]
    cased = any(d.id.startswith("change_case:english_") for d in drafts)
    capitals = [d for d in drafts if d.id == "change_case:capital_word_frequency"]
    return [
        draft
        for draft in drafts
        if not (len(capitals) > 1 and draft.kwargs.get("capital_frequency") == 1 and _bounded_below(capitals))
        and not (draft.id.startswith("keywords:") and any(a.start < draft.end and draft.start < a.end for a in answers))
        and draft not in languages[1:]
        and not (cased and draft.id == "language:response_language" and draft.kwargs["language"] == "en")
    ]


_SIZES = {
    "length_constraints:number_words": "num_words",
    "length_constraints:number_sentences": "num_sentences",
    "detectable_format:number_bullet_lists": "num_bullets",
}


def _of_parts(draft: Draft, drafts: Sequence[Draft]) -> bool:
    """Whether limits of one kind differ: those of several parts ("background (3-5 sentences), gap (1-2 sentences)")."""
    if not (name := _SIZES.get(draft.id)):
        return False
    limits = {(d.kwargs.get("relation"), d.kwargs[name]) for d in drafts if d.id == draft.id}
    return len(limits) > len({relation for relation, _ in limits})


# "3 bullet points for the pros and 3 bullet points for the cons".
_ON = r"\s*(?:points?\s+)?(?:for|on|about|of|covering|describing)\b"
_OF_A_PART = re.compile(_ON, re.IGNORECASE)
_AND_ANOTHER = re.compile(_ON + r"\s+(?:[\w'’-]+\s+){1,5}?(?:and|plus|then)(?:\s+\w+)?\s*", re.IGNORECASE)
_OR = re.compile(r"\s*,?\s*(?:or|/)\s*(?:else\s+)?(?:(?:in|with|use|at)\s+)?", re.IGNORECASE)
_DENIES = re.compile(r"\b(?:no(?!\s+(?:more|less|fewer))|not|never|without|avoid\w*)\b|n['’]t\b", re.IGNORECASE)


def _each_for_itself(reading: Reading, drafts: Sequence[Draft]) -> list[Draft]:
    """Without sizes of two parts of the response and without demands of which one will do ("100 words or 5 sentences").

    What is denied is denied on both sides of "or" ("no commas or capitals")."""
    places = sorted({(d.start, d.end) for d in drafts})
    sizes = {(d.start, d.end) for d in drafts if d.id in _SIZES}
    dropped: set[tuple[int, int]] = set()
    for (start, end), (after, last) in pairwise(places):
        between = reading.masked[end : max(end, after)]
        of_parts = (
            {(start, end), (after, last)} <= sizes
            and _AND_ANOTHER.fullmatch(between)
            and _OF_A_PART.match(reading.masked, last)
        )
        one_will_do = _OR.fullmatch(between) and not _DENIES.search(reading.masked, max(0, start - 40), last)
        if of_parts or one_will_do:
            dropped |= {(start, end), (after, last)}
    return [draft for draft in drafts if (draft.start, draft.end) not in dropped]


def _bounded_below(capitals: Sequence[Draft]) -> bool:
    """Whether a number above one is asked for, which makes "some" needless."""
    return any(d.kwargs["capital_relation"] == "at least" and d.kwargs["capital_frequency"] > 1 for d in capitals)


def _of(facts: Sequence[Draft], name: str) -> list[Draft]:
    return [fact for fact in facts if fact.id == f"fact:{name}"]


def _count(facts: Sequence[Draft]) -> Draft | None:
    exact = [f for f in _of(facts, "paragraphs") if f.kwargs["low"] == f.kwargs["high"]]
    return exact[0] if exact else None


def _sections(reading: Reading, facts: Sequence[Draft]) -> list[Draft]:
    marks = _of(facts, "section_mark")
    counts = [f for f in _of(facts, "paragraphs") if f.kwargs["low"]]
    if not marks or not counts:
        return []
    count = min(counts, key=lambda f: abs(f.start - marks[0].start))
    kwargs = {"section_spliter": marks[0].kwargs["splitter"], "num_sections": count.kwargs["low"]}
    return [Draft("detectable_format:multiple_sections", kwargs, count.start, count.end)]


def _place(reading: Reading, starred: Sequence[Draft]) -> tuple[int, int]:
    if starred:
        return starred[0].start, starred[0].end
    divider = _DIVIDER.search(reading.prompt)
    return divider.span() if divider else (0, 0)


def _paragraphs(reading: Reading, facts: Sequence[Draft]) -> list[Draft]:
    if _of(facts, "section_mark"):
        return []
    count, first, starred = _count(facts), _of(facts, "first_word"), _of(facts, "starred")
    if count is None:
        dividers = len(_DIVIDER.findall(reading.prompt))
        if not dividers or not (starred or _TEMPLATE.search(reading.masked)):
            return []
        # A template: the response has one paragraph more than the template has dividers.
        count = Draft("fact:paragraphs", {"low": dividers + 1}, *_place(reading, starred))
    number = count.kwargs["low"]
    if first:
        made = []
        for fact in first:
            nth = number if fact.kwargs["nth"] == -1 else fact.kwargs["nth"]
            kwargs = {"num_paragraphs": number, "nth_paragraph": nth, "first_word": fact.kwargs["word"]}
            made.append(Draft("length_constraints:nth_paragraph_first_word", kwargs, fact.start, fact.end))
        return made
    if starred:
        return [Draft("length_constraints:number_paragraphs", {"num_paragraphs": number}, count.start, count.end)]
    return []


def _bullets(reading: Reading, facts: Sequence[Draft]) -> list[Draft]:
    """ "List exactly ten names. … Put the names into bullet points"."""
    listed, bulleted = _of(facts, "listed"), _of(facts, "bulleted")
    if not listed or not bulleted:
        return []
    kwargs = {"num_bullets": listed[0].kwargs["count"]}
    return [Draft("detectable_format:number_bullet_lists", kwargs, listed[0].start, listed[0].end)]


def _two_responses(reading: Reading, facts: Sequence[Draft]) -> list[Draft]:
    six = _of(facts, "six_asterisks")
    return [Draft("combination:two_responses", {}, six[0].start, six[0].end)] if six else []


def _repeat(reading: Reading, facts: Sequence[Draft]) -> list[Draft]:
    """The request is what stands on the side of the demand to repeat it that is not empty, else the longer one."""
    found = _of(facts, "repeat")
    if not found:
        return []
    first = found[0]
    sentence = next((s for s in reading.sentences if s.start <= first.start < s.end), None)
    if sentence is None:
        return []
    said = reading.masked[sentence.start : sentence.end].lower()
    before, after = reading.prompt[: sentence.start].strip(), reading.prompt[sentence.end :].strip()
    below = "below" in said or "following" in said or not before or _HERE_IT_IS.fullmatch(before) is not None
    asked = after.split("\n\n", 1)[-1] if below and "\n\n" in reading.prompt[sentence.end :] and before == "" else after
    if below:
        blank = reading.prompt.find("\n\n", sentence.end)
        asked = reading.prompt[blank:].strip() if blank >= 0 else _LABEL.sub("", _THEN.sub("", after))
    if not (asked if below else before):  # the request stands in the demand's own sentence
        told, colon, asked = reading.prompt[first.start : sentence.end].rpartition(": ")
        kwargs = {"prompt_to_repeat": asked.strip()}
        return [Draft("combination:repeat_prompt", kwargs, first.start, first.start + len(told))] if colon else []
    return [
        Draft("combination:repeat_prompt", {"prompt_to_repeat": asked if below else before}, first.start, first.end)
    ]


def _answers(reading: Reading, facts: Sequence[Draft]) -> list[Draft]:
    found = list(ANSWERS.finditer(reading.prompt))
    if {match.group(1).lower() for match in found} != {"yes", "no", "maybe"}:
        return []
    return [Draft("detectable_format:constrained_response", {}, found[0].start(), found[-1].end())]


def _request(reading: Reading, drafts: Sequence[Draft]) -> str:
    """What is asked, without the sentences around it that hold only demands."""
    free = [s for s in reading.sentences if not any(s.start <= d.start < s.end for d in drafts)]
    return reading.prompt[free[0].start : free[-1].end].strip() if free else ""


def _of_the_request(reading: Reading, facts: Sequence[Draft], drafts: Sequence[Draft]) -> list[Draft]:
    """IFBench's constraints whose argument is the request itself, without the demand."""
    made = []
    for name, id, argument in (
        ("overlap", "ratio:overlap", "reference_text"),
        ("span", "repeat:repeat_span", "prompt_to_repeat"),
        ("repeat_change", "repeat:repeat_change", "prompt_to_repeat"),
    ):
        for fact in _of(facts, name):
            kwargs = {**fact.kwargs, argument: _request(reading, [*facts, *drafts])}
            made.append(Draft(id, kwargs, fact.start, fact.end))
    return made


def _csv(reading: Reading, facts: Sequence[Draft]) -> list[Draft]:
    tab, comma = _of(facts, "tab_csv"), _of(facts, "comma_csv")
    if tab and (fields := _of(facts, "quoted_fields")):
        return [Draft("custom:csv_quotes", {}, tab[0].start, fields[0].end)]
    if comma and (fields := _of(facts, "special_field")):
        return [Draft("custom:csv_special_character", {}, comma[0].start, fields[0].end)]
    if comma and '"City"' in reading.original(comma[0].start, comma[0].end):
        return [Draft("custom:csv_city", {}, comma[0].start, comma[0].end)]
    return []


def _end(reading: Reading, facts: Sequence[Draft]) -> list[Draft]:
    """The last phrase may stand on the line after the demand."""
    made = []
    for fact in _of(facts, "end_follows"):
        line = _NEXT_LINE.match(reading.prompt, fact.end)
        if line:
            phrase = unquoted(line.group(1))
            made.append(Draft("startend:end_checker", {"end_phrase": phrase}, fact.start, line.end(1)))
    return made


_STEPS: tuple[Callable[[Reading, Sequence[Draft]], list[Draft]], ...] = (
    _sections,
    _paragraphs,
    _bullets,
    _two_responses,
    _repeat,
    _answers,
    _end,
    _csv,
)
