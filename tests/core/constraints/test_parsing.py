"""Constraints read from prompts: golden prompts, round trips, invariants on any text, figures on annotated data."""

import json
import time
from collections import Counter
from pathlib import Path

import pytest
from gapo_core.commands.parser import figures
from gapo_core.constraints import Constraint, parse
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
        "Write a text that conveys these attributes: brand = Acme, colour = red.",
        "Write an ad from the specifications below.\nbrand: Acme\ncolour: red\nMake it rhyme.",
        "Write an ad. brand: Acme; colour: red. Make it rhyme.",
    ],
)
def test_attribute_lists(prompt) -> None:
    wanted = [Constraint("attribute:value", {"slot": s, "value": v}) for s, v in (("brand", "Acme"), ("colour", "red"))]
    assert read(prompt) == wanted


def test_settings_of_a_task_are_no_attributes() -> None:
    assert read("Write a text.\nTone: formal\nTopic: dogs\nAudience: children") == []
    assert read("Write a text on why x = 3, y = 4 solves it.") == []
    assert read("Write a text with the details of this call.\nAnna: I'm late\nBen: no problem") == []
    assert read("The ad had these features: colour: red; weight: 2 kg. Why was it rejected?") == []


def test_the_length_of_a_thing_is_an_attribute() -> None:
    assert read("Describe a board. wood: oak; length: 42 cm") == [
        Constraint("attribute:value", {"slot": "wood", "value": "oak"}),
        Constraint("attribute:value", {"slot": "length", "value": "42 cm"}),
    ]
    assert read("Write a text. wood: oak; length: 100 words") == []


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
        "no need to be and so ",
        "use all caps if it and ",
        "you can use more than 3 bullets for a and ",
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
        # What is forbidden, or said in a language, in a part only.
        "In the opening line, don't use the word 'I'.",
        "Avoid the phrase 'in sum' in the conclusion.",
        "Only the first sentence should be in French, all the others in English.",
        # What others have banned, where words occur, what those want who take something else.
        "Everybody in our office has banned the word 'moist'. Why do people hate it?",
        "Name a film in which the words 'I'll be back' occur.",
        "'Ciao' must not be used with strangers. Explain why.",
        "I only write the French version. Who writes the German one?",
        "Write a letter to my professor. The faculty wants at least 3,000 words.",
        "Write a complaint about the comment box. It is limited to 120 characters.",
        "Write a poem about my aunt's notice. It must be in capitals, she says.",
        "He spoke for an hour, so fewer than 10 sentences stuck.",
        "'Yes' three times. That was her answer.",
        # "Don't" denies as "do not" does.
        "Don't answer in German.",
        "Don't finish with the phrase 'Cheers'.",
        "Don't write in all caps.",
    ],
)
def test_what_is_told_or_said_of_a_part_is_not_demanded(prompt) -> None:
    assert read(prompt) == []


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
