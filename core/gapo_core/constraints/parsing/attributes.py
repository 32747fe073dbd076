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
    r"\b(?:tasks?|topic|subject|title|tone|style|length|languages?|audience|format|notes?|examples?|input|output|questions?|answers?|context"
    r"|roles?|prompt|requests?|instructions?|requirements?|rules?|constraints?|keywords?|words?|steps?|sections?|parts?|question|summary"
    r"|option|options|hint|goal|step|text|passage|article|user|assistant|system|person|speaker|words? limit|word count|limit|facts|claim|story"
    r"|essay|paragraphs?|sentences?|bullets?|http|https|genre|theme|setting|characters?|plot|mood|point of view|[qa]|re|ps|e\.g|i\.e|http)\b",
    re.IGNORECASE,
)
_NAME = r"(?P<slot>[^\W\d_][\w' /-]{0,38}?)"
_VALUE = r"(?P<value>[^\s:;,|\[\]{}()=<>\n][^:;|\[\]{}()=\n]{0,58}?)"
_PLAIN = r"(?P<value>[^\s:;,|\[\]{}()=<>\n][^:;,|\[\]{}()=\n]{0,58}?)"
# One item of each form, and what stands between items.
_FORMS = tuple(
    (re.compile(item), re.compile(between))
    for item, between in (
        (rf"{_NAME}\[(?P<value>[^\[\]\n]{{1,60}})\]", r"\s{0,3}[,;|\n]?\s{0,3}"),
        (rf"{_NAME}\s?::\s?{_VALUE}(?=\s*(?:[;|\n]|$))", r"[ \t]*[;|]?[ \t]*\n?[ \t]*[-*•+]?[ \t]*"),
        (rf"{_NAME}\s?(?:->|=>|→)\s?{_VALUE}(?=\s*(?:[;|\n]|$))", r"[ \t]*[;|]?[ \t]*\n?[ \t]*[-*•+]?[ \t]*"),
        (rf"{_NAME}\s?=\s?{_VALUE}(?=\s*(?:[;|\n]|$))", r"[ \t]*[;|]?[ \t]*\n?[ \t]*[-*•+]?[ \t]*"),
        (rf"{_NAME}: {_VALUE}(?=\s*(?:[;|\n]|\.?$))", r"[ \t]*[;|]?[ \t]*\n?[ \t]*[-*•+]?[ \t]*"),
        (rf"{_NAME}: {_PLAIN}(?=\s*(?:,|\n|\.?$))", r"[ \t]*,?[ \t]*\n?[ \t]*[-*•+]?[ \t]*"),
        (rf"{_NAME} \((?P<value>[^()\n]{{1,60}})\)", r"\s{0,2}[;,]\s{0,2}"),
    )
)
_LINE = re.compile(r"[^\n]+(?:\n[ \t]*[-*•+][^\n]{1,200})*")
_INTRODUCTION = re.compile(r"(?:.*?[.:!?]\s+|.*?\b(?:with|mention|having|including|of|by|requirements:|facts:)\s+|[\w' ]{1,30}\s\|\s)", re.IGNORECASE)
_OBJECT = re.compile(r"\{[^{}\n]{2,2000}\}")
_SAID = re.compile(
    r"\b(?:say(?:ing)?|state|stating|mention(?:ing)?|write|where|in which|whose|note|tell(?:ing)? \w+|that|and|so)\s+(?:that\s+)?"
    r"(?:the|its)\s+(?P<slot>[^\W\d_][\w'/-]{0,20}(?: [\w'/-]{1,20}){0,3}?) (?:is|are|must be|should be)\s+"
    r"(?P<value>(?!(?:to|in|on|at|not|a|an|the|that|very|so|too|also|as|because|there|it)\b)[^\s,;:.!?\n][^,;:!?\n]{0,50}?)(?=\s*(?:[,;!?\n]|\.(?:\s|$)|$|\band (?:the|its|that)\b))",
    re.IGNORECASE,
)
_MUST = re.compile(
    r"(?:^|[;:]\s)(?P<slot>[a-z][\w'/-]{0,20}(?: [\w'/-]{1,20}){0,3}?) must be (?P<value>[^\s,;:.!?\n][^,;:!?\n]{0,50}?)(?=\s*(?:[;\n]|\.(?:\s|$)|$))",
    re.MULTILINE,
)
FEWEST = 2  # pairs that make a list


def attributes(reading: Reading) -> list[Draft]:
    """Attributes outside quotations and passages, in the order of the prompt."""
    shown = reading.masked
    found = [*_objects(reading.prompt), *_lists(shown), *_sentences(shown)]
    taken: list[tuple[int, int]] = []
    kept = []
    for draft in found:
        if not any(draft.start < end and start < draft.end for start, end in taken):
            taken.append((draft.start, draft.end))
            kept.append(draft)
    return sorted(kept, key=lambda d: d.start)


def _draft(slot: str, value: str, start: int, end: int) -> Draft | None:
    slot, value = slot.strip(), value.strip().strip("\"'")
    long = len(slot.split()) > 4 or len(value.split()) > 8
    if long or not value or _TASK_WORDS.search(slot) or HIDDEN in slot + value or not any(c.isalnum() for c in value):
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
            if not isinstance(value, str | int | float) or (start := prompt.find(json.dumps(slot, ensure_ascii=False), position)) < 0:
                break
            said = value if isinstance(value, str) else json.dumps(value)
            position = prompt.find(said, start + len(slot) + 2) + len(said)
            drafts.append(_draft(slot, said, start, position + isinstance(value, str)))
        else:
            yield from _listed(drafts, fewest=1)


def _lists(shown: str) -> Iterator[Draft]:
    for block in _LINE.finditer(shown):
        if len(block.group()) > 4000:
            continue
        for item, between in _FORMS:
            if found := list(_run(shown, block.start(), block.end(), item, between)):
                yield from found
                break


def _run(shown: str, start: int, end: int, item: re.Pattern[str], between: re.Pattern[str]) -> Iterator[Draft]:
    """The list of one form that reaches from somewhere in the block to its end."""
    starts = [start]
    starts += [match.end() for match in re.finditer(r"[.:!?|]\s+(?:[-*•+]\s+)?|\b(?:with|mention|having)\s+|\n[ \t]*[-*•+]\s+", shown[start:end])]
    for offset in (start, *(start + s for s in starts[1:])):
        position, drafts = offset, []
        bullet = re.compile(r"\s*[-*•+]\s+").match(shown, position, end)
        position = bullet.end() if bullet else position
        while match := item.match(shown, position, end):
            drafts.append(_draft(match["slot"], match["value"], match.start(), match.end()))
            following = between.match(shown, match.end(), end)
            position = following.end() if following else match.end()
            if position == match.end():
                break
        if len(drafts) >= FEWEST and not shown[position:end].strip(" .\n\t"):
            yield from _listed(drafts)
            return


def _sentences(shown: str) -> Iterator[Draft]:
    for pattern in (_SAID, _MUST):
        drafts = [_draft(m["slot"], m["value"], m.start("slot"), m.end("value")) for m in pattern.finditer(shown)]
        yield from _listed([draft for draft in drafts if draft], fewest=1 if pattern is _SAID else FEWEST)
