"""Conditions and exceptions behind a demand ("… if asked", "… unless …", "… only for acronyms").

A condition in front of a demand makes the sentence a statement (mood.py). Constraints hold always, so that what is
demanded on a condition is none."""

import re

from gapo_core.constraints.parsing.grammar import FRAGMENTS, NEXT, compiled
from gapo_core.constraints.parsing.reading import Sentence

# Politeness ("if possible") and what the author is to do ("when answering", "when you advertise") are no conditions.
_POLITE = (
    r"(?! (?:at all )?possible\b| you (?:can|could|please|would|will|don['’]t mind)\b"
    r"| (?:that|it)['’]s (?:ok|okay|fine)\b)"
)
_EVER = (
    rf"(?:(?:if|in case|unless)\b{_POLITE}|when(?:ever)?\b(?! to\b| [a-z]+ing\b"
    r"| you (?!(?:are|get) |see\b|think\b|hear\b|like\b|want\b|wish\b|need\b|must\b|have to\b)))"
)
_WHO = (
    r"(?:(?:the|a|an|any|my|our) )?(?:user|customer|client|reader|guest|caller|student|visitor|message|question|input"
    r"|email|they|he|she|someone|anyone|asked)\b"
)
# Words of the same demand; not those that begin what the text is about ("… on what to do when it rains").
_SAME = (
    r"(?:(?!(?:what|how|why|who|where|which|about|that|whether|as|on|of|regarding|and|or|but|describing|explaining|saying"
    r"|tell|say|explain|describe|ask|check|show|know|inform|determine|decide)\b"
    r")[\w'’-]+ ){0,5}"
)
_WHOLE = rf"(?:your|the|this) (?:entire |whole )?{FRAGMENTS['text']}"
_IF = compiled(
    rf"(?:,| ?{_SAME}) ?(?:(?:but |and )?(?:only )?(?:{_EVER}|(?:as long as|provided(?: that)?)\b)"
    rf"|(?:only )?(?:once|after|until|as soon as|should) {_WHO}"
    r"|(?:only )?(?:(?:up)?on request|as (?:needed|required|appropriate)"
    r"|where (?:appropriate|applicable|needed|necessary|relevant|useful))\b"
    r"|for (?:the )?[\w'’-]+(?: [\w'’-]+)? only\b"
    rf"|only (?:for|at|during|on|in(?= (?:the|headings|titles|headers|names)\b)) (?!{_WHOLE})"
    r"|only to (?:mark|show|highlight|emphasi[sz]e|stress|separate|indicate)\b)"
)
# However far behind, but not behind another demand.
_UNLESS = compiled(
    rf"(?:(?!,? (?:and|but) (?:please )?{NEXT}|, {NEXT})[^.;:!?\n]){{0,100}}?,? ?"
    r"\b(?:unless\b|except (?:if|when|where|for|in|as|after|to)\b"
    r"|(?:otherwise|else),? (?:in|with|as|use|reply|respond|answer|write|keep|be)\b|depending on\b)"
)
_CLAUSE = compiled(rf"(?:(?!,? (?:and|but) (?:please )?{NEXT}|, {NEXT})[^.;!?\n]){{0,300}}")
# "Tell me in French if it will rain" asks whether.
_WHETHER = re.compile(
    r"\b(?:tell|say|explain|describe|ask|check|decide|state|show|know|inform|determine)\b[^.;:!?\n]{0,60}$", re.I
)
_ASKED_WHETHER = compiled(r",? ?(?:if|when)\b")
# "Be kind, and if they write in Dutch, answer in Dutch".
_AND_IF = compiled(
    rf"(?:[,;:]|\b(?:and|but)) (?:only )?{_EVER}[^.;:!?\n,]{{1,100}}, "
    r"(?:then |please |you (?:must|should) )?"
    r"(?:use|write|answer|reply|respond|keep|make|include|mention|say|do not|don['’]t|avoid|never|start|begin|end)\b"
    r"[^,.;:!?\n]{0,80}$"
)
# What the condition itself says: "if they write in Dutch".
_INSIDE = compiled(
    r"\b(?:if|when|whenever|unless)\b(?! (?:you|i|we)\b)[^,.;:!?\n]{0,40} "
    r"(?:they|he|she|it|someone|(?:the|an?|my|our|their) [\w-]+) ?$"
)


def condition(text: str, sentence: Sentence, start: int, end: int) -> int | None:
    """The end of the condition on which `start` … `end` is demanded; None where it is demanded always."""
    behind = _IF.match(text, end, sentence.end)
    if behind and _ASKED_WHETHER.match(text, end, sentence.end) and _WHETHER.search(text, sentence.start, end):
        behind = None
    if behind or (behind := _UNLESS.match(text, end, sentence.end)):
        rest = _CLAUSE.match(text, behind.end(), sentence.end)
        return rest.end() if rest else behind.end()
    about = max(sentence.start, start - 200)
    return end if _AND_IF.search(text, about, end) or _INSIDE.search(text, about, start) else None
