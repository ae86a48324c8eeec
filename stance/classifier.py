"""Labels quotes: ``StanceClassifier`` and the functions ``classify`` and ``analyze``.

Both functions use the released weights, which are loaded once, on first use, by whichever thread
comes first. A classifier trained on your own labels has the same methods.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, overload

from stance.model.examples import (
    KNOWN_LABELS,
    Labels,
    as_list,
    contexts_of,
    hold_out,
    is_blank_quote,
    labelled_examples,
    quote_text,
)
from stance.types import Analysis, Prediction, Quote

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from stance.model.storage import StoredModel


class StanceClassifier:
    """Labels quotes by a fine-tuned encoder; trains on any label set, in scikit-learn's manner.

    ``StanceClassifier.from_pretrained()`` gives the released model, ready to use. The constructor
    gives an untrained one for ``fit``; its arguments are hyperparameters, as in scikit-learn.

    Args:
        base: Folder or hub id of the base encoder; None for the default.
        epochs: Passes over the data.
        batch_size: Rows a training step.
        learning_rate: Peak rate of the encoder.
        max_length: Most tokens read at once; longer texts are read in windows.
        validation_fraction: Share of the data held out to choose the epoch and to calibrate,
            0..1; none is held out where that would be fewer than 20 rows.
        settings: Other fields of ``stance.model.settings.TrainingConfig``.
        seed: Seed of every random choice.
        progress: Whether ``fit`` shows a progress bar on standard error.

    Attributes:
        tasks_: Task to labels in order, once fitted or loaded.
        classes_: The labels of the first task, (classes,).
    """

    # For scikit-learn before 1.6; later versions ask __sklearn_tags__.
    _estimator_type = "classifier"

    def __init__(
        self,
        base: str | None = None,
        *,
        epochs: int = 5,
        batch_size: int = 32,
        learning_rate: float = 2e-4,
        max_length: int = 256,
        validation_fraction: float = 0.1,
        settings: Mapping[str, Any] | None = None,
        seed: int = 0,
        progress: bool = False,
    ) -> None:
        self.base = base
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.max_length = max_length
        self.validation_fraction = validation_fraction
        self.settings = settings
        self.seed = seed
        self.progress = progress

    @classmethod
    def from_pretrained(
        cls, path: str | Path | None = None, *, base: str | None = None
    ) -> StanceClassifier:
        """Loads a saved classifier.

        Args:
            path: A directory written by ``save_pretrained`` or by training, or a hub id; None for
                the released weights.
            base: Where its base encoder is now, when not where it was at training.

        Raises:
            FileNotFoundError: There is no model there.
            ValueError: The files are damaged or of another format.
            RuntimeError: The base encoder is missing or has another hash.
        """
        from stance.model.storage import find_model, load_model

        folder = released_weights() if path is None else find_model(path)
        model = load_model(folder, base=base)
        trained_with = model.training.get("config", {})
        known = set(cls().get_params()) - {"base", "settings", "progress"}
        classifier = cls(
            None if path is None else base or model.base.name,
            **{name: value for name, value in trained_with.items() if name in known},
        )
        classifier._model = model
        return classifier

    def save_pretrained(
        self, path: str | Path, *, results: Mapping[str, Any] | None = None
    ) -> None:
        """Writes the weights that differ from the base, configuration, log and model card.

        Args:
            path: Folder, made when missing.
            results: Content of an evaluation's ``results.json`` for the model card.

        Raises:
            RuntimeError: The classifier is not fitted.
        """
        from stance.model.storage import save_model

        save_model(self._fitted(), Path(path), results=results)

    def fit(
        self,
        X: Iterable[str | Quote],
        y: Labels,
        *,
        context: Iterable[str | None] | None = None,
        sample_weight: Iterable[float] | None = None,
    ) -> StanceClassifier:
        """Trains from the base encoder on labelled quotes.

        Args:
            X: Quotes, (rows,).
            y: A label for each, for one task called "stance"; or task to labels for several, None
                where a row has none. Any strings may be labels.
            context: The sentence of each quote, or None.
            sample_weight: Weight of each row in the loss, 0 or more, or None.

        Returns:
            The classifier itself.

        Raises:
            TypeError: A quote or a label is not a string.
            ValueError: Lengths differ, nothing to learn from, or a bad hyperparameter.
        """
        from stance.model.finetune import finetune
        from stance.model.settings import TrainingConfig

        config = TrainingConfig().updated(
            {
                **(self.settings or {}),
                "base": self.base or "",
                "epochs": self.epochs,
                "batch_size": self.batch_size,
                "learning_rate": self.learning_rate,
                "max_length": self.max_length,
                "seed": self.seed,
            }
        )
        examples, tasks = labelled_examples(X, y, context, sample_weight)
        train, validation = hold_out(examples, self.validation_fraction, self.seed)
        self._model = finetune(
            train,
            {"held out": validation} if validation else {},
            tasks,
            config,
            progress=self.progress,
        )
        return self

    @property
    def tasks_(self) -> dict[str, tuple[str, ...]]:
        """Task to labels, in the order of classes."""
        return dict(self._fitted().tasks)

    @property
    def classes_(self) -> NDArray[np.str_]:
        """The labels of the first task, (classes,), in the order of ``predict_proba``'s columns."""
        import numpy as np

        return np.array(next(iter(self._fitted().tasks.values())))

    def predict(
        self,
        X: Iterable[str | Quote],
        *,
        context: Iterable[str | None] | None = None,
        task: str | None = None,
    ) -> NDArray[np.str_]:
        """Returns the most probable label of each quote, (rows,).

        Args:
            X: Quotes, (rows,).
            context: The sentence of each quote, or None.
            task: Which task; None for the first.
        """
        import numpy as np

        probabilities = self.predict_proba(X, context=context, task=task)
        labels = np.array(self._fitted().tasks[self._task(task)])
        chosen: NDArray[np.str_] = labels[probabilities.argmax(axis=1)]
        return chosen

    def predict_proba(
        self,
        X: Iterable[str | Quote],
        *,
        context: Iterable[str | None] | None = None,
        task: str | None = None,
    ) -> NDArray[np.float64]:
        """Returns calibrated probabilities, (rows, classes), columns in label order.

        Args:
            X: Quotes, (rows,).
            context: The sentence of each quote, or None.
            task: Which task; None for the first.

        Raises:
            TypeError: An item is neither a string nor a Quote.
            ValueError: A blank quote, lengths that differ, or an unknown task.
        """
        chosen = self._task(task)
        quotes = as_list(X)
        probabilities, _ = self._probabilities(quotes, contexts_of(quotes, context), 32, False)
        return probabilities[chosen]

    def score(
        self, X: Iterable[str | Quote], y: Sequence[str], sample_weight: Any | None = None
    ) -> float:
        """Returns the accuracy of ``predict`` on the first task, a fraction in 0..1."""
        import numpy as np

        return float(np.average(self.predict(X) == np.asarray(y), weights=sample_weight))

    @overload
    def classify(  # type: ignore[overload-overlap]
        self,
        quotes: str | Quote,
        *,
        context: str | None = None,
        batch_size: int = 32,
        progress: bool = False,
    ) -> Prediction: ...
    @overload
    def classify(
        self,
        quotes: Iterable[str | Quote],
        *,
        context: Iterable[str | None] | None = None,
        batch_size: int = 32,
        progress: bool = False,
    ) -> list[Prediction]: ...
    def classify(
        self,
        quotes: str | Quote | Iterable[str | Quote],
        *,
        context: str | Iterable[str | None] | None = None,
        batch_size: int = 32,
        progress: bool = False,
    ) -> Prediction | list[Prediction]:
        """Labels the stance and sentiment of one quote or of many.

        Args:
            quotes: A string or ``Quote``, or any iterable of them. A string is labelled as one
                quote; quotation marks in it have no meaning.
            context: The sentence the quote stood in; for many quotes an iterable of the same
                length, None where a quote has none. A ``Quote`` brings its own context, which this
                overrides.
            batch_size: Most quotes computed at once; no result depends on it beyond rounding.
            progress: Whether to show a progress bar on standard error.

        Returns:
            One ``Prediction`` for one quote; for many, a list of the same length and order, ``[]``
            for none.

        Raises:
            TypeError: An item is neither a string nor a ``Quote``; the message names its position.
            ValueError: A quote has no visible character, lengths differ, or the model has no
                heads for stance and sentiment. Nothing is skipped: one bad item rejects the call
                before anything is computed.
        """
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(f"batch_size must be a whole number of at least 1, not {batch_size!r}")
        if isinstance(quotes, str | Quote):
            if context is not None and not isinstance(context, str):
                raise TypeError(
                    f"context of one quote must be a string, not {type(context).__name__}"
                )
            if is_blank_quote(quotes):
                raise ValueError(f"the quote has no visible character: {quote_text(quotes)!r}")
            contexts = None if context is None else [context]
            return self._predictions([quotes], contexts, batch_size, progress)[0]
        return self._predictions(as_list(quotes), context, batch_size, progress)

    def analyze(self, article: str, *, progress: bool = False) -> Analysis:
        """Finds the quotes of an article and labels each.

        Args:
            article: The text; an empty one has no quotes.
            progress: Whether to show a progress bar on standard error.

        Returns:
            The quotes in order, each prediction with its ``quote``.

        Raises:
            TypeError: ``article`` is not a string.
        """
        if not isinstance(article, str):
            raise TypeError(f"article must be a string, not {type(article).__name__}")
        from stance.quotes import split

        predictions = self.classify(split(article), progress=progress)
        return Analysis(article=article, predictions=tuple(predictions))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Returns the constructor's arguments by name; ``deep`` changes nothing."""
        names = inspect.signature(type(self).__init__).parameters
        return {name: getattr(self, name) for name in names if name != "self"}

    def set_params(self, **params: Any) -> StanceClassifier:
        """Changes constructor arguments; a fitted model stays as it is until the next ``fit``.

        Raises:
            ValueError: A name is no argument of the constructor.
        """
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ValueError(f"unknown parameter {name!r}; known are {sorted(known)}")
            setattr(self, name, value)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_model")

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(one_d_array=True, two_d_array=False, string=True),
        )

    def __repr__(self) -> str:
        defaults = type(self)().get_params() if self.__class__ is StanceClassifier else {}
        shown = [
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if name not in defaults or value != defaults[name]
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def _fitted(self) -> StoredModel:
        model = getattr(self, "_model", None)
        if model is None:
            raise RuntimeError(
                "this StanceClassifier is not fitted: call fit, or load one with from_pretrained"
            )
        return cast("StoredModel", model)

    def _task(self, task: str | None) -> str:
        tasks = self._fitted().tasks
        chosen = next(iter(tasks)) if task is None else task
        if chosen not in tasks:
            raise ValueError(f"unknown task {task!r}; this model has {list(tasks)}")
        return chosen

    def _probabilities(
        self, quotes: list[str | Quote], contexts: list[str], batch_size: int, progress: bool
    ) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.int64]]:
        from stance.model.runtime import predict_probabilities

        for position, quote in enumerate(quotes):
            if is_blank_quote(quote):
                raise ValueError(
                    f"quotes[{position}] has no visible character: {quote_text(quote)!r}"
                )
        model = self._fitted()
        return predict_probabilities(
            model.network,
            model.inputs,
            [quote_text(quote) for quote in quotes],
            contexts,
            model.temperatures,
            batch_size=batch_size,
            progress=progress,
        )

    def _predictions(
        self,
        quotes: list[str | Quote],
        context: str | Iterable[str | None] | None,
        batch_size: int,
        progress: bool,
    ) -> list[Prediction]:
        tasks = self._fitted().tasks
        if lacking := [task for task in KNOWN_LABELS if task not in tasks]:
            raise ValueError(
                f"classify needs heads for stance and sentiment; this model lacks {lacking}: "
                "use predict or predict_proba"
            )
        contexts = contexts_of(quotes, context)
        probabilities, windows = self._probabilities(quotes, contexts, batch_size, progress)
        predictions = []
        for row, quote in enumerate(quotes):
            by_task = {
                task: dict(zip(tasks[task], probabilities[task][row].tolist(), strict=True))
                for task in KNOWN_LABELS
            }
            best: dict[str, Any] = {
                task: max(values, key=values.__getitem__) for task, values in by_task.items()
            }
            predictions.append(
                Prediction(
                    text=quote_text(quote),
                    stance=best["stance"],
                    sentiment=best["sentiment"],
                    stance_probabilities=by_task["stance"],
                    sentiment_probabilities=by_task["sentiment"],
                    confidence=by_task["stance"][best["stance"]],
                    quote=quote if isinstance(quote, Quote) else None,
                    windows=int(windows[row]),
                )
            )
        return predictions


_default: StanceClassifier | None = None
_default_lock = threading.Lock()


def released_weights() -> Path:
    """Returns the folder of the released weights.

    Raises:
        FileNotFoundError: This installation has none.
    """
    folder = Path(__file__).parent / "weights"
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(
            "this installation holds no released weights: train them with `stance train`, or pass "
            "a model directory to StanceClassifier.from_pretrained"
        )
    return folder


def default_classifier() -> StanceClassifier:
    """Returns the released classifier, loaded by the first call and shared by all threads."""
    global _default
    if _default is None:
        with _default_lock:
            if _default is None:
                _default = StanceClassifier.from_pretrained()
    return _default


@overload
def classify(  # type: ignore[overload-overlap]
    quotes: str | Quote,
    *,
    context: str | None = None,
    batch_size: int = 32,
    progress: bool = False,
) -> Prediction: ...
@overload
def classify(
    quotes: Iterable[str | Quote],
    *,
    context: Iterable[str | None] | None = None,
    batch_size: int = 32,
    progress: bool = False,
) -> list[Prediction]: ...
def classify(
    quotes: str | Quote | Iterable[str | Quote],
    *,
    context: Any = None,
    batch_size: int = 32,
    progress: bool = False,
) -> Prediction | list[Prediction]:
    """Labels one quote or many with the released weights; see ``StanceClassifier.classify``.

    Example:
        >>> import stance
        >>> stance.classify("We reject this proposal outright.").stance
        'dismissive'
        >>> [p.stance for p in stance.classify(["We are ready to talk.", "Sign, and we sign."])]
        ['conciliatory', 'conditional']
    """
    return default_classifier().classify(
        quotes, context=context, batch_size=batch_size, progress=progress
    )


def analyze(article: str, *, progress: bool = False) -> Analysis:
    """Finds the quotes of an article and labels each; see ``StanceClassifier.analyze``.

    Example:
        >>> import stance
        >>> analysis = stance.analyze('"The freeze is unacceptable," the minister said.')
        >>> [(p.quote.text, p.stance) for p in analysis]
        [('The freeze is unacceptable', 'dismissive')]
    """
    return default_classifier().analyze(article, progress=progress)
