"""The label sets: order, and that whoever sees one label sees a different one for each."""

import pytest

from stance import labels


def test_label_order_is_fixed():
    assert labels.STANCES == ("conciliatory", "dismissive", "conditional", "neutral")
    assert labels.SENTIMENTS == ("negative", "neutral", "positive")
    assert labels.QUOTE_KINDS == ("direct", "mixed", "indirect")


def test_every_stance_has_a_definition_a_colour_and_a_shape():
    assert tuple(labels.DEFINITIONS) == labels.STANCES
    assert tuple(labels.SYMBOLS) == labels.STANCES
    assert set(labels.COLOURS) == {*labels.STANCES, *labels.SENTIMENTS}


@pytest.mark.parametrize("table", [labels.SYMBOLS, labels.DEFINITIONS])
def test_no_two_stances_share_a_shape_or_a_definition(table):
    assert len(set(table.values())) == len(labels.STANCES)


def test_no_two_stances_share_a_colour():
    assert len({labels.COLOURS[name] for name in labels.STANCES}) == len(labels.STANCES)


def luminance(colour):
    """Relative luminance by https://www.w3.org/TR/WCAG21/#dfn-relative-luminance."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("name", "colour"), labels.COLOURS.items())
def test_colours_are_readable_as_text_on_white(name, colour):
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5, name
