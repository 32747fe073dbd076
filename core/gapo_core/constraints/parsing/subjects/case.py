"""Capital and small letters, commas."""

from collections.abc import Iterator

from gapo_core.constraints.parsing.grammar import amount
from gapo_core.constraints.parsing.rules import ASKED, Found, Kwargs, governed, rule

UPPER, LOWER, COMMA = "change_case:english_capital", "change_case:english_lowercase", "punctuation:no_comma"
_CAPS = (
    "(?:capitals|capital letters?|caps(?![- ]lock (?:key|light)\\b)|upper[- ]?case(?: letters?| characters?)?"
    "|capitali[sz]ed(?: letters?)?|block capitals|block letters|all[- ]caps)"
)
_SMALL = "(?:lower[- ]?case(?: letters?| characters?)?|small letters)"
_THROUGHOUT = (
    " (?:letters )?(?:from (?:start|beginning) to (?:finish|end)|from (?:top to bottom|first to last|the first)"
    "|throughout|all the way(?: through)?)"
)
_WORDS = "(?:words?|terms?|expressions|keywords)"
# Case of a part of the response only.
_PART = (
    r"[\"”’'»]\s*(?:be |is |are |written |printed |stand )*(?:in\s*)?$|\b(?:excessively|highlight\w*"
    r"|mistakes|preceded)\b"
    r"[^.;:]{0,40}$|\b(?:title|heading|headings|headline|headlines|first|initial|subject line|key ?words?|each"
    r"|acronyms?|section|last|every (?:paragraph|sentence)|speaker|difference)\b[^.;:]{0,40}$"
    # "The important words shouted in capitals", not "all words …".
    r"|(?<!\ball )(?<!\bevery )(?<!\ball the )(?<!\ball your )\bwords?\s*(?:that are|which are)?\s*"
    r"(?:written|shouted|set|typed|printed|put|rendered|shown|stand\w*|spelled|spelt)?\s*(?:in\s*)?$|"
    + governed(
        "columns?|rows?|cells?|labels?|captions?|names?|dates|greeting|signature|sign-off|chorus|refrain|slogan"
        "|ingredients|places|cities|countries|subject",
        30,
        ".;:,",
    )
)


def capital_words(found: Found) -> Iterator[tuple[str, Kwargs]]:
    count = amount(found.match)
    if count and count.bare:
        count = type(count)(count.low, None)  # "use 3 words in capitals" is kept by four
    for relation, number in count.relations() if count else ():
        yield "change_case:capital_word_frequency", {"capital_relation": relation, "capital_frequency": number}


def some_capitals(found: Found) -> Iterator[tuple[str, Kwargs]]:
    yield "change_case:capital_word_frequency", {"capital_relation": "at least", "capital_frequency": 1}


_CUES = (
    "capital capitals caps uppercase uppercased lowercased upper capitalized capitalised capitalize"
    " capitalise lowercase "
    "lower small capitalization"
)
_COUNTED = (
    rule(
        "{count} (?:\\w+ )?"
        + _WORDS
        + "(?: or phrases?)? (?:\\w+ ){0,4}?(?:in|with|using|of) (?:(?:all|full|only|entirely) ){0,2}"
        + _CAPS,
        _CUES,
        capital_words,
    ),
    rule(
        "{count} (?:\\w+ )?" + _WORDS + "(?: or phrases?)? (?:\\w+ ){0,3}(?:capitali[sz]ed|all[- ]caps|upper[- ]?case)",
        _CUES,
        capital_words,
    ),
    rule(
        (
            "{count} (?:such |of these |fully |all[- ]|completely )?(?:capitali[sz]ed|all[- ]caps|upper[- "
            "]?case(?:d)?|capital) "
        )
        + _WORDS,
        _CUES,
        capital_words,
    ),
    rule(
        _WORDS
        + "(?: that are)?(?: written)? (?:in|with|of) (?:(?:all|full|only) )?"
        + _CAPS
        + (
            "(?: \\(such as [^)]{1,40}\\))?(?: {must})?(?: (?:only|appear|occur|show up|be used|used"
            "|appearing|be present))?(?: in (?:\\w+ ){0,3}{text})? (?:for )?{times}"
        ),
        _CUES,
        capital_words,
    ),
    rule(
        "(?:number|count|amount) of "
        + _WORDS
        + "(?: or phrases?)? (?:\\w+ ){0,3}?(?:in|with) (?:all )?"
        + _CAPS
        + "(?: (?:should|must|has to|needs to|is to))?(?: is| be| stay| remain)? {count}",
        _CUES,
        capital_words,
    ),
    rule(
        "{count} (?:\\w+ )?"
        + _WORDS
        + "(?: or phrases?)?(?: (?:in|of|from) (?:\\w+ ){0,3}{text})? {must} (?:appear |be |stand )?(?:written )?"
        + "(?:(?:in|all|fully|entirely|completely) ){0,3}"
        + _CAPS,
        _CUES,
        capital_words,
    ),
    rule(
        "(?:limit|restrict|keep|cap) (?:the )?(?:number|count|amount|use) of (?:these |those )?"
        + _WORDS
        + "(?: (?:in|with|of|that are|written in))? (?:all |full )?"
        + _CAPS
        + " to {count}",
        _CUES,
        capital_words,
    ),
    # "The important words in capitals, but no more than 8 such words."
    rule(
        _WORDS
        + "(?: \\w+){0,2} in (?:all )?"
        + _CAPS
        + " ?[,;:(–-]{0,2} ?(?:but |and |though )?(?:please )?{count} (?:(?:such|of (?:them|these|those))(?: \\w+)?"
        "|in total)",
        _CUES,
        capital_words,
    ),
    rule("(?:use|write|put) (?:all )?" + _CAPS + " (?:for|on) {count} (?:\\w+ )?" + _WORDS, _CUES, capital_words),
    rule("capitali[sz]e {count} (?:\\w+ ){0,2}" + _WORDS + "(?! of each)", _CUES, capital_words),
    rule(
        "(?:all[- ]caps|capital(?:i[sz]ed)?|upper[- ]?case) (?:words|letters) (?:\\w+ ){0,3}{times}",
        _CUES,
        capital_words,
    ),
    rule("all[- ]caps words (?:\\w+ ){0,3}{times}", "caps", capital_words),
    rule(_WORDS + " (?:written )?in (?:all )?" + _CAPS + "(?: only)?: ?{count}(?=[.,;)]|$)", _CUES, capital_words),
    rule(
        "(?:capitali[sz]e|write|put|set|use) {count} (?:\\w+ )?"
        + _WORDS
        + " (?:\\w+ )?(?:entirely |completely |fully )?(?:in|with)? ?(?:all )?"
        + _CAPS,
        _CUES,
        capital_words,
    ),
)
_SOME = (
    rule(
        "(?:some|a few|several|certain)(?: \\w+)? "
        + _WORDS
        + "(?: or phrases?)? (?:\\w+ ){0,3}?(?:in|with) (?:all )?"
        + _CAPS,
        _CUES,
        some_capitals,
    ),
    rule("(?:use|include|put) words (?:in|with) (?:all )?" + _CAPS + " to \\w+", _CUES, some_capitals),
)
_UPPER = (
    rule(
        (
            r"\b"
            "(?:in|using|use|with|only|just|all|entirely|entire|every(?: single)? letter(?: \\w+){0,5}|fully"
            "|completely|solely|exclusively|of) (?:(?:in|all|only|entirely|the|full|nothing but|just|solely"
            "|exclusively|english) ){0,3}"
        )
        + _CAPS
        + "(?! ?(?:words?|letter at|word|cities|of\\b|city|for (?!your|the (?:whole|entire))|when\\b|to \\w+))",
        _CUES,
        UPPER,
        _PART + "|" + governed("no|not|without|avoid|never|any", 20, ".;:,"),
    ),
    rule(
        "all[- ](?:caps|upper[- ]?case|capitals?)(?! words?)",
        _CUES,
        UPPER,
        _PART + "|" + governed("no|not|without|avoid|never|any", 20, ".;:,"),
    ),
    rule(
        (
            "capitali[sz]e (?:(?:every|all|each)(?: single| of the| the| your| of your)? (?:letters?|words"
            "|characters?|text)|everything|(?:the|your) (?:entire|whole) (?:\\w+))"
        ),
        _CUES,
        UPPER,
    ),
    rule(
        (
            "(?:all|every)(?: of)?(?: the| single| your)? letters?(?: in (?:your |the )?(?:\\w+ ){0,3})? ?"
            "(?:{must} )(?:be )?(?:in )?(?:all )?"
        )
        + _CAPS,
        _CUES,
        UPPER,
    ),
    rule(
        "(?:whole|entire|complete) (?:\\w+ ){1,3}(?:{must} )(?:be )?(?:fully |all |entirely )?capitali[sz]ed",
        _CUES,
        UPPER,
    ),
    rule(
        (
            "(?:no|without(?: any)?|avoid(?: any)?|not (?:use|contain|include)(?: any)?|n['’]t (?:use|contain"
            "|include)(?: any)?|not contain) (?:single )?"
        )
        + _SMALL,
        _CUES,
        UPPER,
    ),
    rule(
        "(?:not a single|no|none of (?:the|your)) (?:word|letter|character)s?(?: (?:in|of) (?:\\w+ ){0,4}?{text})? "
        "{must} (?:be |contain |have |include |use )?(?:any )?(?:in )?" + _SMALL,
        _CUES,
        UPPER,
    ),
    rule(_CAPS + " (?:letters )?only", _CUES, UPPER, _PART),
    rule(_CAPS + _THROUGHOUT, _CUES, UPPER, _PART + "|" + governed("no|not|without|avoid|never|any|words?", 20)),
    rule(
        _CAPS + "(?=[,;.!]|$| and no| please|,? please)",
        "caps uppercase",
        UPPER,
        _PART + "|" + governed("no|not|without|avoid|never|any|words?", 20),
    ),
)
_LOWER = (
    rule(
        (
            "(?:all|every)(?: of)?(?: the| your| single)? words?(?: in (?:\\w+ ){0,3}{text})? (?:{must} )"
            "(?:be )?(?:written )?(?:in )?(?:all )?"
        )
        + _SMALL,
        _CUES,
        LOWER,
    ),
    rule(
        (
            r"\b"
            "(?:in|using|use|with|only|just|all|entirely|everything|every(?: single)? letter(?: \\w+){0,5}|fully"
            "|completely|solely|exclusively|nothing but) (?:(?:in|all|only|entirely|the|full|nothing but"
            "|just) ){0,3}"
        )
        + _SMALL
        + (
            "(?: only)?(?:,? (?:and |with )?no (?:capitals?|upper[- ]?case)(?: letters?)?(?: (?:are |is "
            ")?allowed)?)?(?! words?| for (?!your|the (?:whole|entire)))"
        ),
        _CUES,
        LOWER,
        _PART + "|" + governed("no|not|without|avoid|never|any|contain", 20, ".;:,"),
    ),
    rule("all[- ]" + _SMALL, _CUES, LOWER, _PART),
    rule(_SMALL + _THROUGHOUT, _CUES, LOWER, _PART + "|" + governed("no|not|without|avoid|never|any", 20)),
    rule(
        (
            "(?:no|zero|without(?: (?:any|using|a single))*|avoid(?:ing)?(?: (?:any|using|all))*|free of|not "
            "(?:a single|use|contain|include|have|one)(?: any)?|n['’]t (?:use|contain|include|have)(?: any)?"
            "|never use) (?:single )?(?:capitals?|capital letters?|upper[- ]?case(?: letters?| characters?)?"
            "|caps(?! lock)|capitali[sz]ation|capitali[sz]ed letters?)(?: (?:is|are) (?:allowed|permitted))?(?! "
            "words?)"
        ),
        _CUES,
        LOWER,
        r"\bor\s*$",
    ),
    rule(
        "(?:with )?all (?:the |of the |your )?letters (?:{must} )?(?:be |being )?(?:in )?(?:lower[- ]?cased?)",
        _CUES,
        LOWER,
    ),
    rule(
        "(?:not|nary) (?:an?|one)(?: single)? (?:capital|upper[- ]?case)(?: letter)? (?:in sight|anywhere|to be seen)",
        _CUES,
        LOWER,
    ),
    rule("not a single letter (?:\\w+ ){0,6}capitali[sz]ed", _CUES, LOWER),
    rule(
        (
            "(?:capitals?|capital letters?|upper[- ]?case(?: letters?)?) (?:(?:are|is|must|should|may|can"
            "|shall)(?: ?not|n['’]t)|cannot) (?:be )?(?:allowed|permitted|used|appear|occur|be used|present"
            "|included|feature|show up)"
        ),
        _CUES,
        LOWER,
    ),
    rule(
        (
            "(?:capitals?|capital letters?|upper[- ]?case(?: letters?)?) (?:are|is) (?:strictly )?"
            "(?:forbidden|banned|prohibited|off[- ]limits|disallowed)"
        ),
        _CUES,
        LOWER,
    ),
    rule("(?:nothing|no (?:letter|word|character)s?)(?: \\w+){0,6} (?:capitali[sz]ed|upper[- ]?case)", _CUES, LOWER),
    rule("don['’]t capitali[sz]e (?:anything|any(?: (?:letters?|words?))?)", _CUES, LOWER),
    rule(
        _SMALL + "(?: letters)? only|" + _SMALL + "(?=[,;.!]|$| and no| please)",
        "lowercase lower",
        LOWER,
        _PART + "|" + governed("no|not|without|avoid|never|any|between|than", 60),
    ),
)
_COMMAS = (
    rule(
        "commas?[^.;!?\\n]{0,80}?,? (?:so|and|hence|therefore) (?:please )?(?:\\w+ )?"
        "(?:leave|cut|skip|avoid|omit|drop|ban|(?:do not|don['’]t) use) "
        "(?:all of )?(?:them|any|those)",
        "comma commas",
        COMMA,
    ),
    rule(
        (
            "{not} (?:(?:be|to|use|using|include|including|contain|containing|have|having|employ|employing"
            "|put|insert|any|every|each|a|all|the|of|single|one|single|use of|usage of|add|write|ever|even|type|allowed"
            "|allow|let|want|see|find|is|are|in|with|from|your|response|answer|kind|exclamation marks|periods"
            "|punctuation like|rely on) ){0,7}commas?(?! ?-?separated)(?: (?:whatsoever|at all|are allowed|is allowed"
            "|allowed|please))?"
        ),
        "comma commas",
        COMMA,
        r"\bseparated\b[^.;]{0,20}$",
        ASKED,
        r"\s*(?:is|are|was) (?:needed|required|necessary|missing|wrong)\b",
    ),
    # Only of who the author is told to be: what other people do is no demand (content.py).
    rule("who never uses? (?:any |a single )?commas?", "comma commas", COMMA),
    rule("(?:not a single|not one|not any|zero|nary a) commas?", "comma commas", COMMA, moods=ASKED),
    rule("(?:not|nary) a comma (?:in sight|anywhere|to be seen)", "comma", COMMA),
    rule("comma[- ]free", "comma", COMMA, moods=ASKED),
    rule(
        (
            "commas? (?:{must} )?(?:are|is|must|should|may|can|shall|cannot)?(?: ?not|n['’]t|not| never)? ?"
            "(?:be )?(?:\\w+ )?(?:forbidden|banned|off[- ]limits|prohibited|taboo|disallowed|excluded|avoided"
            "|left out|not allowed|not permitted|allowed|permitted|used|appear|be used|omitted)"
        ),
        "comma commas",
        lambda found: [(COMMA, {})] if _denied(found) else [],
    ),
    rule(
        "(?:none of (?:which|them)|nor) (?:\\w+ ){0,3}(?:contain|include|use|have) (?:a |any )?commas?",
        "comma commas",
        COMMA,
    ),
    rule("(?:contain|use|include|have|with|and) (?:no|zero) commas?", "comma commas", COMMA),
)


def _denied(found: Found) -> bool:
    text = found.match.group().lower()
    return any(
        mark in text
        for mark in (
            "not",
            "n't",
            "n’t",
            "never",
            "forbid",
            "bann",
            "off",
            "prohib",
            "taboo",
            "disall",
            "exclu",
            "avoid",
            "left",
            "omit",
        )
    )


TABLE = (*_COUNTED, *_SOME, *_LOWER, *_UPPER, *_COMMAS)
