"""The ways that are compared: ours, and what one would otherwise reach for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SEEDS = ROOT / "seeds"
AUTHORED = ROOT / "data" / "authored"

Way = Callable[[Sequence[str]], object]


def authored(name: str) -> list[dict[str, Any]]:
    """Returns the rows of a split of the authored corpus."""
    lines = (AUTHORED / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def quotes(count: int) -> list[str]:
    """Returns that many quotes of test and validation, every one as often as any other."""
    texts = [row["text"] for name in ("test", "validation") for row in authored(name)]
    return [texts[index % len(texts)] for index in range(count)]


def seed_articles() -> list[str]:
    """Returns the articles of ``seeds/``."""
    return [path.read_text("utf-8") for path in sorted(SEEDS.glob("*.txt"))]


def article_of(size: int) -> str:
    """Returns an article of ``size`` characters: authored quotes, each said by somebody on a day.

    No paragraph comes twice: what a page repeats is taken for its furniture.
    """
    texts = [row["text"].replace('"', "'") for row in authored("train")]
    names = ("Anna Weber", "Tomás Ibarra", "Li Min", "Grace Oduya", "Per Lindqvist")
    parts: list[str] = []
    total = 0
    while total < size:
        number = len(parts)
        text, name = texts[number % len(texts)], names[number % len(names)]
        parts.append(f"“{text}” {name} said on day {number + 1} of the talks.")
        total += len(parts[-1]) + 2
    return "\n\n".join(parts)[:size]


def write_pipeline_model(folder: Path) -> Path:
    """Writes the released encoder with a head as transformers' pipelines want it.

    The head has transformers' own form (pooler and one classifier), untrained: its labels mean
    nothing, its cost is what it would be.
    """
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    from stance import StanceClassifier

    model = StanceClassifier.from_pretrained()._fitted()
    config = BertConfig.from_pretrained(str(model.base.folder), num_labels=4)
    torch.manual_seed(0)
    wrapped = BertForSequenceClassification(config)
    state = model.network.encoder.state_dict()
    missing, unexpected = wrapped.bert.load_state_dict(state, strict=False)
    strange = [name for name in missing if not name.startswith("pooler.")]
    if strange or unexpected:
        raise RuntimeError(f"the encoder does not fit: {strange} {list(unexpected)}")
    wrapped.save_pretrained(str(folder))
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        if (model.base.folder / name).is_file():
            shutil.copy(model.base.folder / name, folder / name)
    return folder


def pipeline_way(folder: Path, batch_size: int) -> Way:
    """Returns transformers' pipeline on one model, cutting off what the model cannot read."""
    from transformers import pipeline

    pipe = pipeline("text-classification", model=str(folder), device=-1)
    return lambda texts: pipe(list(texts), batch_size=batch_size, truncation=True, max_length=256)


def embedding_way(rows: Sequence[dict[str, Any]]) -> tuple[str, Way]:
    """Returns sentence-transformers with logistic regression; mean pooling by hand without it."""
    from sklearn.linear_model import LogisticRegression

    from stance.model.encoder import find_base

    folder = str(find_base().folder)
    try:
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(folder, device="cpu")
        name = "sentence-transformers + logistic regression"

        def encode(texts: Sequence[str]) -> Any:
            return model.encode(list(texts), batch_size=32, show_progress_bar=False)

    except ImportError:
        import torch
        from transformers import AutoModel, AutoTokenizer

        tokenizer, encoder = (
            AutoTokenizer.from_pretrained(folder),
            AutoModel.from_pretrained(folder),
        )
        name = "mean-pooled transformers + logistic regression"

        def encode(texts: Sequence[str]) -> Any:
            found = []
            with torch.inference_mode():
                for start in range(0, len(texts), 32):
                    batch = tokenizer(
                        list(texts[start : start + 32]),
                        padding=True,
                        truncation=True,
                        max_length=256,
                        return_tensors="pt",
                    )
                    states = encoder(**batch).last_hidden_state
                    mask = batch["attention_mask"][:, :, None]
                    found.append((states * mask).sum(1) / mask.sum(1))
            return torch.cat(found).numpy()

    head = LogisticRegression(max_iter=1000)
    head.fit(encode([row["text"] for row in rows]), [row["stance"] for row in rows])
    return name, lambda texts: head.predict(encode(texts))


def tfidf_way(rows: Sequence[dict[str, Any]]) -> Way:
    """Returns TF-IDF of words and word pairs with logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(max_iter=1000)
    )
    model.fit([row["text"] for row in rows], [row["stance"] for row in rows])
    return lambda texts: model.predict(list(texts))


def vader_way() -> Way | None:
    """Returns VADER's sentiment, or None where it is not installed."""
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    except ImportError:
        return None
    analyzer = SentimentIntensityAnalyzer()
    return lambda texts: [analyzer.polarity_scores(text) for text in texts]


def matmul_ceiling() -> float:
    """Returns the most operations a second that a large bf16 matrix product reaches here."""
    import torch

    from benchmarks.measure import clock

    size = 2048
    left, right = (torch.randn(size, size, dtype=torch.bfloat16) for _ in range(2))
    with torch.inference_mode():
        left @ right
        return 2 * size**3 / min(clock(lambda: left @ right) for _ in range(5))


def encoder_operations(lengths: Sequence[int]) -> float:
    """Returns the multiplications and additions that the default encoder needs for some rows."""
    from stance.model.encoder import find_base

    config = find_base().config
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    linear = 2 * hidden * (4 * hidden + 2 * inner)
    return float(
        config["num_hidden_layers"]
        * sum(length * linear + 4 * hidden * length * length for length in lengths)
    )
