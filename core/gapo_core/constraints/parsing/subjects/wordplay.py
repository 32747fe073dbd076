"""What IFBench asks of words, sentences and their proportions."""

from collections.abc import Iterator

from gapo_core.constraints.parsing.grammar import amount, number, ordinal
from gapo_core.constraints.parsing.rules import Build, Found, Kwargs, rule


def _at_least(id: str, name: str) -> Build:
    """A rule's builder for a family whose only keyword argument is a least number."""

    def build(found: Found) -> Iterator[tuple[str, Kwargs]]:
        count = amount(found.match)
        if count and count.low:
            yield id, {name: count.low}

    return build


def _number(id: str, name: str) -> Build:
    return lambda found: [(id, {name: number(found["number"])})]


def numbers(found: Found) -> Iterator[tuple[str, Kwargs]]:
    count = amount(found.match)
    if count and count.exact:
        yield "count:numbers", {"N": count.exact}


def keywords(found: Found) -> Iterator[tuple[str, Kwargs]]:
    yield "count:keywords_multiple", {f"keyword{n}": found[f"word{n}"] for n in range(1, 6)}


def repeats(found: Found) -> Iterator[tuple[str, Kwargs]]:
    number_of = found["number"] or found["once"]
    yield "words:repeats", {"small_n": number(number_of)}


def keyword_place(found: Found) -> Iterator[tuple[str, Kwargs]]:
    places = {"n": ordinal(found["ordinal"]), "m": ordinal(found["second"])}
    if min(places.values()) > 0:
        yield "words:keywords_specific_position", {"keyword": found["item"], **places}


def sentence_keyword(found: Found) -> Iterator[tuple[str, Kwargs]]:
    if (place := ordinal(found["ordinal"])) > 0:
        yield "sentence:keyword", {"word": found["item"], "N": place}


def numbered_sentence_keyword(found: Found) -> Iterator[tuple[str, Kwargs]]:
    yield "sentence:keyword", {"word": found["item"], "N": number(found["number"])}


def numbered_place(found: Found) -> Iterator[tuple[str, Kwargs]]:
    places = {"n": number(found["number"]), "m": int(found["second"])}
    yield "words:keywords_specific_position", {"keyword": found["item"], **places}


def word_range(found: Found) -> Iterator[tuple[str, Kwargs]]:
    count = amount(found.match)
    if count and count.low and count.high:
        yield "count:word_count_range", {"min_words": count.low, "max_words": count.high}


def percentage(id: str) -> Build:
    return lambda found: [(id, {"percentage": number(found["number"])})]


_SENTENCE = "(?:the |your )?sentence (?:number )?{number}"
_THE_WORD = "(?:the )?(?:key ?word |word )?"
_WORD = "(?:[\"“'‘`]?)(?P<word{n}>[\\w'’-]{{1,40}}|\ue000{{1,40}})(?:[\"”'’`]?)"
_TIMES = (
    "(?:once|one time|1 time|a single time)",
    "(?:twice|two times|2 times)",
    "(?:three|3) times",
    "(?:five|5) times",
    "(?:seven|7) times",
)
_MULTIPLE = (
    r"[^.!?\n]{{0,40}}?".join(
        "(?:key ?word|word) " + _WORD.format(n=n).replace("{{", "{").replace("}}", "}") + r"[^.,;!?\n]{0,20} " + times
        for n, times in enumerate(_TIMES, start=1)
    )
    .replace("{{", "{")
    .replace("}}", "}")
)

_SECOND = (
    "(?P<second>first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth"
    "|\\d{1,3} ?-?(?:st|nd|rd|th))"
)
_EACH = "(?:each|every|all(?: of the)?)"
TABLE = (
    rule(_MULTIPLE, "keyword word", keywords),
    rule(
        (
            "(?:key ?word|word) {item} (?:\\w+ ){0,5}?(?:in|within|inside) the {ordinal} sentence(?: of your "
            "response)?,? (?:as|being|at) (?:the )?"
        )
        + _SECOND
        + " word(?: (?:of|in) (?:that|the) sentence)?",
        "keyword word",
        keyword_place,
    ),
    rule(
        (
            "(?:include|use|place|put|insert|contain|have|with)? ?(?:the )?(?:key ?word|word) {item} (?:\\w+ "
            "){0,5}?(?:in|within|inside) (?:your |the )?{ordinal} sentence"
        ),
        "keyword word",
        sentence_keyword,
    ),
    rule(
        (
            "{ordinal} sentence (?:\\w+ ){0,3}?(?:must|should|has to|needs to)? ?(?:include|contain|use"
            "|mention|feature)s? (?:the )?(?:key ?word|word) {item}"
        ),
        "sentence",
        sentence_keyword,
    ),
    rule(
        f"(?:use|include|mention|put|place) {_THE_WORD}{{item}} in {_SENTENCE}",
        "sentence",
        numbered_sentence_keyword,
    ),
    rule(
        f"{_SENTENCE} {{must}} (?:contain|include|use|hold|mention) {_THE_WORD}{{item}}",
        "sentence",
        numbered_sentence_keyword,
    ),
    rule(
        f"word (?:number )?(?P<second>\\d{{1,3}}) of {_SENTENCE} {{must}} be {_THE_WORD}{{item}}",
        "sentence",
        numbered_place,
    ),
    rule(
        f"{_THE_WORD}{{item}} as word (?:number )?(?P<second>\\d{{1,3}}) of {_SENTENCE}",
        "sentence",
        numbered_place,
    ),
    rule(
        f"{_THE_WORD}{{item}} both the second and the second[- ]to[- ]last word",
        "second",
        lambda found: [("words:words_position", {"keyword": found["item"]})],
    ),
    rule(
        f"second word and the last word but one(?: of (?:your|the) {{text}})? {{must}} be {_THE_WORD}{{item}}",
        "second",
        lambda found: [("words:words_position", {"keyword": found["item"]})],
    ),
    rule(
        (
            "second word (?:\\w+ ){0,4}?and (?:the )?second[- ](?:to[- ])?(?:last|to last) word (?:\\w+ "
            "){0,4}?(?:must|should|has to|have to|is to)? ?(?:both )?be (?:the )?(?:key ?word |word )?{item}"
        ),
        "second",
        lambda found: [("words:words_position", {"keyword": found["item"]})],
    ),
    rule(
        "{count} (?:different |distinct |unique )?(?:coordinating |co-ordinating )conjunctions",
        "conjunctions",
        _at_least("count:conjunctions", "small_n"),
    ),
    rule("{count} (?:different |distinct |personal )?pronouns", "pronouns", _at_least("count:pronouns", "N")),
    rule(
        (
            "{count} (?:different |distinct |unique )?(?:person(?:al)?|people['’]?s|first) names(?: (?:in "
            "(?:the|your) (?:response|answer))?,? ?(?:from|chosen from|out of|taken from)[^.\\n]{0,700})?"
        ),
        "names",
        _at_least("count:person_names", "N"),
        before=r"$^",
    ),
    rule(
        "{count} (?:\\w+ )?(?:unique|distinct|different) words",
        "unique distinct different",
        _at_least("count:unique_word_count", "N"),
    ),
    rule(
        "{count} (?:numbers|numerals|numeric values)(?! (?:of|that|from|between|in the (?!response|answer|text)))",
        "numbers numerals numeric",
        numbers,
        r"\b(?:each|every|per|line|row|other|first|last|next|list|add|multiply|sum|divide|start\w*)\b[^.;]{0,40}$",
    ),
    rule(
        "(?:(?:do|must|should|may) not|don['’]t|never|cannot) (?:use|include|contain|write|mention) (?:any )?"
        "(?:numbers|digits|numerals)(?= ?(?:[.,;!]|$|at all|or\\b|and\\b))"
        "|(?:without(?: any| using(?: any)?)?|(?:use|using|contain|include|with) no|avoid(?: using)?(?: any)?) "
        "(?:digits|numerals)(?= ?(?:[.,;!]|$|at all|or\\b|and\\b))",
        "numbers digits numerals",
        lambda found: [("count:numbers", {"N": 0})],
        r"\b(?:bullets?|lists?|passwords?|names?|each|every|usernames?)\b[^.;]{0,40}$",
    ),
    rule("contain between (?P<n>\\d{1,6}) and (?P<m>\\d{1,6}) words", "words", word_range),
    rule(
        (
            "every (?:standard |common )?punctuation mark(?: at least once)?(?:,? including[^.!?\\n]{0,60}"
            "(?:interrobang)?(?: \\(\\?!\\))?)?"
        ),
        "punctuation",
        "count:punctuation",
    ),
    rule(
        "every {ordinal} word (?:\\w+ ){0,4}?(?:must|should|has to|needs to|is|to)? ?(?:be )?(?:in )?japanese",
        "japanese",
        lambda found: (
            [("count:words_japanese", {"N": ordinal(found["ordinal"])})] if ordinal(found["ordinal"]) > 0 else []
        ),
    ),
    rule(
        (
            "trigram overlap (?:of|at|around|about|equal to)? ?{number} ?%(?: ?\\(?(?:±|\\+/-|plus or minus) "
            "?\\d{1,2} ?%\\)?)?(?: (?:with|to) the (?:provided |given |reference |source )*text)?"
        ),
        "trigram",
        lambda found: [("fact:overlap", {"percentage": number(found["number"])})],
    ),
    rule(
        (
            "(?:stop ?words?|stopwords)[^.!?\\n]{0,60}?(?:no more than|at most|less than or equal to|not "
            "exceed|under|below|up to|not more than|maximum of) {number} ?(?:%|percent)(?: of (?:the )?"
            "(?:total )?words)?"
        ),
        "stop stopwords",
        percentage("ratio:stop_words"),
    ),
    rule(
        (
            "(?:ratio|balance|number) (?:of|between) (?:the )?sentence types[^.!?\\n]{0,90}?(?:balanced|equal"
            "|even)|(?:balance|equal number|even mix) (?:of |between )?(?:declarative,? ?(?:and "
            ")?interrogative,? ?(?:and )?exclamatory)[^.!?\\n]{0,20}"
        ),
        "sentence declarative",
        "ratio:sentence_balance",
    ),
    rule(
        (
            "(?:2 ?: ?1|two[- ]to[- ]one|2[- ]to[- ]1) ratio (?:of|between) declarative (?:sentences )?(?:to"
            "|and) interrogative(?: sentences)?"
        ),
        "declarative",
        "ratio:sentence_type",
    ),
    rule(
        "(?:three|3) sentences,? (?:\\w+ ){0,5}?(?:the )?same number of characters[^.!?\\n]{0,40}?different words",
        "characters",
        "ratio:sentence_words",
    ),
    rule(
        _EACH
        + (
            " sentences? (?:\\w+ ){0,5}?(?:a )?longer (?:sequence|run|string|chain) of (?:consecutive "
            ")?alliterati\\w+(?: words)?(?: than the (?:previous|one before|last)(?: one)?)?"
        ),
        "sentence sentences",
        "sentence:alliteration_increment",
    ),
    rule(
        _EACH
        + (
            " sentences? (?:\\w+ ){0,5}?(?:exactly )?{number} (?:more words|words (?:more|longer)) than "
            "(?:the )?(?:previous|one before|preceding|last)(?: (?:one|sentence))?"
        ),
        "sentence sentences",
        _number("sentence:increment", "small_n"),
    ),
    rule(
        _EACH
        + (
            " words? (?:\\w+ ){0,4}?(?:starts?|begins?|starting|beginning) with the next letter (?:of|in) "
            "the alphabet(?:,? [^.!?\\n]{0,60}(?:after|back)[^.!?\\n]{0,12})?"
        ),
        "alphabet",
        "words:alphabet",
    ),
    rule(
        _EACH
        + (
            " words? (?:\\w+ ){0,4}?(?:has|have|contains?|includes?) (?:at least )?(?:one|a) consonant "
            "clusters?(?: ?\\([^)]{0,60}\\))?"
        ),
        "consonant",
        "words:consonants",
    ),
    rule(
        (
            "(?:the )?last word of (?:each|every) sentence (?:\\w+ ){0,3}?(?:becomes?|be|is|serves? as"
            "|repeated as) (?:also )?(?:the )?first word of the next(?: (?:one|sentence))?"
        ),
        "last",
        "words:last_first",
    ),
    rule(
        (
            "no two consecutive words (?:\\w+ ){0,3}?(?:share|start with|begin with|have) (?:the )?same "
            "(?:first|initial|starting) letter|no two consecutive words (?:\\w+ ){0,2}?(?:start|begin) with "
            "the same letter"
        ),
        "consecutive",
        "words:no_consecutive",
    ),
    rule(
        (
            "alternat\\w+ between words with (?:an )?odd and even numbers? of syllables|alternat\\w+ (?:\\w+ "
            "){0,4}odd and even (?:\\w+ ){0,3}syllables?(?: counts?)?"
        ),
        "syllables syllable",
        "words:odd_even_syllables",
    ),
    rule(
        (
            "(?:ten|10) (?:or more )?(?:single[- ]word )?palindromes?(?:,? (?:each )?(?:at least|of at "
            "least) (?:5|five) (?:characters|letters)(?: long)?)?"
        ),
        "palindromes palindrome",
        "words:palindrome",
    ),
    rule(
        (
            "(?:each|every) paragraph (?:\\w+ ){0,4}?ends? with the same word (?:that )?(?:it|as it|which "
            "it) (?:started|starts|began|begins)(?: with)?(?:,? separate paragraphs with a newline)?"
        ),
        "paragraph",
        "words:paragraph_last_first",
    ),
    rule(
        (
            "(?:use )?(?:only )?words (?:with|whose|of|that have) (?:lengths?|a length|prime lengths?)? ?"
            "(?:that )?(?:are|is|of)? ?(?:a )?(?:prime(?: numbers?)?)(?: in length)?"
        ),
        "prime",
        "words:prime_lengths",
    ),
    rule(
        (
            "(?:not|never|n['’]t|no) (?:repeat )?(?:any |a |the same |single )?words? (?:may |should |can "
            "|must )?(?:be )?(?:repeated |appear |used |occur )?(?:more than )(?:(?P<once>once|twice|thrice)"
            "|{number} times?)"
        ),
        "repeat repeated word words",
        repeats,
    ),
    rule(
        (
            "(?:response|answer|reply|text|it) (?:must|should|has to|needs to) (?:start|begin|open) with a "
            "verb|(?:start|begin|open) (?:your (?:response|answer|reply|text) )?with a verb"
        ),
        "verb",
        "words:start_verb",
        r"\b(?:each|every|all|bullets?|lines?|sentences?|items?|points?|steps?|not|never)\b[^.;]{0,40}$|n['’]t\b[^.;]{0,40}$",
    ),
    rule(
        (
            "words that (?:contain|use|have|include) only (?:three|3) types of vowels|only (?:three|3) "
            "(?:types of |different |distinct )?vowels"
        ),
        "vowels",
        "words:vowel",
    ),
)
