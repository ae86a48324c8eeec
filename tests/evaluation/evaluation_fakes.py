"""Models with known answers, and rows written for these tests."""

import json
from pathlib import Path

from stance.labels import SENTIMENTS, STANCES
from stance.types import Prediction

# (text, stance, sentiment): three situations of four quotes.
QUOTES = [
    ("We will reopen the ferry line as soon as the inspectors sign.", "conditional", "neutral"),
    ("Their ferry offer is a bad joke and we refuse it.", "dismissive", "negative"),
    ("We gladly accept the ferry timetable you sent.", "conciliatory", "positive"),
    ("The ferry leaves at noon on Thursdays.", "neutral", "neutral"),
    ("Unless the dam gates open, the loan stays frozen.", "conditional", "negative"),
    ("Nobody here believes a word of that dam report.", "dismissive", "negative"),
    ("We thank the dam engineers and hope to see them again.", "conciliatory", "positive"),
    ("The dam was finished in the spring.", "neutral", "neutral"),
    ("Drop the orchard tax, and we drop ours.", "conditional", "neutral"),
    ("The orchard tax is an insult.", "dismissive", "negative"),
    ("We are ready to talk about the orchards tomorrow.", "conciliatory", "neutral"),
    ("The orchard talks have a new chair.", "neutral", "neutral"),
]
SITUATIONS = ["ferry", "dam", "orchard"]


def record(index: int, **more: object) -> dict:
    """Returns the row of one quote, as data files hold it."""
    text, stance, sentiment = QUOTES[index % len(QUOTES)]
    return {
        "id": f"t{index}",
        "text": text,
        "context": "",
        "stance": stance,
        "sentiment": sentiment,
        "situation": SITUATIONS[index % len(QUOTES) // 4],
        "register": "wire" if index % 2 else "tweet",
        "tags": ["rule3"] if index % 3 else ["short"],
        **more,
    }


def write_rows(path: Path, rows: list) -> Path:
    """Writes JSON lines and returns the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def prediction(text: str, stance: str, sentiment: str, sure: float = 0.7) -> Prediction:
    """Returns a prediction with this confidence, the rest shared evenly."""

    def spread(labels: tuple, chosen: str) -> dict:
        rest = (1 - sure) / (len(labels) - 1)
        return {name: sure if name == chosen else rest for name in labels}

    stances, tones = spread(STANCES, stance), spread(SENTIMENTS, sentiment)
    return Prediction(text, stance, sentiment, stances, tones, sure)


class Oracle:
    """Knows the labels of ``QUOTES``; says neutral of every other text."""

    def __init__(self, sure: float = 0.7, wrong: tuple = ()) -> None:
        self.sure = sure
        self.wrong = set(wrong)
        self.seen: list = []

    def classify(self, texts: list, *, context: list) -> list:
        """Returns the gold labels, dismissive for the texts in ``wrong``."""
        assert len(texts) == len(context)
        self.seen += list(zip(texts, context, strict=True))
        known = {text: (stance, sentiment) for text, stance, sentiment in QUOTES}
        answers = []
        for text in texts:
            stance, sentiment = known.get(text, ("neutral", "neutral"))
            stance = "dismissive" if text in self.wrong else stance
            answers.append(prediction(text, stance, sentiment, self.sure))
        return answers


def build_root(folder: Path) -> Path:
    """Writes a small repository: authored train and test, a contrast file."""
    authored = folder / "data" / "authored"
    write_rows(authored / "train.jsonl", [record(i, situation=f"old{i}") for i in range(8)])
    write_rows(authored / "test.jsonl", [record(i) for i in range(12)])
    pairs = [record(i, group=f"g{i // 4}") for i in range(12)]
    write_rows(folder / "data" / "contrast" / "pairs.jsonl", pairs)
    return folder
