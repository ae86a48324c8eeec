import pytest

from stance import StanceClassifier
from stance.model.examples import Example
from stance.model.finetune import TrainingConfig, finetune
from stance.training.data import TASKS


@pytest.fixture(scope="module")
def classifier(tiny_base, tmp_path_factory):
    """A saved and loaded classifier that knows spans of "once they leave …"."""
    from stance.model.storage import save_model

    rows = []
    for row in range(12):
        condition, outcome = "once they leave", ("we sign", "we talk", "we meet")[row % 3]
        text = f"{condition} {outcome} ." if row % 2 else f"{outcome} {condition} ."
        labels = {"stance": "conditional", "sentiment": "neutral"}
        rows.append(Example(text, labels, condition=condition, outcome=outcome))
        labels = {"stance": "dismissive", "sentiment": "negative"}
        rows.append(Example("no deal on monday .", labels))
    settings = TrainingConfig(
        base=str(tiny_base),
        epochs=14,
        batch_size=4,
        max_length=32,
        learning_rate=3e-3,
        head_learning_rate=1e-2,
        precision="fp32",
    )
    folder = tmp_path_factory.mktemp("spans")
    save_model(finetune(rows, {}, TASKS, settings), folder)
    return StanceClassifier.from_pretrained(folder)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("once they leave we talk .", ("once they leave", "we talk")),
        ("  “We sign once they leave,”", ("once they leave", "We sign")),
    ],
)
@pytest.mark.parametrize("context", [None, "the minister said […] ."])
def test_conditional_quotes_say_condition_and_outcome_as_written(
    classifier, text, expected, context
):
    found = classifier.classify(text, context=context)
    assert found.stance == "conditional"
    assert (found.condition, found.outcome) == expected


def test_other_stances_have_neither(classifier):
    found = classifier.classify("no deal on monday .")
    assert found.stance == "dismissive"
    assert (found.condition, found.outcome) == (None, None)


def test_spans_do_not_depend_on_what_else_is_in_the_batch(classifier):
    texts = ["once they leave we talk .", "no deal on monday .", "we sign once they leave ."] * 9
    together = classifier.classify(texts)
    for text, found in zip(texts[:3], together, strict=False):
        alone = classifier.classify(text)
        assert (found.condition, found.outcome) == (alone.condition, alone.outcome)


def test_a_quote_of_many_windows_takes_the_surest(classifier):
    found = classifier.classify("once they leave we talk . " + "we talk . " * 40)
    assert found.windows > 1
    assert found.stance == "conditional"
    assert found.condition == "once they leave"


def test_a_model_without_the_head_gives_none(tiny_classifier):
    found = tiny_classifier.classify("If the troops leave, we will sign.")
    assert found.stance == "conditional"
    assert (found.condition, found.outcome) == (None, None)
