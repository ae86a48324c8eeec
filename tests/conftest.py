"""Shared fixtures: a tiny encoder with its own vocabulary, so that nothing is downloaded."""

import json
import os
from pathlib import Path

import pytest

# Before any Hugging Face library is imported: the tests use no network.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

WORDS = """
the a we they you i it to of and in on is are will not no never if once unless until when before
after ready talk talks peace deal sign signed reject refuse accept welcome offer blame agree return
table border troops leave sanctions lifted meet monday geneva minister said delegation proposal stop
only then but our their this that for with at by from be have has do must open close ship grain gas
""".split()
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
MARKS = list(".,;:!?\"'[]…-“”’")


def build_tiny_base(folder: Path, *, seed: int = 0, layers: int = 2) -> Path:
    """Writes a random BERT of hidden size 32 with a small vocabulary."""
    import torch
    from safetensors.torch import save_file
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    from stance.model.bert import BertEncoder

    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    pieces = [*SPECIAL, *WORDS, *MARKS, *letters, *("##" + letter for letter in letters)]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])],
    )
    config = {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "hidden_act": "gelu",
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_attention_heads": 4,
        "num_hidden_layers": layers,
        "max_position_embeddings": 64,
        "type_vocab_size": 2,
        "vocab_size": len(vocabulary),
        "pad_token_id": 0,
        "layer_norm_eps": 1e-12,
    }
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, tensor in BertEncoder(config).state_dict().items():
        if "LayerNorm.weight" in name:
            state[name] = torch.ones_like(tensor)
        elif "bias" in name:
            state[name] = torch.zeros_like(tensor)
        else:
            state[name] = torch.randn(tensor.shape, generator=generator) * 0.1
    save_file(state, folder / "model.safetensors")
    return folder


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory) -> Path:
    """A random encoder of two layers, hidden size 32 and at most 64 tokens."""
    return build_tiny_base(tmp_path_factory.mktemp("base") / "tiny")


EIGHT = [
    ("We are ready to talk at the table on Monday.", "conciliatory", "positive"),
    ("We welcome the proposal and will sign it.", "conciliatory", "positive"),
    ("They will never have our gas.", "dismissive", "negative"),
    ("We reject the deal and blame them for it.", "dismissive", "negative"),
    ("If the troops leave, we will sign.", "conditional", "neutral"),
    ("Once sanctions are lifted, we return to talks.", "conditional", "neutral"),
    ("The delegation will meet the minister in Geneva.", "neutral", "neutral"),
    ("The talks are on Monday, the minister said.", "neutral", "neutral"),
]


@pytest.fixture(scope="session")
def eight_quotes():
    """Eight quotes with their labels: texts, stances, sentiments."""
    texts, stances, sentiments = zip(*EIGHT, strict=True)
    return list(texts), list(stances), list(sentiments)


@pytest.fixture(scope="session")
def tiny_classifier(tiny_base, eight_quotes):
    """A classifier of both tasks on the tiny encoder that knows the eight quotes by heart."""
    from stance import StanceClassifier

    texts, stances, sentiments = eight_quotes
    classifier = StanceClassifier(
        str(tiny_base),
        epochs=40,
        batch_size=4,
        learning_rate=3e-3,
        max_length=48,
        settings={"head_learning_rate": 1e-2, "precision": "fp32", "layer_decay": 1.0},
    )
    return classifier.fit(texts, {"stance": stances, "sentiment": sentiments})
