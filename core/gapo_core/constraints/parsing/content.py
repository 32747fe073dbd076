"""Where a sentence says what code, a tale, a rule or a message does: no demand on the response stands there."""

import re

from gapo_core.constraints.parsing.grammar import FRAGMENTS, HIDDEN, NUMBER
from gapo_core.constraints.parsing.mood import PERSONA

_OF_A_TEXT = (
    r"(?:(?:each|every|no|all|the) )?(?:words?|phrases?|letters?|sentences?|lines?|stanzas?|verses?|paragraphs?|commas?"
    r"|title|text|poem|story|it|you)\b"
)
_CONTENT = re.compile(
    r"\b(?:explain|tell|inform|remind|warn|announce|mention|say)\b[^.;:!?\n]{0,40}? that (?P<message>[^.;!?\n]*)|"
    r"\b(?:functions?|program|script|reg(?:ular )?ex(?:pression)?|query|method|algorithm|macro|formula|validators?"
    r"|parser|class|component|endpoint|plugin|spreadsheet|loop|filter|hook|linter|trigger|(?:test|unit"
    r"|edge)(?: tests?| cases?)"
    r"|tests|code|command|one-liner|decorator)\b[^.;:!?\n]{0,60}?"
    r"\b(?:that|which|to|where|returning|checking|counting|printing|rejecting|removing|accepting|matching|if)\b"
    r"(?P<code>[^.;!?\n]*)"
    # Rules for others: what stands in them is the text, not how long it is.
    r"|\b(?:write|create|draft|design|make|draw up|compose|prepare|set|invent|give|suggest|need|want)\b[^.;:!?\n]{0,20}"
    r"\b(?:rubric|guidelines?|checklist|policy|rules|regulations|quiz|contest|competition|assignment|worksheet|exercise"
    r"|homework|instructions|announcement|game"
    r")\b[^.;:!?\n]{0,60}?(?:(?::|where|in which|for which|which|that (?:says?|states?|requires?"
    r"|demands?)|stating"
    r"|saying) (?:(?!please|your|it|use|the (?:text|answer|response))[\w'’-]+ ){1,4}?(?:needs?|must|should"
    r"|may|can|ha(?:s|ve)|is|are"
    r"|requires?|gets?|write|wins?)\b)(?P<ruled>[^;!?\n]*)"
    r"|\bwho (?:can(?:not|['’]t)?|could|must|may|only|never|always|ha(?:s|ve) to|needs? to|(?:is|are|was|were|has"
    r" been|had been|got) (?:asked"
    r"|told|allowed|ordered|forced|advised|warned|made)|says|claims|decided|thinks|believes"
    r"|[a-z]{3,}s (?=(?:everything|all|only|her|his|each|every)\b)|is forbidden|is not allowed"
    r"|speaks|writes|hates"
    r"|likes|wants|wanted|took|swore|spoke|wrote|said|refuses|refused|insists|insisted|talks|answers"
    r"|avoids?|omits?|uses?|write"
    r"|prints)\b(?P<person>[^,.;!?\n]*)|\b(?:app|logo|icon|font|keyboard|filter|show|tool|survey|game|machine|device"
    r"|site|form|world|land|town"
    r"|kingdom|village|city|country|planet|island|school"
    r"|society|family|group|team|crowd|audience|community)s? "
    r"(?:that|which|where|in which)\b(?! the (?:letter|word|phrase|name) [^,.;!?\n]{1,60} (?:times|once|twice)\b)"
    r"(?P<thing>[^,.;!?\n]*)"
    r"|\b(?:in which|where) (?:the )?(?:nobody|no one|everyone|everybody|people|someone|anyone|citizens"
    r"|inhabitants|villagers|children|kids|adults|men|women|students|pupils|learners|players|participants"
    r"|users|customers"
    r"|employees|teams) (?P<folk>[^.;!?\n]*)"
    r"|\b(?:in which|where|about|when) (?:an?|the|some|his|her|two|my) (?!words?\b|phrases?\b"
    r"|letters?\b|names?\b)[\w-]+ "
    r"(?:who |that )?(?:always |never )?(?:tells?|asks?|orders?|bans?|banned|forbids?|demands?|insists?|says?|must|may"
    r"|has to|have to|cannot|can['’]t|makes?|punishes|teaches|requires?|only|is|are|was)\b(?P<tale>[^.;!?\n]*)"
    r"|\bthe (?:\w+ )?(?:novel|book|film|song|story|poem|poet|author|word|play) (?:that|which|who)"
    r" (?P<known>\w+s\b[^,.;!?\n]*)"
    r"|\b(?:what|which) (?:is|are|was|were) [^.;!?\n]{0,40}?\b(?:words?|names?|books?|novels?"
    r"|sentences?|poems?) (?P<sought>(?:without|with|that|in) [^,.;!?\n]*)"
    r"|\bask(?:s|ing|ed)?\b[^.;:!?\n]{0,40}? (?:whether|if|why) (?P<asked>[^.;!?\n]*)"
    r"|\bwhether (?:[\w'’-]+ ){1,4}?(?:may|must|should|can|could|ha(?:s|ve) to) "
    r"(?P<debated>(?:not )?(?:be|have|contain|use|include|begin|start|end|exceed|consist)\b[^,.;!?\n]*)"
    r"|\b(?:for|of|about) an? [^.;:!?\n]{1,60}: (?:it|he|she) (?!(?:is|has|needs|contains|includes|uses|mentions|starts"
    r"|begins|opens|ends|closes|consists|stays)\b)[a-z]+s\b(?P<described>[^.;!?\n]*)"
    r"|\bwhy (?:[\w'’-]+ ){1,4}?(?:tells?|asks?|says?|advises?|recommends?|forbids?|bans?|wants?|requires?|insists?"
    r"|discourages?)\b(?P<reasoned>[^,.;!?\n]*)"
    r"|\b(?:one|the other|the first|the second|the former|the latter) (?:has|have|had|contains?"
    r"|uses?)\b(?P<compared>[^.;!?\n]*)"
    # What somebody in a tale has to do or says; not what its words and lines do.
    r"|\b(?:scene|story|tale|play|sketch|skit|dialogue|film|fable|poem|chapter|comedy|ballad|sitcom|myth|legend)\b"
    rf"[^.;:!?\n]{{0,30}} (?:in which|where|about) (?!{_OF_A_TEXT})(?:(?!{_OF_A_TEXT})[\w'’-]+,? ){{1,16}}?"
    r"(?:ha(?:s|ve) to|must|needs? to|(?:can|may)(?: only|not)|cannot|can['’]t|is (?:only )?allowed|is forbidden"
    r"|speaks?|says?|writes?|answers?|replies|insists?|refuses?|demands?|charges?|decides?|learns?|tries|pays?)\b"
    r"(?P<acted>[^,.;!?\n]*)"
    r"|\b(?:about|describe|imagine|discuss|review|analy[sz]e) an? (?:\w+ )?(?:novel|book|film|song|story|poem|text"
    r"|essay|letter|play) (?:that|which|in which|with no|without(?! using)|written) (?P<subject>[^,.;!?\n]*)"
    # Things looked for: "recommend books written in lowercase".
    r"|\b(?:recommend|suggest|find|name|list|know|compare|rank|are there|examples of)\b[^.;:!?\n]{0,40}?\b(?:books?"
    r"|novels?|poems?|songs?"
    r"|films?|movies?|authors?|words?|names?|languages|countries|websites?|apps?|people|speeches)"
    r" (?P<wanted>(?:written|printed|that|which|who|with|without|containing|where|whose|in which)\b[^,.;!?\n]*)"
    # The task of another.
    r"|\b(?:(?:my|his|her|their|our|the) [\w-]+['’]s|his|her|their) (?:\w+ )?(?:homework|assignment|exercise|brief|task"
    r"|instructions?)(?: (?:is|was) to|:) (?P<task>[^.!?\n]*)"
    # Words told without quotation marks ("when people say: keep it short").
    r"|\b(?:they|people|he|she|we|you|i|someone|sign|label|poster|rules?|instructions?|assignment|slogan|motto|notice)"
    r" (?:always |often |just |really )?(?:say|says|said|reads?|stated?|states|goes|told|asks?|asked|wrote"
    r"|means?|meant)"
    r"(?: (?:me|us|that|by))?: ?(?P<told>[^\n]*)",
    re.IGNORECASE,
)


def _saying(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_HOW_TO_ANSWER = (
    r"\b(?:(?:in|within|under|using|with)(?: (?:at|no|not|less|fewer|more|than|under|exactly|only|just|up|to|most|least"
    rf"|a|maximum|of|between)){{0,5}} {NUMBER}[ -](?:words?|sentences?|characters|paragraphs?|bullets?)\b|without\b"
    r"|and (?:please )?(?:write|use|keep|make|answer|do not|don['’]t|end|finish|start|begin|mention|include|give)\b)"
)
# Each has one group: what is said there.
_TOLD = (
    # "Why contracts are often written in capitals".
    _saying(
        r"\bwhy (?:[\w'’-]+ ){1,5}?(?:is|are|was|were) "
        r"(?:(?:often|always|usually|sometimes|only|mostly|still|all) ){0,2}"
        r"((?:written|printed|typed|spoken|limited|restricted|in (?:all|capital|upper|lower))\b[^,.;!?\n]*)"
    ),
    # "Explain how Twitter came to have a limit of 140 characters", not "how tea is made in 140 characters".
    _saying(
        r"\b(?:explain|tell|know|describe|show|say)\b(?: [\w'’]+){0,2} (?:how|why|when) "
        rf"(?:[\w'’\"“”{HIDDEN}-]+ ){{1,6}}?"
        r"(?:(?:came|comes?|used) to|ended up(?: with)?|(?:has|have|had|got|gets|sets?|imposed|introduced|allow(?:s"
        r"|ed)?|chose"
        r"|us(?:e|es|ed)|limit(?:s|ed)?|limits?|requires?|required|wants?|wanted|doubled|raised|contains?|insists?"
        r"|only|always|never|often|usually|still|must|ha(?:s|ve|d) to|should|may|can(?:not|['’]t)?)\b)"
        rf"((?:(?!{_HOW_TO_ANSWER})[^,.;!?\n])*)"
    ),
    # "The new rule that all signs have to be in Welsh".
    _saying(
        r"\b(?:rule|law|policy|regulation|decision|proposal|idea|claim|complaint|custom|habit) that "
        r"(?!it\b|you|the (?:response|text|answer|reply)|every\b|each\b|no\b|all (?:words|letters))([^,.;!?\n]*)"
    ),
    # "A commit message for: limit names to 20 characters", "a note to the printer: our brochure …".
    _saying(r"\b(?:message|note|entry|description|title) for: ([^\n]*)"),
    _saying(
        r"\b(?:note|message|e-?mail|mail|letter|memo|notice) to (?:the|my|our|his|her|an?) [^.;:!?\n]{1,40}: "
        r"((?:our|we|my|they|all|i (?!want|would|need (?:it|you|the))) ?[^\n]*)"
    ),
    # "Check if this text has fewer than 100 words".
    _saying(
        r"\b(?:check|verify|test|find out|count|detect|measure|decide|see)s? (?:if|whether) "
        r"((?:(?! and (?:answer|reply|respond|tell|explain|write|keep|use)\b)[^,.;:!?\n])*)"
    ),
    # "Saying reports must be in English".
    _saying(
        r"\bsaying (?:that )?(?!(?:i|we|he|she|they|you|it)\b)(?:[\w'’-]+ ){1,4}?"
        r"(?:must|should|ha(?:s|ve) to|needs? to|(?:can|may) only)\b([^,.;!?\n]*)"
    ),
    # What a text announces or complains of: "announcing that tweets will be limited to 140 characters".
    _saying(
        r"\b(?:announc|explain|warn|remind|inform|complain|confirm|clarify|claim|argu)ing(?: (?:to )?[\w'’]+){0,3}"
        r" that "
        r"([^,.;!?\n]*)"
    ),
    _saying(
        r"\b(?:complain|claim|argu|insist|believ|suspect|notic|regret|admit|deni|jok|brag|boast)(?:e?s|e?d) that "
        r"([^,.;!?\n]*)"
    ),
    # What others do, behind what is asked for: "…, they never use commas", "a café whose waiters speak French".
    _saying(
        r", (?:because |since |as )?(?:they|he|she) (?:never|always|often|usually|only(?! (?:take|allow|accept|print"
        r"|give|have room)s?\b)|still|rarely"
        r"|hardly)\b([^.;!?\n]*)"
    ),
    _saying(rf"\bwhose (?!{_OF_A_TEXT})(?!(?:first|last|opening|final)\b)[\w-]+ ([^,.;!?\n]*)"),
    # "Help me understand this requirement: …", "what it means if a field accepts JSON".
    _saying(
        r"\b(?:understand|explain|interpret|decode|clarify|paraphrase)\b[^.;:!?\n]{0,30}\b(?:this|these|the|that)"
        r" (?:\w+ )?"
        r"(?:requirement|rule|clause|instruction|condition|note|sentence|wording|phrase|task|prompt|line"
        r"|message)s?(?: to \w+)?: "
        r"([^\n]*)"
    ),
    _saying(r"\bwhat (?:it|this|that) means (?:if|when|that) ([^,.;!?\n]*)"),
    # "Examples of sentences without the letter e".
    _saying(r"\bexamples? of (?:[\w-]+ ){0,2}?\w+s ((?:without|with|that|which|written|in)\b[^,.;!?\n]*)"),
    _saying(r"\b(?:filter|alert|search|query) for ([^,.;!?\n]*)"),
    # "The rules of the quiet car: no calls, …", not those for the answer.
    _saying(
        rf"\brules? (?:of|for|at|in) (?:the|our|my|his|her|their|an?) (?!(?:\w+"
        rf" )?{FRAGMENTS['text']}\b)[^.;:!?\n]{{1,40}}: "
        r"([^\n]*)"
    ),
    # "I want to learn how to write in lowercase".
    _saying(r"\blearn(?:ing)? (?:how )?to ([^,.;!?\n]*)"),
    # "A guide on writing in capitals", not "a guide on writing in under 100 words".
    _saying(
        r"\b(?:guides?|tutorials?|articles?|essays?|posts?|lessons?|courses?|talks?|tips|advice|tricks|rules|etiquette"
        r"|benefits|advantages|drawbacks|dangers|effects|history|art|habit|psychology|pros and cons)\b"
        r"(?: [\w'’-]+){0,3}? (?:on|about|for|of|to|against|behind) (?:people )?(?:writing|typing|texting|speaking"
        rf"|talking|answering|replying|responding|using|avoiding|posting|e?mailing)\b((?:(?!{_HOW_TO_ANSWER})[^,.;!?\n])*)"
    ),
    # What a model is told in the prompt that is asked for.
    _saying(
        r"\b(?:tell|mak|ask|instruct|gett?|forc|forbid|lett?|requir|order|prompt)(?:s|es|e|ing)? "
        r"(?:(?:the|an?|my|our|your|any) )?(?:[\w-]+ )?(?:models?|bots?|assistants?|chat ?bots?|ai|llms?|chatgpt|gpt"
        r"|claude|agents?)\b([^.;!?\n]*)"
    ),
    # "I'm looking for a song that starts with …".
    _saying(
        r"\b(?:looking|searching) for an? (?:\w+ )?"
        r"(?:book|novel|song|film|movie|word|name|poem|quote|website|app|person)"
        r" ((?:that|which|who|whose|with|without|written|where)\b[^,.;!?\n]*)"
    ),
)


def content(sentence: str) -> list[tuple[int, int]]:
    """Where the sentence says what the code, the tale or the work that it speaks of does; no demands stand there."""
    persona = PERSONA.match(sentence)
    spans = [
        match.span(match.lastgroup)
        for match in _CONTENT.finditer(sentence)
        if match.lastgroup and not (persona and match.lastgroup == "person")
    ]
    return spans + [match.span(1) for pattern in _TOLD for match in pattern.finditer(sentence)]
