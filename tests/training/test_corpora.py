"""What the corpora's texts are taken to say: plain words label, doubtful ones do not."""

import pytest
from gapo_training import natural_errors
from gapo_training.corpora import e2e, rnnlg
from gapo_training.corpora.record import CorpusError
from gapo_training.corpora.restaurant_facts import meaning, names_in, read_text
from gapo_training.corpora.rnnlg import flag_said

NAMES = ("Burger King", "Clare Hall", "The Rice Boat", "Raja Indian Cuisine", "Crowne Plaza Hotel", "Café Sicilia")


@pytest.mark.parametrize(
    ("text", "slot", "value", "expected"),
    [
        ("It has low prices and an average rating.", "priceRange", "cheap", "stated"),
        ("It has low prices and an average rating.", "customer rating", "3 out of 5", "stated"),
        ("It has low prices and an average rating.", "customer rating", "high", "lacks"),
        ("Customers rate it 1 out 5.", "customer rating", "low", "stated"),
        ("It is an average place.", "customer rating", "average", "doubtful"),
        ("Prices are above average.", "priceRange", "moderate", "doubtful"),
        ("A pub by the river.", "customer rating", "5 out of 5", "lacks"),
        ("They do not cater for children.", "familyFriendly", "no", "stated"),
        ("They do not cater for children.", "familyFriendly", "yes", "lacks"),
        ("Kids are welcome.", "familyFriendly", "yes", "stated"),
        ("It isn't family-friendly.", "familyFriendly", "no", "stated"),
        ("A place for adults.", "familyFriendly", "no", "doubtful"),
        ("A coffee shop near Burger King.", "food", "Fast food", "lacks"),
        ("A coffee shop near Raja Indian Cuisine.", "food", "Indian", "lacks"),
        ("They serve British food.", "food", "English", "stated"),
        ("They serve sushi.", "food", "Japanese", "doubtful"),
        ("Located just outside the city centre.", "area", "city centre", "doubtful"),
        ("A restaurant on the riverside.", "eatType", "coffee shop", "lacks"),
    ],
)
def test_restaurant_readings(text, slot, value, expected) -> None:
    reading, wanted = read_text(text, NAMES)[slot], meaning(slot, value)
    found = "stated" if reading.states(wanted) else "lacks" if reading.lacks(wanted) else "doubtful"
    assert found == expected


def test_a_misspelt_name_is_doubtful_and_an_accent_is_no_difference() -> None:
    reading = names_in("Near the Crown Plaza Hotel and Cafe Sicilia.", NAMES)
    assert reading.states("Café Sicilia")
    assert not reading.states("Crowne Plaza Hotel")
    assert not reading.lacks("Crowne Plaza Hotel")
    assert reading.lacks("The Rice Boat")


@pytest.mark.parametrize(
    ("slot", "text", "said"),
    [
        ("isforbusinesscomputing", "a laptop that is not ideal for business computing", "no"),
        ("isforbusinesscomputing", "a nice nonbusiness laptop", "no"),
        ("isforbusinesscomputing", "a laptop for business use", "yes"),
        ("isforbusinesscomputing", "if you do not care whether it is for business computing", None),
        ("isforbusinesscomputing", "a light laptop", ""),
        ("hasusbport", "it has 2 hdmi ports and no usb ports", "no"),
        ("hasusbport", "a television with usb", "yes"),
        ("hasusbport", "a television with 2 ports", None),
    ],
)
def test_flags_are_read_with_their_denials(slot, text, said) -> None:
    assert flag_said(slot, text) == said


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"# comment\n[1, 2", "is no JSON"),
        (b"\xff\xfe[]", "is no JSON"),
        (b"{}", "is no list"),
        (b'[["inform(name=a)", "a text"]]', r"row 1 is not \[act, text, text\]"),
        (b'[["inform(name=a)", "a", "b"], [1, "a", "b"]]', "row 2 is not"),
    ],
)
def test_a_file_that_is_no_rnnlg_is_named(tmp_path, content, told) -> None:
    (tmp_path / "laptop").mkdir()
    (tmp_path / "laptop/train.json").write_bytes(content)
    with pytest.raises(CorpusError, match=rf"laptop/train\.json: {told}"):
        rnnlg.read(tmp_path, "train")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a,b\n1,2\n", "row 1 lacks mr, ref"),
        (b"mr,ref\nname[x],text\nname[y]\n", "row 2 lacks ref"),
        (b"mr,ref\nname[x],\xff\n", "is no CSV in UTF-8"),
        (b'mr,ref\nname[x],"text', "is no CSV in UTF-8"),
    ],
)
def test_a_file_that_is_no_e2e_is_named(tmp_path, content, told) -> None:
    (tmp_path / "e2e.csv").write_bytes(content)
    with pytest.raises(CorpusError, match=rf"e2e\.csv: {told}"):
        e2e.read(tmp_path / "e2e.csv")
    with pytest.raises(CorpusError, match=r"e2e\.csv: "):
        natural_errors.read(tmp_path / "e2e.csv", 0)
