"""Pieces of grammar that every rule table shares: numbers, amounts, quoted phrases, lists of words.

A rule's pattern is written in plain words: a space stands for a gap of one to three blanks, `{name}` for one of
`FRAGMENTS`. Every repetition is bounded, so that a search takes time linear in the text.
"""

import re
from dataclasses import dataclass

HIDDEN = "\ue000"
"""Stands for every character between quotation marks in the text that rules see."""

_ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_VALUES = (
    {word: number for number, word in enumerate([*_ONES, *_TEENS], start=1)}
    | {word: 10 * number for number, word in enumerate(_TENS, start=2)}
    | {"zero": 0, "no": 0, "a": 1, "an": 1, "single": 1, "once": 1, "twice": 2, "thrice": 3, "couple": 2, "dozen": 12}
    | {"hundred": 100, "thousand": 1000}
)
_ORDINALS = {
    word: number
    for number, word in enumerate(
        [
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
            "eleventh",
            "twelfth",
        ],
        start=1,
    )
}


def _any(*words: str) -> str:
    return "(?:" + "|".join(words) + ")"


_CARDINAL = (
    rf"(?:{_any(*_TENS)}(?:[- ]{_any(*_ONES)})?|{_any(*_TEENS)}|{_any(*_ONES)}|zero)"
    rf"(?: (?:hundred|thousand|dozen)(?: and {_any(*_TENS)}(?:[- ]{_any(*_ONES)})?)?)?"
)
NUMBER = (
    rf"(?:\d{{1,3}}(?:,\d{{3}})+|\d{{1,7}}(?:\.0)?|{_CARDINAL}|a (?:hundred|thousand|dozen|single)"
    rf"|half a dozen)"
)

# Relations before a number, by the bound that they give; `over` excludes the number, `at_least` includes it.
_BEFORE = {
    "at_least": (
        "at the very least",
        "(?:more|greater) than or equal to",
        "at least",
        "(?:no|not|never) (?:less|fewer|shorter) (?:than|of)",
        r"(?:(?:a|the) )?(?:minimum|min\.?)(?: (?:length|number|count|size))?(?: (?:of|is|=))?:?",
        "upwards of",
        ">=",
        "≥",
        "(?:no|nothing) (?:under|below)",
    ),
    "at_most": (
        "at (?:the )?(?:very )?most",
        "(?:less|fewer) than or equal to",
        "at max(?:imum)?",
        "(?:no|not|never|nothing) (?:more|more long|longer|greater|larger) (?:than|of)",
        r"(?:(?:a|the) )?(?:maximum|max\.?)(?: (?:length|number|count|size))?(?: (?:of|is|=))?:?",
        "up to",
        "fit(?:s|ting)? (?:in|into|within|inside)(?: of)?",
        "as many as",
        "not to exceed",
        "(?:no|not|nothing) (?:over|above|beyond|past)",
        "<=",
        "≤",
        "within",
        "(?:limit|restrict|confine|keep|cap|limited|restricted|capped|trim|hold|kept|shorten"
        "|condense|cut(?= (?:it|this|that|down)\\b))(?: (?!to\\b|at\\b"
        "|under\\b|each\\b|every\\b)[\\w'’]{1,12}){0,5}"
        " (?:to|at)(?: under)?",
        "(?:limit|ceiling|cap) of",
        "(?:can|may) (?:run|go|extend) to",
        "limit(?: is)?:",
    ),
    "over": (
        "(?:more|more long|greater|longer|larger) than",
        "over",
        "above",
        "past",
        "beyond",
        "surpass(?:es|ing)?",
        "exceed(?:s|ing)?",
        "in excess of",
        "go over",
        ">",
    ),
    "under": ("(?:less|fewer|shorter|smaller) than", "under", "below", "<"),
    "exactly": ("exactly", "precisely", "just", "only", "an? exact(?: total of)?", "no more and no less than"),
    "about": ("about", "around", "roughly", "approximately", "approx\\.?", "some", "nearly", "almost", "circa", "~"),
}
_AFTER = {
    "at_least": (
        r"\+",
        "plus",
        "or (?:more|greater|longer|above|over)",
        "and (?:up|above|more)",
        "minimum",
        "min",
        "at (?:the )?(?:very )?(?:least|minimum)",
    ),
    "at_most": (
        "or (?:less|fewer|under|below|shorter)",
        "maximum",
        "max",
        "at (?:the )?(?:very )?(?:most|maximum|outside)",
        "(?:is|are|would be|being|as) (?:the|an?|my|our) (?:upper |absolute |hard )?(?:limit|maximum|ceiling|cap)",
        "(?:is|are) all (?:i|we|you) (?:have|get|need|want)",
        "tops",
        "limit",
        "not (?:one|a single one) more",
    ),
    "exactly": ("exactly", "precisely", "only", "no more,? (?:and )?no less"),
    "about": ("or so",),
}


def _relations(table: dict[str, tuple[str, ...]]) -> str:
    return _any(*(phrase for phrases in table.values() for phrase in phrases))


_ENDS = _any(*(phrase for kind in ("at_least", "at_most") for phrase in _AFTER[kind]))
_SIDES = _any(*(phrase for kind in ("at_least", "at_most", "over", "under") for phrase in _BEFORE[kind]))
_REL = rf"(?:(?P<rel>(?<![\w-]){_relations(_BEFORE)}) ?(?P<rel2>{_any(*_BEFORE['exactly'], *_BEFORE['under'])})? ?"
_REL += r"(?:a total of )?(?:the )?)?"
_RANGE = (
    rf"(?:(?:between|from|anywhere between|anywhere from|in the range (?:of|from|between)|ranging "
    rf"from) )?(?P<n>(?<![\w.,-]){NUMBER})"
)
_RANGE += (
    rf"(?: ?(?:-|–|—|to|and|or)(?: (?:at most|a maximum of|no more than|maximum))? ?(?P<m>{NUMBER}))?"
    r"(?![.,]?\d|\w| (?:more|additional|further|extra)\b)"  # "one more" is no number of all
)
_POST = rf"(?P<post> ?{_relations(_AFTER)}(?!\w))?"
_OPEN, _CLOSE = "[\"“”„«'‘’`]", "[\"“”»'‘’`]"
_QUOTED = rf"{_OPEN}{HIDDEN}{{1,2000}}{_CLOSE}"
_CLOSED = (
    "the|a|an|any|some|words?|and|or|in|at|to|each|every|of|more|less|least|most|that|this|these"
    "|those|which|who|your|you|it|its|is|are"
    "|be|been|for|about|after|before|with|without|on|by|from|as|only|not|no|nor|but|so|than|then"
    "|please|once|twice|thrice|again|often|must|should|may|can|cannot|will"
    "|appears?|used|somewhere|anywhere|throughout|within|into|long|total|per|if|when|while|both|all"
    "|such|like|starting|ending|beginning|above|below|itself"
)
_BARE = rf"(?<![\w’'])(?!(?:{_CLOSED})\b)[^\W_][\w'’-]{{0,39}}"
_ITEM = rf"(?:{_QUOTED}|{_BARE})"
_AND = r"(?: ?,)? (?:and|or|nor|&|as well as)(?: the (?:word|term|phrase|keyword)s?)? "
_COMMA = r" ?[,/;](?: the (?:word|term|phrase|keyword)s?)? "
_GOES_ON = (
    r"(?:in|within|throughout|anywhere|somewhere|at|into|to|when|while|must|should|may|can|cannot|shall|is|are|need"
    r"|have|has|appear|occur|show up)\b"
)
_END = rf"(?= ?(?:[.,;:!?)\n]|$|{_GOES_ON}))"
# Behind a colon also phrases of up to three words, where the list reaches to the end or the next demand.
NEXT = (
    r"(?:please|also|use|write|keep|make|limit|avoid|do|don['’]t|no|not|never|end|finish|start|begin|answer|reply|with"
    r"|without|highlight|mark|put|include|mention|maximum|max|under|up to|i|we|you|they|he|she|it)\b"
)
_PHRASE = rf"(?!{NEXT})(?:(?:an?|the) )?{_BARE}(?: (?!{_GOES_ON}|(?:and|or|nor|but)\b)[\w'’-]{{1,40}}){{0,2}}"
_PHRASES = (
    rf"(?<=:\s){_PHRASE}(?:{_COMMA}(?:(?:and|or) )?{_PHRASE}){{1,30}}(?:{_AND}{_PHRASE})?"
    rf"(?= ?(?:[.;!?)\n]|$|,? (?:(?:and|but) )?{NEXT}))"
)

FRAGMENTS = {
    # An amount: groups rel, rel2, n, m and post; `amount` reads them. `after` may follow the noun.
    "count": _REL + _RANGE + _POST,
    "start": r"(?<![\w,;:(]\s)(?<![\w,;:(])",
    # A second bound after the noun ("at least nine sentences and a maximum of eleven", "but please stay below 160").
    "second": (
        r"(?:,? (?:(?:and|but|yet) )?(?:(?:please|also|still|it|keep|stay|should|must|be|remain|ideally|to) ){0,4}"
        r"(?P<not2>(?:(?:do|should|must) not|(?:do|should|must)n['’]t|not|never) )?"
        rf"(?:(?P<bound2>{_SIDES}) (?P<n2>{NUMBER})"
        rf"|(?P<n3>{NUMBER}) ?(?P<bound3>{_ENDS}))(?! ?-?(?!(?:please|pls|and|but|in total|total|so|or)\b)\w))?"
    ),
    # Behind a comma it ends the demand ("60 words, max"): "3 sections, minimum 200 words" holds two.
    "after": rf"(?P<after>(?: |, ?(?=[\w ]{{3,20}} ?(?:[.;:!?)\n]|$))){_relations(_AFTER)}(?!\w)(?! \d))?",
    "times": rf"(?:for )?{_REL}(?:(?P<once>once|twice|thrice)|{_RANGE}{_POST} times?){{after}}",
    "number": rf"(?P<number>{NUMBER})",
    "ordinal": rf"(?P<ordinal>{_any(*_ORDINALS)}|\d{{1,3}} ?-?(?:st|nd|rd|th)|last|final|opening|closing)",
    "quoted": rf"(?P<quoted>{_QUOTED})",
    "item": rf"(?P<item>{_ITEM})",
    "quotes": rf"(?P<items>{_QUOTED}(?:(?:{_AND}|{_COMMA}(?:(?:and|or) )?){_QUOTED}){{0,40}})",
    "items": (
        rf"\[?(?P<items>{_QUOTED}(?:(?:{_AND}|{_COMMA}(?:(?:and|or) )?){_QUOTED}){{0,40}}"
        rf"|{_PHRASES}|{_BARE}(?:{_COMMA}{_BARE}){{0,40}}{_AND}{_BARE}{_END}"
        rf"|{_BARE}(?:{_COMMA}{_BARE}){{0,40}}{_END})\]?"
    ),
    "not": (
        r"(?:not|n['’]t|never|cannot|avoids?|avoiding|without|no|refrain(?:s|ing)? from|exclud(?:e|es|ing)"
        r"|omit(?:s|ting)?|leav(?:e|es|ing) out"
        r"|keep(?:ing)? out(?! of\b)|steer(?:ing|s)? (?:clear of|away from)|stay(?:ing)? (?:away from|clear of)|skip"
        r"|ban|forbid|drop(?! in\b)"
        r"|minus|zero|free of|free "
        r"from|devoid of|abstain(?:ing)? from"
        r"|do away with|keep away from|shun)"
    ),
    "any": r"(?:(?:any|a|an|the|a single|single|any kind of|even one|even a single|all|use of|use|uses of) ){0,3}",
    "text": (
        r"(?:response|answer|reply|output|text|essay|story|poem|letter|e-?mail|message|article|post|piece|summary"
        r"|review|song|speech|paragraph|writing|submission|document|note|report|description|thing|blog|content"
        r"|result|reaction|explanation|work|copy|draft|script|tweet|ad|advert|riddle|rap|joke|limerick|completion"
        r"|entry|abstract|bio|biography|caption|blurb|eulogy|obituary|tale|fable|ballad|ode|sonnet|critique|advertisement|announcement|lyrics|monologue|toast)"
    ),
    "must": (
        r"(?:should|must|needs? to|has to|have to|ought to|shall|is to|are to|can|may|will|gets? to|is|are|would"
        r"|should only|must only|to)"
    ),
}


def compiled(template: str) -> re.Pattern[str]:
    """A rule's pattern, see the module's description."""
    pattern = template
    for _ in range(2):  # fragments may hold fragments
        for name, fragment in FRAGMENTS.items():
            pattern = pattern.replace("{" + name + "}", fragment)
    return re.compile(_GAP.sub(_gap, pattern), re.IGNORECASE)


_GAP = re.compile(r"(?P<set>\[(?:\\.|[^\]\\])+\])| (?P<optional>\??)")


def _gap(match: re.Match[str]) -> str:
    """A space of a pattern as a gap of blanks; in a set of characters as any one blank."""
    if characters := match["set"]:
        return str(characters).replace(" ", r"\s")
    return r"\s{0,3}" if match["optional"] else r"\s{1,3}"


@dataclass(frozen=True)
class Amount:
    """Inclusive bounds of a count; None where there is none. `bare` where no relation was worded."""

    low: int | None
    high: int | None
    bare: bool = False

    @property
    def exact(self) -> int | None:
        return self.low if self.low == self.high else None

    def relations(self) -> list[tuple[str, int]]:
        """IFEval's form: "at least" n, "less than" n."""
        lower = [] if self.low is None else [("at least", self.low)]
        return lower + ([] if self.high is None else [("less than", self.high + 1)])


def number(text: str) -> int:
    """The value of a number in digits or words ("1,200", "twenty-five", "a hundred")."""
    digits = text.replace(",", "").strip().removesuffix(".0")
    if digits.isdigit():
        return int(digits)
    total = 0
    if text.lower().endswith("single"):
        return 1
    for word in re.findall(r"[a-z]+", text.lower()):
        value = _VALUES.get(word, 0)
        if word == "half":
            return 6
        total = max(total, 1) * value if word in ("hundred", "thousand", "dozen") else total + value
    return total


def ordinal(text: str) -> int:
    """The place that "third", "3rd" or "last" names; -1 for the last."""
    if text.lower() in ("last", "final", "closing"):
        return -1
    if text.lower() == "opening":
        return 1
    digits = re.match(r"\d+", text)
    return int(digits.group()) if digits else _ORDINALS[text.lower()]


_READERS = {
    table_name: [
        (kind, re.compile(_any(*phrases).replace(" ", r"\s+"), re.IGNORECASE)) for kind, phrases in table.items()
    ]
    for table_name, table in (("before", _BEFORE), ("after", _AFTER))
}
_NEGATED = re.compile(
    r".*(?:\b(?:not|never|cannot|without|avoid|nor|no(?! ?,))|n['’]t)\b([^.;:!?\n]{0,60})$", re.IGNORECASE | re.DOTALL
)
# "No hashtags, under 100 characters", not "don't, under any circumstances, go over 100".
_ENDED = re.compile(r"(?!\s*,)(?![^.]*, (?:under|in|at|ever|please|on)\b[^,]*,\s*$).*,\s*$", re.IGNORECASE)
_RESTARTED = re.compile(r"\b(?:but|and|with|that|which)\b", re.IGNORECASE)


def _kind(table: str, phrase: str | None) -> str | None:
    phrase = (phrase or "").strip(" \t\n,")
    if not phrase:
        return None
    # A phrase may match several kinds' beginnings ("at most" …); the whole must match.
    return next((kind for kind, pattern in _READERS[table] if pattern.fullmatch(phrase)), None)


def amount(match: re.Match[str]) -> Amount | None:
    """The amount that the groups of `{count}` or `{times}` give; None for an approximate one."""
    found = match.groupdict()
    closing = _kind("after", found.get("after"))
    kind = (
        (closing if closing == "exactly" else None)  # "keep to five bullet points exactly"
        or _kind("before", found.get("rel2"))
        or _kind("before", found.get("rel"))
        or _kind("after", found.get("post"))
        or closing
    )
    value = number(found.get("once") or found["n"])
    if kind == "about" or value > 9_999_999:
        return None
    if found.get("m"):
        upper = number(found["m"])
        return Amount(value, upper) if upper >= value else None
    if kind in ("over", "under") and (_negated(match) or _too_much(match)):
        kind = _CONTRARY[kind]
    first = _bounds(kind, value)
    return _joined(first, match) if first and (found.get("n2") or found.get("n3")) else first


_CONTRARY = {"over": "at_most", "under": "at_least"}


def _joined(first: Amount, match: re.Match[str]) -> Amount:
    """With the bound that the same sentence sets on the other side."""
    kind = _kind("before", match["bound2"]) or _kind("after", match["bound3"])
    if match["not2"]:
        kind = _CONTRARY.get(kind or "", kind)
    second = _bounds(kind, number(match["n2"] or match["n3"]))
    if second is None or first.exact is not None or (first.low is None) == (second.low is None):
        return first
    low, high = first.low or second.low, first.high or second.high
    return Amount(low, high) if low is not None and high is not None and low <= high else first


def _bounds(kind: str | None, value: int) -> Amount | None:
    match kind:
        case "at_least":
            return Amount(value, None)
        case "at_most":
            return Amount(None, value)
        case "over":
            return Amount(value + 1, None)
        case "under":
            return Amount(None, value - 1) if value else None
        case _:
            return Amount(value, value, bare=kind is None)


def _negated(match: re.Match[str]) -> bool:
    """Whether a negation governs the relation ("do not use more than …")."""
    before = match.string[max(0, match.start("rel") - 80) : match.start("rel")]
    last = _NEGATED.match(before)
    return last is not None and not _RESTARTED.search(last[1]) and not _ENDED.match(last[1])


_ANYTHING = re.compile(r"(?:^|[.!?;:\n]\s*)(?:but )?anything (?:that is )?$", re.IGNORECASE)

_TOO = re.compile(r"\s*(?:is|are|will be|would be|counts? as) (?:far |way |already )?too \w+", re.IGNORECASE)


def _too_much(match: re.Match[str]) -> bool:
    """ "Anything beyond 80 words is too long"."""
    before = _ANYTHING.search(match.string, max(0, match.start("rel") - 40), match.start("rel"))
    return before is not None or _TOO.match(match.string, match.end()) is not None


def spelled(value: int) -> str:
    """A number in words up to ninety-nine, else in digits; what `number` reads back."""
    if value < 1 or value > 99:
        return str(value)
    if value < 20:
        return [*_ONES, *_TEENS][value - 1]
    tens, ones = divmod(value, 10)
    return _TENS[tens - 2] + (f"-{_ONES[ones - 1]}" if ones else "")
