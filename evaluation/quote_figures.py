"""The names, headings and meanings of the quote figures; ``quote_score`` defines them."""

from __future__ import annotations

from typing import Final

#: Rows with precision, recall and F1: title and meaning of the F1.
ROWS: Final[dict[str, tuple[str, str]]] = {
    "direct_exact": ("Direct, exact", "pieces of direct quotes with exactly the right edges"),
    "direct_words": ("Direct, words", "words of direct quotes"),
    "quoted_exact": ("Quoted, exact", "pieces between quotation marks, direct or mixed"),
    "quoted_words": ("Quoted, words", "words between quotation marks, direct or mixed"),
    "reported_words": ("Indirect and mixed, words", "words of indirect and mixed quotes"),
    "reported_found": ("Indirect and mixed, found", "indirect and mixed quotes, half of the words"),
    "any_found": ("Any found", "quotes of any kind, half of the words"),
}
#: Shares: title and meaning.
SHARES: Final[dict[str, tuple[str, str]]] = {
    "recall_direct": ("Recall, direct", "gold direct quotes found, half of the words"),
    "recall_mixed": ("Recall, mixed", "gold mixed quotes found, half of the words"),
    "recall_indirect": ("Recall, indirect", "gold indirect quotes found, half of the words"),
    "recall_speech": ("Recall, indirect speech", "the same of those with a verb of speech"),
    "speaker_end_to_end": ("Speaker, end to end", "direct pieces found and their speaker right"),
    "speaker_matched": ("Speaker, of found", "of the direct pieces found: the speaker right"),
    "speaker_surface": ("Mention, of found", "of the direct pieces found: the mentions overlap"),
    "pronouns_resolved": ("Pronouns", "direct pieces said by a pronoun and given a fitting name"),
    "name_right": ("Name, of found", "of the quotes found: exactly the right resolved name"),
    "articles_right": ("Articles right", "articles with all quotes, kinds and names right"),
}
#: Every figure's key, heading and meaning; all are fractions, higher is better.
FIGURES: Final[dict[str, tuple[str, str]]] = {
    **{
        f"{row}_{part}": (f"{title}{shown}", f"{name} of {meaning}")
        for row, (title, meaning) in ROWS.items()
        for part, shown, name in (
            ("f1", "", "F1"),
            ("precision", ", P", "precision"),
            ("recall", ", R", "recall"),
        )
    },
    **SHARES,
}
