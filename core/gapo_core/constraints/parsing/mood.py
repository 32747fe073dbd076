"""Whether a sentence demands something of the response, asks for information or states something."""

import re
from typing import Literal

from gapo_core.constraints.parsing.grammar import FRAGMENTS, HIDDEN

_CUE = re.compile(
    r"\b(?:should|shouldn['’]?t|must|mustn['’]?t|needs? to|ha(?:s|ve) to|shall|ought|requir\w+|make "
    r"(?:sure|certain)|be (?:sure"
    r"|certain)|ensure|please|pls|plz|kindly|don['’]?t|do not|can ?not|can['’]?t|may not|avoid|never"
    r"|refrain|(?:can|could|would|will) (?:you|u)|let['’]?s"
    rf"|(?:it|all|everything|{FRAGMENTS['text']}) (?:is|are) to"
    r"|i(?:['’]d| would)? (?:want|need|like|love|prefer|appreciate|forbid|expect|demand|insist)|i would be"
    r"|try to|remember to"
    r"|(?:not |dis)allowed|forbidden|prohibited|banned|off[- ]limits|you (?:can|may|need|have)|(?:time"
    r"|room|space) for)\b",
    re.IGNORECASE,
)
# Reasons hold no demand: "printed in capitals because he can't see well".
_BECAUSE = re.compile(r"\bbecause [^,.;:!?\n]*", re.IGNORECASE)
_POLITE = re.compile(
    r"\b(?:can|could|would|will|may|might) (?:you|u|ya|we|i (?:get|have|ask))\b|\bplease\b|\bhow about\b|\bmind\b",
    re.IGNORECASE,
)
# "What would you cut?" asks for an opinion.
_OPINION = re.compile(
    r"\s*(?:(?:so|and|but|ok|well|then),? )?(?:what|which|who|whom|why|where|when|how)(?: [\w'’-]+){0,3} "
    r"(?:would|can|could|will|may|might) (?:you|we)\b",
    re.IGNORECASE,
)
_INTERROGATIVE = re.compile(
    r"\s*(?:[-*•]\s*)?(?:\(?\d{1,2}[.)]\s*)?"
    r"(?:(?:so|and|but|ok|well|also|(?:hi|hello|hey|dear)(?: \w+){0,3}),? )?(?:why"
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
    r"|passwords?|constitution)"
    r"|(?:an?|one|some|another|this|that|the|our|my) (?:[\w-]+ )?(?:friend|colleague|coworker|guy|client|customer"
    r"|neighbou?r|uncle|aunt|cousin|brother|sister|mother|father|reviewer|editor|manager|lecturer"
    r"|supervisor|journal|magazine"
    r"|publisher|recruiter|competition|contest|company|agency|court|judge|teacher|professor|user|student"
    r"|person|man|woman"
    r"|girl|boy|kid|child|king|queen|book|guide|blog|website|newspaper)s?)"
)
_REPORT = re.compile(
    rf"\b{_PERSON} (?:once |always |never |just |recently |often )?(?:said|says|told|wrote|claimed"
    rf"|claims|asked|emailed|texted"
    r"|was told|were told|am told|was asked|read|heard|think|thinks|thought|believe|believes|noticed"
    r"|remember|know|bet|dared"
    r"|challenged|insisted|demanded|suggested|advised|warned|complained|requested|ordered|taught|forbade|promised"
    r"|swore|swears|jokes|joked|insists"
    r"|argued?|argues)\b"
    r"|(?<!which )(?<!that )\b(?:says?|said|states|stated|requires|required|insists|stipulates?|stipulated"
    r"|specifies) that\b"
    r"|^\s*(?:my|our|his|her|their) [\w-]+(?: [\w-]+)? (?:is|are|was|were) (?:\w+ )?(?:written|printed|published)\b"
    r"|^\s*(?:and |but )?the (?!last\b|first\b|final\b)(?![^\n]{0,300}\bso please\b)[\w-]+ "
    r"(?:said|told|claims|claimed|insists|insisted|demands"
    r"|demanded|wants|wanted|asked)\b"
    r"|^\s*(?:but |and )?(?:(?:earlier|yesterday|before),? )?you (?:said|told|wrote|claimed|promised|answered|asked)\b"
    r"|^\s*i (?:really )?(?:like|love|hate|enjoy|dislike|admire) (?:\w+ )?(?!answers|responses|replies)\w+s "
    r"(?:that|which|who)\b"
    r"|^\s*(?:our|my|his|her|their) (?:[\w-]+ ){1,3}(?:asked|told|insisted|ordered|forbade|advised) "
    r"(?:us|me|him|her|them|everyone)\b"
    r"|\b(?:had|used) to (?:be|have|contain|end|start|use|fit|include)\b"
    r"|\b(?:i|we)(?:['’]ve| have) (?:always |often |just )?been (?:told|asked|advised|warned|instructed|taught)\b"
    # "The poem I love repeats …".
    r"|^\s*the [\w-]+ (?:that |which )?(?:i|we|he|she|they) (?!want|need|ask|order|expect)[a-z]+ [a-z]{3,}s\b"
    # "No commas, no capitals: that's how he wrote".
    r"|: that(?:['’]s| is| was) (?:how|why|the way) (?!(?:i (?:want|need|like)|you|it should|to)\b)"
    # "Everybody in our office has banned …".
    r"|^\s*(?:and |but |so )?(?:every(?:body|one)|no(?:body| one)|someone|somebody|people)"
    r"(?: (?:in|at|on|from|of|around|here) [^.,;!?]{1,30}?)? (?:has|have|had|is|are|was|were)\b(?! to\b)"
    # "The application form says the statement must …".
    r"|^\s*(?:and |but )?(?:the|my|our|his|her|their|this|that) (?!last\b|first\b|final\b|opening\b|closing\b)"
    r"(?:[\w'’-]+ ){1,4}?says\b"
    r"|\b(?:rule|law|policy|requirement|tradition|convention|norm)(?: \w+){0,3} that\b"
    r"|\b(?:clause|section|article|rule|manual|policy|contract|handbook|ticket|sign|label|letter|message"
    r"|page|report|email"
    r"|review)(?: \d+)? (?:says?|said|states?|stated|shows?|showed)\b",
    re.IGNORECASE,
)
_OTHERS_DUTY = re.compile(
    (
        rf"^\s*(?:[-*•]\s*)?(?:and |but |so |because )?{_PERSON} (?:(?:in|at|on|from) (?:the|our|my) \w+ )?"
        r"(?:\w+ )?(?:should|must|needs? to|ha(?:s"
        rf"|ve) to|shall|may not|cannot|can't|(?:is|are) to)\b"
    ),
    re.IGNORECASE,
)
_PARTS = re.compile(
    r"(?:words?|terms?|phrases?|letters?|capitals|caps|keywords?|bullets?|points|sections?|paragraphs?"
    r"|sentences?|commas?"
    r"|placeholders?|lines?|titles?|headings?|post-?scripts?|highlights?|brackets?|marks?|minimum|maximum"
    r"|total|responses"
    r"|replies|answers|outputs|messages|ps|p\.s|response|reply|answer|items|hashtags?|that|which"
    r"|this|yes|characters"
    r"|names|languages?)\b",
    re.IGNORECASE,
)
# "The committee will not read proposals longer than …", not "the text will be …".
_THEY_WILL = re.compile(
    rf"^\s*(?:the|our|my|their|his|her) (?!(?:[\w'’-]+ )?(?:{_PARTS.pattern}|{FRAGMENTS['text']}\b|task|assignment))"
    r"[\w'’-]+(?: [\w'’-]+)? (?:will|won['’]t|would|wouldn['’]t|requires?|required|demands?|expects?)\b",
    re.IGNORECASE,
)
_FINITE = re.compile(
    r"^\s*(?:[-*•]\s*)?(?!(?:the )?(?:minimum|maximum|min|max) is\b)(?!(?:all )?(?:responses|replies|answers) are\b)"
    rf"(?:(?:and|but|so|because|yesterday|recently|today|last \w+|if|when|since"
    rf"|although),? )?(?:{_PERSON}|it|this|that|there|the [\w-]+"
    r"|the [\w'’-]+ [\w-]+|[\w-]+) (?:\w+ly |once |always |often )?(?:is|are|was|were|am|has|have|had"
    r"|did|does|wrote|writes|contains|contained|includes|included"
    r"|used|uses|made|got|consists|consisted|(?!hundred\b)[a-z]{3,}ed)\b"
    r"|^\s*(?:[-*•]\s*)?(?:the|an?|our|my|his|her|their|its|this|that) "
    r"(?:[\w'’-]+ ){1,8}?(?:was|were|had|did|used|wrote|(?:is|are) (?:shown|displayed|sent|returned|stored|saved))\b"
    r"|^\s*(?:[-*•]\s*)?the (?:[\w'’-]+ ){1,3}?(?:of|in|on|by|at|from) (?:our|my|his|her|their) (?:[\w'’-]+ ){1,3}?"
    r"(?:has|have|is|are|contains?|uses?|begins?|starts?|ends?|consists?)\b(?! to\b)"
    r"|^\s*(?:[-*•]\s*)?(?:the|an?) [\w-]+(?: [\w-]+)? (?:is|are) (?:an?|the)\b"  # says what something is
    # A text that there is already.
    r"|^\s*(?:i['’]m|i am|we['’]re|we are) (?:currently |just |now )?(?:marking|grading|reading|editing|reviewing"
    r"|proofreading|correcting|translating|studying|learning|teaching|dealing with|struggling with)\b",
    re.IGNORECASE,
)
_LATELY = (
    r"(?:for (?:years|decades|centuries|months|ages),? "
    r"|(?:since|after|before|until|last|these days|nowadays|today|yesterday|at|on)\b[^,.;!?]{0,40}, )?"
)
_WHOSE = r"(?:the|an?|my|our|his|her|their|some|many|most|these|those)"
_PLACE = (
    r"(?:first|second|third|fourth|fifth|sixth|last|final|next|opening|closing|one|whole|entire|rest|end|beginning)\b"
)
_JOINING = r"(?:that|which|who|whose|where|with|without|about|in|of|for|to|and|or|as)"
# What others than the response do; forms that are nouns as well ("answers", "limits") are left out.
_DOES = (
    r"(?:contain(?:s|ed)?|allow(?:s|ed)?|accept(?:s|ed)?|prints|printed|uses|used|holds?|held|mention(?:s|ed)?"
    r"|includes?|included|repeats|repeated|requires?|required|permits|permitted|limited|restricts?|restricted|bans"
    r"|banned|forbids?|forbade|rejects?|rejected|charges|charged|takes?|took|gives?|gave|consists?|insists?|insisted"
    r"|speaks?|spoke|writes?|wrote|reads|ends|ended|begins|began|starts|started|opens|opened|finish(?:es|ed)?"
    r"|lists|shows|displays|describes|prefers?|preferred|hates?|hated|deletes|deleted|cuts|counts|came|comes|went"
    r"|goes|became|got|won|lost|left|sent"
    r"|posted|put|answered|replied|said|told|asked|signed|typed)"
)
_TELLS = tuple(
    re.compile(rf"^\s*(?:(?:and|but|so|then) )?{_LATELY}(?:{told})", re.IGNORECASE)
    for told in (
        # "My phone keyboard is stuck and types in capitals", "my grandmother's letters always begin with …".
        rf"(?:my|our|his|her|their) (?!(?:\w+ )?{FRAGMENTS['text']}\b)(?:[\w'’-]+ ){{1,4}}?"
        r"(?:is|are|has|have|does|keeps?)\b(?! to\b)",
        r"(?:my|our|his|her|their) (?:[\w'’-]+ ){1,4}?(?:always|often|usually|sometimes|typically|still) [a-z]+",
        r"(?:i|we) (?:usually|always|often|never|sometimes|mostly|normally|typically|rarely|tend to) [a-z]+",
        r"(?:he|she|they) [a-z]{3,}\b",
        r"it (?:takes|took|costs|cost)\b",
        # "Legal wants all notices in capitals".
        r"(?-i:[A-Z])[a-z]+ (?:wants|insists|hates|says|likes|loves|prefers|demands|expects|asks|thinks|writes"
        r"|speaks)\b(?!:| (?:an?|we|i|it) )",
        # "Our club's statutes contain …", "the survey allows answers of …".
        rf"{_WHOSE} (?!(?:[\w'’-]+ )?(?:{FRAGMENTS['text']}\b|{_PARTS.pattern}|{_PLACE}))"
        rf"(?:(?!{_JOINING}\b)[\w'’-]+ ){{1,4}}?{_DOES}\b(?! to\b)",
        # "My editor cut my story to …", "the museum's guide mentions the word …".
        rf"(?:my|our|his|her|their) (?!{FRAGMENTS['text']}\b)[\w-]+ (?!in\b|on\b|of\b|for\b|with\b|about\b|to\b|as\b)"
        r"[a-z]{3,} (?:my|our|his|her|their|me|us|him|it|them)\b",
        rf"(?:the|an?|my|our|his|her|their) (?!{FRAGMENTS['text']}\b)[\w-]+['’]s (?!{_PARTS.pattern}|{_PLACE})"
        r"(?:[\w-]+ ){1,3}?[a-z]{3,}s (?:the|an?|with|in|at|all|every|no|only|his|her|their)\b",
        # "The text on the box has …", not "the letters of the response have …".
        rf"the (?:[\w'’-]+ ){{1,3}}?(?:of|in|on|by|at) (?:the|this|that) (?!(?:\w+ )?{FRAGMENTS['text']}\b)"
        r"(?:[\w'’-]+ ){1,3}?(?:has|have|contains?|says?|reads?)\b(?! to\b)",
        # A text that there is, a plan, a supposition.
        r"(?:i|we|they)['’]ve (?:got|had|written|made|read|seen|just|already|received)\b",
        r"(?:for [^,.;!?]{1,60}, )?(?:i['’]m|i am|we['’]re|we are) (?:thinking (?:about|of)|considering|wondering"
        r"|planning|debating)\b",
        r"(?:suppose|assume)\b",
        rf"{_WHOSE} (?:[\w'’-]+ ){{1,5}}?(?:hasn|haven|isn|aren|wasn|weren|didn)['’]t\b",
    )
)
# What is so of a kind of things in general ("a good abstract has …", "tweets must …"), unless of the response's parts.
_GENERIC = re.compile(
    r"^\s*(?:(?:and|but|so|because|since) )?"
    r"(?P<kind>(?:an?|any|many|most|all|some) (?:[\w-]+ ){0,2}?[\w-]+|(?!(?:the|your|my|our|its|his|her"
    r"|their|these|those|this|you|it|always"
    r"|also|make|use|does|has)\b)(?:[\w-]+ )?[\w-]{2,}(?<!thi)s)"
    r"(?: (?:in|of|on|for|from|at|with|over|under|above|below|without|via|by|through|during) [\w' -]{1,30}?)? "
    r"(?:should|must|gets?|will|would|often|usually|needs? to|needs?|ha(?:s|ve)(?: to)?|may|can(?:not"
    r"|['’]t)?|requires?|contains?|rarely|seldom|never|always|sometimes|hardly|mostly|typically|generally)\b"
    r"(?! be (?:wrapped|enclosed|surrounded|written|put|placed|separated|marked)\b)",  # which the writer is to do
    re.IGNORECASE,
)
_THIRD = _PERSON.replace("(?:i|we|", "(?:", 1)
_HABIT = re.compile(
    rf"^\s*(?:and |but |so )?{_THIRD} (?:always |never |often |usually |only )?(?!is\b|has\b|needs\b"
    rf"|must\b)[a-z]{{3,}}s\b"
    r"(?! to (?:be|have|contain|include)\b)",
    re.IGNORECASE,
)
"""What others do or want ("my teacher wants essays of 500 words") is no demand of the writer of the prompt."""
_THEIR_HABIT = re.compile(
    r"^\s*(?:and |but |so )?(?:our|my|his|her|their) [\w-]+ [\w-]+ (?:always |never |often |usually |only )?"
    r"(?!is\b|has\b|needs\b|must\b)[a-z]{3,}s (?!in\b|under\b|within\b|with\b|max\b|of\b|and\b|to be\b|to have\b)\w"
    r"|^\s*(?:and |but |so )?(?:our|my|his|her|their) [\w-]+ [\w-]+ "
    r"(?:answers|replies|responds|writes|speaks|talks) in\b",
    re.IGNORECASE,
)
# "My boss hates these words, so avoid them."
_SO_AVOID = re.compile(
    rf"(?:\bcommas?\b|{HIDDEN}.)[^.;!?\n]{{0,100}},? so (?:please )?"
    r"(?:leave|avoid|skip|drop|omit|cut|do not use|don['’]t use) (?:out )?(?:it|them|those|these|both|any)\b",
    re.IGNORECASE,
)
# "I can't have the word in it: write a card".
_THEN_ASKED = re.compile(
    r"^\s*(?:i|we) (?:can(?:not|['’]t)|must|may not|have to|need) [^.:;!?\n]{1,120}: (?:please )?"
    r"(?:write|draft|give|compose|make|tell|describe|explain|create)\b",
    re.IGNORECASE,
)
# "…, my designer said so".
_AS_SAID = re.compile(
    r"\bas i (?:wrote|typed|asked|said|put|phrased) (?:it|them)\b"
    r"|(?<=.), (?:(?:my|our|the|his|her|their) [\w-]+|he|she|they) (?:says?|said|wants?|wanted|insists?|asked) so\b",
    re.IGNORECASE,
)
_WITHIN = re.compile(r"^\s*(?:in|with|within|using) [^,.;:]{1,40}, (?=\w)", re.IGNORECASE)
_IN_A_WORK = re.compile(
    r"^\s*in (?:the|this|that|his|her|\w+['’]s) (?:\w+ )?(?:poem|book|song|novel|story|play|film|movie"
    r"|speech|verse)s?, ",
    re.IGNORECASE,
)
_ABOUT_WRITING = re.compile(
    r"\b(?:writ\w+|wrote|novel|essay|books?|poems?|texts?|author\w*|haikus?|use of)\b", re.IGNORECASE
)
_ACCORDING = re.compile(r"^\s*according to [^,]{1,60}, (?!please|write|use|keep|give|make|limit)", re.IGNORECASE)
_OF_OTHERS = re.compile(
    r"^\s*how (?:long|short|many (?:words|sentences)) (?:should|must|can|may)\b[^?]{0,80}\bbe\b"
    # How something is said elsewhere: "how would a lawyer phrase this without …".
    r"|^\s*how (?:would|do|does|did|can|could|might) (?!you\b)[\w'’ -]{1,40}? (?:say|phrase|put|express|word|call)\b"
    # What another is to do: "how can I get a model to answer in …?"
    r"|^\s*how (?:can|do|could|would|should) (?:i|we) (?:get|make|force|prompt|ask|instruct|configure)\b",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(r"^\s*(?:and |but |so )?if (?:i|we|he|she|they)\b", re.IGNORECASE)
_EXAMPLE = re.compile(
    r"^\s*(?:(?:plot|story|game|film|book|novel|scene|product|app|business) (?:idea|premise|setting|concept):"
    r"|(?:context|background|situation|premise):(?=[^\n]{0,300}\b(?:is|are|was|were|has|have|had|may|can|allows?)\b)"
    r"|for example|for instance|e\.g\.|i\.e\.|example\b[^:]{0,20}:|such as"
    r"|here(?:['’]s| is) (?:an?|one|my|the) (?:\w+ )?(?:example|sample|draft|attempt)\b)",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"^\s*(?:[-*•]\s*)?(?:if (?!possible|you (?:can|could|please))|in case|unless|whenever|when|otherwise) ?",
    re.IGNORECASE,
)
_TASK = re.compile(
    r"^\s*(?:[-*•]\s*|\(?\d{1,2}[.)]\s*)?(?:please |kindly |also,? )?(?:answer|respond|say|reply|write|give|use"
    r"|include|mention|keep|limit"
    r"|leave|avoid|skip|put|add|steer clear|stay away|wrap|separate|(?:end|finish|close|start|begin|open) (?:it|with"
    r"|on|by"
    r"|your|the)|(?:make|let|have)(?= (?:[\"“”'‘]|(?:the|it|your)\b)))\b",
    re.IGNORECASE,
)


_GREETING = re.compile(
    r"^\s*(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|dear [\w-]+)(?: [\w-]+){0,2}, ", re.IGNORECASE
)


# Who the response's author is told to be: "you are a poet who never uses commas".
PERSONA = re.compile(
    r"^\s*(?:(?:system|role): )?(?:you are|you['’]re|act as|pretend to be|imagine you are) (?:an?|the|my|our|\w+,)\s",
    re.IGNORECASE,
)


def mood(sentence: str) -> Literal["demand", "question", "statement"]:
    """A sentence is taken as a demand unless its form says otherwise; the rules themselves are the stricter test."""
    if _SO_AVOID.search(sentence) or _THEN_ASKED.match(sentence):
        return "demand"
    if _EXAMPLE.match(sentence) or _ACCORDING.match(sentence) or _told_of(_GREETING.sub("", sentence)):
        return "statement"
    if _OF_OTHERS.match(sentence):
        return "statement"
    if sentence.rstrip(" \n\t\"”'’)").endswith("?") and _INTERROGATIVE.match(sentence) and not _polite(sentence):
        told = _ABOUT_WRITING.search(sentence) or _SUPPOSED.match(sentence)
        return "statement" if told else "question"
    if _CONDITION.match(sentence):
        return "statement"
    if _TASK.match(sentence):
        return "demand"
    if _REPORT.search(_AS_SAID.sub("", sentence)) or _OTHERS_DUTY.search(sentence) or _THEY_WILL.match(sentence):
        return "statement"
    generic = _GENERIC.match(sentence)
    if generic and not _PARTS.search(generic["kind"]):
        return "statement"
    if _CUE.search(_BECAUSE.sub("", sentence)) or PERSONA.match(sentence):
        return "demand"
    return "statement" if _FINITE.match(sentence) or any(told.match(sentence) for told in _TELLS) else "demand"


def _polite(text: str) -> bool:
    """Whether a question is a request."""
    return _POLITE.search(text) is not None and not _OPINION.match(text)


def _told_of(sentence: str) -> bool:
    """Whether it tells of people or of a work, be it behind "in three sentences, …"."""
    if _IN_A_WORK.match(sentence) and not _CUE.search(sentence):
        return True
    within = _WITHIN.match(sentence)
    if within and not _CUE.search(sentence):
        return _HABIT.match(sentence[within.end() :].replace(" of the book", "")) is not None
    habit = _HABIT.match(sentence) or _THEIR_HABIT.match(sentence)
    return habit is not None and not _OWN_TEXT.match(sentence)


_OWN_TEXT = re.compile(
    r"^\s*(?:my|our) (?:\w+ )?(?:answer|response|reply|text|essay|letter|speech|post|article)s?\b", re.I
)

_ADJUNCT = re.compile(
    r"(?:^|[,;:(–—-]|\b(?:in|within|using|use|with|without|under|by|than|and|or|not|please|answer|respond"
    r"|reply|write|give"
    r"|me|be|you|explain|describe|can|could|would|will|tell|say|list))\s*(?:(?:just|only|exactly|about"
    r"|a|the|about) ?)*$",
    re.IGNORECASE,
)
_ADJOINED = re.compile(r"(?:in|within|using|use|with|without|under|by|no|not|don['’]t|please|,)\b", re.IGNORECASE)


_ASKED_DUTY = re.compile(
    r"\b(?:ha(?:s|ve)|needs?|supposed|required|expected) to (?:be|contain|have)\s*$", re.IGNORECASE
)


def adjoined(before: str, match: str) -> bool:
    """Whether words of a question say how to answer it ("… in two sentences?") and are not what it asks about."""
    if _polite(before):
        return True
    if _ASKED_DUTY.search(before):
        return False
    return _ADJOINED.match(match) is not None or _ADJUNCT.search(before) is not None
