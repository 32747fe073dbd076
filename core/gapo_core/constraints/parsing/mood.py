"""Whether a sentence demands something of the response, asks for information or states something."""

import re
from typing import Literal

_CUE = re.compile(
    r"\b(?:should|shouldn['’]?t|must|mustn['’]?t|needs? to|ha(?:s|ve) to|shall|ought|requir\w+|make "
    r"(?:sure|certain)|be (?:sure"
    r"|certain)|ensure|please|pls|plz|kindly|don['’]?t|do not|can ?not|can['’]?t|may not|avoid|never"
    r"|refrain|(?:can|could|would|will) (?:you|u)|let['’]?s"
    r"|i(?:['’]d| would)? (?:want|need|like|love|prefer|appreciate|forbid|expect|demand|insist)|try to|remember to"
    r"|(?:not |dis)allowed|forbidden|prohibited|banned|off[- ]limits|you (?:can|may|need|have))\b",
    re.IGNORECASE,
)
_POLITE = re.compile(
    r"\b(?:can|could|would|will|may|might) (?:you|u|ya|we|i (?:get|have|ask))\b|\bplease\b|\bhow about\b|\bmind\b",
    re.IGNORECASE,
)
_INTERROGATIVE = re.compile(
    r"\s*(?:[-*•]\s*)?(?:\(?\d{1,2}[.)]\s*)?(?:(?:so|and|but|hi|hello|hey|ok|well|also),? )?(?:why"
    r"|what|what['’]s|whats|how|when|where|who|whom|whose|which"
    r"|is|isn['’]t|are|was|were|do|does|did|has|have|had|should|shall|must|am|if)\b",
    re.IGNORECASE,
)
_PERSON = (
    r"(?:i|we|he|she|they|someone|somebody|everybody|everyone|people|my [\w-]+|our [\w-]+|his [\w-]+"
    r"|her [\w-]+|their [\w-]+"
    r"|(?:all |the |our |every |most )?(?:staff|employees?|students?|pupils?|applicants?|candidates?"
    r"|members?|users?|customers?|tenants?|teachers?"
    r"|professors?|boss|author|contract|law|laws|participants?|players?|visitors?|patients?|drivers?"
    r"|passwords?|constitution))"
)
_REPORT = re.compile(
    rf"\b{_PERSON} (?:once |always |never |just |recently |often )?(?:said|says|told|wrote|claimed"
    rf"|claims|asked|emailed|texted"
    r"|was told|were told|am told|was asked|read|heard|think|thinks|thought|believe|believes|noticed|remember|know)\b",
    re.IGNORECASE,
)
_OTHERS_DUTY = re.compile(
    (
        rf"^\s*(?:[-*•]\s*)?(?:and |but |so |because )?{_PERSON} (?:\w+ )?(?:should|must|needs? to|ha(?:s"
        rf"|ve) to|shall|may not|cannot|can't)\b"
    ),
    re.IGNORECASE,
)
_FINITE = re.compile(
    rf"^\s*(?:[-*•]\s*)?(?:(?:and|but|so|because|yesterday|recently|today|last \w+|if|when|since"
    rf"|although),? )?(?:{_PERSON}|it|this|that|there|the [\w-]+"
    r"|the [\w-]+ [\w-]+|[\w-]+) (?:\w+ly |once |always |often )?(?:is|are|was|were|am|has|have|had"
    r"|did|does|wrote|writes|contains|contained|includes|included"
    r"|used|uses|made|got|consists|consisted|[a-z]{3,}ed)\b",
    re.IGNORECASE,
)
_ABOUT_WRITING = re.compile(
    r"\b(?:writ\w+|wrote|novel|essay|books?|poems?|texts?|author\w*|haikus?|use of)\b", re.IGNORECASE
)
_EXAMPLE = re.compile(r"^\s*(?:for example|for instance|e\.g\.|i\.e\.|example\b[^:]{0,20}:|such as)", re.IGNORECASE)
_CONDITION = re.compile(
    r"^\s*(?:[-*•]\s*)?(?:if (?!possible|you (?:can|could|please))|in case|unless|whenever|when) ?", re.IGNORECASE
)
_TASK = re.compile(
    r"^\s*(?:[-*•]\s*|\(?\d{1,2}[.)]\s*)?(?:answer|respond|reply|write|give|use|include|mention|keep|limit)\b",
    re.IGNORECASE,
)


def mood(sentence: str) -> Literal["demand", "question", "statement"]:
    """A sentence is taken as a demand unless its form says otherwise; the rules themselves are the stricter test."""
    if _EXAMPLE.match(sentence):
        return "statement"
    if sentence.rstrip(" \n\t\"”'’)").endswith("?") and _INTERROGATIVE.match(sentence) and not _POLITE.search(sentence):
        return "statement" if _ABOUT_WRITING.search(sentence) else "question"
    if _CONDITION.match(sentence):
        return "statement"
    if _TASK.match(sentence):
        return "demand"
    if _REPORT.search(sentence) or _OTHERS_DUTY.search(sentence):
        return "statement"
    if _CUE.search(sentence):
        return "demand"
    return "statement" if _FINITE.match(sentence) else "demand"
