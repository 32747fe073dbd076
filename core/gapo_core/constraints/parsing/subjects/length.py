"""Words, sentences, characters: how long the response may be."""

import re
from collections.abc import Iterator

from gapo_core.constraints.parsing.grammar import NUMBER, amount, number
from gapo_core.constraints.parsing.rules import ASKED, Found, Kwargs, rule

_STRUCTURE = (
    "(?:titles?|headlines?|headings?|headers?|subject lines?|captions?|introductions?|conclusions?|intros?"
    "|phrases?|tags?"
    "|labels?|names|keywords?|options|choices|columns?|cells?|fields?|entry|entries|rows?|chorus(?:es)?"
    "|verses?|stanzas?"
    "|questions|topics?|definitions?|quotes|examples|items|slides?|tooltips?|buttons?|sentences|lines|use cases)"
)
_PART = (
    # What is said of a part: "tags should be up to …", "the headline (…", "each … of", "include a two-sentence …".
    rf"\b{_STRUCTURE}(?: (?:and|or|for|of|in) (?:\w+ ){{0,3}}?\w+)? (?:should|must|shall|has to|have to"
    rf"|needs? to|can|may|is|are"
    r"|to|at|under|within)\b(?: \w+){0,5}\s*$"
    r"|\bno (?:single |one )?(?:sentence|line|word|paragraph|bullet|item|title)\b[^.;]{0,30}$"
    r"|\b(?:in|for) (?:the|your) (?:first|second|third|last|opening|closing|final|introduct\w+"
    r"|conclu\w+)\b[^.;]{0,120}$"
    r"|\b(?:\d+|two|three|four|five|six|seven|eight|nine|ten) [^.;()]{1,60}s\s*\($"
    r"|(?<!\S)(?:\d{1,2}[.)]|[a-z][.)]|[-*•])\s+(?!keep|write|make|be|use|stay|limit|answer|reply)[\w ,&/-]{1,40}\($"
    r"|\b(?:language|vocabulary|dictionary) (?:(?:with|of|that|which|has|had) ){1,2}$"
    r"|\b(?:for (?:instance|example)|like),? (?:short |long )?(?:sentences|words|paragraphs|headlines|titles|lines)\s*$"
    r"|\bsuch as (?:\w+ ){0,2}$|\breplac\w+ [^.;]{1,40}$"
    r"|\b(?:include|add|insert|append|prefix|prepend|followed by|(?:start|begin|end|finish|conclude) with)"
    r" (?:an?|another) (?:\w+ ){0,2}$|"
    r"\b(?:(?:each|every)(?! (?:\w+ )?(?:response|reply|message you)\b)(?!(?<=every) (?:single )?answer\b)"
    r"|per|all (?:\w+ )?(?:bullets?"
    r"|sentences|paragraphs|lines|items|sections)|bullets?"
    r"(?: points?)? (?:of|with|under)|paragraphs? (?:of|with|under)|(?:lines?|lead|body) (?:of|with)|sentences? "
    r"(?:of|with|under))\b[^.;]{0,50}$|\b(?:title|headline|heading|subject line|caption|introduction"
    r"|conclusion|intro)s?\b[^.;,]{0,40}$|\b(?:title|headline|caption) (?:for|of) [^.;]{0,40}$"
)
# A limit that is spoken of: "arguments against a word limit of …".
_SPOKEN_OF = (
    r"\b(?:against|about|discuss|debate|defend|criticise|criticize|abolish|lift|question) (?:an?|the|our|their|its) "
    r"(?:\w+ )?(?:word |character |sentence )?(?:limit of )?$"
)
_SHARED = (
    r"(?:, (?:and |but )?(?:max(?:imum|\.)?|at most|no more than|min(?:imum|\.)?|at least) [\w-]+ \w+\)?)?"
    r"[^.;,!?\n]{0,40}\b(?:each|every|per|apiece|at a time)\b"
)
_NOT_THE_TEXT = (
    # "250 words which include …" are certain words; "a speech of 250 words which includes …" has so many.
    "(?! (?:or phrases|(?:that|which)(?! (?:includes|contains|mentions|uses|features|has|starts|begins|ends"
    "|explains|describes|tells)\\b)"
    "|from|starting|beginning|ending|with (?:the|a|all|only|double|at)"
    "|in (?:all )?(?:capital|upper|caps|italic|bold|block)"
    "|containing|per\\b|an? (?:second|minute|hour|day|week|month|page|line)\\b"
    "|each|in each|or less each|long each|for each|apart|longer than|shorter than"
    "|more than|gets?\\b|tend\\b|perform\\b|rank\\b|were\\b|sell\\b|written in|of (?:the|this"
    "|my|his|her|your) ))"
)


def words(found: Found) -> Iterator[tuple[str, Kwargs]]:
    count = amount(found.match)
    # A bare "300-word essay" is a size, not a limit.
    for relation, bound in count.relations() if count and not count.bare else ():
        yield "length_constraints:number_words", {"relation": relation, "num_words": bound}


def sentences(found: Found) -> Iterator[tuple[str, Kwargs]]:
    count = amount(found.match)
    if count and count.low == 1 and found["m"]:
        count = type(count)(None, count.high)  # "one or two sentences": any text has one
    for relation, bound in count.relations() if count else ():
        yield "length_constraints:number_sentences", {"relation": relation, "num_sentences": bound}


def characters(found: Found) -> Iterator[tuple[str, Kwargs]]:
    count = amount(found.match)
    if count is None or count.bare:
        return
    bounds = [("exactly", count.exact)] if count.exact is not None else count.relations()
    for relation, bound in bounds:
        yield "length:characters", {"relation": relation, "count": bound}


def compared(found: Found) -> Iterator[tuple[str, Kwargs]]:
    """ "No more words than seven"."""
    noun, value = found["noun"].lower().removesuffix("s") + "s", number(found["number"])
    upper = found["side"].lower() in ("more", "over", "above")
    relation, bound = ("less than", value + 1) if upper else ("at least", value)
    if noun == "characters":
        yield "length:characters", {"relation": relation, "count": bound}
    else:
        yield f"length_constraints:number_{noun}", {"relation": relation, f"num_{noun}": bound}


def both_sides(found: Found) -> Iterator[tuple[str, Kwargs]]:
    """ "More than 250 but less than 300 words"."""
    low = number(found["number"]) + (found["low"].lower() in ("more than", "over", "above"))
    high = number(found["upper"]) - (found["high"].lower() in ("less than", "fewer than", "under", "below"))
    if low > high:
        return
    for relation, bound in (("at least", low), ("less than", high + 1)):
        if found["noun"].lower() == "characters":
            yield "length:characters", {"relation": relation, "count": bound}
        else:
            noun = found["noun"].lower()
            yield f"length_constraints:number_{noun}", {"relation": relation, f"num_{noun}": bound}


def allotted(found: Found) -> Iterator[tuple[str, Kwargs]]:
    """ "You get 25 words.": so many and no more."""
    yield "length_constraints:number_words", {"relation": "less than", "num_words": number(found["number"]) + 1}


def not_past(found: Found) -> Iterator[tuple[str, Kwargs]]:
    noun = found["noun"].lower()
    id, name = ("length:characters", "count") if noun == "characters" else (_ID + noun, f"num_{noun}")
    yield id, {"relation": "less than", name: number(found["number"]) + 1}


_ID = "length_constraints:number_"
_ORDERED = re.compile(
    r"\b(?:write|shorten|cut|trim|draft|make|compose|create|summari[sz]e|rewrite|condense|give me)\b[^.;!?\n]{0,160}$",
    re.IGNORECASE,
)


def allowed(found: Found) -> Iterator[tuple[str, Kwargs]]:
    if not _ORDERED.search(found.match.string, max(0, found.match.start() - 200), found.match.start()):
        return
    if found["noun"].lower() == "words":
        yield from allotted(found)
    else:
        yield "length:characters", {"relation": "less than", "count": number(found["number"]) + 1}


def keyed(found: Found) -> Iterator[tuple[str, Kwargs]]:
    """ "Max words: 50"."""
    relation, more = ("at least", 0) if found["side"].lower().startswith("min") else ("less than", 1)
    noun = "words" if found["noun"].lower().startswith("word") else "sentences"
    yield f"length_constraints:number_{noun}", {"relation": relation, f"num_{noun}": number(found["number"]) + more}


TABLE = (
    rule(
        "(?P<low>at least|no (?:less|fewer) than|more than|over|above) {number} (?:and|but|yet) "
        "(?P<high>at most|(?:no|not) more than|less than|fewer than|under|below) "
        f"(?P<upper>{NUMBER}) (?P<noun>words|sentences|characters)",
        "words sentences characters",
        both_sides,
        _PART,
    ),
    rule(
        "(?:no|not) (?P<side>more|fewer|less) (?P<noun>words|sentences|characters) than {number}",
        "words sentences characters",
        compared,
        _PART,
    ),
    rule(
        "not (?:a|one|a single) (?P<noun>word|sentence|character) (?P<side>more|over|above)(?: than)? {number}",
        "word sentence character",
        compared,
        _PART,
    ),
    rule(
        "(?:you(?:['’]ve| have| only have| will have)?(?: only| just)? (?:get|got|have)|i(?:['’]ll| will)? give you) "
        "(?:only |just |exactly )?{number} words(?= ?(?:[.!;:]|$))",
        "words",
        allotted,
    ),
    # Behind what is asked for: "shorten my bio, they allow 300 characters".
    rule(
        "(?:[,(]|[–-]) ?(?:but |and |as |since |because )?(?:they|it|we|which|(?:the|our|my|their) [\\w-]+)(?:"
        " will)? (?:only )?"
        "(?:allows?|takes?|accepts?|permits?|gives? (?:me|us)|fits?|holds?|has room for|have room for) "
        "(?:only |just |up to |at most |no more than )?{number} (?P<noun>words|characters)(?! (?:but|while|though"
        "|whereas)\\b)",
        "words characters",
        allowed,
    ),
    # "The field takes 500 characters so don't go past that."
    rule(
        "{number} (?P<noun>words|characters|sentences),? (?:so|but|and(?= (?:please|do|we|you|it|i)\\b)) (?:please )?"
        "(?:(?:it|this|the {text}|we|you|i) )?(?:(?:must|should|have to|has to) )?"
        "(?:(?:do|must|should|ca|may)? ?{not}(?: (?:ever|go|run|stray)){0,2} (?:past|over|beyond|above|exceed)(?:ing)?"
        "|(?:stay|keep(?: it)?|remain) (?:within|under|below)) (?:that|it|this)(?: (?:limit|number|length))?",
        "words characters sentences",
        not_past,
        _PART,
    ),
    rule(
        "(?P<side>min(?:imum|\\.)?|max(?:imum|\\.)?)(?: (?:number|count|amount) of)? "
        "(?P<noun>words?|sentences?)(?: (?:count|is|are))?(?: of)?[:=]? ?{number}",
        "min minimum max maximum",
        keyed,
    ),
    rule(
        "{count}[ -](?:characters|chars)(?: long| in length| total)?{after}",
        "characters chars",
        characters,
        _PART
        + "|"
        + _SPOKEN_OF
        + r"|\b(?:names?|passwords?|cells|rows|strings|files|words?|keywords?|different|main|these)\b[^.;]{0,40}$",
        ASKED,
        _SHARED,
    ),
    rule(
        "(?P<n>\\d|one|two|three) sentences? or (?P<m>\\d|two|three|four|five) sentences?",
        "sentence sentences",
        sentences,
        _PART,
        ASKED,
        _SHARED,
    ),
    rule(
        "{count}[ -](?:english |total |full )?words?\\b(?: long| in length| total| of text)?{after}{second}"
        + _NOT_THE_TEXT,
        "word words",
        words,
        _PART + "|" + _SPOKEN_OF,
        ASKED,
        _SHARED,
    ),
    rule(
        (
            "(?:word count|number of words|word limit|words|length in words|total words)(?: (?:of|for|in) "
            "(?:\\w+ ){0,3}{text})? ?(?:(?:should|must|has to|needs to|is|to|will) )?(?:be |stay |remain "
            "|lie |fall |is |of )?(?:: ?)?(?:kept )?{count}(?! (?:sentence|paragraph|bullet|time))"
        ),
        "word words",
        words,
        _PART + "|" + _SPOKEN_OF,
    ),
    rule(
        "(?:character count|number of characters|length in characters) "
        "(?:(?:should|must|has to|needs to|is to) )?(?:not )?(?:be |stay |is )?(?:kept )?{count}",
        "character characters",
        characters,
        _PART,
    ),
    rule(
        (
            "{count}[ -](?:(?!(?:per|each|of|or|the|and|different|distinct|example|sample|alternative|new"
            "|possible|random|unique|separate)\\b)\\w+ )?sentences?\\b(?: long| in length| in total| "
            "total)?{after}{second}"
            "(?! (?:each|per|about each|for each|apart|paragraphs?|segments?|chunks?|blocks?|descriptions|answers"
            "|summaries|explanations|bullets?)\\b)"
        ),
        "sentence sentences",
        sentences,
        _PART
        + (
            r"|\b(?:the|these|those|this|following|both|first|last|repeat|combine|between)(?: (?:first|last"
            r"|following|next))?\s*$"
        ),
        ASKED,
        _SHARED,
    ),
    rule("{start}word (?:limit|cap|maximum|max|budget) {number}(?=[.,;!]|$)", "word", allotted),
    rule(
        "word (?:limit|cap|maximum|max|budget)(?: (?!is\\b)[\\w'’]+){0,7}?(?: is| of|:| -| at| to)+ {number}",
        "word",
        lambda found: [
            ("length_constraints:number_words", {"relation": "less than", "num_words": number(found["number"]) + 1})
        ],
        _SPOKEN_OF,
    ),
    rule(
        (
            "(?:sentence count|number of sentences|sentences(?=:))(?: (?:of|for|in) (?:\\w+ ){0,3}{text})? ?"
            "(?:(?:should|must|has to|needs to|is|to) )?(?:be |stay |is |of )?(?:: ?)?(?:kept )?{count}"
        ),
        "sentence sentences",
        sentences,
        _PART,
    ),
)
