"""The page in a real browser: results, hostile texts, refusals, links, widths."""

import json
import os
import shutil
import subprocess
from contextlib import redirect_stdout
from io import StringIO
from urllib.parse import urlencode

import httpx
import pytest

from tests.server.console.conftest import KEY
from tests.server.running import BAD, GOOD, PROMPT, publish, running

HOSTILE = (
    "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>&amp; it's $HOME `id` \\n"
)
BY_HAND = 'length_constraints:number_words:{"num_words": 3, "relation": "at least"}\n\npunctuation:no_comma'


def cards(page) -> list:
    return page.locator(".card").all()


def copied(page, button: str) -> str:
    page.click(button)
    page.wait_for_selector("#copy-outcome:not(:empty)")
    return page.input_value("#copied")


def test_the_example_is_ranked_with_verdicts_and_decisions(tab) -> None:
    page = tab().open()
    page.click("#example")
    page.wait_for_selector(".card")
    best, *others = cards(page)
    assert best.locator("h2").inner_text() == "Response 2"
    assert [card.locator(".rank").inner_text() for card in (best, *others)] == ["1", "2", "3"]
    assert best.locator(".verdicts .status").all_inner_texts() == ["satisfied"] * 4
    assert best.locator(".decision").inner_text() == "allow"
    assert all(card.locator("header .decision").inner_text() == "block" for card in others)
    assert "1 comma found" in others[0].inner_text()
    assert others[0].locator("mark.violated").all_inner_texts() == [","]
    scores = [float(card.locator(".score").inner_text().replace("−", "-")) for card in (best, *others)]
    assert scores == sorted(scores, reverse=True)
    shares = [card.locator(".bar span").evaluate("bar => bar.offsetWidth") for card in (best, *others)]
    assert shares[0] > 10 * max(shares[1:])
    assert "tokens of the prompt" in best.inner_text()
    assert "Describe a laptop." in page.inner_text(".remainder")
    assert "response 2 comes first" in page.inner_text("#outcome")


def test_what_is_served_is_told(tab) -> None:
    page = tab().open()
    page.wait_for_selector("#served .ready.yes")
    assert page.inner_text("#served").startswith("gapo-mini 3")
    assert page.inner_text("#served").endswith("ready")


def test_hostile_texts_stay_texts(tab) -> None:
    opened = tab()
    page = opened.open()
    opened.run(f"Mention {HOSTILE}. Use no commas.", HOSTILE, GOOD)
    shown = page.locator("blockquote").all_inner_texts()
    assert HOSTILE in shown
    assert page.locator("#results img, #results script").count() == 0
    assert page.title() != "taken"


def test_places_count_characters_beyond_the_basic_plane(tab) -> None:
    opened = tab()
    page = opened.open()
    opened.run("Use no commas.", "\U0001f600\U0001f600 a, b")
    assert page.locator("mark.violated").all_inner_texts() == [","]


def test_what_the_server_refuses_stands_at_its_field(tab) -> None:
    opened = tab()
    page = opened.open()
    opened.run(PROMPT, GOOD, " ", BAD)
    assert page.inner_text("#response-2-error").startswith("This response ")
    assert page.locator("[aria-invalid]").count() == 1
    assert page.evaluate("document.activeElement.id") == "response-2"
    assert len(cards(page)) == 3  # rules were asked all the same
    opened.run("", GOOD, GOOD, BAD)
    assert page.inner_text("#prompt-error").startswith("The prompt ")
    assert page.inner_text("#response-2-error") == ""


def test_a_text_over_the_budget_is_refused_or_cut_as_asked(tab) -> None:
    opened = tab()
    page = opened.open()
    opened.run("Say budget.", "budget " * 5000)
    assert "tokens" in page.inner_text("#response-1-error")
    page.click("#options summary")
    page.select_option("#truncation", "keep_head")
    opened.run("Say budget.", "budget " * 5000)
    assert "of the response were cut" in page.inner_text(".cut")
    assert "Too long for a link" in page.inner_text("#link-note")
    assert page.evaluate("location.hash") == ""


def test_constraints_by_hand_and_their_mistakes(tab) -> None:
    opened = tab()
    page = opened.open()
    page.click("#options summary")
    page.fill("#constraints", BY_HAND)
    opened.run(PROMPT, "a laptop")
    assert page.locator(".verdicts .status").all_inner_texts() == ["violated", "satisfied"]
    assert "2 words found where at least 3 are wanted" in page.inner_text(".verdicts")
    page.fill("#constraints", f"{BY_HAND}\nlength_constraints:number_wrods")
    opened.run(PROMPT, "a laptop")
    assert page.inner_text("#constraints-error").startswith("Line 4: ")
    assert page.inner_text("#constraints-error").endswith("number_words'?")
    page.fill("#constraints", "length_constraints:number_words:{num_words}")
    opened.run(PROMPT, "a laptop")
    assert "Line 1: what follows the id is not JSON" in page.inner_text("#constraints-error")


def test_a_policys_own_constraints_and_reasons_are_shown(tab, tmp_path) -> None:
    policy = {"constraints": [{"id": "length_constraints:number_words", "kwargs": {"num_words": 3}}]}
    policy["constraints"][0]["kwargs"]["relation"] = "less than"
    (tmp_path / "short.json").write_text(json.dumps(policy), encoding="utf-8")
    with running("--policies", str(tmp_path)) as server:
        opened = tab(server.rest)
        page = opened.open()
        page.wait_for_selector("#served .ready")
        assert page.locator("#policy option").all_inner_texts() == ["none: no decision", "default", "short"]
        page.select_option("#policy", "short")
        opened.run("Use no commas.", "one two three")
        assert page.locator(".verdicts .status").all_inner_texts() == ["satisfied", "violated"]
        assert "demanded by the policy" in page.inner_text(".verdicts")
        assert "block: length_constraints:number_words is violated" in page.inner_text(".gate")
        page.select_option("#policy", "")
        opened.run("Use no commas.", "one two three")
        assert page.locator(".gate, .decision").count() == 0


def test_a_model_is_chosen_where_several_are_served(tab, tmp_path) -> None:
    for name in ("first", "second"):
        publish(tmp_path, name, "1")
    with running("--store", str(tmp_path)) as server:
        opened = tab(server.rest)
        page = opened.open()
        page.select_option("#model", "second")
        opened.run(PROMPT, GOOD)
        assert page.inner_text("#outcome") == "Scored by second 1."
        page = opened.open("/#" + urlencode({"prompt": PROMPT, "response": GOOD, "model": "third"}))
        page.wait_for_selector("#model option:has-text('third (not served)')", state="attached")
        page.click("#question button.main")
        page.wait_for_selector("#model-error:not(:empty)")
        assert "'third' is not served" in page.inner_text("#model-error")


def test_a_link_restores_its_state_and_holds_all_of_it(tab) -> None:
    opened = tab()
    page = opened.open()
    page.click("#options summary")
    page.fill("#constraints", BY_HAND)
    page.select_option("#truncation", "keep_tail")
    page.select_option("#policy", "")
    opened.run("A & B = #1?\n100 %", "+ plus\n second line", "")
    address = page.url
    assert "#" in address
    other = tab()
    page = other.open(address.removeprefix(other.rest))
    page.wait_for_selector("#served .ready")
    assert page.input_value("#prompt") == "A & B = #1?\n100 %"
    assert [page.input_value(f"#response-{number}") for number in (1, 2)] == ["+ plus\n second line", ""]
    assert page.input_value("#constraints") == BY_HAND
    assert (page.input_value("#truncation"), page.input_value("#policy")) == ("keep_tail", "")
    assert page.locator(".card").count() == 0  # a link asks nothing by itself
    assert not [url for url in other.asked if "plus" in url.partition("#")[0]]


def test_at_most_eight_responses(tab) -> None:
    page = tab().open("/#" + urlencode({"response": list("abcdefghij")}, doseq=True))
    page.wait_for_selector("#served .ready")
    assert page.locator("#responses textarea").count() == 8
    assert page.locator("#add").is_hidden()
    page.get_by_role("button", name="Remove response 3").click()
    assert page.locator("#add").is_visible()
    values = [page.input_value(f"#response-{number}") for number in range(1, 8)]
    assert values == list("abdefgh")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is absent")
def test_the_copied_requests_run_and_hold_no_key(tab, keyed) -> None:
    opened = tab(keyed.rest)
    page = opened.open()
    page.fill("#key", KEY)
    page.keyboard.press("Enter")
    page.wait_for_selector("#prompt:visible")
    page.click("#options summary")
    page.fill("#constraints", BY_HAND)
    opened.run(f"{PROMPT}\n{HOSTILE}", HOSTILE, GOOD)
    curl, python = copied(page, "#copy-curl"), copied(page, "#copy-python")
    assert KEY not in curl + python
    env = os.environ | {"GAPO_API_KEY": KEY}
    done = subprocess.run(["bash", "-ec", curl.replace("curl -s", "curl -sfw '\\n'")], env=env, capture_output=True)
    scored, checked, gated = map(json.loads, done.stdout.splitlines())
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as told:
        patch.setenv("GAPO_API_KEY", KEY)
        made: dict = {}
        exec(python, made)
    assert (made["prompt"], made["responses"]) == (f"{PROMPT}\n{HOSTILE}", [HOSTILE, GOOD])
    assert [one.score for one in made["scores"]] == pytest.approx([one["score"] for one in scored["results"]])
    assert [one.status for one in made["checks"]] == [one["status"] for one in checked["results"]]
    assert [one.decision for one in made["decisions"]] == [one["decision"] for one in gated["results"]]
    assert len(told.getvalue().splitlines()) == 2


def test_the_key_is_asked_for_and_kept_in_memory_only(tab, keyed) -> None:
    opened = tab(keyed.rest)
    page = opened.open(f"/#{urlencode({'prompt': PROMPT, 'response': GOOD})}")
    page.wait_for_selector("#key:focus")
    assert page.locator("#question").is_hidden()
    for wrong, told in (("wrong", "The server does not take this key"), ("ключ", "The key ")):
        page.fill("#key", wrong)
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#key-error:has-text({json.dumps(told)})")
    page.fill("#key", KEY)
    page.keyboard.press("Enter")
    page.wait_for_selector("#prompt:visible")
    page.click("#question button.main")
    page.wait_for_selector(".card")
    kept = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie, location.href])")
    assert KEY not in kept + page.content()
    assert page.input_value("#key") == ""
    page.reload()
    page.wait_for_selector("#key:focus")
    assert not [url for url in opened.asked if KEY in url]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_window_and_all_can_be_read(tab, scheme, width) -> None:
    opened = tab(color_scheme=scheme, viewport={"width": width, "height": 740})
    page = opened.open()
    opened.run(PROMPT + " Mention " + "w" * 300, "x" * 300, BAD)
    page.click("#options summary")
    copied(page, "#copy-curl")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background[4:-1].split(", "))) < 200) == (scheme == "dark")
    unnamed = "[...document.querySelectorAll('textarea, select, input')].filter(e => !e.labels.length && !e.ariaLabel)"
    assert page.evaluate(f"{unnamed}.length") == 0
    assert poorest_contrast(page) >= 4.5


def poorest_contrast(page) -> float:
    """The least contrast, as WCAG 2 has it, of any text that is seen with what is painted behind it."""
    return page.evaluate(
        """() => {
        const parse = (color) => color.match(/[\\d.]+/g).map(Number);
        const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
            .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
            .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
        const behind = (e) => {
            for (; e; e = e.parentElement) {
                const color = parse(getComputedStyle(e).backgroundColor);
                if (color[3] !== 0) return color;
            }
        };
        const seen = [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility() &&
            [...e.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
        return Math.min(...seen.map((e) => {
            const [low, high] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((a, b) => a - b);
            return (high + 0.05) / (low + 0.05);
        }));
    }"""
    )


def test_a_server_that_is_gone_is_told(tab) -> None:
    with running() as server:
        opened = tab(server.rest)
        page = opened.open()
        page.wait_for_selector("#served .ready.yes")
    opened.run(PROMPT, GOOD)
    assert page.inner_text("#question-error").startswith("The server does not answer")
    page.wait_for_selector("#served .ready.no")


def test_the_docs_work_without_a_network(tab) -> None:
    page = tab().open("/docs")
    page.wait_for_selector(".opblock")
    assert page.locator(".opblock").count() == len(
        [
            method
            for path in httpx.get(page.url.removesuffix("docs") + "openapi.json").json()["paths"].values()
            for method in path
        ]
    )
