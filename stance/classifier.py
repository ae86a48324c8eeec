"""Labels quotes: ``StanceClassifier`` and the functions ``classify`` and ``analyze``.

Both functions use the released weights, which are loaded once, on first use, by whichever thread
comes first. A classifier trained on your own labels has the same methods.
"""

from __future__ import annotations

import inspect
import math
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast, overload

from stance.model.examples import (
    KNOWN_LABELS,
    Label,
    Labels,
    as_list,
    contexts_of,
    hold_out,
    is_blank_quote,
    label_values,
    labelled_examples,
    paired,
    quote_text,
    texts_of,
)
from stance.types import Analysis, Prediction, Quote

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from stance.explanation import Explanation
    from stance.model.spans import Spans
    from stance.model.storage import StoredModel
    from stance.quotes.tagger import QuoteTagger

# Quotes that ``classify_stream`` reads ahead, to compute those of similar length together.
_STREAM_CHUNK: Final = 1024


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
        settings: Fields of ``stance.model.settings.TrainingConfig`` that are no argument here.
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
        cls, path: str | Path | None = None, *, base: str | None = None, engine: str = "auto"
    ) -> StanceClassifier:
        """Loads a saved classifier, with the hyperparameters that it was trained with.

        They matter for ``clone`` and a new ``fit``, which starts from the base encoder again.

        Args:
            path: A directory written by ``save_pretrained`` or by training, or a hub id; None for
                the released weights.
            base: Where its base encoder is now, when not where it was at training.
            engine: What computes: "openvino", "torch", "numpy", or "auto" for the first of these
                that works here. "numpy" is slower but fp32 and ready at once; the others use bf16
                where the processor does, which moves a probability by up to about 0.01.

        Raises:
            FileNotFoundError: There is no model there.
            ImportError: The engine asked for by name is not installed.
            ValueError: The files are damaged or of another format, or there is no such engine.
            RuntimeError: The base encoder is missing or has another hash.
        """
        from stance.model.storage import find_model, load_model

        folder = released_weights() if path is None else find_model(path)
        model = load_model(folder, base=base, engine=engine)
        own, settings = _hyperparameters(model.training.get("config", {}))
        classifier = cls(
            None if path is None else base or model.base.name, settings=settings, **own
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
                where a row has none. Any strings may be labels, or whole numbers, or bools; lists,
                NumPy arrays and pandas columns will do. ``classes_`` is sorted, but the labels of
                this library keep their own order where tasks are named.
            context: The sentence of each quote, or None.
            sample_weight: Weight of each row in the loss, 0 or more, or None.

        Returns:
            The classifier itself.

        Raises:
            TypeError: A quote is not a string, or a label of another kind than said above.
            ValueError: Lengths differ, nothing to learn from, or a bad hyperparameter.
        """
        from stance.model.finetune import finetune
        from stance.model.settings import TrainingConfig

        own = {
            "base": self.base or "",
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "learning_rate": self.learning_rate,
            "max_length": self.max_length,
            "seed": self.seed,
        }
        if not isinstance(self.settings, Mapping | None):
            raise TypeError(f"settings must be a dict, not {type(self.settings).__name__}")
        if twice := sorted(own.keys() & (self.settings or {}).keys()):
            raise ValueError(f"settings names {twice}: give these to StanceClassifier itself")
        config = TrainingConfig().updated({**(self.settings or {}), **own})
        examples, tasks, kinds = labelled_examples(X, y, context, sample_weight)
        train, validation = hold_out(examples, self.validation_fraction, self.seed)
        self._model = finetune(
            train,
            {"held out": validation} if validation else {},
            tasks,
            config,
            progress=self.progress,
        )
        if kinds:
            self._model.training["label_types"] = kinds
        return self

    def calibrate(
        self,
        X: Iterable[str | Quote],
        y: Labels,
        *,
        context: Iterable[str | None] | None = None,
    ) -> StanceClassifier:
        """Fits temperatures and label sets anew on labelled quotes; the weights stay.

        ``fit`` and training calibrate on their validation sets. Quotes from another source (your
        newspaper, your translators) make the model more or less sure of itself than it should be;
        a hundred or more of them, labelled, and none of them trained on, set that right.

        Args:
            X: Quotes, (rows,).
            y: Labels as for ``fit``, of labels that the model has. Tasks that are missing, or have
                fewer than 30 labels, stay as they are.
            context: The sentence of each quote, or None.

        Returns:
            The classifier itself; ``save_pretrained`` keeps the calibration.

        Raises:
            TypeError: A quote or a label is of the wrong kind.
            ValueError: Lengths differ, or a task or a label is not the model's.
            RuntimeError: The classifier is not fitted.
        """
        import numpy as np

        from stance.model.calibration import LEAST_EXAMPLES, calibrate

        model = self._fitted()
        examples, tasks, _ = labelled_examples(X, y, context, None)
        for task, names in tasks.items():
            if unknown := sorted(set(names) - set(model.tasks[self._task(task)])):
                raise ValueError(f"{task!r} of this model has no labels {unknown}")
        texts = [example.text for example in examples]
        windows = model.inputs.encode(texts, [example.context for example in examples])
        # A long quote is calibrated by its first window, as in training.
        first = {window.row: window for window in reversed(windows)}
        logits, _ = model.reader.read([first[row] for row in range(len(examples))])
        targets = {
            task: np.array(
                [
                    model.tasks[task].index(example.labels[task]) if task in example.labels else -1
                    for example in examples
                ]
            )
            for task in tasks
        }
        enough = [task for task in tasks if (targets[task] >= 0).sum() >= LEAST_EXAMPLES]
        found = calibrate(enough, {"given to calibrate": (logits, targets)})
        model.temperatures = {**model.temperatures, **found.temperatures}
        model.label_sets = {**model.label_sets, **found.label_sets}
        return self

    @property
    def tasks_(self) -> dict[str, tuple[str, ...]]:
        """Task to labels, in the order of classes."""
        return dict(self._fitted().tasks)

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels of the first task, (classes,), in the order of ``predict_proba``'s columns."""
        return self._labels(self._task(None))

    def predict(
        self,
        X: Iterable[str | Quote],
        *,
        context: Iterable[str | None] | None = None,
        task: str | None = None,
    ) -> NDArray[Any]:
        """Returns the most probable label of each quote, (rows,), as ``fit`` was given it.

        Args:
            X: Quotes, (rows,).
            context: The sentence of each quote, or None.
            task: Which task; None for the first.
        """
        probabilities = self.predict_proba(X, context=context, task=task)
        chosen: NDArray[Any] = self._labels(self._task(task))[probabilities.argmax(axis=1)]
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
        probabilities, *_ = self._probabilities(quotes, contexts_of(quotes, context), 32, False)
        return probabilities[chosen]

    def predict_set(
        self,
        X: Iterable[str | Quote],
        coverage: float = 0.9,
        *,
        context: Iterable[str | None] | None = None,
        task: str | None = None,
    ) -> list[tuple[Label, ...]]:
        """Returns for each quote the labels that together hold the right one this often.

        Args:
            X: Quotes, (rows,).
            coverage: The share of quotes whose set is to hold the right label; see
                ``Prediction.label_set``.
            context: The sentence of each quote, or None.
            task: Which task; None for the first.

        Returns:
            For each quote one label or more, the most probable first.

        Raises:
            TypeError: An item is neither a string nor a Quote, or ``coverage`` is no number.
            ValueError: As in ``predict_proba``; or ``coverage`` is not between 0 and 1, or the
                model has no calibration scores.
        """
        from stance.model.conformal import check_coverage

        check_coverage(coverage)
        chosen = self._task(task)
        label_sets = self._fitted().label_sets.get(chosen)
        if label_sets is None:
            raise ValueError(
                f"this model has no calibration scores for {chosen}: fit with more data "
                "(30 rows held out), or call calibrate"
            )
        labels: list[Label] = self._labels(chosen).tolist()
        places = list(map(str, range(len(labels))))
        return [
            tuple(
                labels[int(place)]
                for place in label_sets.label_set(dict(zip(places, row, strict=True)), coverage)
            )
            for row in self.predict_proba(X, context=context, task=task).tolist()
        ]

    def score(
        self, X: Iterable[str | Quote], y: Sequence[Label], sample_weight: Any | None = None
    ) -> float:
        """Returns the accuracy of ``predict`` on the first task, a fraction in 0..1.

        Raises:
            ValueError: No quotes, or lengths that differ.
        """
        import numpy as np

        expected = np.asarray(y)
        found = self.predict(X)
        if expected.shape != found.shape:
            raise ValueError(f"{len(found)} quotes but labels of shape {expected.shape}")
        if not found.size:
            raise ValueError("no quotes to score")
        if sample_weight is not None and np.shape(sample_weight) != found.shape:
            raise ValueError(
                f"{len(found)} quotes but sample weights of shape {np.shape(sample_weight)}"
            )
        return float(np.average(found == expected, weights=sample_weight))

    @overload
    def classify(  # type: ignore[overload-overlap]
        self,
        quotes: str | Quote,
        *,
        context: str | None = None,
        min_confidence: float = 0.0,
        batch_size: int = 32,
        progress: bool = False,
    ) -> Prediction: ...
    @overload
    def classify(
        self,
        quotes: Iterable[str | Quote],
        *,
        context: Iterable[str | None] | None = None,
        min_confidence: float = 0.0,
        batch_size: int = 32,
        progress: bool = False,
    ) -> list[Prediction]: ...
    def classify(
        self,
        quotes: str | Quote | Iterable[str | Quote],
        *,
        context: str | Iterable[str | None] | None = None,
        min_confidence: float = 0.0,
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
            min_confidence: A prediction less confident than this gets the stance None, its
                probabilities kept; 0..1, and 0 decides always.
            batch_size: Most quotes computed at once; no result depends on it beyond rounding.
            progress: Whether to show a progress bar on standard error.

        Returns:
            One ``Prediction`` for one quote; for many, a list of the same length and order, ``[]``
            for none; a generator is read to its end first (``classify_stream`` does not do so).

        Raises:
            TypeError: An item is neither a string nor a ``Quote``; the message names its position.
            ValueError: A quote has no visible character, lengths differ, ``min_confidence`` is not
                between 0 and 1, or the model has no heads for stance and sentiment. Nothing is
                skipped: one bad item rejects the call before anything is computed.
        """
        least = _check_confidence(min_confidence)
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
            return self._predictions([quotes], contexts, least, batch_size, progress)[0]
        return self._predictions(as_list(quotes), context, least, batch_size, progress)

    def classify_stream(
        self,
        quotes: Iterable[str | Quote],
        *,
        context: Iterable[str | None] | None = None,
        min_confidence: float = 0.0,
        batch_size: int = 32,
        progress: bool = False,
    ) -> Iterator[Prediction]:
        """Labels quotes as they come, in memory that does not grow with their number.

        Args:
            quotes: Any iterable of strings or ``Quote`` objects, without end if you like.
            context: The sentence of each, or None where a quote has none; as many as quotes.
            min_confidence: As in ``classify``.
            batch_size: Most quotes computed at once.
            progress: Whether to show on standard error how many are labelled and how fast; of how
                many, a stream does not tell.

        Yields:
            One ``Prediction`` a quote, in order. Quotes are read a thousand ahead.

        Raises:
            TypeError: An item is neither a string nor a ``Quote``; the message names its position.
            ValueError: A quote has no visible character, or lengths differ; predictions of earlier
                thousands have then been given.
        """
        items = paired(quotes, context)
        from stance.progress import count_progress

        with count_progress(None, progress) as advance:
            while chunk := list(islice(items, _STREAM_CHUNK)):
                texts, contexts = [text for text, _ in chunk], [given for _, given in chunk]
                found = self.classify(
                    texts, context=contexts, min_confidence=min_confidence, batch_size=batch_size
                )
                advance(len(found))
                yield from found

    @overload
    def analyze(  # type: ignore[overload-overlap]
        self,
        article: str,
        *,
        min_confidence: float = 0.0,
        progress: bool = False,
        tagger: QuoteTagger | Literal["auto"] | None = "auto",
        speech_only: bool = False,
    ) -> Analysis: ...
    @overload
    def analyze(
        self,
        article: Iterable[str],
        *,
        min_confidence: float = 0.0,
        progress: bool = False,
        tagger: QuoteTagger | Literal["auto"] | None = "auto",
        speech_only: bool = False,
    ) -> list[Analysis]: ...
    def analyze(
        self,
        article: str | Iterable[str],
        *,
        min_confidence: float = 0.0,
        progress: bool = False,
        tagger: QuoteTagger | Literal["auto"] | None = "auto",
        speech_only: bool = False,
    ) -> Analysis | list[Analysis]:
        """Finds the quotes of an article, or of many, and labels each.

        Args:
            article: The text, an empty one has no quotes; or an iterable of texts, whose quotes are
                then labelled together, which is faster.
            min_confidence: As in ``classify``.
            progress: Whether to show a progress bar on standard error.
            tagger: As in ``split``: who finds the quotes.
            speech_only: As in ``split``.

        Returns:
            The quotes in order, each prediction with its ``quote``; for many articles a list of
            that, in their order.

        Raises:
            TypeError: An article is not a string.
            ValueError: ``min_confidence`` is not between 0 and 1, or a file of the released tagger
                is damaged.
            FileNotFoundError: A file of the released tagger is missing.
            RuntimeError: The tagger's base encoder is missing or has another hash, or the
                classifier is not fitted.
        """
        articles = [article] if isinstance(article, str) else texts_of(article)
        from stance.quotes import split_all

        found = split_all(articles, tagger=tagger, speech_only=speech_only)
        joined = [quote for quotes in found for quote in quotes]
        labelled = iter(self.classify(joined, min_confidence=min_confidence, progress=progress))
        analyses = [
            Analysis(article=text, predictions=tuple(islice(labelled, len(quotes))))
            for text, quotes in zip(articles, found, strict=True)
        ]
        return analyses[0] if isinstance(article, str) else analyses

    def explain(
        self,
        quote: str | Quote,
        *,
        task: str | None = None,
        label: Label | None = None,
        context: str | None = None,
    ) -> Explanation:
        """Returns how much each word of a quote speaks for a label.

        Args:
            quote: The quote.
            task: Which task; None for the first.
            label: Which label; None for the most probable.
            context: The sentence the quote stood in; it is read, but its words are not weighed.

        Raises:
            TypeError: The quote is neither a string nor a ``Quote``, or its context no string.
            ValueError: The quote has no visible character, or there is no such task or label.
            RuntimeError: The classifier is not fitted.
        """
        from stance.explanation import Explanation, word_weights

        if not isinstance(quote, str | Quote):
            raise TypeError(f"quote must be a string or a Quote, not {type(quote).__name__}")
        if is_blank_quote(quote):
            raise ValueError(f"the quote has no visible character: {quote_text(quote)!r}")
        chosen = self._task(task)
        names = self._fitted().tasks[chosen]
        if label is not None and str(label) not in names:
            raise ValueError(f"unknown label {label!r}; {chosen!r} of this model has {list(names)}")
        # The context of the whole quote: with a word left out, it would no longer be found in it.
        surroundings = contexts_of([quote], [context])

        def probabilities(texts: list[str]) -> NDArray[np.float64]:
            given: list[str | Quote] = list(texts)
            found, *_ = self._probabilities(given, surroundings * len(texts), 64, False)
            return found[chosen]

        text = quote_text(quote)
        whole = probabilities([text])[0]
        place = int(whole.argmax()) if label is None else names.index(str(label))
        return Explanation(
            text=text,
            task=chosen,
            label=names[place],
            probability=float(whole[place]),
            words=word_weights(text, lambda texts: probabilities(texts)[:, place]),
        )

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
            raise _not_fitted_error()(
                "this StanceClassifier is not fitted: call fit, or load one with from_pretrained"
            )
        return cast("StoredModel", model)

    def _labels(self, task: str) -> NDArray[Any]:
        """Returns the labels of a task as they were given to ``fit``, (classes,)."""
        import numpy as np

        model = self._fitted()
        kinds = model.training.get("label_types", {})
        return np.array(label_values(model.tasks[task], kinds.get(task)))

    def _task(self, task: str | None) -> str:
        tasks = self._fitted().tasks
        chosen = next(iter(tasks)) if task is None else task
        if chosen not in tasks:
            raise ValueError(f"unknown task {task!r}; this model has {list(tasks)}")
        return chosen

    def _probabilities(
        self,
        quotes: list[str | Quote],
        contexts: list[str],
        batch_size: int,
        progress: bool,
        *,
        with_spans: bool = False,
    ) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.int64], dict[int, Spans]]:
        from stance.model.runtime import predict_with_spans
        from stance.model.spans import CONDITIONAL

        for position, quote in enumerate(quotes):
            if is_blank_quote(quote):
                raise ValueError(
                    f"quotes[{position}] has no visible character: {quote_text(quote)!r}"
                )
        model = self._fitted()
        stances = model.tasks.get("stance", ())
        conditional = stances.index(CONDITIONAL) if CONDITIONAL in stances else None
        return predict_with_spans(
            model.reader,
            model.inputs,
            [quote_text(quote) for quote in quotes],
            contexts,
            model.temperatures,
            spans_where=("stance", conditional) if with_spans and conditional is not None else None,
            batch_size=batch_size,
            progress=progress,
        )

    def _predictions(
        self,
        quotes: list[str | Quote],
        context: str | Iterable[str | None] | None,
        min_confidence: float,
        batch_size: int,
        progress: bool,
    ) -> list[Prediction]:
        model = self._fitted()
        tasks = model.tasks
        if lacking := [task for task in KNOWN_LABELS if task not in tasks]:
            raise ValueError(
                f"classify needs heads for stance and sentiment; this model lacks {lacking}: "
                "use predict or predict_proba"
            )
        contexts = contexts_of(quotes, context)
        probabilities, windows, spans = self._probabilities(
            quotes, contexts, batch_size, progress, with_spans=True
        )
        predictions = []
        for row, quote in enumerate(quotes):
            by_task = {
                task: dict(zip(tasks[task], probabilities[task][row].tolist(), strict=True))
                for task in KNOWN_LABELS
            }
            best: dict[str, Any] = {
                task: max(values, key=values.__getitem__) for task, values in by_task.items()
            }
            confidence = by_task["stance"][best["stance"]]
            is_decided = confidence >= min_confidence
            condition, outcome = (
                spans[row].words(quote_text(quote)) if row in spans and is_decided else (None, None)
            )
            predictions.append(
                Prediction(
                    text=quote_text(quote),
                    stance=best["stance"] if is_decided else None,
                    sentiment=best["sentiment"],
                    stance_probabilities=by_task["stance"],
                    sentiment_probabilities=by_task["sentiment"],
                    confidence=confidence,
                    quote=quote if isinstance(quote, Quote) else None,
                    condition=condition,
                    outcome=outcome,
                    windows=int(windows[row]),
                    calibration=model.label_sets or None,
                )
            )
        return predictions


def _hyperparameters(config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Divides the settings of a training into arguments of ``StanceClassifier`` and ``settings``.

    Args:
        config: As ``model.training["config"]`` holds it; names that this version does not know are
            left out.

    Returns:
        The arguments, and the further settings that are not the default ones; None for none.
    """
    from dataclasses import asdict

    from stance.model.settings import TrainingConfig

    arguments = set(StanceClassifier().get_params()) - {"base", "settings", "progress"}
    # Where a training started from, and how often it saved its state, is no hyperparameter.
    defaults = {
        name: value
        for name, value in asdict(TrainingConfig()).items()
        if name not in arguments | {"base", "init", "checkpoint_steps"}
    }
    settings = {
        name: config[name]
        for name, default in defaults.items()
        if config.get(name, default) != default
    }
    own = {name: value for name, value in config.items() if name in arguments}
    return own, settings or None


def _not_fitted_error() -> type[RuntimeError]:
    """Returns the error of an untrained classifier, which is scikit-learn's own as well."""
    # Importing scikit-learn takes a second, which only those pay who see this error.
    from sklearn.exceptions import NotFittedError

    class NotFitted(NotFittedError, RuntimeError):  # type: ignore[misc]
        """The classifier has neither been fitted nor loaded."""

    return NotFitted


def _check_confidence(min_confidence: Any) -> float:
    if isinstance(min_confidence, bool) or not isinstance(min_confidence, int | float):
        raise TypeError(f"min_confidence must be a number, not {type(min_confidence).__name__}")
    if math.isnan(min_confidence) or not 0 <= min_confidence <= 1:
        raise ValueError(f"min_confidence must be between 0 and 1, not {min_confidence!r}")
    return float(min_confidence)


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
    min_confidence: float = 0.0,
    batch_size: int = 32,
    progress: bool = False,
) -> Prediction: ...
@overload
def classify(
    quotes: Iterable[str | Quote],
    *,
    context: Iterable[str | None] | None = None,
    min_confidence: float = 0.0,
    batch_size: int = 32,
    progress: bool = False,
) -> list[Prediction]: ...
def classify(
    quotes: str | Quote | Iterable[str | Quote],
    *,
    context: Any = None,
    min_confidence: float = 0.0,
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
        quotes,
        context=context,
        min_confidence=min_confidence,
        batch_size=batch_size,
        progress=progress,
    )


def explain(
    quote: str | Quote,
    task: Literal["stance", "sentiment"] = "stance",
    label: str | None = None,
    *,
    context: str | None = None,
) -> Explanation:
    """Tells which words made the label, with the released weights.

    See ``StanceClassifier.explain``.

    Example:
        >>> import stance
        >>> why = stance.explain("We categorically reject this proposal.")
        >>> why.label, why.top(1)[0].text
        ('dismissive', 'reject')
    """
    return default_classifier().explain(quote, task=task, label=label, context=context)


@overload
def analyze(  # type: ignore[overload-overlap]
    article: str,
    *,
    min_confidence: float = 0.0,
    progress: bool = False,
    tagger: QuoteTagger | Literal["auto"] | None = "auto",
    speech_only: bool = False,
) -> Analysis: ...
@overload
def analyze(
    article: Iterable[str],
    *,
    min_confidence: float = 0.0,
    progress: bool = False,
    tagger: QuoteTagger | Literal["auto"] | None = "auto",
    speech_only: bool = False,
) -> list[Analysis]: ...
def analyze(
    article: str | Iterable[str],
    *,
    min_confidence: float = 0.0,
    progress: bool = False,
    tagger: QuoteTagger | Literal["auto"] | None = "auto",
    speech_only: bool = False,
) -> Analysis | list[Analysis]:
    """Finds the quotes of an article and labels each; see ``StanceClassifier.analyze``.

    Example:
        >>> import stance
        >>> analysis = stance.analyze('"The freeze is unacceptable," the minister said.')
        >>> [(p.quote.text, p.stance) for p in analysis]
        [('The freeze is unacceptable', 'dismissive')]
    """
    return default_classifier().analyze(
        article,
        min_confidence=min_confidence,
        progress=progress,
        tagger=tagger,
        speech_only=speech_only,
    )
