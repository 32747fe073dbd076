"""What a restaurant description says about each E2E slot: a careful reading that admits doubt.

The corpus's attribute lists ask for much that the texts do not say. A reading finds what a text expresses in
plain words; whatever might be meant but is not plain makes it doubtful, and a doubtful slot labels nothing.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

_SCALES = {
    "priceRange": {
        "low": ("cheap", "less than £20"),
        "middle": ("moderate", "£20-25"),
        "high": ("high", "more than £30"),
    },
    "customer rating": {
        "low": ("low", "1 out of 5"),
        "middle": ("average", "3 out of 5"),
        "high": ("high", "5 out of 5"),
    },
}
LEVEL_OF = {
    (slot, value): level for slot, levels in _SCALES.items() for level, values in levels.items() for value in values
}


@dataclass(frozen=True)
class Reading:
    """`said` are the values (of a scale: the levels) in plain words, `doubtful` those that may be meant."""

    said: frozenset[str] = frozenset()
    doubtful: frozenset[str] = frozenset()

    def states(self, meaning: str) -> bool:
        return meaning in self.said and meaning not in self.doubtful

    def lacks(self, meaning: str) -> bool:
        return meaning not in self.said and meaning not in self.doubtful


def meaning(slot: str, value: str) -> str:
    """What a reading compares: the level of a scale's value, the value itself elsewhere."""
    return LEVEL_OF.get((slot, value), value)


def plain(text: str) -> str:
    """Lower case without accents and hyphens, one space between words."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    return re.sub(r"\s+", " ", re.sub(r"[-–’']", lambda m: " " if m[0] in "-–" else "'", bare))


def without_names(text: str, names: Iterable[str]) -> str:
    """The plain text with every proper name blanked: "Burger King" is no food and "Clare Hall" no area."""
    result = plain(text)
    for name in sorted(map(plain, names), key=len, reverse=True):
        result = result.replace(name, "NAME")
    return result


def read_text(text: str, names: Iterable[str]) -> dict[str, Reading]:
    """Readings of every slot but `name` and `near`, of a text whose proper names are known."""
    bare = without_names(text, names)
    return {
        "familyFriendly": _family(bare),
        "area": _area(bare),
        "food": _by_value(bare, _FOOD, _MAYBE_FOOD),
        "eatType": _place(bare),
        **_scales(bare),
    }


def names_in(text: str, names: Iterable[str]) -> Reading:
    """Which proper names stand in the text; one that almost does (a misspelling, a part) is doubtful."""
    bare = plain(text)
    words = set(re.findall(r"\w+", bare))
    said, doubtful = set(), set()
    for name in names:
        wanted = plain(name)
        if re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", bare):
            said.add(name)
        elif any(_alike(part, word) for part in wanted.split() if part not in _FILLERS for word in words):
            doubtful.add(name)
    return Reading(frozenset(said), frozenset(doubtful))


_FILLERS = ("the", "cafe", "by", "of", "bar")


@lru_cache(maxsize=1 << 20)
def _alike(part: str, word: str) -> bool:
    return part[:1] == word[:1] and SequenceMatcher(None, part, word).ratio() > 0.8


_CHILDREN = r"famil\w*|kids?\b|kiddies|child\w*|young\w*|all ages|(?:any|all) age groups?|toddlers?|parents?"
_NEGATION = (
    r"\b(?:not?|non|nor|never|without|isn'?t|aren'?t|doesn'?t|don'?t|won'?t|cannot|can'?t|unsuitable|exclud\w+)\b"
)


def _family(text: str) -> Reading:
    said, doubtful = set(), False
    for sentence in re.split(r"[.!?;]", text):
        if re.search(r"adults? only|only (?:for )?adults|(?:kid|child)\w* free", sentence):
            said.add("no")
            continue
        doubtful |= re.search(r"adult|grown|\bages?\b|unfriendly|over 18", sentence) is not None
        for match in re.finditer(_CHILDREN, sentence):
            before = " ".join(sentence[: match.start()].split()[-5:])
            after = " ".join(sentence[match.end() :].split()[:4])
            near = re.search(_NEGATION, before) or re.search(_NEGATION + r"|at home|unwelcome", after)
            # A negation elsewhere in the sentence may or may not reach this word.
            if not near and re.search(_NEGATION, sentence):
                doubtful = True
            else:
                said.add("no" if near else "yes")
    if len(said) > 1:
        doubtful = True
    return Reading(frozenset(said), frozenset(("yes", "no") if doubtful else ()))


_AREA = {
    "riverside": r"\briver\w*|water ?front|water ?side|by the water|banks? of",
    "city centre": r"\bcent(?:er|re) of (?:the )?(?:city|town)|\b(?:city|town) ?(?:'s )?cent(?:er|re|ral)|"
    r"downtown|(?:in|of|at) (?:the )?cent(?:er|re)\b|middle of (?:the )?(?:city|town)|"
    r"heart of (?:the )?(?:city|town)|in (?:the )?(?:city|town)\b",
}


def _area(text: str) -> Reading:
    reading = _by_value(
        text, _AREA, {"riverside": r"water|bank\b", "city centre": r"\bcit(?:y|ies)|town|cent(?:er|re)"}
    )
    if re.search(r"outside|outskirt|away from|far from|not in", text):
        return Reading(reading.said, frozenset(_AREA))
    return reading


_FOOD = {
    "English": r"\benglish|\bbritish",
    "Fast food": r"fast ?foods?",
    "French": r"\bfrench",
    "Japanese": r"\bjapan\w*",
    "Italian": r"\bitalian",
    "Indian": r"\bindian",
    "Chinese": r"\bchinese",
}
_MAYBE_FOOD = {
    "English": r"england|britain|breakfast|tradition|fish|chips|roast|full \w+ breakfast|\bpies?\b|sunday",
    "Fast food": r"\bfast\b|burger|fries|junk|quick|take ?a?way|take ?out",
    "French": r"france|wine|cheese|croissant|baguette",
    "Japanese": r"sushi|asia|orient|ramen",
    "Italian": r"italy|pasta|pizza|spaghetti",
    "Indian": r"india|curr(?:y|ies)|spic",
    "Chinese": r"china|noodle|dumpling|asia|orient",
}


def _by_value(text: str, plainly: dict[str, str], maybe: dict[str, str]) -> Reading:
    said = frozenset(value for value, pattern in plainly.items() if re.search(pattern, text))
    doubtful = frozenset(v for v, pattern in maybe.items() if v not in said and re.search(pattern, text))
    return Reading(said, doubtful)


_PLACE = {
    "pub": r"\bpubs?\b",
    "coffee shop": r"\bcoffee ?shops?\b|\bcoffee ?houses?\b|\bcafes?\b",
    "restaurant": r"\brestaurants?\b",
}


def _place(text: str) -> Reading:
    maybe = {
        "pub": r"\bbars?\b|\binn\b|tavern|beer|\bales?\b|brew",
        "coffee shop": r"coffee|\btea\b|\bshops?\b",
        "restaurant": r"eater(?:y|ies)|dine|dining|bistro|establishment|place|venue|eating|food|serv|meal|cuisine",
    }
    return _by_value(text, _PLACE, maybe)


# Words that fit both scales belong to the nearest word that names one.
_LEVEL_WORDS = {
    "low": r"low\w*|poor\w*|bad\w*",
    "middle": r"average\w*|moderate\w*|mid\w*|medium|decent\w*|reasonabl\w*",
    "high": r"high\w*|excellent|great|top|superior",
}
# Fit words, but too vague or too rare to label with.
_VAGUE = {
    "priceRange": r"decent|reasonabl|great|top|super|bad|poor|excel",
    "customer rating": r"decent|reasonabl|moderate|mid",
}
_SCALE_WORDS = {
    "priceRange": r"pric\w+|cost\w*",
    "customer rating": r"rat(?:e|ed|ing|ings)|reviews?|reviewed|stars?|scor\w+|customers?|rank\w*|approval",
}
_ALONE = {
    ("priceRange", "low"): r"\bcheap\w*|inexpensive|low cost|affordabl\w+|(?:less|lower) than (?:£ ?)?20|"
    r"(?:under|below) (?:£ ?)?20\b",
    ("priceRange", "middle"): r"(?:£ ?)?20 ?(?:£|pounds?|euros?)?(?: ?to | ?and | )?(?:£ ?)?25",
    ("priceRange", "high"): r"(?<!not )(?<!less )\bexpensive|pric(?:e)?y\b|(?:more|higher|greater) than (?:£ ?)?30|"
    r"(?:over|above) (?:£ ?)?30",
    ("customer rating", "low"): r"\b(?:1|one) ?(?:out of|out|of|/) ?(?:5|five)\b|\b(?:1|one) stars?",
    ("customer rating", "middle"): r"\b(?:3|three) ?(?:out of|out|of|/) ?(?:5|five)\b|\b(?:3|three) stars?",
    ("customer rating", "high"): r"\b(?:5|five) ?(?:out of|out|of|/) ?(?:5|five)\b|\b(?:5|five) stars?",
}
_COMPARING = ("not", "isn't", "above", "below", "than")
_MAYBE_SCALE = {
    "priceRange": r"pric|cost|£|\$|pound|euro|expens|cheap|budget|afford|\b[23]\d\b|low end|high end|upscale|fancy|"
    r"value|money|bargain|econom|wallet|luxur|spend|pay",
    "customer rating": r"rat(?:e|ing)|\bstars?|out of|review|customer|recommend|approv|scor|\brank|quality|excellent|"
    r"great|\bgood|best|poor|\btop|popular|\bwell\b|\bbad|decent|\b[1-5] ?/|\bone\b|\bfive\b|\bthree\b|\b[135]\b",
}
_TOKEN = re.compile(
    "|".join(f"(?P<L{level}>\\b(?:{words})\\b)" for level, words in _LEVEL_WORDS.items())
    + "|"
    + "|".join(f"(?P<S{number}>\\b(?:{words})\\b)" for number, words in enumerate(_SCALE_WORDS.values()))
    + r"|(?P<W>[\w£'$]+)|(?P<P>[.,;!?])"
)


def _scales(text: str) -> dict[str, Reading]:
    said: dict[str, set[str]] = {slot: set() for slot in _SCALES}
    doubt: set[str] = set()
    for (slot, level), pattern in _ALONE.items():
        if re.search(pattern, text):
            said[slot].add(level)
    for sentence in re.split(r"[.!?;]", text):
        tokens = [(m.lastgroup or "W", m[0]) for m in _TOKEN.finditer(sentence)]
        levels = [(i, kind[1:]) for i, (kind, _) in enumerate(tokens) if kind[0] == "L"]
        scales = [(i, int(kind[1:])) for i, (kind, _) in enumerate(tokens) if kind[0] == "S"]
        for at, level in levels:
            reach = sorted((abs(at - i), scale) for i, scale in scales)
            tie = len(reach) > 1 and reach[0][0] == reach[1][0] and reach[0][1] != reach[1][1]
            if not reach or reach[0][0] > 3 or tie:
                doubt |= set(_SCALES)  # "an average place" may speak of either
                continue
            unsure = any(word in _COMPARING for _, word in tokens[max(0, at - 2) : at])
            slot = tuple(_SCALE_WORDS)[reach[0][1]]
            if unsure or re.match(_VAGUE[slot], tokens[at][1]):
                doubt.add(slot)
            said[slot].add(level)
    readings = {}
    for slot, levels_said in said.items():
        maybe = not levels_said and re.search(_MAYBE_SCALE[slot], text) is not None
        doubtful = slot in doubt or len(levels_said) > 1 or maybe
        readings[slot] = Reading(frozenset(levels_said), frozenset(_SCALES[slot] if doubtful else ()))
    return readings
