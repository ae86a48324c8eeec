import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from stance.model.batches import NO_LABEL, class_weights, passes_of, training_batches
from stance.model.checkpoint import load_checkpoint, save_checkpoint
from stance.model.encoder import find_base
from stance.model.finetune import Example, TrainingConfig, finetune
from stance.model.inputs import EncodedWindow
from stance.model.optimise import rate_factor, worst_case
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


class Sliding:
    """Examples of which epoch 0 shows the first ``width``, epoch 1 those from the second on, …"""

    def __init__(self, count: int, width: int) -> None:
        self.examples, self.width = examples(count), width

    def __call__(self, epoch: int) -> list[Example]:
        return self.examples[epoch : epoch + self.width]


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
        ({"teacher_weight": 2}, r"teacher_weight must be in \[0, 1\], not 2"),
        ({"adversarial": 1.0}, r"adversarial must be in \[0, 1\), not 1.0"),
        ({"teacher_temperature": 0}, "teacher_temperature must be in .* not 0"),
        ({"token_weight": -1}, "token_weight must be 0 or more, not -1"),
        ({"task_weights": {"stance": math.nan}}, r"task_weights\['stance'\] must be .* not nan"),
        ({"weight_decay": math.inf}, "weight_decay must be 0 or more, not inf"),
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
@pytest.mark.parametrize("by_epoch", [False, True])
def test_a_killed_run_resumed_equals_one_without_a_stop(
    tiny_base, tmp_path, monkeypatch, changes, stop_after, by_epoch
):
    settings = config(tiny_base, **{"checkpoint_steps": 1, **changes})
    data = Sliding(16, 13) if by_epoch else examples(14)
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


def test_each_epoch_learns_from_the_examples_given_for_it(tiny_base):
    settings = config(tiny_base, epochs=3)
    model = finetune(Sliding(6, 4), {}, TASKS, settings)
    assert model.training["rows"] == 6
    assert model.training["rows_an_epoch"] == 4

    torch.manual_seed(settings.seed)
    run = Trainer(find_base(str(tiny_base)), TASKS, settings, Sliding(6, 4), {})
    step = 0
    for epoch in range(3):
        windows, batches = run.start_epoch(epoch)
        assert run.train.texts == [example.text for example in examples(6)[epoch : epoch + 4]]
        for rows in batches:
            run.step(windows, rows, step)
            step += 1
    assert model.history[-1]["step"] == step
    for name, value in run.trainable.items():
        assert torch.equal(value.half().float(), dict(model.network.named_parameters())[name]), name


def test_an_epoch_without_examples_ends_the_run(tiny_base):
    with pytest.raises(ValueError, match="no examples to train on in epoch 2"):
        finetune(Sliding(1, 1), {}, TASKS, config(tiny_base))


def test_spans_that_a_later_epoch_shows_have_a_token_head(tiny_base):
    late = Sliding(6, 4)
    late.examples = [*examples(5), *spanned(1)]
    assert finetune(late, {}, TASKS, config(tiny_base, epochs=3)).token_heads


def test_a_checkpoint_knows_the_examples_of_later_epochs(tiny_base, tmp_path, monkeypatch):
    settings = config(tiny_base, checkpoint_steps=1)
    checkpoint = tmp_path / "checkpoint.pt"
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "close_epoch", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            finetune(Sliding(8, 6), {}, TASKS, settings, checkpoint=checkpoint)
    other = Sliding(8, 6)
    other.examples[-1] = replace(other.examples[-1], weight=0.5)
    with pytest.raises(ValueError, match="other settings or data"):
        finetune(other, {}, TASKS, settings, checkpoint=checkpoint, resume=True)


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
        {"adversarial": 0.01},
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


def test_a_weight_of_an_unknown_task_is_named(tiny_base):
    settings = config(tiny_base, task_weights={"stanse": 2.0})
    with pytest.raises(ValueError, match=r"task_weights names \['stanse'\]"):
        finetune(examples(4), {}, TASKS, settings)


@pytest.mark.parametrize("name", ["type", "keys", "training", "a.b", ""])
def test_a_task_that_torch_cannot_name_is_refused(tiny_base, name):
    data = [Example("we sign", {name: "yes"}), Example("they leave", {name: "no"})]
    with pytest.raises(ValueError, match=f"{name!r}"):
        finetune(data, {}, {name: ("yes", "no")}, config(tiny_base))


def test_a_loss_that_is_no_number_ends_the_run(tiny_base):
    # More than a number of fp32 can hold.
    data = [Example(row.text, row.labels, weight=1e300) for row in examples(4)]
    with pytest.raises(ValueError, match="the loss is nan at step 1: lower learning_rate"):
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


def spanned(count: int) -> list[Example]:
    """Conditional quotes whose spans a word gives away, and others without spans."""
    rows = []
    for row in range(count):
        condition, outcome = "once they leave", ("we sign", "we talk", "we meet")[row % 3]
        first, second = (condition, outcome) if row % 2 else (outcome, condition)
        rows.append(
            Example(
                f"{first} {second} .",
                {"stance": "yes", "tone": "up"},
                condition=condition,
                outcome=outcome,
            )
        )
        rows.append(Example("no deal on monday .", {"stance": "no", "tone": "down"}))
    return rows


def test_the_token_head_learns_condition_and_outcome_and_is_saved(tiny_base, tmp_path):
    from stance.model.forward import network_logits
    from stance.model.spans import decode_spans
    from stance.model.storage import StoredModel, load_model, save_model

    fast = {"learning_rate": 3e-3, "head_learning_rate": 1e-2}
    model = finetune(spanned(12), {}, TASKS, config(tiny_base, epochs=14, **fast))
    assert isinstance(model, StoredModel)
    assert "spans" not in model.training
    save_model(model, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert loaded.token_heads == {"span": ("none", "condition", "outcome")}
    text = "“Once they leave we talk,”"
    windows = loaded.inputs.encode([text], [""], with_offsets=True)
    _, tokens = network_logits(loaded.network, windows, loaded.inputs.pad_id, 32)
    found = decode_spans(text, windows[0].offsets, tokens["span"][0])
    assert found.words(text) == ("Once they leave", "we talk")


def test_token_f1_of_spans_is_measured_on_validation(tiny_base):
    model = finetune(
        spanned(4), {"held out": spanned(3), "none": examples(3)}, TASKS, config(tiny_base)
    )
    for record in (model.training, *model.history):
        assert record["spans"].keys() == {"held out"}
        assert record["spans"]["held out"]["both"]["rows"] == 6


def test_without_spans_or_weight_there_is_no_token_head(tiny_base):
    assert not finetune(examples(6), {}, TASKS, config(tiny_base, epochs=1)).network.token_heads
    off = config(tiny_base, epochs=1, token_weight=0.0)
    assert not finetune(spanned(3), {}, TASKS, off).network.token_heads


def run_of(tiny_base, data, **changes) -> Trainer:
    torch.manual_seed(0)
    still = {"dropout": 0.0, "hidden_dropout": 0.0}
    settings = config(tiny_base, **{**still, **changes})
    return Trainer(find_base(str(tiny_base)), TASKS, settings, data, {})


def gradient_of(run: Trainer) -> dict:
    rows = list(range(len(run.train.bare)))
    run.network.train()
    run._backward(run.train.full, rows)
    return {name: p.grad.clone() for name, p in run.trainable.items() if p.grad is not None}


def test_a_step_in_several_passes_has_the_gradient_of_one(tiny_base):
    soft = {"stance": [0.2, 0.8], "tone": [0.5, 0.5]}
    data = [*spanned(4), *examples(6), Example("we sign", {"stance": "yes"}, teacher=soft)]
    whole, cut = (
        gradient_of(run_of(tiny_base, data, pass_tokens=most, class_balance=0.5))
        for most in (0, 64)
    )
    assert whole.keys() == cut.keys()
    for name, value in whole.items():
        assert torch.allclose(value, cut[name], atol=1e-5), name


def test_passes_hold_every_row_once_within_the_limit():
    windows = [EncodedWindow(row, [1] * (1 + row * 3 % 50), [], 1) for row in range(40)]
    passes = passes_of(windows, list(range(40)), 96)
    assert sorted(row for rows in passes for row in rows) == list(range(40))
    for rows in passes:
        width = -(-max(len(windows[row].ids) for row in rows) // 16) * 16
        assert width * len(rows) <= 96 or len(rows) == 1
    assert passes_of(windows, [3, 1, 2], 0) == [[3, 1, 2]]


def test_rows_of_a_group_share_a_batch():
    windows = [EncodedWindow(row, [1] * (1 + row % 9), [], 1) for row in range(60)]
    groups = [f"g{row % 20}" if row < 40 else "" for row in range(60)]
    batches = training_batches(windows, TrainingConfig(batch_size=8, group_batches=True), 0, groups)
    assert sorted(row for batch in batches for row in batch) == list(range(60))
    assert max(map(len, batches)) <= 8
    home = {row: number for number, batch in enumerate(batches) for row in batch}
    assert all(home[row] == home[row + 20] for row in range(20))
    plain = TrainingConfig(batch_size=8)
    assert training_batches(windows, plain, 0, groups) == training_batches(windows, plain, 0)


def test_a_student_follows_its_teacher_where_the_labels_say_otherwise(tiny_base):
    soft = {"stance": [0.9, 0.1], "tone": [0.3, 0.7]}
    data = [Example("we sign", {"stance": "no", "tone": "up"}, teacher=soft) for _ in range(8)]
    settings = config(
        tiny_base,
        epochs=40,
        batch_size=8,
        learning_rate=3e-3,
        head_learning_rate=1e-2,
        teacher_weight=1.0,
    )
    from stance.model.forward import network_logits

    model = finetune(data, {}, TASKS, settings)
    windows = model.inputs.encode(["we sign"], [""])
    logits, _ = network_logits(model.network, windows, model.inputs.pad_id, 32)
    for task, wanted in soft.items():
        found = torch.tensor(logits[task][0]).softmax(dim=0).tolist()
        assert found == pytest.approx(wanted, abs=0.05)


def test_a_teacher_of_another_label_set_is_refused(tiny_base):
    data = [Example("we sign", {"stance": "no"}, teacher={"stance": [0.5, 0.3, 0.2]})]
    with pytest.raises(ValueError, match="3 probabilities of a teacher for the 2 labels"):
        finetune(data, {}, TASKS, config(tiny_base))


def test_the_worst_case_raises_the_loss_and_leaves_no_trace(tiny_base):
    run = run_of(tiny_base, examples(8))
    rows = list(range(8))
    before = {name: value.detach().clone() for name, value in run.trainable.items()}
    run.network.train()
    loss = run._backward(run.train.full, rows)
    with worst_case(run.trainable, 0.05):
        assert run._backward(run.train.full, rows) > loss
    for name, value in run.trainable.items():
        assert torch.equal(value, before[name]), name


def test_layers_start_from_another_file_and_load_with_the_default_base(tiny_base, tmp_path):
    from conftest import build_tiny_base
    from safetensors.torch import load_file, save_file

    from stance.model.storage import load_model, save_model

    other = build_tiny_base(tmp_path / "other", seed=1)
    layers = {k: v for k, v in load_file(other / "model.safetensors").items() if "layer." in k}
    start = tmp_path / "start"
    start.mkdir()
    save_file(layers, start / "model.safetensors")
    still = {"learning_rate": 1e-9, "head_learning_rate": 1e-9, "epochs": 1, "weight_decay": 0.0}
    model = finetune(examples(4), {}, TASKS, config(tiny_base, init=str(start), **still))
    assert len(model.training["init_sha256"]) == 64
    save_model(model, tmp_path / "model")
    # Gone before loading: only the base is needed.
    (start / "model.safetensors").unlink()
    found = load_model(tmp_path / "model").network.encoder.state_dict()
    for name, tensor in layers.items():
        assert torch.allclose(found[name], tensor, atol=1e-3), name
    # A saved model of ours is a start too.
    again = finetune(
        examples(4), {}, TASKS, config(tiny_base, init=str(tmp_path / "model"), **still)
    )
    for name, tensor in layers.items():
        assert torch.allclose(again.network.encoder.state_dict()[name], tensor, atol=1e-3), name


@pytest.mark.parametrize("case", ["missing", "damaged", "no layer", "other words", "other shape"])
def test_a_start_that_does_not_fit_is_named(tiny_base, tmp_path, case):
    from conftest import build_tiny_base
    from safetensors.torch import load_file, save_file

    path = tmp_path / "start.safetensors"
    if case == "damaged":
        path.write_bytes(b"no tensors")
    elif case != "missing":
        state = load_file(build_tiny_base(tmp_path / "other", seed=1) / "model.safetensors")
        if case == "no layer":
            state = {"heads.stance.weight": state["embeddings.word_embeddings.weight"]}
        if case == "other shape":
            state = {name: value[..., :5] for name, value in state.items() if "layer.0" in name}
            state = {name: value.contiguous() for name, value in state.items()}
        save_file(state, path)
    with pytest.raises(RuntimeError, match=r"^init: "):
        finetune(examples(4), {}, TASKS, config(tiny_base, init=str(path)))
