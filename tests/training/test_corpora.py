"""What the corpora's texts are taken to say: plain words label, doubtful ones do not."""

import pytest
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
