"""Strict verdicts are what a person would say; each known defect of the reference has a test, with its verdict."""

import json
import re
import unicodedata

import pytest
from gapo_core.constraints import Constraint, ConstraintError
from gapo_core.constraints.document import Document
from gapo_core.constraints.families.punctuation import COMMAS

LONG_GERMAN = "Das Wetter wird morgen in ganz Deutschland sehr schön, und wir gehen alle zusammen im Park spazieren."
LONG_ENGLISH = "The weather will be very fine tomorrow all over the country, and we will all go for a walk in the park."


def check(id: str, response: str, mode: str = "strict", **kwargs: object) -> str:
    return Constraint(id, kwargs).check(response, mode=mode).status


def at_least(count: int, **kwargs: object) -> dict[str, object]:
    return {"relation": "at least", **kwargs, next(iter(kwargs)): count}


# What the reference gets wrong: (id, kwargs, response, strict status, the reference's status).
DEFECTS = {
    "a keyword within a longer word": (
        "keywords:existence", {"keywords": ["art"]}, "He is a smart man.", "violated", "satisfied",
    ),
    "an occurrence within a longer word": (
        "keywords:frequency", {"keyword": "art", "frequency": 2, "relation": "at least"},
        "Art is smart.", "violated", "satisfied",
    ),
    "a keyword with a dot matches any character": (
        "keywords:existence", {"keywords": ["a.c"]}, "The abc of it.", "violated", "satisfied",
    ),
    "a keyword that is no regular expression": (
        "keywords:existence", {"keywords": ["C++ ("]}, "I like C++ (a lot).", "satisfied", "violated",
    ),
    "a forbidden word that ends in a symbol": (
        "keywords:forbidden_words", {"forbidden_words": ["C#"]}, "I like C# a lot.", "violated", "satisfied",
    ),
    "a curly apostrophe in a keyword": (
        "keywords:existence", {"keywords": ["don't"]}, "I don’t know.", "satisfied", "violated",
    ),
    "empty text passes a language check": (
        "language:response_language", {"language": "de"}, "12345 !!!", "unknown", "satisfied",
    ),
    "a part in another language": (
        "language:response_language", {"language": "de"},
        f"{LONG_GERMAN * 2}\n\n{LONG_ENGLISH}", "violated", "satisfied",
    ),
    "a bare number is no JSON document": ("detectable_format:json_format", {}, "42", "violated", "satisfied"),
    "NaN is no JSON": ("detectable_format:json_format", {}, '{"a": NaN}', "violated", "satisfied"),
    "don't is one word": (
        "length_constraints:number_words", {"num_words": 4, "relation": "less than"},
        "I don't know.", "satisfied", "violated",
    ),
    "bullets without full stops are sentences": (
        "length_constraints:number_sentences", {"num_sentences": 3, "relation": "at least"},
        "* the first point\n* the second point\n* the third point", "satisfied", "violated",
    ),
    "list numbers are no sentences": (
        "length_constraints:number_sentences", {"num_sentences": 3, "relation": "less than"},
        "1. The first point.\n2. The second point.", "satisfied", "violated",
    ),
    "a sentence that ends in a curly quote": (
        "length_constraints:number_sentences", {"num_sentences": 2, "relation": "at least"},
        "She said “I know.” Then she left the room", "satisfied", "violated",
    ),
    "a full-width comma": ("punctuation:no_comma", {}, "你好，世界", "violated", "satisfied"),
    "curly quotation marks": ("startend:quotation", {}, "“All of it.”", "satisfied", "violated"),
    "a numbered list": (
        "detectable_format:number_bullet_lists", {"num_bullets": 2}, "1. one\n2. two", "satisfied", "violated",
    ),
    "a list with bullet characters": (
        "detectable_format:number_bullet_lists", {"num_bullets": 2}, "• one\n• two", "satisfied", "violated",
    ),
    "a rule and a negative number are no bullets": (
        "detectable_format:number_bullet_lists", {"num_bullets": 1}, "* one\n---\n-5 degrees", "satisfied", "violated",
    ),
    "a product is no highlight": (
        "detectable_format:number_highlighted_sections", {"num_highlights": 1}, "2*3*4 is 24", "violated", "satisfied",
    ),
    "underscores highlight": (
        "detectable_format:number_highlighted_sections", {"num_highlights": 1},
        "It is _here_.", "satisfied", "violated",
    ),
    "an index is no placeholder": (
        "detectable_content:number_placeholders", {"num_placeholders": 1}, "x = arr[i]", "violated", "satisfied",
    ),
    "a link is no placeholder": (
        "detectable_content:number_placeholders", {"num_placeholders": 1},
        "See [the page](http://example.com).", "violated", "satisfied",
    ),
    "a ticked box and a number are no placeholders": (
        "detectable_content:number_placeholders", {"num_placeholders": 1},
        "- [x] done [1] [ ] and [^2]", "violated", "satisfied",
    ),
    "an option in passing is no answer": (
        "detectable_format:constrained_response", {},
        'You may think "My answer is yes." Yet nobody can tell.', "violated", "satisfied",
    ),
    "all options are no answer": (
        "detectable_format:constrained_response", {}, "My answer is yes. My answer is no.", "violated", "satisfied",
    ),
    "bold italics are no divider": (
        "length_constraints:number_paragraphs", {"num_paragraphs": 1}, "A ***strong*** word.", "satisfied", "violated",
    ),
    "three line breaks part two paragraphs": (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "weekend"},
        "First one.\n\n\n\nWeekend it is.", "satisfied", "violated",
    ),
    "markup before a first word": (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 1, "nth_paragraph": 1, "first_word": "weekend"},
        "**Weekend** it is.", "satisfied", "violated",
    ),
    "a mention of a section is no section": (
        "detectable_format:multiple_sections", {"section_spliter": "Section", "num_sections": 1},
        "As Section 3 of the law says.", "violated", "satisfied",
    ),
    "markup behind an end phrase": (
        "startend:end_checker", {"end_phrase": "That is all."}, "Well. **That is all.**", "satisfied", "violated",
    ),
    "an end phrase within a word": (
        "startend:end_checker", {"end_phrase": "art"}, "He was smart", "violated", "satisfied",
    ),
    "a repeated prompt without an answer": (
        "combination:repeat_prompt", {"prompt_to_repeat": "Tell a joke."}, "Tell a joke.", "violated", "satisfied",
    ),
    "line breaks in a repeated prompt": (
        "combination:repeat_prompt", {"prompt_to_repeat": "Tell a\njoke."},
        "Tell a joke. A man…", "satisfied", "violated",
    ),
    "two responses that differ in case only": (
        "combination:two_responses", {}, "The same.\n******\nthe same.", "violated", "satisfied",
    ),
    "the pronoun I is no word in capitals": (
        "change_case:capital_word_frequency", {"capital_frequency": 1, "capital_relation": "less than"},
        "I think so.", "satisfied", "violated",
    ),
    "capitals are not German": (
        "change_case:english_capital", {}, "BETRICE", "satisfied", "violated",
    ),
    "a postscript without words": (
        "detectable_content:postscript", {"postscript_marker": "P.S."}, "Dear all. P.S.", "violated", "satisfied",
    ),
    "a postscript without full stops": (
        "detectable_content:postscript", {"postscript_marker": "P.S."},
        "Dear all.\nPS: Call me.", "satisfied", "violated",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DEFECTS)
def test_the_default_does_not_have_the_defects_of_the_reference(case: str) -> None:
    id, kwargs, response, strict, reference = DEFECTS[case]
    assert check(id, response, **kwargs) == strict
    assert check(id, response, "compat", **kwargs) == reference


def test_a_letter_that_is_none_is_counted_not_drawn() -> None:
    kwargs = {"letter": "#", "let_frequency": 4, "let_relation": "at least"}
    assert {check("keywords:letter_frequency", "# a\n## b\n# c", **kwargs) for _ in range(20)} == {"satisfied"}
    assert {check("keywords:letter_frequency", "# a # b", "compat", **kwargs) for _ in range(20)} == {"violated"}


def test_language_verdicts_repeat_in_every_mode() -> None:
    ambiguous = "SHELDON: CLEVER, ANALYTICAL, SCIENTIST, QUIRKY, UNIQUE."
    for mode in ("strict", "compat", "compat_loose"):
        assert len({check("change_case:english_capital", ambiguous, mode) for _ in range(20)}) == 1


@pytest.mark.parametrize(
    ("language", "text", "status"),
    [
        ("de", "Es tut uns leid. Ihr Paket kommt morgen an.", "unknown"),  # for langdetect Norwegian, to 0.999
        ("da", "Hej! Tak fordi du kontaktede os. Vi beklager, at din pakke er forsinket.", "unknown"),
        ("en", "Laptop stand, aluminium, silver.", "unknown"),
        ("de", "Your parcel arrives tomorrow afternoon.", "violated"),
        ("de", "Su paquete llegará mañana por la tarde.", "violated"),
        ("en", "Vielen Dank für Ihre Bestellung.", "violated"),
        ("fr", "Bonjour, votre colis arrivera demain.", "satisfied"),
    ],
)
def test_few_words_are_in_another_language_only_if_every_half_of_them_is(language, text, status) -> None:
    assert check("language:response_language", text, language=language) == status


@pytest.mark.parametrize("id", ["language:response_language", "change_case:english_capital"])
@pytest.mark.parametrize("mode", ["strict", "compat", "compat_loose"])
def test_an_empty_response_is_in_no_language(id: str, mode: str) -> None:
    kwargs = {"language": "en"} if id.startswith("language") else {}
    assert check(id, " \n ", mode, **kwargs) == "violated"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("don't stop", 2), ("a well-known fact", 3), ("3.14 and 1,000", 3), ("yes—no – maybe…so", 4), ("* - # ***", 0),
        ("“Hello,” she said.", 3), ("我爱猫", 3), ("हिन्दी में लिखो", 3), ("e.g. this", 2), ("", 0), ("a/b _c_", 2),
    ],
)  # fmt: skip
def test_words_are_counted_as_people_count_them(text: str, count: int) -> None:
    document = Document.of(text)
    assert document.word_count == len(document.words) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Dr. Smith went to Washington. He arrived at 5 p.m. and left.", 2),
        ("I like e.g. apples. Mr. X vs. Mr. Y!", 2),
        ("# A title\nText here. And more.", 3),
        ("(He left.) She stayed.", 2),
        ('"Really?" he asked. Yes!', 2),
        ("これは文です。もう一つ。", 2),
        ("***\n\n---\n\n42", 0),
        ("One line\nwrapped over\nthree lines.", 1),
    ],
)
def test_sentences_are_counted_as_people_count_them(text: str, count: int) -> None:
    assert len(Document.of(text).sentences) == count


def test_every_comma_of_unicode_is_a_comma() -> None:
    named = {c for c in map(chr, range(0x110000)) if re.search(r"\bCOMMA\b", unicodedata.name(c, ""))}
    not_punctuation = {c for c in named if not unicodedata.category(c).startswith("P")}
    quotes_and_marks = {c for c in named if "QUOTATION" in unicodedata.name(c) or "ORNAMENT" in unicodedata.name(c)}
    assert named - not_punctuation - quotes_and_marks <= set(COMMAS)


def test_evidence_points_at_what_was_found() -> None:
    verdict = Constraint("keywords:frequency", at_least(2, frequency=2, keyword="River")).check(
        "A river, the RIVER; rivers."
    )
    assert (verdict.status, verdict.observed) == ("satisfied", 2)
    assert ["A river, the RIVER; rivers."[s:e] for s, e in verdict.evidence] == ["river", "RIVER"]
    assert verdict.reason == "2 times found where at least 2 are wanted"


def test_evidence_counts_characters_behind_typography_and_emoji() -> None:
    text = "“👩‍👩‍👧” don’t stop"
    (span,) = Constraint("keywords:existence", {"keywords": ["don't"]}).check(text).evidence
    assert text[span.start : span.end] == "don’t"


@pytest.mark.parametrize(("phrase", "text"), [("café", "Le cafe\u0301 noir"), ("cafe\u0301", "Le CAFÉ noir")])
def test_accents_are_found_composed_and_decomposed(phrase: str, text: str) -> None:
    verdict = Constraint("keywords:existence", {"keywords": [phrase]}).check(text)
    (span,) = verdict.evidence
    assert (verdict.status, unicodedata.normalize("NFC", text[span.start : span.end]).lower()) == ("satisfied", "café")
    assert check("keywords:forbidden_words", text, forbidden_words=[phrase]) == "violated"
    assert check("keywords:existence", text, keywords=["cafe"]) == "violated"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('"Yes" means agreement, and its opposite is "no"', "violated"),
        ("“Yes” means agreement, and its opposite is “no”", "violated"),
        ("„Ja“ heißt nicht „Nein“", "violated"),
        ("“是”不是“否”", "violated"),
        ('"One part."\n\n"Another part."', "violated"),
        ('"The word "river" is short."', "satisfied"),
        ('"He said “yes” and (“no”)."', "satisfied"),
        ('""Yes," he said, "I will.""', "satisfied"),
        ('"He said \\"yes\\" to her."', "satisfied"),
        ('"The board is 6" long."', "unknown"),
    ],
)
def test_one_quotation_goes_from_the_first_mark_to_the_last(text: str, status: str) -> None:
    assert check("startend:quotation", text) == status


@pytest.mark.parametrize(
    ("id", "kwargs", "message"),
    [
        ("keywords:existense", {}, "did you mean 'keywords:existence'"),
        ("keywords:existence", {}, "keywords: Field required"),
        ("keywords:existence", {"keywords": []}, "keywords"),
        ("keywords:existence", {"keywords": ["a"], "words": 1}, "words: Extra inputs"),
        ("length_constraints:number_words", {"num_words": "300", "relation": "at least"}, "num_words"),
        ("length_constraints:number_words", {"num_words": 300, "relation": "around"}, "relation"),
        ("length_constraints:number_words", {"num_words": -1, "relation": "at least"}, "num_words"),
        ("keywords:letter_frequency", {"letter": "ab", "let_frequency": 1, "let_relation": "at least"}, "letter"),
        ("language:response_language", {"language": "xx"}, "language: .*'xx' is not a known language code"),
        (
            "length_constraints:nth_paragraph_first_word",
            {"num_paragraphs": 2, "nth_paragraph": 3, "first_word": "a"},
            "nth_paragraph 3 is above num_paragraphs 2",
        ),
    ],
)
def test_a_constraint_that_cannot_be_checked_cannot_be_made(id: str, kwargs: dict[str, object], message: str) -> None:
    with pytest.raises(ConstraintError, match=message):
        Constraint(id, kwargs)


def test_rows_of_ifeval_are_read_without_their_empty_arguments() -> None:
    ids = ["punctuation:no_comma", "length_constraints:number_words"]
    rows = [{"num_words": None, "relation": None}, {"num_words": 300, "relation": "at least", "keyword": None}]
    read = Constraint.from_ifeval(ids, rows)
    assert [json.loads(json.dumps(dict(one.kwargs))) for one in read] == [
        {},
        {"num_words": 300, "relation": "at least"},
    ]
    with pytest.raises(ConstraintError, match="1 entries for 2 ids"):
        Constraint.from_ifeval(ids, rows[:1])


@pytest.mark.parametrize(
    ("response", "found"),
    [
        ("a law\u00adsuit", ["law\u00adsuit"]),
        ("a \u200blaw\u200b\u2060suit\ufeff.", ["law\u200b\u2060suit"]),
        ("lawsuit\u200bnow", ["lawsuit"]),
        ("law\u200d\u00adsuits", []),
        ("Lawsuit, law\u00adsuit", ["Lawsuit"]),
        ("tea\u00ad", []),
    ],
)
def test_what_nobody_sees_hides_no_forbidden_word(response, found) -> None:
    verdict = Constraint("phrases:forbidden", {"phrases": ["lawsuit"]}).check(response)
    assert [response[start:end] for start, end in verdict.evidence] == found
    assert verdict.status == ("violated" if found else "satisfied")


def test_words_with_unseen_characters_are_counted_once() -> None:
    wanted = Constraint("keywords:frequency", {"keyword": "tea", "frequency": 3, "relation": "less than"})
    verdict = wanted.check("tea t\u00adea \u200btea\u200b x\u200btea")
    assert (verdict.status, verdict.observed) == ("violated", 4)
    assert list(verdict.evidence) == sorted(set(verdict.evidence))
