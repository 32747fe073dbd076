"""Words that must not stand in the response."""

import re
from collections.abc import Iterator

from gapo_core.constraints.parsing.rules import ASKED, IN_A_PART, OF_A_PART, Found, Kwargs, rule
from gapo_core.constraints.parsing.subjects.keywords import (
    KEY,
    MAY,
    NO_TEXT,
    NOUN,
    THE,
    USE,
    existence,
    listed,
    of_a_kind,
)
from gapo_core.constraints.parsing.subjects.letters import USED


def forbidden(found: Found) -> Iterator[tuple[str, Kwargs]]:
    if (words := listed(found)) and not of_a_kind(found, words):
        yield "keywords:forbidden_words", {"forbidden_words": words}


def _denied(found: Found) -> bool:
    text = found.match.group()
    return any(mark in text.lower() for mark in (" not ", "not be", "n't", "n’t", "never", "cannot"))


_NEGATED_USE = (
    "(?:(?:ever|once|to|be|use|using|the use of|use of|usage of|include|including|contain|containing"
    "|mention|mentioning|say|saying|write|writing|have|having|"
    "incorporate|employ|employing|add|in|feature|repeat|even|actually|simply|type|and|or|also|put"
    "|utter|resort|resorting|any|either|mentions of|mention of|just|anywhere|"
    "allowed|permitted|supposed|want|see|seeing|read|find|hear|"
    "reference|referencing|refer):? ){0,6}"
)
_OF_A_PART = (
    r"\b(?:titles?|headlines?|headings?|names?|keywords|subject line|chorus|first (?:line|sentence|paragraph))\b"
    r" (?:\w+ ){0,2}?(?:should|must|may|can|shall|cannot|does|do)\b[^.;,]{0,10}$"
)
# Not everywhere, or not the words but what they name.
_EXCEPT = r"\s*(?:as (?:an?|the)\b|anywhere else|except|unless|whenever|if\b|brand|instead of)|" + IN_A_PART
_SO_OFTEN = r"\s*(?:sparingly|rarely|seldom|only|at most|no more|more|over|above|beyond|less|fewer|twice|\d)\b"
# "Not 'very' or 'really' more than once".
_TOO_OFTEN = r"\s*(?:more|over|above|beyond) than\b|\s*(?:twice|too often)\b"
_NOT_ALWAYS = IN_A_PART + "|" + _TOO_OFTEN
# Not with somebody or at some place only ("'Ciao' must not be used with strangers").
_ANYWHERE = "(?= ?(?:[.,;!)]|$|anywhere|at all|at any|in (?:it|there|the|your|this)|and|or|either|please))"
_NAME = r"(?-i:(?!(?:I|Mrs?|Ms|Dr|Prof|St|Mt)\b)[A-Z][\w'’-]*[\w-](?: [A-Z][\w-]+){0,2})"
_OR = re.compile(r"\s+(?:or|and|nor)\s+")
TABLE = (
    rule(
        f"{{not}} {_NEGATED_USE}{THE}\\w+ {NOUN}:? {{quotes}}",
        "word words keyword keywords phrase phrases term terms expression expressions",
        forbidden,
        OF_A_PART,
        ASKED,
        _NOT_ALWAYS,
    ),
    rule(
        f"{{not}} {_NEGATED_USE}(?:: )?{THE}{NOUN}(?: like| such as|:| -| –)?:? {{items}}",
        "word words keyword keywords phrase phrases term terms expression expressions key",
        forbidden,
        OF_A_PART,
        ASKED,
        _NOT_ALWAYS,
    ),
    rule(
        f"{{not}} {_NEGATED_USE}(?:the )?{{quotes}}(?: (?:and|or) {{item}})?",
        (
            "not avoid avoids avoiding without never no refrain don t skip omit leave steer stay exclude ban "
            "forbid excluding mention keep"
        ),
        forbidden,
        r"(?:called|named|titled|begin|start|end|finish)\W{0,3}$"
        rf"|\b(?:there(?:['’]s)?|there is|is|are|was|has|have)\s*$|{_OF_A_PART}|{OF_A_PART}",
        ASKED,
        before=_EXCEPT + "|" + _TOO_OFTEN,
    ),
    # A name, which is written in one way only: "do not mention Dyson".
    rule(
        "(?:(?:do|must|should) not|don['’]t|never|without|avoid) (?-i:mention(?:ing)?) "
        f"(?P<items>{_NAME}(?: (?:or|and|nor) {_NAME})?)(?= ?(?:[.;!]|$|anywhere|at all|by name))",
        "mention mentioning",
        lambda found: [("keywords:forbidden_words", {"forbidden_words": _OR.split(found["items"])})],
        OF_A_PART,
    ),
    rule(
        (
            "(?:do not|don['’]t|never|without|avoid|avoiding) (?:use|using|say|saying|mention|mentioning"
            "|include|including)(?: the)? {items}(?= (?:in|within|throughout|anywhere in) (?:your |the |my )?"
            "(?:entire |whole |final )(?:{text}))"
        ),
        "don not never without avoid avoiding",
        lambda found: forbidden(found) if len(found.items()) > 1 else [],
        r"\bcommas?\b",
    ),
    rule(
        (
            f"{THE}{NOUN}(?: itself)?,? {{items}},? "
            f"(?:{{must}} )?(?:are|is|be|must|should|shall|may|can|cannot|do|does)? ?"
            f"(?:not|n['’]t|never|cannot)? ?(?:be )?(?:(?:of course|strictly|absolutely|completely|totally) )?"
            f"(?:forbidden|banned|off[- ]limits|off the table"
            f"|out of bounds|prohibited|taboo"
            f"|disallowed|excluded|avoided|left out|not allowed|not permitted)"
        ),
        "forbidden banned off prohibited taboo disallowed excluded avoided left allowed permitted",
        forbidden,
        before=_SO_OFTEN,
    ),
    rule(
        f"{{not}} (?:let|allow|have|want) {THE}(?:{NOUN} ){{items}} (?:to )?"
        "(?:appear|occur|show up|turn up|be used|(?:(?:slip|creep|sneak) )?in)",
        "let allow have want",
        forbidden,
    ),
    rule(
        f"{{not}} (?:[\\w'’-]+ ){{1,6}}(?:or|nor) (?:ever )?{USE} {THE}{KEY}:? {{items}}",
        "or nor",
        forbidden,
        before=_SO_OFTEN,
    ),
    rule(
        (
            f"{THE}{NOUN} {{items}} (?:must|should|may|can|cannot|shall|do|does|is|are|need to|have to)(?: "
            f"?not|n['’]t|not| never)? (?:not |never )?(?:be |to )?(?:\\w+ )?{USED}"
        ),
        "not never cannot can shouldn mustn t",
        lambda found: forbidden(found) if _denied(found) else existence(found),
        before=_SO_OFTEN,
    ),
    # "Neither answer may contain the word …", '"old" must not appear anywhere', 'of "x" and "y", none may be used'.
    rule(f"{NO_TEXT} {MAY}(?: ever)? {USE} {THE}(?:{KEY}:? )?{{quotes}}", "neither no none not", forbidden),
    rule(
        f"{{quotes}},? (?:(?:must|should|may|can|shall|do|does|is|are)(?: ?not|n['’]t| never)|cannot)(?: ever)? "
        f"(?:(?:be|to|to be|supposed to|allowed to) )?{USED}" + _ANYWHERE,
        "not never cannot t",
        forbidden,
    ),
    rule(
        f"{{quotes}},? (?:none|neither|not one|not a single one)(?: of (?:them|these|those|which))? {MAY} {USED}",
        "none neither not",
        forbidden,
    ),
    rule(
        f"(?:(?:none|neither|not one) of (?:the |these |those )?(?:\\w+ ){{0,2}}?|neither ):? ?{{quotes}} {MAY} {USED}",
        "none neither not",
        forbidden,
    ),
    rule(
        f"(?:leave|leaving|keep|keeping|cut|take) (?:out )?{THE}(?:{NOUN} )?{{quotes}} out",
        "leave leaving keep keeping cut take",
        forbidden,
    ),
    rule(
        (
            "(?:forbidden|banned|prohibited|taboo|disallowed|off[- ]limits|excluded|not allowed) (?:key ?)?"
            "(?:words?|phrases?|terms?)?(?: (?:are|is|include))?(?::| -)? {items}"
        ),
        "forbidden banned prohibited taboo disallowed limits excluded allowed",
        forbidden,
    ),
    # Only of who the author is told to be (content.py).
    rule(
        f"who (?:never|does not|doesn['’]t) (?:uses?|says?|mentions?) {THE}{NOUN} {{items}}",
        "never not doesn",
        forbidden,
    ),
    rule(
        "(?:forbidden|banned|taboo|off[- ]limits|{start}(?:avoid|(?:don['’]t|do not|never) use)): {quotes}",
        "forbidden banned taboo limits avoid use",
        forbidden,
    ),
    rule(
        (
            "(?:words?|terms?|phrases?) (?:that )?(?:you )?(?:(?:(?:may|can|must|should|is|are)(?: ?not|n['’]t| never)"
            "|cannot|(?:never|not) to|to (?:never|not))(?: (?:allowed|supposed) to| to)? (?:use|include|mention|be used"
            "|say)|(?:to|must|should) avoid):? {items}"
        ),
        "words word terms phrases",
        forbidden,
    ),
    # "… is a word I don't want to read in it".
    rule(
        "{quotes} (?:is|are) (?:an? |the |one )?(?:[\\w-]+ )?(?:words?|terms?|phrases?|expressions?) (?:(?:that"
        "|which) )?"
        "(?:i|we|you|readers) (?:\\w+ )?(?:do(?:n['’]t| not)|never|cannot|can['’]t|must(?:n['’]t| not)) (?:\\w+ to )?"
        "(?:\\w+ )?(?:read|see|hear|find|use|say|have|come across) (?:anywhere|(?:in|on) (?:it|there|here|(?:the"
        "|your|this)"
        " (?:\\w+ )?(?:{text}|page|site)))",
        "word words term terms phrase phrases expression expressions",
        forbidden,
    ),
    rule(
        "(?:and|but|,) {quoted},? (?:not (?:even |a single )?once|not (?:even )?a single time|not at all|never|zero"
        " times)",
        "not never zero",
        lambda found: [("keywords:forbidden_words", {"forbidden_words": [found["quoted"]]})],
    ),
    rule(
        "(?:nowhere|at no point)(?: (?:in (?:\\w+ ){0,3}{text}))?,? (?:may|should|must|can|shall|do|does|are|is) "
        "(?:(?:i|you|we) (?:want|wish|like) to (?:see|read) )?"
        f"(?:the )?(?:{NOUN} )?{{quotes}}",
        "nowhere point",
        forbidden,
    ),
    # "Legal doesn't let us say …, so leave those words out."
    rule(
        "{quotes}[^.;!?\\n]{0,60}?,? (?:so|hence|therefore) (?:please )?(?:leave|cut|skip|avoid|omit|drop|keep|take"
        "|do not use|don['’]t use|steer clear of) (?:out )?(?:them|those|these|both|that|it)"
        "(?: (?:two |three )?(?:words?|terms?|phrases?))?(?: out)?(?=[.,;!]|$)",
        "so hence therefore",
        forbidden,
    ),
    rule(
        "{quotes} (?:is|are) (?:\\w+ly )?(?:forbidden|banned|off[- ]limits|taboo|not allowed|not welcome|unwelcome) "
        "(?:anywhere )?(?:in|on|from) (?:it|here|(?:the|your|this) (?:\\w+ )?{text})",
        "forbidden banned off taboo allowed welcome unwelcome",
        forbidden,
    ),
)
