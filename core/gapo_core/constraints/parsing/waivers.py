"""What a sentence allows or does not insist on ("you need not …", "feel free to …", "… is optional"): no demand."""

from gapo_core.constraints.parsing.grammar import NEXT, NUMBER, compiled

# Where another demand begins: "no need to be formal, but stay under 50 words".
_ANOTHER = (
    r"(?:[.;!?\n]| [–—-]{1,2} |,? (?:but|just|instead|so|as long as|so long as|provided|yet|however|though)\b"
    rf"|[,:] (?:{NEXT}|(?:at (?:most|least)|exactly|in|fewer|less|more|over|all|only|then)\b|{NUMBER})"
    r"|,? and (?:please|make sure|do not|don['’]t|never)\b"
    rf"| (?=(?-i:[A-Z]))(?!I\b){NEXT})"  # where the full stop is forgotten
)
_TO_ITS_END = rf"(?:(?!{_ANOTHER})[^\n]){{0,300}}"
_DEGREE = "(?:(?:really|actually|necessarily|even|always|strictly|also|perfectly|totally|absolutely|quite|too) ){0,2}"
_WAIVED = compiled(
    r"(?:"
    # A duty denied: "you don't have to …", "it isn't necessary that …", "the text does not need commas".
    rf"(?:\bnot|n['’]t|\bnever|\bno longer) {_DEGREE}(?:(?:need|have|asking|required?|obliged|obligated|expected"
    r"|forced|bound|compelled) (?:you |it |(?:the|your) {text} )?to\b"
    r"|(?:necessary|mandatory|obligatory|compulsory|essential|needed|required|a must)\b)"
    rf"|\b(?:you|it|(?:the|your) {{text}}) (?:do|does)(?: not|n['’]t) {_DEGREE}(?:need|require)\b"
    r"|\bneed(?: not|n['’]t)\b"
    r"|\bno (?:real |particular )?(?:need|obligation|requirement|necessity|pressure)\b"
    # A care denied: "don't worry about …", "don't feel bound to …", "I don't mind if …".
    rf"|(?:\bnot|n['’]t|\bnever) {_DEGREE}(?:worry|bother|fret|fuss|mind|care|object|insist"
    r"|(?:feel|be) (?:like )?(?:obliged|bound|forced|compelled|limited|restricted|confined|pressured|the need"
    r"|you (?:have|need|must)))\b"
    rf"){_TO_ITS_END}"
    # "Ignore the usual limit of 100 words".
    r"|\b(?:ignore|disregard) (?:the|any|your|this|that) (?:[\w-]+ ){0,4}(?:limit|maximum|minimum|rule)s?\b"
    rf"(?: (?:of|that){_TO_ITS_END})?"
)
# What sets a limit all the same: "you may use up to 90 words", "no other language is fine".
_LIMITED = (
    r"\b(?:up to(?! you)|at most|at the most|no|not|never|without|only|just|max(?:imum|\.)?|under|less|fewer|below"
    r"|within|tops|between|from|anything|nothing|none|exactly|limit\w*|(?:run|go|extend) to)\b|n['’]t\b"
)
_UNLIMITED = rf"(?!(?:(?!\bbut\b)[^.;!?\n]){{0,160}}?(?:{_LIMITED}))"
_DO = (
    "(?:use|write|include|answer|reply|respond|have|go|exceed|contain|run|start|begin|end|finish|mention|repeat|add"
    "|speak|extend|say|highlight|be (?:in|over|more|longer|above|as|all|written))"
)
_PERMITTED = compiled(
    r"(?:"
    rf"\b(?:feel|you(?:['’]re| are)) {_DEGREE}(?:free|welcome|allowed|permitted|at liberty)\b"
    rf"|(?:\b(?:it|that|i)(?:['’]s|['’]m| is| am| would be|['’]d be)|\bwould be) {_DEGREE}"
    r"(?:fine|ok|okay|acceptable|all right|alright|no problem|possible|happy) (?:to|if|for|with|that|when)\b"
    r"|(?:\bnot|n['’]t|\bnever) (?:hesitate|be (?:afraid|shy|scared))\b"
    rf"|\b(?:you|it|(?:the|your) {{text}}) (?:can|may|could|might) {_DEGREE}(?={_DO}\b)"
    rf"){_UNLIMITED}{_TO_ITS_END}"
)
# "More than 200 words is fine", "answers in Dutch are welcome", "the word 'price' is optional".
_FINE = compiled(
    rf"(?:^|[,;:] ){_UNLIMITED}[^,;:.!?\n]{{1,120}}? (?:is|are|would be|will be) {_DEGREE}"
    r"(?:fine|ok|okay|acceptable|optional|unnecessary|up to you|welcome|allowed|permitted|no problem)\b"
)
_NEEDLESS = compiled(
    r"(?:^|[,;:] )[^,;:.!?\n]{1,120}? (?:(?:is|are)(?: not|n['’]t)|not|need not) "
    rf"{_DEGREE}(?:be )?(?:necessary|mandatory|obligatory|compulsory|needed|required|a must)\b"
)


def waived(sentence: str) -> list[tuple[int, int]]:
    """Where the sentence allows something or says that it need not be; what stands there is not demanded."""
    return [match.span() for pattern in _PATTERNS for match in pattern.finditer(sentence)]


_PATTERNS = (_WAIVED, _PERMITTED, _FINE, _NEEDLESS)
