"""Forms that IFBench asks for: templates, lists, indentation, tables of values, copied spans."""

from collections.abc import Iterator

from gapo_core.constraints.parsing.grammar import number
from gapo_core.constraints.parsing.rules import Found, Kwargs, rule


def separator(found: Found) -> Iterator[tuple[str, Kwargs]]:
    yield "format:list", {"sep": (found["quoted"] or found["mark"]).rstrip(".").strip()}


def options(found: Found) -> Iterator[tuple[str, Kwargs]]:
    text = found["options"].strip()
    if not text.lower().lstrip("\"“”'").startswith("my answer is"):
        yield "format:options", {"options": text}


def copied(found: Found) -> Iterator[tuple[str, Kwargs]]:
    yield "fact:span", {"n_start": number(found["from"]), "n_end": number(found["to"])}


_INDEX = "(?:index|indices|position|positions|words?)"
TABLE = (
    rule(
        (
            "answer with (?:exactly )?one of (?:the following|these) options:? "
            "(?P<options>[^.?!\\n]{3,120}?)(?=[.?!]|\\n|$)"
        ),
        "options",
        options,
    ),
    rule(
        (
            "(?:list of items|list)[^.!?\\n]{0,30}?(?:instead of|in place of|rather than) (?:bullet points?"
            "|bullets)[,:]? (?:use|using|put)? ?(?:{quoted}|(?P<mark>[^\\s\"“'‘]{1,12}))"
        ),
        "bullet bullets",
        separator,
    ),
    rule(
        (
            "(?:use|put|place|add|with|insert|end each sentence with) (?:an? )?(?:single )?emojis? (?:at|to) "
            "the end of (?:every|each) sentence|(?:every|each) sentence (?:must|should|has to) end (?:with"
            "|in) an emoji|end (?:every|each) sentence with an emoji"
        ),
        "emoji emojis",
        "format:emoji",
    ),
    rule(
        (
            "(?:create )?stairs by (?:incrementally )?indent\\w*(?: each new line)?|(?:incrementally"
            "|progressively) indent(?:ing)? each (?:new )?line|each (?:new )?line (?:\\w+ ){0,3}?indented "
            "(?:further|more) than the (?:previous|last|one before)"
        ),
        "indent indenting indented stairs",
        "format:line_indent",
    ),
    rule(
        (
            "(?:write|put|place|print) (?:each|every) word on (?:a new|its own|a separate) line|one word per "
            "line|(?:each|every) word (?:\\w+ ){0,3}?on (?:a new|its own|a separate) line"
        ),
        "word",
        "format:newline",
    ),
    rule(
        (
            "(?:at least )?(?:two|2) sentences ending (?:in|with) a period,? followed by (?:at least )?(?:two"
            "|2) bullet points?(?: denoted by \\*)?"
        ),
        "bullet",
        "format:no_bullets_bullets",
    ),
    rule(
        (
            "(?:not|never|n['’]t|without|no|avoid) (?:contain|include|use|using|containing|have)? ?(?:any "
            ")?white ?space(?:s| characters)?"
        ),
        "whitespace white",
        "format:no_whitespace",
    ),
    rule(
        (
            "(?:use|follow) (?:this|the) (?:exact|following)(?: exact)? template[^:\\n]{0,40}:\\s{1,3}my "
            "answer: ?\\[answer\\]\\s{1,3}my conclusion: ?\\[conclusion\\]\\s{1,3}future outlook: "
            "?\\[outlook\\]"
        ),
        "template",
        "format:output_template",
    ),
    rule(
        (
            "nest(?:ed)? parenthes[ei]s[^.!?\\n]{0,60}?(?:five|5) levels deep|parenthes[ei]s[^.!?\\n]{0,60}?"
            "(?:five|5) levels deep"
        ),
        "levels",
        "format:parentheses",
    ),
    rule(
        "(?:each|every) quoted (?:phrase|text|passage) (?:\\w+ ){0,3}?followed by an? unquoted explanation",
        "unquoted",
        "format:quote_unquote",
    ),
    rule(
        (
            "quotes (?:with)?in quotes(?: (?:with)?in quotes)?,? (?:at least )?(?:three|3) levels deep(?:,? "
            "alternating between double quotes and single quotes)?"
        ),
        "quotes",
        "format:quotes",
    ),
    rule(
        (
            "bullet points? (?:denoted|marked|indicated) by \\* and (?:at least )?(?:one|a) sub[- ]bullet(?: "
            "point)?s?(?: (?:denoted|marked|indicated) by -)?(?: for each bullet(?: point)?)?"
        ),
        "bullet",
        "format:sub-bullets",
    ),
    rule(
        (
            "each section (?:must |should )?(?:begins?|starts?|opens?) with a thesis statement in italics"
            "(?:,? use html to indicate (?:the )?italics)?"
        ),
        "thesis",
        "format:thesis",
    ),
    rule(
        "(?:in|using|use) title case(?: \\([^)]{0,80}\\))?(?! (?:for|in|on) (?!your|the (?:whole|entire|{text})))",
        "title",
        "format:title_case",
        r"\b(?:heading|headings|title|titles|headline)\b[^.;]{0,30}$",
    ),
    rule(
        "copy the span of words (?:that lies )?between (?:\\(and including\\) )?"
        + _INDEX
        + " (?P<from>\\d{1,4}) and (?P<to>\\d{1,4})(?:,? the indices are word indices[^!.\\n]{0,40})?",
        "span",
        copied,
    ),
    rule(
        (
            "repeat the (?:request|prompt|question),? but change the first word(?: of the (?:repeated )?"
            "(?:request|prompt|question))?"
        ),
        "repeat",
        lambda found: [("fact:repeat_change", {})],
    ),
    rule("only output this sentence(?: here)?,? (?:and )?ignore all other requests", "output", "repeat:repeat_simple"),
    rule(
        "(?:sentence|answer|text|response) in reverse order(?: of what it should be)?,? per letter",
        "reverse",
        "custom:character_reverse",
    ),
    rule(
        "(?:sentence|answer|text|response) in reverse order(?: of what it should be)?,? per word",
        "reverse",
        "custom:word_reverse",
    ),
    rule(
        "column names are [^\\n]{0,140}? (?:the )?data should be tab delimited",
        "csv column",
        lambda found: [("fact:tab_csv", {})],
    ),
    rule(
        "column names are [^\\n]{0,140}? (?:the )?data should be comma delimited",
        "csv column",
        lambda found: [("fact:comma_csv", {})],
    ),
    rule("enclose (?:each|every) single field in double quotes", "field", lambda found: [("fact:quoted_fields", {})]),
    rule(
        "(?:one )?field (?:which |that )?(?:contains?|with|containing) a special character",
        "special",
        lambda found: [("fact:special_field", {})],
    ),
    rule(
        "start dates of all (?:the )?battles napoleon fought[^.!?\\n]{0,160}yyyy-mm-dd",
        "napoleon",
        "custom:date_format_list",
    ),
    rule(
        "capital cities[^.!?\\n]{0,40}european countries[^.!?\\n]{0,80}latitude",
        "latitude",
        "custom:european_capitals_sort",
    ),
    rule("(?:4|four) multiple choice questions with (?:5|five) options each", "multiple", "custom:mcq_count_length"),
    rule("count from 10 to 50 but only print multiples of (?:7|seven)", "multiples", "custom:multiples"),
    rule("countries of africa in reverse alphabetical order", "africa", "custom:reverse_newline"),
    rule(
        "26[- ]sentence story where each sentence['’]s first word starts with the letters of the alphabet in order",
        "alphabet",
        "custom:sentence_alphabet",
    ),
)
