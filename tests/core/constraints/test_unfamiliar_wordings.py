"""Demands in words that the rules had not met, and figures on the prompts of people who had not seen the rules."""

import json
from collections import Counter
from pathlib import Path

import pytest
from gapo_core.constraints import Constraint, parse
from gapo_core.constraints.parsing.evaluation import Row, measure

PROMPTS = Path(__file__).parent / "golden" / "prompts"


def _words(relation: str, number: int) -> tuple[str, dict[str, object]]:
    return "length_constraints:number_words", {"relation": relation, "num_words": number}


_NO_COMMA, _FORBIDDEN = ("punctuation:no_comma", {}), "keywords:forbidden_words"


@pytest.mark.parametrize(
    ("prompt", "wanted"),
    [
        # A second bound without a noun.
        ("Write a poem, over 50 words but please stay below 80.", [_words("at least", 51), _words("less than", 80)]),
        ("At least 100 words, 150 at the most.", [_words("at least", 100), _words("less than", 151)]),
        ("Under 200 words but not fewer than 150.", [_words("at least", 150), _words("less than", 200)]),
        # Keys of a form.
        ("Describe tea. Max words: 50.", [_words("less than", 51)]),
        ("Minimum length: 100 words.", [_words("at least", 100)]),
        ("Format: JSON", [("detectable_format:json_format", {})]),
        # A negation governs its own demand only.
        ("Write without commas and in lowercase.", [_NO_COMMA, ("change_case:english_lowercase", {})]),
        ("Don't use commas and wrap your whole response in quotes.", [_NO_COMMA, ("startend:quotation", {})]),
        ("Don't forget to answer in all caps.", [("change_case:english_capital", {})]),
        # Negations without an apostrophe, over "or", of a "let".
        ("dont say the word bug", [(_FORBIDDEN, {"forbidden_words": ["bug"]})]),
        ("Do not mention my ex or use the word single.", [(_FORBIDDEN, {"forbidden_words": ["single"]})]),
        ("Don't let the words knife or fork appear.", [(_FORBIDDEN, {"forbidden_words": ["knife", "fork"]})]),
        # A denial with an amount is a limit; a comma behind one word ends the list.
        (
            "The word 'save' must not be used more than 2 times.",
            [("keywords:frequency", {"keyword": "save", "relation": "less than", "frequency": 3})],
        ),
        ("Don't use the word tea, write briefly.", [(_FORBIDDEN, {"forbidden_words": ["tea"]})]),
        ("Answer in French and use no commas.", [("language:response_language", {"language": "fr"}), _NO_COMMA]),
        ("Use no commas, and it shouldn't exceed 90 words.", [_NO_COMMA, _words("less than", 91)]),
        ("Nothing over 110 words.", [_words("less than", 111)]),
        ("Forty words, max.", [_words("less than", 41)]),
        # A brief in one line, a request in a question.
        (
            "Caption // max. 35 words // Taboo: 'flawless'",
            [_words("less than", 36), (_FORBIDDEN, {"forbidden_words": ["flawless"]})],
        ),
        ("Could we get the teaser in Portuguese?", [("language:response_language", {"language": "pt"})]),
        # Numbers that refer back.
        ("Use bullet points, exactly 3.", [("detectable_format:number_bullet_lists", {"num_bullets": 3})]),
        (
            "Highlight phrases with *asterisks*, at least 4 of them.",
            [("detectable_format:number_highlighted_sections", {"num_highlights": 4})],
        ),
        ("As a bot, every reply should be under 30 words.", [_words("less than", 30)]),
        # Beginnings, and two demands in one sentence.
        ("Start it with 'Hand-thrown'.", [("startend:starts", {"phrase": "Hand-thrown"})]),
        ("Write an email which starts with 'Dear all'.", [("startend:starts", {"phrase": "Dear all"})]),
        (
            "Make it all lowercase and end with 'cheers'.",
            [("change_case:english_lowercase", {}), ("startend:end_checker", {"end_phrase": "cheers"})],
        ),
        ("I'd like a speech of at least 200 words which includes a joke.", [_words("at least", 200)]),
        ("More than 250 but less than 300 words.", [_words("at least", 251), _words("less than", 300)]),
        # A reason and what is asked for it, who the author is to be, what the writer must keep to.
        ("Customers read on phones so keep it under 40 words.", [_words("less than", 40)]),
        ("You are a poet who never uses commas. Write about rain.", [_NO_COMMA]),
        (
            "You are a butler who always replies in French. What time is tea?",
            [("language:response_language", {"language": "fr"})],
        ),
        ("Write a speech. I can't go over 180 words.", [_words("less than", 181)]),
        ("Keep to five bullet points exactly.", [("detectable_format:number_bullet_lists", {"num_bullets": 5})]),
        # A reason and what follows from it; what others want of a text that is asked for.
        (
            "She reads only Spanish, so the answer has to be in Spanish.",
            [("language:response_language", {"language": "es"})],
        ),
        (
            "Write an obituary. The newspaper charges by the word, so it must stay within 75 words.",
            [_words("less than", 76)],
        ),
        ("The journal wants an abstract of at most 150 words. Please write ours.", [_words("less than", 151)]),
        ("Shorten my bio, they only take 40 words.", [_words("less than", 41)]),
        (
            "My boss hates 'leverage' and 'synergy', so please avoid both.",
            [(_FORBIDDEN, {"forbidden_words": ["leverage", "synergy"]})],
        ),
        ("Commas make my reader stumble, so please don't use any.", [_NO_COMMA]),
        # Denials in more than one word, words told off.
        ("Don't you dare use 'rockstar'.", [(_FORBIDDEN, {"forbidden_words": ["rockstar"]})]),
        ("Under no circumstances use the word 'delve'.", [(_FORBIDDEN, {"forbidden_words": ["delve"]})]),
        ("'Lonely' is a word I don't want to read in it.", [(_FORBIDDEN, {"forbidden_words": ["Lonely"]})]),
        # Rows of sections, and how many.
        (
            "Write the plan with the headings Week 1, Week 2 and so on up to Week 6.",
            [("detectable_format:multiple_sections", {"section_spliter": "Week", "num_sections": 6})],
        ),
        (
            "Write an FAQ, each entry headed Question 1, Question 2 and so on, five entries or more.",
            [("detectable_format:multiple_sections", {"section_spliter": "Question", "num_sections": 5})],
        ),
        (
            "Mark at least four takeaways *like this*.",
            [("detectable_format:number_highlighted_sections", {"num_highlights": 4})],
        ),
        (
            "Seven paragraphs, blank lines between them. The fifth one should have 'Nobody' as its very first word.",
            [
                (
                    "length_constraints:nth_paragraph_first_word",
                    {"num_paragraphs": 7, "nth_paragraph": 5, "first_word": "Nobody"},
                )
            ],
        ),
        # Phrases in a list, words that none may use.
        (
            "These words have to occur in it: compost, blue bin, Thursday.",
            [("keywords:existence", {"keywords": ["compost", "blue bin", "Thursday"]})],
        ),
        ("Write a story in which the word 'salt' occurs.", [("keywords:existence", {"keywords": ["salt"]})]),
        ("Neither answer may contain the word 'brain'.", [(_FORBIDDEN, {"forbidden_words": ["brain"]})]),
        ("Of 'salt' and 'tide', none may be used.", [(_FORBIDDEN, {"forbidden_words": ["salt", "tide"]})]),
        ("Not 'thrilled' and not 'humbled'.", [(_FORBIDDEN, {"forbidden_words": ["thrilled", "humbled"]})]),
        ("Poem on bees. 'Old' must not appear anywhere.", [(_FORBIDDEN, {"forbidden_words": ["Old"]})]),
        (
            "Ad for soap. 'clean' at least twice, but 'fresh' no more than once.",
            [
                ("keywords:frequency", {"keyword": "clean", "relation": "at least", "frequency": 2}),
                ("keywords:frequency", {"keyword": "fresh", "relation": "less than", "frequency": 2}),
            ],
        ),
        # The translation alone, case and commas in other words.
        ("I only want the Japanese text back.", [("language:response_language", {"language": "ja"})]),
        ("Tweet about rain. Uppercase throughout, please.", [("change_case:english_capital", {})]),
        ("Do not let any commas appear.", [_NO_COMMA]),
        # A comma ends what a negation governs, unless the words between are in brackets of commas.
        ("No hashtags, under 90 words.", [_words("less than", 90)]),
        ("Do not, under any circumstances, exceed 80 words.", [_words("less than", 81)]),
        # What those who take the text want, what holds of it, what follows from a reason.
        ("Cover letter for a cook. The portal wants at most 300 words.", [_words("less than", 301)]),
        ("Write my abstract. The faculty wants it to stay within 150 words.", [_words("less than", 151)]),
        ("Can you write a note? It must be minimum 100 words, she says they count.", [_words("at least", 100)]),
        ("Write a sign. All of it in capitals must be, my boss said so.", [("change_case:english_capital", {})]),
        ("The field takes 50 words so don't go past that.", [_words("less than", 51)]),
        ("Write a line for a host who collects spoons. It is limited to 20 words.", [_words("less than", 21)]),
        ("What is VAT? My tutor talked for hours, so at most 50 words please.", [_words("less than", 51)]),
        # The request repeated.
        (
            "What is dew?\n\nPlease say my question again exactly before you answer it.",
            [("combination:repeat_prompt", {"prompt_to_repeat": "What is dew?"})],
        ),
        (
            "Below is my request. Recite it literally and then carry it out.\n\nWrite a riddle.",
            [("combination:repeat_prompt", {"prompt_to_repeat": "Write a riddle."})],
        ),
        (
            "Get the word 'mirrors' in at least 4 times.",
            [("keywords:frequency", {"keyword": "mirrors", "relation": "at least", "frequency": 4})],
        ),
    ],
)
def test_demands_of_unfamiliar_wordings(prompt, wanted) -> None:
    read = [parsed.constraint for parsed in parse(prompt).constraints]
    assert Counter(read) == Counter(Constraint(id, kwargs) for id, kwargs in wanted)


@pytest.mark.parametrize(
    ("name", "recall"),
    [
        ("contact_first", 0.96),
        ("contact_second", 0.96),
        ("contact_third", 0.9),
        ("contact_fourth", 0.95),
        ("contact_fifth", 0.95),
        ("contact_sixth", 0.94),
        ("contact_seventh", 0.9),
        ("contact_eighth", 0.86),
        ("contact_ninth", 0.98),
        ("contact_tenth", 0.97),
        ("contact_eleventh", 0.98),
        ("contact_twelfth", 0.95),
        ("contact_thirteenth", 0.98),
        ("contact_fourteenth", 0.98),
        ("contact_fifteenth", 0.95),
    ],
)
def test_figures_on_unfamiliar_wordings(name, recall) -> None:
    """Below what was measured after the classes of errors were mended; docs/constraints-parsing.md has both."""
    lines = (PROMPTS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line) for line in lines]
    found = measure(
        Row(t["prompt"], t["prompt"], tuple((c["id"], c["kwargs"]) for c in t["constraints"])) for t in texts
    )
    assert found.precision > 0.96
    assert found.recall > recall
