"""A prompt as its rules see it: quotations hidden, passages set aside, cut into sentences that demand or only state."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from gapo_core.constraints.parsing.grammar import FRAGMENTS, HIDDEN, NUMBER
from gapo_core.constraints.parsing.mood import mood

Mood = Literal["demand", "question", "statement", "passage"]

LONGEST_SENTENCE = 1_500
"""Characters; longer ones are cut, so that one sentence costs a bounded time."""


@dataclass(frozen=True)
class Sentence:
    """Characters `start` … `end` of the prompt. A "passage" is text to work on, not to obey."""

    start: int
    end: int
    mood: Mood


@dataclass(frozen=True)
class Reading:
    """`masked` has the length of `prompt`; hidden characters are `HIDDEN`."""

    prompt: str
    masked: str
    sentences: tuple[Sentence, ...]

    def original(self, start: int, end: int) -> str:
        return self.prompt[start:end]


_FENCE = re.compile(r"^[ \t]{0,3}```[^\n]*\n.*?^[ \t]{0,3}```[ \t]*$", re.MULTILINE | re.DOTALL)
_DOUBLE = re.compile(r"(?<![^\s(\[{:,=/>*#;!?.—–-])[\"“”„«](?=\S)([^\"“”„«»]{1,20000}?)[\"“”»](?!\w)")
_SINGLE = re.compile(r"(?<![\w\"“”])['‘’](?=\S)((?:[^'‘’\n]|(?<=\w)['’](?=\w)){1,300}?)(?<=\S)['’](?!\w)")
_TICKED = re.compile(r"(?<!`)`([^`\n]{1,300})`(?!`)")
_LINK = re.compile(r"https?://\S{1,2000}")


# Negations without their apostrophe, in as many characters.
_UNPOINTED = {
    "dont": "not ",
    "cant": "not ",
    "isnt": "not ",
    "arent": "not  ",
    "mustnt": " not  ",
    "shouldnt": "must not",
    "w/o": "not",
    "w/out": "not  ",
}
_NEGATION = re.compile(rf"\b(?:{'|'.join(_UNPOINTED)})\b(?=\s)", re.IGNORECASE)
_DENIAL = re.compile(
    r"\b(?:don['’]?t you (?:ever |even )?dare(?: to)?|(?:under|in) no circumstances?|on no account|in no case)(?= \w)",
    re.IGNORECASE,
)


def _hide(text: str, pattern: re.Pattern[str]) -> str:
    def hidden(match: re.Match[str]) -> str:
        start, end = match.span(1) if pattern.groups else match.span()
        start, end = start - match.start(), end - match.start()
        return match.group()[:start] + HIDDEN * (end - start) + match.group()[end:]

    return pattern.sub(hidden, text)


def masked(prompt: str) -> str:
    """The prompt with fenced code, addresses and the insides of quotations hidden, offsets unchanged."""
    text = prompt.replace(HIDDEN, " ")
    for pattern in (_FENCE, _LINK, _DOUBLE, _SINGLE, _TICKED):
        text = _hide(text, pattern)
    text = _DENIAL.sub(lambda match: "not".rjust(len(match.group())), text)
    return _NEGATION.sub(lambda match: _UNPOINTED[match.group().lower()], text)


# What follows from a reason: an order, a wish, a duty of the text.
_ASKED_FOR_IT = (
    "(?:leave|keep|make|use|do not|don['’]t|avoid(?! it\\b)|include|add|stick|stay|limit|write|answer|reply|respond"
    "|put|mark"
    "|bold|skip(?! it\\b)|no|can you|could you|would you|will you|[Ii] (?:would|want|need)|[Ii]['’]d"
    "|(?:it|this|(?:the|your|my) (?:whole |entire )?(?:text|response|answer|reply|letter|post|piece|speech))"
    " (?:must|should|has to|needs to|can(?:not|['’]t)|may not))"
)
# "…, so fewer than three words in capitals, thanks"; "… 500 characters so don't go past that" is one demand.
_SO_MANY = (
    rf"so (?:please )?(?:at most|at least|no more than|fewer than|less than|up to|under|over|only) {NUMBER} [\w-]+"
    r"(?: (?:in|of|with) [\w-]+(?: [\w-]+)?)?(?:,? (?:please|thanks|thank you)\b|[.!]|$)"
)
_PAST_THAT = r"(?: (?:go|run|stray))? (?:past|over|beyond|above|exceed) (?:that|it|this)\b"
_BOUNDARY = re.compile(
    r"[.!?]+[\"”'’)\]*_]*(?=\s|$)|\n+|;(?=\s)|,(?= but (?:please|keep|make|use|do|don['’]t|i)\b)"
    r"|(?<=[\"“”’'»])(?P<closed>\s)(?=[A-Z])"
    r"|(?<=\s)//(?=\s)"  # between the entries of a brief
    # What holds, and what is asked for that reason ("agents fill in the gaps, so leave …").
    rf"|(?<=[\w,])\s(?=so (?:please )?{_ASKED_FOR_IT}\b(?! (?:use )?(?:them|those|these|both|any)\b| use it\b"
    rf"|{_PAST_THAT}| [^,.;!?\n]{{0,50}}\b(?:was|were|had|got|came|made)\b)|{_SO_MANY})"
    # A demand on the response starts a sentence where the full stop before it is forgotten.
    r"|(?<=\w)\s(?=(?:The|Your) (?:entire |whole )?(?:response|answer|reply) (?:must|should|has to)\b)"
)
_ABBREVIATION = re.compile(
    (
        r"(?:\b(?:i\.e|e\.g|p\.s|p\.p\.s|etc|max|min|approx|vs|mr|mrs|ms|dr|st|no|incl|resp)|^\s*[(\[]?"
        r"(?:\d{1,2}|[a-z]))$"
    ),
    re.IGNORECASE,
)
_WRAPPED = re.compile(r"(?<=[a-z,])\n(?=[a-z])")


def _cuts(prompt: str, text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence."""
    start = 0
    for match in _BOUNDARY.finditer(text):
        end, mark = match.end(), match.group()
        if mark[0] in ".!?":
            if mark[0] == "." and _ABBREVIATION.search(text, max(start, end - 12), match.start()):
                if end < len(text) and not (
                    text[end] == "\n"
                    or (text[end : end + 2].strip()[:1].isupper() and "." in text[max(start, end - 5) : end - 1])
                ):
                    continue
                if text[start : match.start()].strip(" \t([").isdigit():
                    continue
        elif mark == "\n":
            if _WRAPPED.match(text, match.start()):
                continue
        elif match["closed"] and prompt[match.start() - 2 : match.start() - 1] not in (".", "!", "?"):
            continue  # a closing quotation mark ends a sentence only where the quotation does
        yield from _pieces(start, end)
        start = end
    yield from _pieces(start, len(text))


def _pieces(start: int, end: int) -> Iterator[tuple[int, int]]:
    for piece in range(start, end, LONGEST_SENTENCE):
        yield piece, min(end, piece + LONGEST_SENTENCE)


_WORK_ON = re.compile(
    r"\b(?:summari[sz]e|sum up|rewrite|rephrase|paraphrase|translate|proofread|correct|fix|edit|improve"
    r"|shorten|classify|critique"
    r"|analy[sz]e|simplify|condense|polish|expand|elaborate|review|evaluate|comment|explain|continue"
    r"|convert|reply|respond"
    r"|feedback|wrong with|think of|mean|sentiment|tl;?dr|make (?:it|this)|short(?:en)? (?:it|this)"
    r"|summary|version|typos?|grammar)\b"
    r"[^\n]{0,160}:\s*$",
    re.IGNORECASE,
)
_INLINE = re.compile(
    r"\b(?:summari[sz]e|sum up|rewrite|rephrase|paraphrase|translate|proofread|correct|fix|edit|improve"
    r"|shorten|classify|critique"
    r"|analy[sz]e|simplify|condense|polish|expand|elaborate|review|comment|respond to|reply to|grammar"
    r"|(?<!let's )make (?:it|this)"
    r"|feedback|summary|sentiment|typos?|wrong with|meaning)\b[^\n:]{0,120}: ?(?=[^\s\"“”„«'‘])",
    re.IGNORECASE,
)
_QUOTATION = re.compile(r"\s{0,4}[\"“”„«'‘]")
_RESUMES = re.compile(
    r"\b(?:your|the|entire|whole) (?:\w+ )?(?:response|answer|reply|output|summary|rewrite|translation"
    r"|version|rewritten)\b"
    r"|\bin the (?:response|output|answer)\b",
    re.IGNORECASE,
)
_COMMAND = re.compile(
    r"\s*(?:[-*•\d.)]+\s*)?(?:please |kindly |also,? |finally,? |and )?(?:use|include|do not|don['’]t"
    r"|avoid|make sure|ensure"
    r"|italici[sz]e|highlight|answer|respond|reply|write|keep|end|finish|mention|your|repeat|limit"
    r"|wrap|be sure|first,? repeat)\b",
    re.IGNORECASE,
)


_ANNOUNCES_RULES = re.compile(
    (
        r"\b(?:rules?|requirements?|constraints?|conditions?|guidelines?|format|criteria|restrictions?|way"
        r"|limits?|details|points|notes|follows)\W*$"
    ),
    re.IGNORECASE,
)
_VERBATIM_WORK = re.compile(
    r"\b(?:feedback|critique (?:this|my)|evaluate (?:this|my)|improve (?:this|my)|comment on|grade (?:this"
    r"|my)|wrong with"
    r"|think of (?:this|my)|translat|proofread|correct|rephras|paraphras|rewrit|fix|edit|classif|tone of|sentiment)\w*",
    re.IGNORECASE,
)


def _rules_follow(piece: str, inline: re.Match[str]) -> bool:
    """Whether a colon announces demands and not a text to work on."""
    if _ANNOUNCES_RULES.search(piece[: inline.end()]):
        return True
    return _COMMAND.match(piece, inline.end()) is not None and not _VERBATIM_WORK.search(piece[: inline.end()])


_CODING = re.compile(
    r"\b(?:write|create|build|implement|code|develop|make|generate|need)\b[^.;:!?\n]{0,30}(?<!-)\b(?:scripts?"
    r"|functions?|programs?"
    r"|regex|query|component|apps?|macro|formula|class|unit tests?|bot|cli|endpoint|algorithm)\b(?! (?:note"
    r"|description|store))",
    re.IGNORECASE,
)
# A name that is looked for: "it must not contain …" is said of it.
_NAMING = re.compile(
    r"\b(?:naming (?:our|my|a|the)|(?:name|nickname|password|username|domain) for\b"
    r"|what (?:should|can|could|shall) (?:we|i) (?:call|name)\b)",
    re.IGNORECASE,
)
_OF_CODE = re.compile(
    r"^\s*(?:[-*•] *)?(?:it|the (?:\w+ )?(?:script|function|program|regex|query|component|app|macro|formula"
    r"|class|tests?|bot|code"
    r"|endpoint|algorithm|method|page|form|button|field|tool|name|password)|users?)\b",
    re.IGNORECASE,
)
_IS_THAT = re.compile(
    r"^\s*(?:is|was|are|does|did|do|isn['’]t|can|should) (?:that|this|it|he|she|they|i)\b[^.!]{0,80}\?\s*$"
    r"|^\s*(?:but )?why"
    r"(?: (?:is|was|does|did) (?:that|this|it))?\s*\?|^\s*(?:good|bad|any) (?:advice|idea|thoughts"
    r"|tips)\b[^.!]{0,40}\?|^\s*(?:good or bad|worth it|too (?:long|short|much|few|many|strict))\b[^.!]{0,30}\?"
    r"|^\s*what (?:does|do|did|would) (?:that|this|it|they|he|she) [^.!?]{1,60}\?"
    r"|^\s*(?:where|how|who|when|why)\b[^.!?]{0,60}\b(?:this|that|these|those) (?:custom|rule|habit|tradition|practice"
    r"|limit|convention|idea|policy|requirement|wording|style)s?\b[^.!?]{0,60}\?",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    r"^\s*(?:[-*•\d.)]+\s*)?(?:please|kindly|write|answer|respond|reply|give|use|include|mention|keep|limit"
    r"|make|tell|explain|describe|compose"
    r"|draft|create|summari[sz]e|do|don['’]t|never|avoid|list|name|provide|generate|your|the (?:response"
    r"|answer|reply)|you)\b",
    re.IGNORECASE,
)


_REQUESTS = re.compile(
    r"^\s*(?:can|could|would|will) (?:you|u) (?:please |kindly )?(?:help me )?"
    r"(?:write|draft|compose|create|make|give|prepare)\b",
    re.IGNORECASE,
)
# Of the text that was asked for before: "I can't go over 180 words".
_OWN_LIMIT = re.compile(
    r"^\s*(?:i|we) (?:have to|must|need to|can(?:no|['’])t|may not|mustn['’]t) "
    r"(?:start|begin|open|end|finish|close|go over|go beyond|exceed|stay|keep it|use)\b",
    re.IGNORECASE,
)


# Of the same text: "It must be minimum 100 words, she says the teacher counts", not "it must be short, she says".
_OF_IT = re.compile(
    rf"^\s*(?:it|all of it|everything|the (?:whole |entire )?{FRAGMENTS['text']}) [^,.;!?\n]{{0,60}}?"
    r"\b(?:must|should|has to|needs to|ought to|shall|can(?:not|['’]t)|may not)\b"
    r"(?![^\n]*,[^,\n]{0,40}\b(?:i was told|i hear|says?|said|claims?|claimed|insists?|insisted|thinks?|thought)"
    r"(?: (?:he|she|they))?\W*$)",
    re.IGNORECASE,
)
# What those who take it want of a text: "The portal wants no more than 300 words", "they want it to stay within …".
_SUBMITTED = re.compile(
    r"^\s*(?:please )?(?:(?:help me )?(?:write|draft|compose|prepare|make|create|need|i need) )?(?:me )?"
    r"(?:an?|the|my|our)? ?(?:[\w-]+ ){0,2}?(?:abstract|cover letter|statement|bio|biography|essay|proposal"
    r"|listing|caption|ad|advert|obituary|press release|application|synopsis|blurb|profile|pitch|article|report)\b",
    re.IGNORECASE,
)
_THEIR_LIMIT = re.compile(
    r"^\s*(?:the (?:[\w-]+ )?[\w-]+|they) (?:wants?|needs?|requires?|asks? for|expects?|insists? on) "
    r"(?:it to (?!be\b)|it (?:in|under|within|at)\b|(?:between|at least|at most|exactly|under|over|no|not|up to"
    rf"|min\w*|max\w*|fewer|less|more|{NUMBER}) [^,.;!?\n]{{0,40}}?\b(?:words|characters|sentences|paragraphs)\b)",
    re.IGNORECASE,
)
# "Write a line for a host who …. It is limited to 120 characters", where "it" can be nothing else.
_INDEFINITE = re.compile(
    r"^\s*(?:please )?(?:write|compose|draft|create|make|produce)(?: me)? an? "
    r"(?![^\n]*\b(?:the|our|my|his|her|their|its|this|that|about|on|of)\b)",
    re.IGNORECASE,
)
_IT_IS = re.compile(
    r"^\s*it is (?:to be )?(?:limited|restricted|confined|capped|(?:written )?(?:entirely |all )?in\b)", re.IGNORECASE
)


# A text that others want, and who asks for it: "The journal wants an abstract of … Please write ours."
_WANTED = re.compile(
    r"\b(?:wants?|requires?|expects?|asks? for|asked for|needs?|accepts?|allows?|insists? on) (?:an?|our|my|the|only"
    r"|all)?"
    r"(?: [\w'’-]+){0,3}? ?\b(?:abstract|essay|text|summary|statement|letter|report|bio|biography|caption|post|article"
    r"|story|poem|fable|speech|review|description|blurb|ad|entry|proposal|paragraph|talk|pitch|note|answer)s?\b",
    re.IGNORECASE,
)
_WRITE_IT = re.compile(
    r"^\s*(?:so |now )?(?:please |kindly |(?:can|could|would) you (?:please )?)?(?:help me )?"
    r"(?:write|draft|compose|prepare|create|produce|do|make) (?:(?:me|us) )?(?:it|ours|mine|one|that)\b(?! (?:clear"
    r"|sure))",
    re.IGNORECASE,
)
# "…, so it must stay within 75 words": of the text that was asked for before, else of something else.
_SO_IT = re.compile(r"^\s*so (?:it|this|the (?!answer|response|reply)\w+) \w+", re.IGNORECASE)


def _told(text: str, sentences: list[Sentence]) -> Iterator[Sentence]:
    """Of code that the prompt asks for, and what the next sentence asks about ("Is that normal?"), is told."""
    coding = _CODING.search(text) is not None or _NAMING.search(text) is not None
    ordered = submitted = False
    before = ""
    for number, sentence in enumerate(sentences):
        said = text[sentence.start : sentence.end]
        after = sentences[number + 1] if number + 1 < len(sentences) else None
        following = text[after.start : after.end] if after else ""
        about = _IS_THAT.match(following) and not _ORDERS.match(said)
        wanted = sentence.mood == "statement" and _WANTED.search(said) is not None
        taken_for = sentence.mood
        if taken_for == "demand" and (
            about or (coding and _OF_CODE.match(said)) or (_SO_IT.match(said) and not ordered)
        ):
            taken_for = "statement"
        elif taken_for == "statement" and (
            (wanted and _WRITE_IT.match(following))
            or (not following.rstrip().endswith("?") and _of_what_is_asked_for(said, before, ordered, submitted))
        ):
            taken_for = "demand"
        yield Sentence(sentence.start, sentence.end, taken_for)
        before, submitted = said, submitted or _SUBMITTED.match(said) is not None
        ordered = (
            ordered
            or _REQUESTS.match(said) is not None
            or _ORDERS.match(said) is not None
            or (wanted and text.find("?", sentence.end) < 0)
        )


def _of_what_is_asked_for(said: str, before: str, ordered: bool, submitted: bool) -> bool:
    """Whether a statement holds of the text that was asked for before it."""
    return (
        (ordered and (_OWN_LIMIT.match(said) or _OF_IT.match(said)) is not None)
        or (submitted and _THEIR_LIMIT.match(said) is not None)
        or (_INDEFINITE.match(before) is not None and _IT_IS.match(said) is not None)
    )


def read(prompt: str) -> Reading:
    """Never fails, whatever the text."""
    text = masked(prompt)
    sentences: list[Sentence] = []
    passage = False
    blank = False
    for start, end in _cuts(prompt, text):
        piece = text[start:end]
        if not piece.strip():
            blank = blank or "\n" in piece
            if piece.count("\n") > 1:
                blank = True
            continue
        if passage and blank and _COMMAND.match(piece):
            passage = False
        if passage and not _RESUMES.search(piece):
            sentences.append(Sentence(start, end, "passage"))
        else:
            sentences.append(Sentence(start, end, mood(piece)))
        blank = piece.endswith("\n\n") or (text[end : end + 1] == "\n" and piece.endswith("\n"))
        if not passage and _WORK_ON.search(piece) and not _QUOTATION.match(text, end):
            passage, blank = True, False
        elif not passage and (inline := _INLINE.search(piece)) and not _rules_follow(piece, inline):
            sentences[-1] = Sentence(start, start + inline.end(), mood(piece[: inline.end()]))
            sentences.append(Sentence(start + inline.end(), end, "passage"))
            passage = True
    return Reading(prompt, text, tuple(_told(text, sentences)))
