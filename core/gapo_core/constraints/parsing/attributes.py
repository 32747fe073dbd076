"""Lists of attributes that a text must state: `brand: Acme; colour: red`, JSON objects, `slot[value]`, sentences.

A list counts only when all of it has one form and none of its names is a word for the task itself (`tone: formal`
asks for no fact), since a wrong constraint is worse than none.
"""

import json
import re
from collections.abc import Iterator

from gapo_core.constraints.parsing.grammar import HIDDEN
from gapo_core.constraints.parsing.reading import Reading
from gapo_core.constraints.parsing.rules import Draft

_TASK_WORDS = re.compile(
    r"\b(?:tasks?|topic|subject|title|tone|style|length|languages?|audience|format|notes?|examples?"
    r"|input|output|questions?|answers?|context"
    r"|roles?|prompt|requests?|instructions?|requirements?|rules?|constraints?|keywords?|words?|steps?"
    r"|sections?|parts?|question|summary"
    r"|option|options|hint|goal|step|text|passage|article|user|assistant|system|person|speaker|words? "
    r"limit|word count|limit|facts|claim|story"
    r"|essay|paragraphs?|sentences?|bullets?|http|https|genre|theme|setting|characters?|plot|mood"
    r"|point of view|[qa]|re|ps|e\.g|i\.e|http|target|channel|purpose|medium|voice|recipient|sender|cta|objective"
    r"|deadline|attributes?|features?|specs?|specifications?|details?|data|information|properties|ideas?)\b",
    re.IGNORECASE,
)
# The length of a thing, not of the text.
_MEASURE = re.compile(
    r"\d[\d.,]{0,8} ?(?:mm|cm|m|km|in|inch(?:es)?|ft|feet|foot|met(?:er|re)s?|yards?|miles?)\.?", re.I
)
_NAME = r"(?P<slot>[^\W\d_][\w' /-]{0,38}?)"
_VALUE = r"(?P<value>[^\s:;,|\[\]{}()=<>\n][^:;|\[\]{}()=\n]{0,58}?)"
_PLAIN = r"(?P<value>[^\s:;,|\[\]{}()=<>\n][^:;,|\[\]{}()=\n]{0,58}?)"
_AFTER = r"[ \t]{0,8}[;|]?[ \t]{0,8}\n?[ \t]{0,8}[-*•+]?[ \t]{0,8}"
_AFTER_COMMA = _AFTER.replace("[;|]", ",")
# One item of each form, and what stands between items.
_FORMS = tuple(
    (re.compile(item), re.compile(between))
    for item, between in (
        (rf"{_NAME}\[(?P<value>[^\[\]\n]{{1,60}})\]", r"\s{0,3}[,;|\n]?\s{0,3}"),
        (rf"{_NAME}\s?::\s?{_VALUE}(?=\s{{0,3}}(?:[;|\n]|$))", _AFTER),
        (rf"{_NAME}\s?(?:->|=>|→)\s?{_VALUE}(?=\s{{0,3}}(?:[;|\n]|$))", _AFTER),
        (rf"{_NAME}\s?=\s?{_VALUE}(?=\s{{0,3}}(?:[;|\n]|\.?$))", _AFTER),
        (rf"{_NAME}: {_VALUE}(?=\s{{0,3}}(?:[;|\n]|\.?$))", _AFTER),
        # With commas; a name of one letter is a variable's.
        (rf"{_NAME}: {_PLAIN}(?=\s{{0,3}}(?:,|\n|\.?$))", _AFTER_COMMA),
        (rf"(?!\w\b){_NAME}\s?(?:::|->|=>|→|=)\s?{_PLAIN}(?=\s{{0,3}}(?:,|\n|\.?$))", _AFTER_COMMA),
        (rf"{_NAME} \((?P<value>[^()\n]{{1,60}})\)", r"\s{0,2}[;,]\s{0,2}"),
    )
)
_LINE = re.compile(r"[^\n]+(?:\n[ \t]{0,8}[-*•+][^\n]{1,200})*")
# Lines of one item each, without bullets; they are attributes where the prompt calls them so (`_NAMED`).
_LINES = re.compile(
    r"(?:^[ \t]{0,8}[^\W\d_][\w' /-]{0,38}?(?:: ?|\s?(?:::|->|=>|→|=)\s?)[^\s:=][^:=\n]{0,60}(?:\n|\Z)){2,40}",
    re.MULTILINE,
)
_NAMED = re.compile(
    r"\b(?:attributes?|features?|specs?|specifications?|data|facts|details|properties|information|info|entries|fields"
    r"|characteristics|particulars|values)\b",
    re.IGNORECASE,
)
# Somebody speaks: a chat, no list.
_SPEECH = re.compile(r"[.!?]\s*$|\b(?:i|you|we|he|she|they|it|me|my|your)\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<!\bSt)(?<!\bMt)(?<!\bDr)(?<!\bMr)(?<!\bMs)(?<!\bNo)(?<!\b[A-Z])\.(?=\s{1,3}[A-Z])")
_NO_VALUE = re.compile(r"\b(?:not|never|n['’]t)\b|\?|" + _SENTENCE_END.pattern)
_OBJECT = re.compile(r"\{[^{}\n]{2,2000}\}")
_FEW = r"[^\s,;:.!?\n][^,;:!?\n]{0,40}?"
_SLOT = r"(?P<slot>[^\W\d_][\w'/-]{0,20}(?: [\w'/-]{1,20}){0,3}?)"
_STOP = r"(?=\s{0,3}(?:[,;!?\n]|\.(?:\s|$)|$|\band (?:the|its)\b))"
_CHAINED = re.compile(
    (
        rf"\s{{0,3}},?\s{{0,3}}(?:and\s{{1,3}})?(?:that\s{{1,3}})?(?:the|its)\s{{1,3}}{_SLOT} "
        rf"is\s{{1,3}}(?P<value>{_FEW}){_STOP}"
    ),
    re.IGNORECASE,
)
_SAID = re.compile(
    r"\b(?:(?:say|state|mention|note|tell \w+)(?:ing)? that|where|in which)(?=\s{1,3}(?:the|its)\b)", re.IGNORECASE
)
# What a message says is no attribute ("a P.S. saying that the present is in the garage"), unless it lists several.
_MESSAGE = re.compile(
    r"\b(?:text|message|note|e-?mail|letter|p\.?s\.?|post-?script|sign|reply|card|notice|memo|announcement|invitation)"
    r"(?: (?:to|for|from) [^,;:!?\n]{1,40})?\s+(?:say|stat|mention|not)ing that$",
    re.IGNORECASE,
)
_FACT = re.compile(rf"\s{{0,3}}The {_SLOT} is (?P<value>{_FEW})\.?\s{{0,3}}$", re.IGNORECASE)
_AS_ITS = re.compile(
    rf"(?:\b(?:having|with|has)|,|\band)\s{{1,3}}(?P<value>{_FEW}) as (?:its|the) {_SLOT}(?=[,.;\n]|$| and\b)",
    re.IGNORECASE,
)
_MUST = re.compile(
    (
        r"(?:^|[;:]\s)(?P<slot>[a-z][\w'/-]{0,20}(?: [\w'/-]{1,20}){0,3}?) must be "
        r"(?P<value>[^\s,;:.!?\n][^,;:!?\n]{0,50}?)(?=\s*(?:[;\n]|\.(?:\s|$)|$))"
    ),
    re.MULTILINE,
)
_CONTEXT = re.compile(
    r"\b(?:describ\w+|descriptions?|products?|advert\w*|ads?|copy|listing|texts? about|sentences? "
    r"about|write about|presents?|brochure|catalogue?"
    r"|tell a customer|record|sell|attributes|features|specs?|specifications?|pitch|flyer|mentions?"
    r"|mentioning|states?|stating|say that|text|sentence|verbali[sz]e|details|facts|data|characteristics|properties"
    r"|profile|portrait)\b"
    r"|^[^.!?\n]{1,40} \|",
    re.IGNORECASE,
)
_OTHER_WORK = re.compile(
    r"\b(?:extract|format|classify|identify|(?<!\d\s)characters?|schedule|parse|translate|summari[sz]e|analy[sz]e|score"
    r"|proofread|typos?|convert|(?:fix|review|check|rate) (?:the|this|my|our|these))\b",
    re.IGNORECASE,
)
_VERBAL = re.compile(
    r"^(?:in|at|inside|behind|under) |\b\w{2,}(?:ing|ed)\b|\b(?:currently|also|now|up|on|that|from|by|for|to|of"
    r"|found|located|taking|place|needed)\b",
    re.IGNORECASE,
)
MOST_STARTS = 8  # places of a block where a list may begin; bounds the time
MOST_ENDS = 4  # places where it may end
FEWEST = 2  # pairs that make a list


def attributes(reading: Reading) -> list[Draft]:
    """Attributes outside quotations and passages, in the order of the prompt."""
    shown = reading.masked
    bare = _FORMS[0][0].match(shown.lstrip())
    if not bare and (_OTHER_WORK.search(shown) or not _CONTEXT.search(shown)):
        return []
    found = [*_objects(reading.prompt), *_lists(shown), *_sentences(shown), *_facts(reading)]
    taken = bytearray(len(shown))
    kept = []
    for draft in found:
        if not any(taken[draft.start : draft.end]):
            taken[draft.start : draft.end] = b"\1" * (draft.end - draft.start)
            kept.append(draft)
    return sorted(kept, key=lambda d: d.start)


def _draft(slot: str, value: str, start: int, end: int) -> Draft | None:
    slot, value = slot.strip(), value.strip().strip("\"'")
    long = len(slot.split()) > 4 or len(value.split()) > 8 or _NO_VALUE.search(value)
    about_the_task = _TASK_WORDS.search(slot) and not (slot.lower() == "length" and _MEASURE.fullmatch(value))
    if long or not value or about_the_task or HIDDEN in slot + value or not any(c.isalnum() for c in value):
        return None
    flag = value.lower() in ("yes", "no", "true", "false")
    value = {"true": "yes", "false": "no"}.get(value.lower(), value)
    return Draft("attribute:flag" if flag else "attribute:value", {"slot": slot, "value": value}, start, end)


def _listed(drafts: list[Draft | None], fewest: int = FEWEST) -> Iterator[Draft]:
    """The list, unless one of its items is no attribute or a name returns (a dialogue)."""
    items = [draft for draft in drafts if draft]
    names = {draft.kwargs["slot"].lower() for draft in items}
    if len(items) == len(drafts) >= fewest and len(names) == len(items):
        yield from items


def _objects(prompt: str) -> Iterator[Draft]:
    for match in _OBJECT.finditer(prompt):
        try:
            pairs = json.loads(match.group(), object_pairs_hook=list)
        except ValueError:
            continue
        drafts, position = [], match.start()
        for slot, value in pairs:
            if (
                not isinstance(value, str | int | float)
                or (start := prompt.find(json.dumps(slot, ensure_ascii=False), position)) < 0
            ):
                break
            said = value if isinstance(value, str) else json.dumps(value)
            position = prompt.find(said, start + len(slot) + 2) + len(said)
            drafts.append(_draft(slot, said, start, position + isinstance(value, str)))
        else:
            yield from _listed(drafts, fewest=1)


def _lists(shown: str) -> Iterator[Draft]:
    if named := _NAMED.search(shown):
        for lines in _LINES.finditer(shown, named.end()):
            yield from _one_of_the_forms(shown, lines.start(), lines.end(), _SPEECH)
    for block in _LINE.finditer(shown):
        if len(block.group()) <= 4000:
            yield from _one_of_the_forms(shown, block.start(), block.end())


def _one_of_the_forms(shown: str, start: int, end: int, unless: re.Pattern[str] | None = None) -> Iterator[Draft]:
    """The list that the block is, or that one of its sentences ends with; none where `unless` finds a value."""
    ends = [match.start() for match in _SENTENCE_END.finditer(shown, start, end) if "?" not in shown[match.end() : end]]
    for stop in (end, *ends[:MOST_ENDS]):
        for item, between in _FORMS:
            found = list(_run(shown, start, stop, item, between))
            if found:
                yield from found if not (unless and any(unless.search(d.kwargs["value"]) for d in found)) else ()
                return


def _run(shown: str, start: int, end: int, item: re.Pattern[str], between: re.Pattern[str]) -> Iterator[Draft]:
    """The list of one form that reaches from somewhere in the block to its end."""
    starts = [start]
    starts += [
        match.end()
        for match in re.finditer(
            (
                r"[.:!?|]\s+(?:[-*•+]\s+)?|\b(?:with|mentions?|mentioning|having|states?|stating)\s+"
                r"|\n[ \t]{0,8}[-*•+]\s+"
            ),
            shown[start:end],
        )
    ]
    for offset in (start, *(start + s for s in starts[1:MOST_STARTS])):
        position, drafts = offset, []
        bullet = re.compile(r"\s*[-*•+]\s+").match(shown, position, end)
        position = bullet.end() if bullet else position
        while match := item.match(shown, position, end):
            drafts.append(_draft(match["slot"], match["value"], match.start(), match.end()))
            following = between.match(shown, match.end(), end)
            position = following.end() if following else match.end()
            if position == match.end():
                break
        if not shown[position:end].strip(" .\n\t") and (found := list(_listed(drafts))):
            yield from found
            return


def _sentences(shown: str) -> Iterator[Draft]:
    position = 0
    for lead in _SAID.finditer(shown):
        if lead.start() < position:
            continue
        drafts, position = [], lead.end()
        while match := _CHAINED.match(shown, position):
            fits = not _VERBAL.search(match["value"])
            drafts.append(
                _draft(match["slot"], match["value"], match.start("slot"), match.end("value")) if fits else None
            )
            position = match.end()
        told = _MESSAGE.search(shown, max(0, lead.start() - 80), lead.end())
        yield from _listed(drafts, fewest=FEWEST if told else 1)
    for pattern in (_MUST, _AS_ITS):
        yield from _listed([_of(match) for match in pattern.finditer(shown)])


def _facts(reading: Reading) -> Iterator[Draft]:
    """Short sentences in a row ("The memory is 8 gb. The colour is red."), one of them with a number."""
    run: list[Draft | None] = []
    for sentence in reading.sentences:
        match = _FACT.match(reading.masked[sentence.start : sentence.end])
        draft = _of(match, sentence.start) if match else None
        if draft and sentence.mood != "passage":
            run.append(draft)
            continue
        yield from _numbered(run)
        run = []
    yield from _numbered(run)


def _numbered(run: list[Draft | None]) -> Iterator[Draft]:
    if any(draft and re.search(r"\d", draft.kwargs["value"]) for draft in run):
        yield from _listed(run)


def _of(match: re.Match[str], offset: int = 0) -> Draft | None:
    start = min(match.start("slot"), match.start("value"))
    end = max(match.end("slot"), match.end("value"))
    return _draft(match["slot"], match["value"], offset + start, offset + end)
