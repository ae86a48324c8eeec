import pytest

from stance.model.card import write_card


@pytest.fixture
def config():
    return {
        "base": {"name": "some/encoder", "package": None, "sha256": "ab" * 32},
        "tasks": {"stance": ["conciliatory", "neutral"], "tone": ["neutral", "up"]},
        "max_length": 256,
        "training": {
            "data": [
                {"file": "train.jsonl", "use": "train", "rows": 1234, "sha256": "cd" * 32},
            ],
            "real_quotes": True,
            "rows": 1234,
            "seconds": 90.0,
            "best_epoch": 2,
            "config": {"seed": 7, "epochs": 5},
            "versions": {"torch": "2.0"},
            "validation": {"authored": {"stance": {"accuracy": 0.71234, "macro_f1": 0.5}}},
        },
    }


def card(tmp_path, config, results=None) -> str:
    write_card(tmp_path, config, results)
    return (tmp_path / "README.md").read_text("utf-8")


def test_without_results_the_card_shows_validation_figures_and_says_so(tmp_path, config):
    text = card(tmp_path, config)
    assert "| authored | stance | 0.712 | 0.500 |" in text
    assert "flatter" in text
    assert "base_model: some/encoder" in text
    assert "`train.jsonl`, 1,234 rows" in text
    assert "real quotes used in training: yes" in text
    assert "seed 7, epoch 2 of 5 kept" in text


def test_evaluation_figures_take_the_place_of_validation_ones(tmp_path, config):
    metrics = {
        "accuracy": {"value": 0.8, "low": 0.7, "high": 0.9, "reason": None},
        "macro_f1": {"value": None, "low": None, "high": None, "reason": "one class"},
        "ece": {"value": 0.05, "low": None, "high": None, "reason": None},
    }
    suites = [
        {
            "name": "authored",
            "title": "Authored",
            "systems": [
                {"name": "model", "heads": {"stance": {"n": 30, "metrics": metrics}}},
                {"name": "baseline", "heads": {"stance": {"n": 30, "metrics": {}}}},
            ],
        },
        {"name": "skipped", "title": "Skipped", "systems": []},
    ]
    text = card(tmp_path, config, {"suites": suites})
    assert "| Authored | stance | 30 | 0.800 (0.70–0.90) | undefined | 0.050 |" in text
    assert text.count("| Authored |") == 1
    assert "0.712" not in text


def test_a_model_without_real_quotes_stands_beside(tmp_path, config):
    def results(macro_f1, *titles):
        heads = {"stance": {"n": 9, "metrics": {"macro_f1": {"value": macro_f1}}}}
        return {"suites": [{"title": title, "systems": [{"heads": heads}]} for title in titles]}

    both = results(0.8, "Authored", "Real")
    write_card(tmp_path, config, both, authored_only=results(0.5, "Real", "Other"))
    text = (tmp_path / "README.md").read_text("utf-8")
    assert "| Real | stance | 0.800 | 0.500 |" in text
    assert "| Authored | stance | 9 |" in text
    assert "| Authored | stance | 0.800 |" not in text
    assert "Other" not in text


def test_only_stance_labels_carry_their_definition(tmp_path, config):
    text = card(tmp_path, config)
    assert "- `conciliatory`: opens" in text
    assert "**tone**\n\n- `neutral`\n" in text


def test_a_local_base_is_not_published_as_a_model_id(tmp_path, config):
    config["base"]["name"] = str(tmp_path)
    assert "base_model" not in card(tmp_path, config)


def test_a_model_without_any_figures_says_it_is_not_measured(tmp_path, config):
    config["training"] = {}
    assert "Not measured." in card(tmp_path, config)
