"""Constraints read from prompts: golden prompts, round trips, invariants on any text, figures on annotated data."""

import json
import time
from collections import Counter
from pathlib import Path

import pytest
from gapo_core.commands.parser import figures
from gapo_core.constraints import Constraint, parse
from gapo_core.constraints.parsing.evaluation import Row, measure
from hypothesis import given, settings
from hypothesis import strategies as st

GOLDEN = Path(__file__).parent / "golden"
PROMPTS = [
    json.loads(line)
    for name in ("before", "after")
    for line in (GOLDEN / "prompts" / f"{name}_rules.jsonl").read_text(encoding="utf-8").splitlines()
]


def read(prompt: str) -> list[Constraint]:
    return [parsed.constraint for parsed in parse(prompt).constraints]


@pytest.mark.parametrize("row", PROMPTS, ids=[row["prompt"][:60] for row in PROMPTS])
def test_golden_prompts(row) -> None:
    assert Counter(read(row["prompt"])) == Counter(Constraint(c["id"], c["kwargs"]) for c in row["constraints"])


@pytest.mark.parametrize("request_", ["I want to know why the sky is blue", "My aunt says that cats can fly"])
def test_a_demand_on_the_response_needs_no_full_stop_before_it(request_) -> None:
    found = read(f"{request_} The response must contain between 57 and 61 words.")
    assert found == [Constraint("count:word_count_range", {"min_words": 57, "max_words": 61})]
    assert read("I think that the response must contain between 57 and 61 words.") == []


@pytest.mark.parametrize(
    "prompt",
    [
        "Describe a phone. brand: Acme; colour: red",
        "Describe a phone.\n- brand: Acme\n- colour: red",
        "brand[Acme], colour[red]",
        'Describe this phone: {"brand": "Acme", "colour": "red"}',
        "Tell a customer about a phone where the brand is Acme and the colour is red.",
        "Write a text about a phone with brand = Acme; colour = red",
        "Mention the facts: brand (Acme); colour (red)",
    ],
)
def test_attribute_lists(prompt) -> None:
    wanted = [Constraint("attribute:value", {"slot": s, "value": v}) for s, v in (("brand", "Acme"), ("colour", "red"))]
    assert read(prompt) == wanted


def test_settings_of_a_task_are_no_attributes() -> None:
    assert read("Write a text.\nTone: formal\nTopic: dogs\nAudience: children") == []


def test_the_remainder_keeps_what_no_constraint_says() -> None:
    found = parse("Write a story about a fox. Use at least 300 words. Make it sad.")
    assert found.remainder == "Write a story about a fox. Make it sad."


PIECES = [row["prompt"] for row in PROMPTS] + [
    '"',
    "'",
    "***",
    "{",
    "[",
    "```\n",
    "\n\n",
    "\ud800",
    "\0",
    ": ",
    "at least ",
]


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=6).map("".join)))
def test_any_text_is_read_with_spans_inside_it(prompt) -> None:
    found = parse(prompt)
    spans = sorted({parsed.span for parsed in found.constraints})
    assert all(0 <= span.start < span.end <= len(prompt) for span in spans)
    assert found == parse(prompt)


@pytest.mark.parametrize(
    "piece",
    [
        'Use at least 300 words, not "x" or the letter e; include y twice. "',
        "a: b; ",
        "say that the x is y and ",
        "\n",
        '"',
    ],
)
def test_a_hostile_megabyte_takes_less_than_a_second(piece) -> None:
    parse("Use at least three words.")  # compiled patterns and families are not part of the measurement
    started = time.process_time()
    parse(piece * (1_000_000 // len(piece)))
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "prompt",
    [
        # What is so of a kind of things, what rules say, what one is told.
        "A good abstract has fewer than 250 words. Why?",
        "Tweets must be under 280 characters. Tell me why.",
        "Posts of more than 300 words perform badly. Explain why.",
        "There is a rule at work that emails must be under five sentences. Any tips?",
        "According to the portal, abstracts may not exceed 250 words. Explain why.",
        "The style guide says that titles are in lowercase and that posts have at most 90 words. Anything missing?",
        "A colleague dared me to write a poem without the letter e. Any advice?",
        "What do people mean when they say: keep it under five sentences?",
        "Her son's homework: write at least 100 words about a pet. How can she help?",
        "Could you explain why style guides tell us to avoid the word 'very'?",
        "Good evening, our landlord wants replies in capitals. What now?",
        "The second verse of our anthem has at least 30 words. Explain its appeal.",
        # What once was so.
        "Tell me about telegrams: people paid by the word, so messages rarely had more than fifteen words.",
        "Reply to my landlord, and tell him that his letter was all in capitals.",
        # What a program shows, what is debated.
        "The app's placeholder text is shown in English. Write a bug report.",
        "Write a dialogue about whether the slogan may have more than five words.",
        # What the next sentence asks about.
        "The song repeats the word 'hey' at least 20 times. Is that lazy?",
        "Our emails end with the phrase 'Cheers'. Where does this custom come from?",
        # What code, rules for others, tales and things looked for do.
        "Create unit tests checking that bios have at least 10 words.",
        "Write a script. It should skip commas and print the result in uppercase.",
        "Create a rubric for essays: an A needs at least 500 words, a B at least 400.",
        "Write a tale of a town in which nobody may say the word 'winter'.",
        "Recommend books written entirely in lowercase.",
        "Write an email asking whether the paper has to be in English.",
        "Give me feedback on this prompt: Write at least 200 words. Do not use the word nice.",
        # Parts, conditions, one of several.
        "The headline must be at most 5 words.",
        "Structure:\n1. Background (3-5 sentences)\n2. Gap (1-2 sentences)",
        "Create 5 titles (no more than 60 characters).",
        "Include a two-sentence summary of the patient.",
        "One of the bullet points should mention the price.",
        "Each name must start with 'di' and end in 'pro'.",
        "Use 'unknown' if any information is missing.",
        "Use the phrase 'me gusta' or 'no me gusta'.",
        "The choice should be preceded by 'ANSWER' in all capital letters.",
        "Repeat the process 20 times.",
        "Add one more sentence to the story.",
        "Write house rules: at least 1,000 words a day.",
        "Do not respond to questions, only polish the text.",
        "In French, the adjective follows the noun. Explain why.",
        "Mention that the student is doing a good job.",
        "Explain the difference between a postscript and a footnote.",
        # A text that there is, a habit, a rule, what a message is to say, what is learnt or explained.
        "I'm marking an essay without a single comma. How should I give feedback on that?",
        "Our SMS provider charges twice for messages with more than 160 characters. Tell me why.",
        "Write to the editor about the new rule that all signs have to be in Welsh.",
        "Write a short note to the printer: our brochure should be in capital letters and the back cover in French.",
        "Write an email to my team saying reports must be in English.",
        "I want to learn how to write in all lowercase on my new keyboard.",
        "Explain why legal contracts are often written in capital letters.",
        "How long should a eulogy be, 500 words or more?",
        "Write a story about a kingdom where the word 'no' is forbidden.",
        "Imagine a language with only 100 words.",
        "My uncle is a poet who never uses commas. Write him a card.",
        "Can JSON keys contain a comma?",
        "I can't exceed 250 words. What should I cut?",
        "How can I get a model to answer in fewer than 100 words?",
        "You said the answer should have at least 200 words, but why?",
        "I like letters that end with 'Yours truly'. Where does the phrase come from?",
        "Please check if this text has fewer than 100 words: The sun rises. It is warm.",
        "Our legal team asked us to keep all contracts in English only. Draft a reply saying that we understand.",
        "Suggest icebreakers for a group that speaks only Spanish.",
        "Our chat bot answers in English even when users write in French. How can we fix it?",
        "All lines should rhyme and end with 'ay'.",
        # What is explained, announced, complained of or argued about.
        "Can you explain how Twitter came to have a limit of 140 characters, and why they doubled it?",
        "Help me understand this requirement: the abstract must contain between 150 and 250 words.",
        "Draft a tweet announcing that our tweets will soon be limited to 140 characters.",
        "Draft an answer to a guest who complained that our brochure is in German only.",
        "Give me arguments against a word limit of 500 words in school essays.",
        # Opinions asked for, suppositions, plans.
        "What would you cut from a list of 12 bullet points if only 5 are allowed?",
        "How would a lawyer phrase 'no refunds' without using the word 'refund'?",
        "Suppose a poet wrote only in lowercase. How would critics react?",
        "I'm thinking about posts of at most 100 words. Good or bad idea?",
        # What belongs to others and what they do.
        "My phone keyboard is stuck and types everything in capitals. What can I do?",
        "The museum's audio guide mentions the word 'revolution' at least 30 times. Write a complaint.",
        "For years the magazine printed reviews of exactly 100 words. Write an obituary of the magazine.",
        "The committee will not read proposals longer than 1000 words. Write a complaint to them.",
        "Write a review of a restaurant whose waiters answer every question in French.",
        "Write a scene in which a clerk charges by the word and a widow has to say everything in ten words or less.",
        "I've been told to keep my answers in interviews to three sentences at most. How can I practise that?",
        "The application form says the statement must not exceed 4000 characters. What do people cut first?",
        "The ad is expensive, so it must stay within 75 words. My aunt disagrees. Who is right?",
        # Parts again, and what a message says.
        "Make a table of ten cities. The country column in capital letters please.",
        "Give the pros and cons all in one bulleted list.",
        "I want the important words shouted in caps.",
        "Write a text to my landlord saying that the heating is broken.",
        "I watched Part 1, Part 2 and Part 3 of the film. Write a review.",
        # "Don't" denies as "do not" does.
        "Don't answer in German.",
        "Don't finish with the phrase 'Cheers'.",
        "Don't write in all caps.",
    ],
)
def test_what_is_told_or_said_of_a_part_is_not_demanded(prompt) -> None:
    assert read(prompt) == []


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
    assert Counter(read(prompt)) == Counter(Constraint(id, kwargs) for id, kwargs in wanted)


def test_both_ends_of_a_long_prompt_are_read() -> None:
    prompt = "Use at least 30 words. " + "Tea is good. " * 5000 + "Do not use commas."
    found = parse(prompt)
    assert [prompt[p.span.start : p.span.end] for p in found.constraints] == ["at least 30 words", "not use commas"]


def test_figures_on_annotated_prompts(real_data) -> None:
    """Below what was measured, above what a broken rule leaves; `gapo eval parser` prints the figures."""
    found = figures(real_data)
    assert found["ifeval"].precision > 0.97
    assert found["ifeval"].recall > 0.95
    assert found["ifeval"].kwargs_exact >= 0.92
    assert found["ifbench"].recall >= 0.9


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
    ],
)
def test_figures_on_unfamiliar_wordings(name, recall) -> None:
    """Below what was measured after the classes of errors were mended; docs/constraints-parsing.md has both."""
    lines = (GOLDEN / "prompts" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line) for line in lines]
    found = measure(
        Row(t["prompt"], t["prompt"], tuple((c["id"], c["kwargs"]) for c in t["constraints"])) for t in texts
    )
    assert found.precision > 0.96
    assert found.recall > recall
