"""Hand-made results for the tests of rendering and writing."""

from stance.io import Document
from stance.labels import SENTIMENTS, STANCES
from stance.types import Cue, Prediction, Quote, Speaker

ARTICLE = (
    "GENEVA — Minister Ana Kovač spoke on Friday.\n"
    "“If they open the border,” she said, “we will lift the blockade.”\r\n"
    "\r\n"
    "Her rival called the plan <b>“a bad joke”</b> & left.\n"
)


def make_quote(article, *pieces, kind="direct", speaker=None, role=None, cue=None):
    """Returns the quote made of ``pieces``, which stand in ``article`` in this order."""
    spans, position = [], 0
    for piece in pieces:
        start = article.index(piece, position)
        position = start + len(piece)
        spans.append((start, position))
    source = None
    if speaker is not None:
        start = article.index(speaker)
        source = Speaker(speaker, speaker, start, start + len(speaker), role)
    word = None
    if cue is not None:
        start = article.index(cue)
        word = Cue(cue, start, start + len(cue))
    text = " ".join(pieces)
    return Quote(text, spans[0][0], spans[-1][1], tuple(spans), kind, source, word, article)


def make_prediction(quote, stance="neutral", sentiment="neutral", confidence=0.7, **more):
    """Returns a prediction for a quote or a plain string."""
    rest = (1 - confidence) / 3
    return Prediction(
        text=quote if isinstance(quote, str) else quote.text,
        stance=stance,
        sentiment=sentiment,
        stance_probabilities={name: confidence if name == stance else rest for name in STANCES},
        sentiment_probabilities={name: 0.8 if name == sentiment else 0.1 for name in SENTIMENTS},
        confidence=confidence,
        quote=None if isinstance(quote, str) else quote,
        **more,
    )


OFFER = make_quote(
    ARTICLE,
    "If they open the border,",
    "we will lift the blockade.",
    speaker="Ana Kovač",
    role="Minister",
    cue="said",
)
JOKE = make_quote(ARTICLE, "the plan <b>“a bad joke”</b>", kind="mixed", cue="called")
QUOTES = (OFFER, JOKE)
PREDICTIONS = (
    make_prediction(OFFER, "conditional", "positive", 0.91),
    make_prediction(JOKE, "dismissive", "negative", 0.66),
)
SPLIT = Document("border.txt", ARTICLE, QUOTES)
LABELLED = Document("border.txt", ARTICLE, PREDICTIONS)
