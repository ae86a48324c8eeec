"""What a training step minimises: labels, soft labels of a teacher, tokens of spans, R-Drop.

Every term is a weighted mean over the rows of the whole step, so that a step cut into several
passes gives the gradient of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from stance.model.batches import NO_LABEL, EncodedExamples
from stance.model.inputs import EncodedWindow
from stance.model.settings import TrainingConfig
from stance.model.spans import token_targets


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the network gave for the rows of one pass.

    Attributes:
        logits: Task to (rows, classes).
        tokens: Token head to (rows, tokens, labels).
    """

    logits: Mapping[str, Tensor]
    tokens: Mapping[str, Tensor]


class Objective:
    """The loss of a run.

    Args:
        data: The training examples.
        class_weights: Task to weights of classes, (classes,), or None.
        config: Settings.
    """

    def __init__(
        self,
        data: EncodedExamples,
        class_weights: Mapping[str, Tensor | None],
        config: TrainingConfig,
    ) -> None:
        self.data, self.class_weights, self.config = data, class_weights, config

    def norms(self, rows: Sequence[int]) -> dict[str, Tensor]:
        """Returns what each term is divided by, from all rows of a step."""
        index = torch.as_tensor(rows)
        weights = self.data.weights[index]
        norms = {
            f"label.{task}": (weights * (targets[index] != NO_LABEL)).sum().clamp_min(1e-9)
            for task, targets in self.data.targets.items()
        }
        for task, (_, known) in self.data.teacher.items():
            norms[f"teacher.{task}"] = (weights * known[index]).sum().clamp_min(1e-9)
        spanned = [float(self.data.weights[row]) for row in rows if row in self.data.spans]
        norms["tokens"] = torch.tensor(sum(spanned)).clamp_min(1e-9)
        norms["rows"] = weights.sum().clamp_min(1e-9)
        return norms

    def __call__(
        self,
        passes: Sequence[Outputs],
        rows: Sequence[int],
        windows: Sequence[EncodedWindow],
        norms: Mapping[str, Tensor],
    ) -> Tensor:
        """Returns the share of the step's loss that some of its rows make.

        Args:
            passes: One output, or two of different dropout for R-Drop.
            rows: Which examples these are.
            windows: How each was shown.
            norms: Of the whole step.
        """
        index = torch.as_tensor(rows)
        total = torch.zeros(())
        for task in passes[0].logits:
            loss = torch.zeros(())
            for outputs in passes:
                loss = loss + self._labels(task, outputs.logits[task], index, norms) / len(passes)
            if len(passes) == 2:
                loss = loss + self._divergence(task, passes, index, norms)
            total = total + self.config.task_weight(task) * loss
        if self.config.token_weight:
            for outputs in passes:
                for values in outputs.tokens.values():
                    share = self.config.token_weight / len(passes)
                    total = total + share * self._tokens(values, rows, windows, norms)
        return total

    def _labels(
        self, task: str, logits: Tensor, index: Tensor, norms: Mapping[str, Tensor]
    ) -> Tensor:
        targets = self.data.targets[task][index]
        weights = self.data.weights[index] * (targets != NO_LABEL)
        losses = functional.cross_entropy(
            logits,
            targets,
            self.class_weights[task],
            ignore_index=NO_LABEL,
            reduction="none",
            label_smoothing=self.config.label_smoothing,
        )
        if task not in self.data.teacher:
            return (losses * weights).sum() / norms[f"label.{task}"]
        soft, known = self.data.teacher[task]
        share, heat = self.config.teacher_weight, self.config.teacher_temperature
        given = known[index]
        # A row that the teacher does not know learns from its label alone; one without a label
        # from the teacher alone.
        hard = weights * torch.where(given, 1 - share, 1.0)
        loss = (losses * hard).sum() / norms[f"label.{task}"]
        teacher = (soft[index].clamp_min(1e-6).log() / heat).log_softmax(dim=1)
        student = (logits / heat).log_softmax(dim=1)
        divergence = functional.kl_div(student, teacher, reduction="none", log_target=True)
        per_row = divergence.sum(dim=1) * heat**2 * self.data.weights[index] * given
        # Divided by the same number as the labels where all rows have both, so that the two shares
        # stand to each other as set.
        return loss + share * per_row.sum() / norms[f"teacher.{task}"]

    def _divergence(
        self, task: str, passes: Sequence[Outputs], index: Tensor, norms: Mapping[str, Tensor]
    ) -> Tensor:
        weights = self.data.weights[index] * (self.data.targets[task][index] != NO_LABEL)
        first, second = (outputs.logits[task].log_softmax(dim=1) for outputs in passes)
        divergence = functional.kl_div(first, second, reduction="none", log_target=True)
        divergence = divergence + functional.kl_div(
            second, first, reduction="none", log_target=True
        )
        per_row = divergence.sum(dim=1) / 2
        return self.config.r_drop * (per_row * weights).sum() / norms[f"label.{task}"]

    def _tokens(
        self,
        logits: Tensor,
        rows: Sequence[int],
        windows: Sequence[EncodedWindow],
        norms: Mapping[str, Tensor],
    ) -> Tensor:
        """Returns the mean over rows with spans of their mean token loss."""
        places = [place for place, row in enumerate(rows) if row in self.data.spans]
        if not places:
            # Keeps the head in the graph, so that its gradient is 0 and not missing.
            return logits.sum() * 0.0
        targets = torch.full((len(places), logits.shape[1]), NO_LABEL)
        for line, place in enumerate(places):
            offsets = windows[place].offsets or []
            found = token_targets(offsets, self.data.spans[rows[place]])
            targets[line, : len(found)] = torch.tensor(found)
        losses = functional.cross_entropy(
            logits[places].transpose(1, 2), targets, ignore_index=NO_LABEL, reduction="none"
        )
        counted = (targets != NO_LABEL).sum(dim=1).clamp_min(1)
        weights = self.data.weights[[rows[place] for place in places]]
        return (losses.sum(dim=1) / counted * weights).sum() / norms["tokens"]
