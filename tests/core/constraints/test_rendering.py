"""What is rendered is read again as it was: for all that the parser covers, in every style."""

import json

import pytest
from gapo_core.constraints import Constraint, parse
from gapo_core.constraints.registry import families
from hypothesis import given, settings
from hypothesis import strategies as st

# The parser has no rules for these; of a JSON Schema it reads that the response is JSON.
UNREAD = {
    *("json:schema", "json:valid", "text:regex", "markdown:heading", "markdown:list", "markdown:table"),
    *("numbers:contains", "numbers:count", "numbers:unit", "length:paragraphs", "length:tokens"),
    *("tone:no_contractions", "tone:no_first_person", "tone:style", "attribute:absent", "attribute:range"),
}
# Arguments that are texts of the prompt itself, which the demand names and does not hold.
OF_THE_PROMPT = {"combination:repeat_prompt", "ratio:overlap", "repeat:repeat_change", "repeat:repeat_span"}
# Read in a list of several facts, not one alone: "colour: silver" may be anything.
LISTED = {"attribute:value", "attribute:flag"}
# Another id asks for the same; the parser gives that of IFEval, for exact counts and upper bounds too.
SYNONYMS = {
    "phrases:required": "keywords:existence",
    "phrases:forbidden": "keywords:forbidden_words",
    "startend:ends": "startend:end_checker",
    "length:words": "length_constraints:number_words",
    "length:sentences": "length_constraints:number_sentences",
}
# "At most 100 characters" is read as "less than 101", which asks for the same.
BOUNDS = {"length:characters"}
# IFBench gives one wording, the first style, and only that is read; of the others some happen to be.
_ONLY_FIRST = """
    count:person_names count:word_count_range count:words_japanese custom:character_reverse custom:csv_city
    custom:csv_quotes custom:csv_special_character custom:date_format_list custom:european_capitals_sort
    custom:mcq_count_length custom:multiples custom:reverse_newline custom:sentence_alphabet custom:word_reverse
    format:line_indent format:list format:newline format:no_bullets_bullets format:options format:output_template
    format:parentheses format:quote_unquote format:quotes format:sub-bullets format:thesis ratio:sentence_balance
    ratio:sentence_type ratio:sentence_words sentence:alliteration_increment sentence:increment words:alphabet
    words:consonants words:last_first words:no_consecutive words:odd_even_syllables words:palindrome
    words:paragraph_last_first words:prime_lengths
"""
_BUT_SECOND = (
    "count:conjunctions count:punctuation format:no_whitespace ratio:stop_words repeat:repeat_simple words:vowel"
)
_BUT_THIRD = "format:emoji format:title_case words:repeats words:start_verb"
FIRST_ONLY = {
    **dict.fromkeys(_ONLY_FIRST.split(), (0,)),
    **dict.fromkeys(_BUT_SECOND.split(), (0, 2)),
    **dict.fromkeys(_BUT_THIRD.split(), (0, 1)),
}
EXCEPTIONS = UNREAD | OF_THE_PROMPT | LISTED | BOUNDS | set(SYNONYMS)
STYLES = [
    (id, style)
    for id, family in sorted(families().items())
    if id not in EXCEPTIONS
    for style in range(len(family.phrasings))
    if style in FIRST_ONLY.get(id, (style,))
]


def read(demand: str) -> list[Constraint]:
    return [found.constraint for found in parse(f"Write about tea. {demand}").constraints]


@pytest.mark.parametrize(("id", "style"), STYLES)
def test_every_style_is_read_as_what_it_renders(id: str, style: int) -> None:
    constraint = Constraint(id, json.loads(families()[id].example))
    assert read(constraint.render(style)) == [constraint]


def test_exceptions_are_known_families() -> None:
    assert families().keys() >= EXCEPTIONS | FIRST_ONLY.keys()


word = st.from_regex(r"[A-Za-zÀ-ÖØ-öø-ÿ]{1,9}(?:['-][a-z]{1,4})?", fullmatch=True)
phrase = st.one_of(word, st.lists(word, min_size=1, max_size=5).map(" ".join), st.just('the "old" man'))
phrases = st.lists(phrase, min_size=1, max_size=5, unique_by=str.lower)
SAID = {
    "keywords:existence": st.fixed_dictionaries({"keywords": phrases}),
    "keywords:forbidden_words": st.fixed_dictionaries({"forbidden_words": phrases}),
    "keywords:frequency": st.fixed_dictionaries(
        {"keyword": phrase, "frequency": st.integers(2, 40), "relation": st.sampled_from(("at least", "less than"))}
    ),
    "startend:end_checker": st.fixed_dictionaries({"end_phrase": phrase}),
    "startend:starts": st.fixed_dictionaries({"phrase": phrase}),
    "sentence:keyword": st.fixed_dictionaries({"word": phrase, "N": st.integers(1, 12)}),
    "words:keywords_specific_position": st.fixed_dictionaries(
        {"keyword": word, "n": st.integers(1, 12), "m": st.integers(1, 12)}
    ),
    "words:words_position": st.fixed_dictionaries({"keyword": word}),
    "phrases:required": st.fixed_dictionaries({"phrases": phrases}),
    "phrases:forbidden": st.fixed_dictionaries({"phrases": phrases}),
    "startend:ends": st.fixed_dictionaries({"phrase": phrase}),
}


@pytest.mark.parametrize("id", SAID)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_words_and_phrases_come_back_as_they_were(id: str, data: st.DataObject) -> None:
    constraint = Constraint(id, data.draw(SAID[id]))
    for style in range(len(families()[id].phrasings)):
        found = read(constraint.render(style))
        assert [c.id for c in found] == [SYNONYMS.get(id, id)], constraint.render(style)
        assert list(found[0].kwargs.values()) == list(constraint.kwargs.values()), constraint.render(style)
