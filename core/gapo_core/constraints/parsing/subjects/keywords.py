"""Words that must stand in the response, and how often."""

import re
from collections.abc import Iterator

from gapo_core.constraints.parsing.grammar import FRAGMENTS, NEXT, NUMBER, amount
from gapo_core.constraints.parsing.rules import QUOTES, Found, Kwargs, rule
from gapo_core.constraints.parsing.subjects.letters import USED, WHERE

NOUN = "(?:key ?words?|key terms?|words?|phrases?|terms?|names?|expressions?|items|sentence)"
KEY = (
    "(?:key ?words?|key terms?|words?|phrases?|terms?|expressions?|items(?=:)|names(?=:)|(?:sentence"
    "|line)(?= ?:? ?[\"“'‘]))"
)
THE = (
    "(?:(?:all|any|each|both|either|the|these|those|following|exact|specific|single|of|as|keyword"
    "|keywords|one|a|sentence) ){0,5}"
)
USE = (
    "(?:include|includes|including|use|uses|using|contain|contains|containing|mention|mentions|mentioning|incorporate"
    "|incorporates|incorporating|feature|features|featuring|work in|weave in|weaving in|add|insert"
    "|have|has|having|says?|with"
    "|employ|employs|slip in|bring in|reference|put in|drop in|fit in|sprinkle in|throw in|sneak in)"
)

MAY = "(?:may|must|should|can|could|shall|will|is to|are to|is allowed to|are allowed to)"
# "Neither answer", "none of the versions", "no sentence".
NO_TEXT = (
    "(?:neither|no|none|not one|not a single)(?: one)?(?: of)?(?: (?:the|your|them|these|those|two|both|single)){0,2}"
    "(?: (?:{text}|version|variant|option|sentence|paragraph|line|bullet)s?)?"
)


def existence(found: Found) -> Iterator[tuple[str, Kwargs]]:
    if (words := listed(found)) and not of_a_kind(found, words) and not _any_of(found) and not _said_by_others(found):
        yield "keywords:existence", {"keywords": words}


_ASKED_FOR = re.compile(
    rf"\b(?:write|compose|create|draft|make|tell|give|produce|invent|need|want|{FRAGMENTS['text']}|blurb|tale|scene)\b"
    r"[^.;:!?\n]{0,120}$",
    re.IGNORECASE,
)


def existence_in_what_is_asked_for(found: Found) -> Iterator[tuple[str, Kwargs]]:
    if _ASKED_FOR.search(found.reading.masked, max(0, found.match.start() - 160), found.match.start()):
        yield from existence(found)


_ONE = re.compile(r"\b(?:word|term|phrase|keyword|expression)\s*:?\s*$", re.IGNORECASE)


_LISTED_ON = re.compile(rf" ?, ?(?!{NEXT})[\w'’-]", re.IGNORECASE)  # of a list that could not be read to its end


def listed(found: Found) -> list[str]:
    """The words; only the first where one word is announced and a comma follows ("the word tea, write in German")."""
    words, text = found.items(), found.match["items"]
    before = found.match.string[found.match.start() : found.match.start("items")]
    if (
        text[0] not in QUOTES
        and before.rstrip().endswith(":")
        and _LISTED_ON.match(found.match.string, found.match.end("items"))
    ):
        return []
    one = text[0] not in QUOTES and _ONE.search(before) and not re.search(r"\b(?:and|or|nor)\b|[&/]", text)
    return words[:1] if one else words


_OTHER_VERB = re.compile(
    r"\b(?:rhym\w+|associat\w+|synonym\w*|compar\w+|confus\w+|familiar|deal\w*|related|connected|replac\w+|stop|heading"
    r"|labell?ed|marked?|tagg?\w*|prefix\w*|respond|reply|answer|start\w*|begin\w*)\s*$",
    re.IGNORECASE,
)
_SAYER = re.compile(
    r"\bhow\b[^.;]{{0,20}}$|\b(?!(?:it|you|that|{})\b)\w+ (?:should|must|will|shall|would|to)\s*$".format(
        FRAGMENTS["text"]
    ),
    re.I,
)
_NOT_ITSELF = re.compile(r"\b(?:letters?|meaning|synonyms?|definition|translation|version|sound) of\b|\beither\b", re.I)


# "At least one of these words: …", "two of the following", "none of them", "pick any: …".
_SOME_OF = re.compile(
    rf"\b(?:one|any|some|several|a few|most|none|{NUMBER})(?: or (?:more|two))? of (?:(?:the|these|those|your) ){{1,2}}"
    r"(?:[\w-]+ )?(?:key ?words?|words|phrases|terms|expressions|following)\b"
    r"|\bany (?:words?|phrases?|terms?|keywords?)\b|\b(?:pick|choose|select)\b",
    re.IGNORECASE,
)
_OR_ELSE = re.compile(r"\s*(?:,?\s*(?:and/)?or\b|/(?!/))", re.IGNORECASE)


def _any_of(found: Found) -> bool:
    """Whether one of the words will do ("me gusta" or "no me gusta"), or only something of them is asked for."""
    text, items = found.match.string, found.match.start("items")
    return (
        _NOT_ITSELF.search(found.match.group()) is not None
        or re.search(r"\bor\b", found.match["items"], re.IGNORECASE) is not None
        or _SOME_OF.search(text, max(0, found.match.start() - 40), items) is not None
        or _OR_ELSE.match(text, found.match.end("items")) is not None
    )


def _said_by_others(found: Found) -> bool:
    """ "The teacher should say …", "lines that rhyme with …": the verb is not one of what the response contains."""
    said, before = (
        found.match.group().lower(),
        found.match.string[max(0, found.match.start() - 40) : found.match.start()],
    )
    return bool(
        (said.startswith("say") and _SAYER.search(before)) or (said.startswith("with") and _OTHER_VERB.search(before))
    )


def of_a_kind(found: Found, words: list[str]) -> bool:
    """Whether one unquoted word after a plural describes words and is none ("use terms specific to …")."""
    before = found.match.group()[: found.match.start("items") - found.match.start()]
    return len(words) == 1 and found.match["items"][0] not in QUOTES and before.rstrip().lower().endswith("s")


def frequency(found: Found) -> Iterator[tuple[str, Kwargs]]:
    count, word = amount(found.match), found["item"]
    if count is None or not word or _no_word(found):
        return
    # A bare "once" asks for presence; a bare "twice" or "3 times" means exactly so often.
    if found["once"] and (count.low, count.high) == (1, 1):
        yield "keywords:existence", {"keywords": [word]}
        if count.high is None or count.bare:
            return
        count = type(count)(None, 1)
    for relation, number in count.relations():
        yield "keywords:frequency", {"relation": relation, "keyword": word, "frequency": number}


def frequency_too(found: Found) -> Iterator[tuple[str, Kwargs]]:
    """ "… three times and tea twice": an unquoted word only behind another that is counted."""
    before = found.match.string[max(0, found.match.start() - 200) : found.match.start()]
    if found.match["item"][0] in QUOTES or _COUNTED.search(before):
        yield from frequency(found)


def frequency_alone(found: Found) -> Iterator[tuple[str, Kwargs]]:
    """ "'Yes' at least twice.", not "'Yes' three times.", which may tell."""
    count, after = amount(found.match), found.match.string[found.match.end() :].lstrip()[:1]
    if found.match.group()[0] in ",;" or (count and not count.bare) or after not in (".", "!", ""):
        yield from frequency(found)


_COUNTED = re.compile(r"\b(?:words?|terms?|use|include|mention|say|contain|repeat)\b", re.IGNORECASE)


def _no_word(found: Found) -> bool:
    """Whether the times are those of a thing ("repeat the process 20 times"): an article, no quotes, no "word"."""
    text, start = found.match.string, found.match.start("item")
    return text[start] not in QUOTES and _THING.search(text, found.match.start(), start) is not None


_THING = re.compile(
    r"\b(?:the|a|an|this|that|my|your) $|\b(?:instances?|occurrences?|examples?) of $|\brepeat\w* $", re.I
)
_WORD = f"(?:the |a )?(?:single )?(?:{NOUN} )?(?:of )?{{item}}"
FREQUENCY = (
    rule(
        f"(?:the |a )?{NOUN} {{item}}"
        + WHERE
        + (
            f"(?: (?!not)\\w+){{0,2}}? ?(?:{{must}}(?: not|n['’]t)? )?(?:only |also )?(?:be )?{USED}(?: (?:a total"
            f" of|in "
            f"(?:\\w+ ){{0,3}}{{text}}|there|sparingly|rarely))?:?(?: only)? {{times}}"
        ),
        "word words keyword term phrase name expression key",
        frequency,
    ),
    rule(
        (
            f"(?P<item>[\"“”„«'‘’`]\ue000{{1,60}}[\"“”»'‘’`]) (?:{{must}} )?(?:only )?(?:be )?{USED}(?: (?:a "
            f"total of|in (?:\\w+ ){{0,3}}{{text}}))? {{times}}"
        ),
        "times once twice thrice",
        frequency,
    ),
    rule(
        f"{USE} {_WORD}(?:{WHERE}|(?: in(?:to)?(?: it| there)?| on (?:it|there)| (?:to|in) (?:the|your|my|this)"
        f" (?:\\w+ ){{0,2}}?\\w+|"
        f" somewhere)?)(?: a total of)?,? (?:for )?{{times}}",
        "times once twice thrice",
        frequency,
    ),
    rule(f"(?:repeat|repeats|repeating) {_WORD}{WHERE} {{times}}", "times once twice thrice", frequency),
    rule(f"and {_WORD} {{times}}", "times once twice thrice", frequency_too),
    rule(
        "(?:{start}|[,;] (?:(?:and|but) )?)(?P<item>[\"“”„«'‘’`]\ue000{1,60}[\"”»'’`]) {times}"
        "(?= ?(?:[.,;!)]|$|and|but|or|please))",
        "times once twice thrice",
        frequency_alone,
    ),
    rule(
        "get (?P<item>[\"“”„«'‘’`]\ue000{1,60}[\"”»'’`]) (?:in(?:to)? )?(?:(?:it|there|the (?:\\w+ )?{text}) )?{times}",
        "get",
        frequency,
    ),
    rule(
        f"(?:the )?{NOUN} {{item}}(?: in(?: there| it)?| on it)?[,:]? {{times}}",
        "time times once twice thrice",
        frequency,
    ),
    rule(f"{{times}},? (?:{{must}} )?(?:{USE} )(?:the )?(?:{NOUN} )?{{item}}", "times once twice thrice", frequency),
    rule(
        (
            f"limit (?:the use of )?(?:the )?(?:{NOUN} )?{{item}} to {{count}} (?:occurrences?|uses|mentions"
            f"|appearances)"
        ),
        "limit",
        frequency,
    ),
    rule(
        (
            f"{{count}} (?:mentions?|instances?|occurrences?|uses|appearances|repetitions?) of (?:the )?"
            f"(?:{NOUN} )?{{item}}"
        ),
        "mentions mention instances occurrences uses appearances instance occurrence repetitions",
        frequency,
    ),
)

_NONE_MAY = rf"\b(?:neither|none|no|not one|not a single)\b(?: [\w'’-]+){{0,4}} {MAY} (?:ever )?$"
_ELSEWHERE = (
    _NONE_MAY + "|"
    r"\b(?:until|unless|whenever|every time|each time|any time)\b[^.;]{0,80}$|\b(?:not"
    r"|never)\b[^.;,]{0,60}\b(?:or|nor)\s*$|"
    r"(?:\bnot|n['’]t|\bnever|\bavoid|\bwithout|\b(?:end|finish|begin|start|conclude|close|open)(?:e?s"
    r"|ing)?\b[^,;]{0,40}"
    r"|\b(?:wrap|replac\w+|substitut\w+|instead of)\b[^,;]{0,40})\s*$"
)
# "Has banned the word …" is no demand for it.
_DONE = r"(?<=\bhas\s)\w+ed\b|(?<=\bhave\s)\w+ed\b"
_AS = (
    r"\s*(?:as (?:the|a|an)\b|instead|to (?:separate|indicate|mark|denote|refer|describe|represent)"
    r"|before|between|followed|for (?:the|any|each|every|all)|each time|if\b|when(?:ever)?\b|unless\b|in case\b"
    r"|where (?:appropriate|applicable|needed))"
)
_STAND = (
    "(?:appear|occur|feature|show up|turn up|come up|make an appearance"
    "|be (?:used|included|mentioned|present|found|incorporated|featured|in|on|part of|there))"
)
EXISTENCE = (
    rule(
        f"(?:let|have|make) {THE}(?:{KEY}) {{items}} (?:{USED}|make an appearance)",
        "let have make",
        existence,
        r"(?:\bnot|n['’]t|\bnever)\s*$",
    ),
    rule(
        (
            f"{THE}{KEY} (?:must|should|need to|have to|shall|are to)(?: all| both| each)? {_STAND}(?: (?:\\w+ "
            f"){{0,5}}{{text}})?(?: somewhere| in it)?:? {{items}}"
        ),
        "words phrases keywords terms word keyword",
        existence,
    ),
    rule(
        (
            f"(?:work|weave|slip|fit|get|squeeze|insert|incorporate|integrate|build|put)(?: in)? {THE}"
            f"(?:{KEY} )?{{quotes}} (?:in|into)"
        ),
        "work weave slip fit get squeeze insert incorporate integrate build put",
        existence,
    ),
    rule(
        (
            f"{THE}{KEY} {{items}} (?:is|are|gets?)(?: all| both| each)? (?:included|used|mentioned|present"
            f"|featured|incorporated|there|somewhere|inside|in (?:it|there|the|your))(?! (?:\\w+ )?(?:times"
            f"|once|twice|\\d))"
        ),
        "word words phrase phrases keyword keywords term terms",
        existence,
        r"\b(?:not|n['’]t|never|how|where|if)\b[^.;!?]{0,30}$",
    ),
    rule(
        (
            f"{USE} (?!{_DONE})(?:\\w+ ){{0,3}}?{THE}(?:{KEY})(?: somewhere)?(?: (?:in|within) (?:\\w+ "
            f"){{1,2}}{{text}})?(?::| -)? {{quotes}}"
        ),
        "word words keyword keywords phrase phrases term terms expression key items name names line sentence",
        existence,
        _ELSEWHERE,
        before=_AS,
    ),
    rule(
        f"{USE} {THE}(?:{KEY})(?: somewhere)?(?: (?:in|within) (?:\\w+ ){{1,2}}{{text}})?(?::| -)? {{items}}",
        "word words keyword keywords phrase phrases term terms expression key items name names line sentence",
        existence,
        _ELSEWHERE,
        before=_AS,
    ),
    rule(
        (
            "(?:include|mention|use|incorporate|work in|weave in|feature|contain|say|slip in)(?: both| all "
            "of)? {quotes}(?: (?:and|or) {item})?"
        ),
        "include mention use incorporate work weave feature contain say slip includes mentions",
        existence,
        r"\b(?:until|unless|whenever|every time|each time|any time|each|every|column|row|field)\b[^.;]{0,80}$"
        r"|(?:\b(?:not|never)|n['’]t)\b[^.;,]{0,60}\b(?:or|nor)\s*$"
        r"|(?:\bnot|n['’]t|\bnever|\bavoid|\bwithout|replac\w+|instead of|if)(?: \w+)?\s*$|" + _NONE_MAY,
        before=_AS + r"|\s*(?:to \w+|where)\b",
    ),
    rule(
        (
            f"{THE}(?:words?|phrases?|keywords?|terms?) {{items}} (?:must|should|need to|have to|has to"
            f"|needs to|shall)(?: all| both| each)? {_STAND}(?! (?:\\w+ )?(?:times|once|twice|\\d))"
        ),
        "word words phrase phrases keyword keywords term terms",
        existence,
    ),
    # "A story in which the words … all occur".
    rule(
        f"(?:in which|where|such that|so that) {THE}{KEY} {{items}} (?:(?:all|both|each|must|should) ){{0,2}}{USED}"
        "(?! (?:\\w+ ){0,3}(?:times|once|twice|thrice|\\d))",
        "word words phrase phrases keyword keywords term terms",
        existence_in_what_is_asked_for,
    ),
    rule(
        "(?:(?:in|on) (?:it|there|the (?:\\w+ )?{text}) (?:must|should|has to|have to|needs? to) (?:be|appear|stand"
        "|come)"
        "|(?:must|should|has to|have to|needs? to) (?:include|contain|have|use))"
        "(?: (?:in|on) (?:it|there|the (?:\\w+ )?{text}))? (?:these|the following|following|all these) "
        "(?:\\w+ )?(?:key ?words?|words?|terms?|phrases?): {items}",
        "word words keywords term terms phrase phrases",
        existence,
        r"(?:\bnot|n['’]t|\bnever)\s*$",
    ),
    rule(
        (
            "(?:required|mandatory|obligatory|must[- ](?:use|have|include)) (?:key ?)?(?:words?|phrases?"
            "|terms?)(?: (?:are|is))?:? {items}"
        ),
        "required mandatory obligatory must",
        existence,
    ),
    rule(
        "(?:make sure|ensure|see to it)(?: that)? {quotes} (?:is|are|gets?)(?: all| both)? "
        "(?:included|used|mentioned|present|in (?:it|there|the))(?! (?:\\w+ )?(?:times|once|twice|\\d))",
        "sure ensure see",
        existence,
    ),
    rule("(?:with|having) {quotes} in (?:it|there)(?! (?:\\w+ )?(?:times|once|twice|\\d))", "with having", existence),
    rule(
        "(?:mandatory|must[- ](?:have|include|contain|mention)s?): {quotes}",
        "mandatory must",
        existence,
    ),
    rule(
        "{start}(?:key ?words?|words)(?: to (?:include|use|mention))?: {items}",
        "keywords words keyword",
        existence,
    ),
)
