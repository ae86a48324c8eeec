"""Sets of labelled quotes that choose an epoch, calibrate, and say how good a network is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stance.model.batches import NO_LABEL, EncodedExamples, encode_examples
from stance.model.calibration import Calibration, calibrate
from stance.model.examples import Example
from stance.model.forward import network_logits
from stance.model.inputs import EncodedWindow, InputEncoder
from stance.model.network import StanceNetwork
from stance.model.spans import SPAN_HEAD, decode_spans, span_token_f1


class Validation:
    """Named sets of quotes, encoded once.

    Args:
        sets: Name to examples; empty sets are left out.
        tasks: Task to labels, in the order of classes.
        inputs: Makes the network's inputs.

    Attributes:
        sets: Name to encoded examples.
    """

    def __init__(
        self,
        sets: Mapping[str, Sequence[Example]],
        tasks: Mapping[str, Sequence[str]],
        inputs: InputEncoder,
    ) -> None:
        self.tasks, self.inputs = tuple(tasks), inputs
        self.sets: dict[str, EncodedExamples] = {
            name: encode_examples(examples, tasks, inputs)
            for name, examples in sets.items()
            if examples
        }
        # Quotes come with and without context; where a set has contexts, both ways count.
        self.views = [(name, data, data.full) for name, data in self.sets.items()]
        self.views += [
            (f"{name}, quote alone", data, data.bare)
            for name, data in self.sets.items()
            if any(map(_differ, data.bare, data.full))
        ]

    def calibrate(self, network: StanceNetwork) -> Calibration:
        """Returns temperatures and label sets for a network."""
        groups = {
            name: (
                self._logits(network, windows),
                {task: targets.numpy() for task, targets in data.targets.items()},
            )
            for name, data, windows in self.views
        }
        return calibrate(list(self.tasks), groups)

    def measure(self, network: StanceNetwork) -> dict[str, dict[str, dict[str, float]]]:
        """Returns accuracy and macro-F1 of a network on each set, with and without contexts."""
        from sklearn.metrics import f1_score

        figures: dict[str, dict[str, dict[str, float]]] = {}
        for name, data, windows in self.views:
            logits = self._logits(network, windows)
            figures[name] = {}
            for task, values in logits.items():
                targets = data.targets[task].numpy()
                known = targets != NO_LABEL
                if not known.any():
                    continue
                predicted = values[known].argmax(axis=1)
                present = np.unique(targets[known])
                figures[name][task] = {
                    "accuracy": float((predicted == targets[known]).mean()),
                    # Over the labels that this set holds: an absent one has no F1.
                    "macro_f1": float(
                        f1_score(targets[known], predicted, labels=present, average="macro")
                    ),
                }
        return figures

    def measure_spans(self, network: StanceNetwork) -> dict[str, dict[str, dict[str, Any]]]:
        """Returns the token-F1 of condition and outcome on each set that has them.

        Of the quotes that a hand gave spans, whatever stance the heads see in them.
        """
        if SPAN_HEAD not in network.token_heads:
            return {}
        return {
            name: self._span_figures(network, data)
            for name, data in self.sets.items()
            if data.spans
        }

    def _span_figures(
        self, network: StanceNetwork, data: EncodedExamples
    ) -> dict[str, dict[str, Any]]:
        rows = list(data.spans)
        windows = [data.bare[row] for row in rows]
        _, tokens = network_logits(network, windows, self.inputs.pad_id, self.inputs.max_length)
        texts = [data.texts[row] for row in rows]
        found = [
            decode_spans(text, window.offsets or [], logits).words(text)
            for text, window, logits in zip(texts, windows, tokens[SPAN_HEAD], strict=True)
        ]
        expected = [data.spans[row].words(text) for row, text in zip(rows, texts, strict=True)]
        return span_token_f1(texts, found, expected)

    def _logits(self, network: StanceNetwork, windows: list[EncodedWindow]) -> dict[str, Any]:
        return network_logits(network, windows, self.inputs.pad_id, self.inputs.max_length)[0]


def _differ(first: EncodedWindow, second: EncodedWindow) -> bool:
    return first.ids != second.ids
