"""The language of the response."""

import re
from collections.abc import Iterator

from gapo_core.constraints.languages import LANGUAGES
from gapo_core.constraints.parsing.rules import ASKED, Found, Kwargs, governed, rule

CODES = {name.lower(): code for code, name in LANGUAGES.items()} | {
    "bangla": "bn",
    "farsi": "fa",
    "filipino": "tl",
    "mandarin": "zh",
    "slovene": "sl",
}
_NAME = "(?P<language>" + "|".join(sorted(CODES, key=len, reverse=True)) + ")"
_CUES = " ".join(CODES)
_REPLY = (
    "(?:respond|reply|answer|write|responds|replies|writes|response|answers?|output|text|speak|explain|say it|do it|be"
    "|is|use|written|responding|replying|answering|writing|compose|it|everything"
    "|composed|conversation|delivered|give|tell|describe|talk|summari[sz]e|draft|only|entirely"
    "|completely|exclusively|solely|fully|wholly|purely|word in {text}|worded|summary)"
)
_ALL = (
    "(?:entirely|completely|exclusively|only|solely|fully|wholly|purely|strictly|all in|100%|nothing "
    "but|totally|just in)"
)


# One of several: "in Hindi, Arabic or Thai", "in French/German".
_AND_OTHERS = re.compile(
    rf"\s*(?:/|,?\s*(?:or|and)\b|,(?=[^.;!?\n]{{0,60}}\b(?:or|and)\b))\s*(?:in\s+)?{_NAME}\b", re.IGNORECASE
)
_OR_THAT = re.compile(r"\b(?:either|or)(?:\s+in)?\s*$", re.IGNORECASE)


def _one_of_several(found: Found) -> bool:
    text, (start, end) = found.match.string, found.match.span("language")
    other = _AND_OTHERS.match(text, end)
    # "In Swedish and Swedish only" is one.
    if other and other["language"].lower() != found["language"].lower():
        return True
    return _OR_THAT.search(text, max(0, start - 20), start) is not None


def language(found: Found) -> Iterator[tuple[str, Kwargs]]:
    if _one_of_several(found):
        return
    if found["language"] == "polish" and not found.match.group().endswith("in polish"):
        return  # the verb
    yield "language:response_language", {"language": CODES[found["language"].lower()]}


_REQUEST = re.compile(
    r"\b(?:(?:can|could|would|will) (?:you|u)(?: please| kindly)? (?:write|make|draft|create|compose|prepare|provide"
    r"|produce|generate|give)|(?:can|could|may|might) (?:we|i)(?: please)? get (?:the|this|that|it|your))"
    r"\b[^.;:!?\n]{0,100}$",
    re.IGNORECASE,
)


def requested(found: Found) -> Iterator[tuple[str, Kwargs]]:
    """ "Could we get the teaser in Portuguese?", not "Is the menu in Portuguese?"."""
    if _REQUEST.search(found.reading.masked, max(0, found.match.start() - 160), found.match.start()):
        yield from language(found)


_GIVE = (
    "(?:want|need|(?<!\\bi\\sonly\\s)(?<!\\bwe\\sonly\\s)(?:give|return|output|send|print|show|provide|write"
    "|(?:reply|respond|answer) with))(?: (?:me|us|back|out))?"
)
# "Only the first sentence should be in French".
_ORDINAL_PART = (
    "(?:first|second|third|last|final|opening|closing|next) (?:[\\w-]+ )?"
    "(?:sentence|paragraph|line|word|half|part|verse|stanza|chorus|section|title|heading|headline|greeting|question)s?"
    "|the (?:title|heading|headline|intro|introduction|greeting|refrain|chorus|conclusion|subject line)"
)
# A word of another language, a translation of a phrase, a language as the subject.
_OF_A_PART = (
    governed("not|never|avoid", 40, ".;!?")
    + r"|\b(?:one word|words?|titles|names|phrases|keywords?|headings?|subtitles?|captions?|prefix|misused"
    r"|popular|songs"
    r"|correction|comments|variables?|code|others?|rest|remaining"
    r"|(?:may|can|could) (?:also )?be)\b(?:(?! and\b)[^.;:!?]){0,20}$"
    # Who speaks it in a tale ("in which a tourist orders food in …"), one of several ("one in …").
    + r"|\b(?:in which|where) (?:an?|the|two|some) [^.;:,!?]{1,60}$|\bone\s*$"
    + rf"|\b{_ORDINAL_PART}\b[^.;:!?]{{0,30}}$"
    + r"|\b(?:i|we)(?:['’]m|['’]re| am| are)? (?:only |mostly )?$|\b(?:word for|translation|translate|title|sentence"
    r" in|phrase|the word"
    r"|words for|say|speakers?|greeting|name|called|course|class|lessons?|learn(?:ing)?|teach|study"
    r"|mean|means|fluent|how)\b[^.;:!?]{0,40}$"
)
# What may stand behind "in French and": another demand; not another language or school subject.
_DEMANDS = (
    "(?:(?:please |also |then )?(?:use|keep|make|limit|avoid|do|not|no|don['’]t|never|without|with(?:in)?"
    "|end|finish|start|close|open|sign|conclude|highlight|mark"
    "|begin|mention|include|add|stay|be|put|wrap|tell|explain|describe|ask|thank|invite|remind|offer|apologi[sz]e"
    "|at (?:most|least)|under|less|fewer|(?:in )?(?:only |exactly )?\\d"
    "|to (?:close|end|finish|start|begin|open|be|have|contain|include|mention|use)|in (?:all|at|no|under|less|fewer"
    "|exactly|one|two|three|lower|upper|capital)|only in|nothing)\\b)"
)
_ANY = (
    "(?: language)?(?! (?:speakers?|class|teacher|course|grammar|lessons?|cuisine|culture|food"
    "|history|art|style|literature|law|and(?! "
    + _DEMANDS
    + "| (?P=language) only)|or|translation|word|version of|restaurant|accent|embassy"
    "|people|toast|wine|revolution|to\\b|into|people|company|dialect))"
)
TABLE = (
    rule(
        "(?:no|any)? ?other languages?(?: (?:is|are))?(?: not)? (?:allowed|permitted|than " + _NAME + ")",
        "language",
        lambda found: language(found) if found["language"] else [],
    ),
    rule(
        _ALL
        + "(?: (?:in|using|the|be|written|use|entirely|only|with)){0,4} "
        + _NAME
        + _ANY
        + "(?: only)?(?:,? (?:with )?no other languages?(?: (?:is|are))?(?: (?:allowed|permitted|accepted))?)?",
        _CUES,
        language,
        governed("not|never|avoid", 40, ".;!?"),
    ),
    rule(
        "in (?:the )?"
        + _NAME
        + "(?: language)?,? (?:with |and )?no other languages?(?: (?:is|are))?(?: (?:allowed|permitted|accepted))?",
        _CUES,
        language,
    ),
    rule(
        "in "
        + _NAME
        + "(?: language)? only|"
        + "in "
        + _NAME.replace("language", "language2")
        + ",? (?:and )?(?:no other|nothing else|not any other)",
        _CUES,
        lambda found: _either(found),
    ),
    rule(
        _REPLY
        + (
            "(?: (?!(?:not|in|how|why|word|words|name|phrase|say|learn|mean|means|about"
            f"|called|{_ORDINAL_PART})\\b)[\\w'’-]+){{0,5}}?,? (?:(?:all|only|entirely|completely|written) )?"
            "in(?: the)? "
        )
        + _NAME
        + _ANY
        + "(?: please)?",
        _CUES,
        language,
        _OF_A_PART,
    ),
    rule(
        "{start}(?:output |response |reply )?language(?: of (?:the )?{text})?(?: must be| should be| is| =)?:? "
        + _NAME
        + _ANY,
        _CUES,
        language,
    ),
    rule(
        "(?:use|speak|write|using)(?: only| just)?(?: the)? "
        + _NAME
        + " ?(?:language)? ?(?:only|throughout|for (?:your|the|this) {text}|exclusively)",
        _CUES,
        language,
        governed("not|never|avoid", 40, ".;!?"),
    ),
    rule(_NAME + "[- ]language (?:response|answer|reply|text|version only)", _CUES, language),
    rule(
        "(?:respond|reply|answer|write|speak)(?: back| to me| only)? (?:using|with)(?: only| the)? " + _NAME + _ANY,
        _CUES,
        language,
    ),
    rule(
        "{start}(?:only " + _NAME + "|" + _NAME.replace("language", "language2") + " only)(?=[.,!]|$)",
        _CUES,
        lambda found: _either(found),
    ),
    rule(r"(?<=[,;:–-]\s)" + _NAME + r"(?: only)?,? please(?=[.!]|$)", _CUES, language),
    # The whole of a terse sentence: "Obituary of a houseplant. French."
    rule(r"(?<=[.;]\s)" + _NAME + r"(?:,? please)?(?=[.!])", _CUES, language),
    # "I only want the Japanese text back", "give just the Ukrainian translation".
    rule(
        f"(?:{_GIVE} (?:only|just|nothing but)|(?:only|just) {_GIVE}) (?:the |a )?"
        + _NAME
        + " (?:text|translation|version|wording|sentences?|result)(?: back| please| itself| of (?:it|this))?"
        "(?= ?(?:[.,;:!)]|$|and\\b|without\\b|with no\\b|nothing else\\b|no\\b))",
        _CUES,
        language,
    ),
    rule("in " + _NAME + "(?: language)?(?:,? please)?(?=\\?$)", _CUES, requested, _OF_A_PART),
    rule(
        "(?:you (?:{must} )?only|who only) (?:speaks?|writes?|uses?|knows?|understands?) " + _NAME + _ANY,
        _CUES,
        language,
    ),
    rule("(?:language )(?:should|must|has to|needs to) be " + _NAME, _CUES, language),
    rule(
        "{start}in "
        + _NAME
        + "(?: language)?(?:(?: please)?:|,? please,?|,(?= (?:please |kindly |briefly )?(?:explain|describe"
        "|write|tell|give"
        + "|name|summari[sz]e|compose|draft|answer|respond|reply|create|compare|can you|could you)\\b))",
        _CUES,
        language,
    ),
    rule(
        "in " + _NAME + "(?: language)?(?:,? (?:please|obviously|of course|naturally))?(?=[.!]?(?: ?[:;]-?\\))?$"
        "|, ?(?:with|and|using|in|no|without|under|at|please|but|not|since|because|as)\\b"
        "| and " + _DEMANDS + ")",
        _CUES,
        language,
        _OF_A_PART + r"|\b(?:interested|live|living|proficient|movies|books|written|expert|major)\b[^.;!?]{0,20}$|\?$",
        ASKED,
    ),
)


def _either(found: Found) -> Iterator[tuple[str, Kwargs]]:
    name = found["language"] or found["language2"]
    yield "language:response_language", {"language": CODES[name.lower()]}
