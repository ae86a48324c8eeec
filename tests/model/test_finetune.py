import json
import math

import numpy as np
import pytest
import torch

from stance.model.batches import NO_LABEL, class_weights, training_batches
from stance.model.checkpoint import load_checkpoint, save_checkpoint
from stance.model.finetune import Example, TrainingConfig, finetune
from stance.model.inputs import EncodedWindow
from stance.model.optimise import rate_factor
from stance.model.settings import read_toml
from stance.model.trainer import Trainer

TASKS = {"stance": ("yes", "no"), "tone": ("up", "down")}
WORDS = ["we sign", "they leave", "no deal", "open the border", "talks on monday"]


def examples(count: int) -> list[Example]:
    return [
        Example(
            f"{WORDS[row % 5]} " * (1 + row % 3),
            {"stance": "yes" if row % 2 else "no", "tone": "up" if row % 3 else "down"},
            "the minister said […] in geneva" if row % 4 == 0 else "",
        )
        for row in range(count)
    ]


def config(tiny_base, **changes) -> TrainingConfig:
    settings = {"base": str(tiny_base), "epochs": 2, "batch_size": 4, "max_length": 32}
    return TrainingConfig().updated(settings | {"precision": "fp32"} | changes)


def weights_of(model) -> dict:
    return {name: tensor.clone() for name, tensor in model.network.state_dict().items()}


def assert_equal_weights(left, right):
    assert left.keys() == right.keys()
    for name, tensor in left.items():
        assert torch.equal(tensor, right[name]), name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1, not 0"),
        ({"epochs": 2.5}, "epochs must be of type int, not 2.5"),
        ({"epochs": True}, "epochs must be of type int, not True"),
        ({"learning_rate": "fast"}, "learning_rate must be of type float, not 'fast'"),
        ({"learning_rate": -1e-4}, "learning_rate must be above 0"),
        ({"learning_rate": math.nan}, "learning_rate must be above 0"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), not 1.0"),
        ({"context_dropout": 1.5}, r"context_dropout must be in \[0, 1\], not 1.5"),
        ({"precision": "fp8"}, "precision must be one of .* not 'fp8'"),
        ({"task_weights": {"stance": -1}}, r"task_weights\['stance'\] must be 0 or more, not -1"),
        ({"layers": 3}, "unknown training setting 'layers'"),
    ],
)
def test_a_bad_setting_is_named_with_its_value(change, message):
    with pytest.raises(ValueError, match=message):
        TrainingConfig().updated(change)


@pytest.mark.parametrize("content", [b"epochs = ", b"\xff\xfe", None])
def test_a_bad_toml_file_is_named(tmp_path, content):
    path = tmp_path / "bad.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"bad\.toml"):
        read_toml(path)


def test_the_rate_rises_then_falls_to_zero():
    factors = [rate_factor(step, 100, 0.1) for step in range(101)]
    assert factors[:10] == pytest.approx([0.1 * step for step in range(1, 11)])
    assert max(factors) == factors[9] == factors[10] == 1.0
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert factors[100] == 0.0
    assert rate_factor(0, 10, 0.0) == 1.0


def test_training_batches_hold_every_row_once_and_differ_by_epoch():
    windows = [EncodedWindow(row, [1] * (1 + row % 7), [0] * (1 + row % 7), 1) for row in range(50)]
    settings = TrainingConfig(batch_size=8)
    first, second = (training_batches(windows, settings, epoch) for epoch in (0, 1))
    for batches in (first, second):
        assert sorted(row for batch in batches for row in batch) == list(range(50))
    assert first != second
    assert first == training_batches(windows, settings, 0)


def test_class_weights_have_mean_one_and_favour_the_rare():
    targets = {"stance": torch.tensor([0] * 9 + [1] + [NO_LABEL])}
    weights = class_weights(targets, {"stance": ("a", "b")}, 1.0)["stance"]
    assert weights is not None
    assert float(weights[1] / weights[0]) == pytest.approx(9)
    assert float((weights[0] * 9 + weights[1]) / 10) == pytest.approx(1)
    assert class_weights(targets, {"stance": ("a", "b")}, 0.0) == {"stance": None}


@pytest.mark.parametrize("changes", [{}, {"ema_decay": 0.9}, {"checkpoint_steps": 2}])
@pytest.mark.parametrize("stop_after", [1, 4, 6])
def test_a_killed_run_resumed_equals_one_without_a_stop(
    tiny_base, tmp_path, monkeypatch, changes, stop_after
):
    settings = config(tiny_base, **{"checkpoint_steps": 1, **changes})
    data = examples(14)
    validation = {"held out": examples(6)}
    whole = finetune(data, validation, TASKS, settings)

    steps = []
    step = Trainer.step

    def killed(self, *arguments):
        if len(steps) == stop_after:
            raise KeyboardInterrupt
        steps.append(1)
        return step(self, *arguments)

    checkpoint = tmp_path / "checkpoint.pt"
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", killed)
        with pytest.raises(KeyboardInterrupt):
            finetune(data, validation, TASKS, settings, checkpoint=checkpoint)
    log = tmp_path / "log.jsonl"
    resumed = finetune(
        data, validation, TASKS, settings, checkpoint=checkpoint, resume=True, log=log
    )
    assert_equal_weights(weights_of(whole), weights_of(resumed))
    assert whole.temperatures == resumed.temperatures
    for key in ("epoch", "step", "loss", "score", "validation"):
        assert [row[key] for row in whole.history] == [row[key] for row in resumed.history]
    logged = [json.loads(line) for line in log.read_text().splitlines()]
    assert [row["epoch"] for row in logged] == [1, 2]
    assert not checkpoint.exists()


def test_a_checkpoint_of_another_run_is_refused(tiny_base, tmp_path, monkeypatch):
    checkpoint = tmp_path / "checkpoint.pt"
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "close_epoch", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            finetune(
                examples(8), {}, TASKS, config(tiny_base, checkpoint_steps=1), checkpoint=checkpoint
            )
    with pytest.raises(ValueError, match="other settings or data"):
        finetune(examples(9), {}, TASKS, config(tiny_base), checkpoint=checkpoint, resume=True)


def test_a_checkpoint_that_could_run_code_is_refused(tmp_path):
    import pickle

    class Evil:
        def __reduce__(self):
            return (print, ("this must never be printed",))

    path = tmp_path / "checkpoint.pt"
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(ValueError, match="not a readable checkpoint"):
        load_checkpoint(path, "any")
    save_checkpoint(path, {"fingerprint": "one"})
    assert load_checkpoint(path, "one")["fingerprint"] == "one"
    assert [entry.name for entry in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_the_best_epoch_is_kept(tiny_base, monkeypatch):
    scores = iter([0.2, 0.9, 0.4, 0.4])
    kept = []
    close = Trainer.close_epoch

    def closing(self, state, *arguments):
        record = close(self, state, *arguments)
        kept.append((state.best_epoch, {k: v.clone() for k, v in state.best.items()}))
        return record

    monkeypatch.setattr("stance.model.trainer._score", lambda *_: next(scores))
    monkeypatch.setattr(Trainer, "close_epoch", closing)
    model = finetune(
        examples(12), {"held out": examples(4)}, TASKS, config(tiny_base, epochs=4, patience=2)
    )
    assert [epoch for epoch, _ in kept] == [1, 2, 2, 2]
    assert model.training["best_epoch"] == 2
    state = model.network.state_dict()
    for name, tensor in kept[1][1].items():
        assert torch.equal(state[name], tensor.half().float()), name


def test_patience_ends_a_run_early(tiny_base, monkeypatch):
    monkeypatch.setattr("stance.model.trainer._score", lambda *_: 0.5)
    model = finetune(
        examples(8), {"held out": examples(4)}, TASKS, config(tiny_base, epochs=9, patience=2)
    )
    assert len(model.history) == 3
    assert model.training["best_epoch"] == 1


def test_frozen_embeddings_stay_and_other_tensors_move(tiny_base):
    from stance.model.encoder import build_encoder, find_base

    before = build_encoder(find_base(str(tiny_base))).state_dict()
    # A rate at which even the LayerNorm, near 1, moves by more than half precision rounds off.
    model = finetune(examples(8), {}, TASKS, config(tiny_base, learning_rate=5e-3, epochs=4))
    after = model.network.encoder.state_dict()
    frozen = {"embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight"}
    for name, tensor in before.items():
        # A bias of keys shifts all attention scores alike, so it has no gradient.
        if not name.endswith("key.bias"):
            assert torch.equal(tensor, after[name]) == (name in frozen), name


def test_weight_zero_takes_a_row_out_of_the_loss(tiny_base):
    data = examples(8)
    settings = config(tiny_base, batch_size=8, context_dropout=1.0)
    wrong = [Example(row.text, {"stance": "no", "tone": "up"}, weight=0.0) for row in data]
    runs = []
    for extra_label in ("yes", "no"):
        changed = [
            Example(row.text, {**row.labels, "stance": extra_label}, weight=0.0) for row in wrong
        ]
        model = finetune(data + changed, {}, TASKS, settings.updated({"batch_size": 16}))
        runs.append(weights_of(model))
    assert_equal_weights(*runs)


@pytest.mark.parametrize(
    "changes",
    [
        {"r_drop": 1.0},
        {"ema_decay": 0.9},
        {"label_smoothing": 0.1},
        {"class_balance": 0.5},
        {"layer_decay": 0.5},
        {"freeze_embeddings": False},
        {"precision": "bf16"},
        {"task_weights": {"tone": 0.3}},
        {"gradient_clip": 0.0},
    ],
)
def test_every_option_trains_and_changes_the_result(tiny_base, changes):
    plain = finetune(examples(12), {}, TASKS, config(tiny_base))
    other = finetune(examples(12), {}, TASKS, config(tiny_base, **changes))
    assert math.isfinite(other.history[-1]["loss"])
    if changes != {"gradient_clip": 0.0}:
        left, right = weights_of(plain), weights_of(other)
        assert any(not torch.equal(left[name], right[name]) for name in left)


def test_training_leaves_the_global_random_state_alone(tiny_base):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    finetune(examples(4), {}, TASKS, config(tiny_base, epochs=1))
    assert torch.equal(torch.rand(3), expected)


def test_an_unknown_label_is_named(tiny_base):
    data = [*examples(3), Example("we sign", {"stance": "perhaps"})]
    with pytest.raises(ValueError, match=r"example 3: 'perhaps' is no label of task 'stance'"):
        finetune(data, {}, TASKS, config(tiny_base))


def test_the_facts_of_training_are_json_and_name_what_decides_the_result(tiny_base):
    model = finetune(examples(8), {"held out": examples(40)}, TASKS, config(tiny_base, seed=4))
    facts = json.loads(json.dumps(model.training))
    assert facts["config"]["seed"] == 4
    assert facts["rows"] == 8
    assert {"python", "torch", "tokenizers"} <= facts["versions"].keys()
    assert facts["validation"].keys() == {"held out", "held out, quote alone"}
    assert all(np.isfinite(list(model.temperatures.values())))
    assert set(model.temperatures) == set(TASKS)
