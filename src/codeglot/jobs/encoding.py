"""Examples of a run -> tokens, and the order in which they are drawn."""

from collections.abc import Sequence
from typing import NamedTuple, cast

from codeglot.data.batch import EncodedExample
from codeglot.data.encode import encode
from codeglot.data.examples import run_languages
from codeglot.data.mixture import order, shares, table
from codeglot.errors import DataError
from codeglot.jobs.progress import Progress
from codeglot.jobs.runfile import TrainingRun
from codeglot.jobs.training_data import training_examples
from codeglot.methods.base import Method
from codeglot.models.load import LoadedBase


class Prepared(NamedTuple):
    """What is trained on, in tokens."""

    examples: list[EncodedExample]
    order: list[int]
    languages: tuple[str, ...]


def prepare(run: TrainingRun, base: LoadedBase, progress: Progress, known: Sequence[str] = ()) -> Prepared:
    """Examples as tokens, and the order in which they are drawn.

    Args:
        run: What is trained.
        base: On what.
        progress: Is told what there is.
        known: Languages of the run that this one extends, which keep their numbers.

    Raises:
        CodeglotError: With value, place and remedy.
    """
    loaded = training_examples(run, progress)
    own = run_languages(run.data, loaded.examples)
    if trained := [name for name in own if name in known]:
        raise DataError(
            f"There are examples in {', '.join(trained)}, and the run in {run.extends} has that language already: what "
            "it trained stays as it is. Leave them out with `languages` of the sources."
        )
    languages = (*known, *own)
    encoding = encode(loaded.examples, base.tokenizer, run.data, languages, base.num_positions)
    for note in (*loaded.notes, *encoding.notes):
        progress.say(note)
    if any(method.routes_by_language for method in cast("tuple[Method, ...]", run.methods)):
        _need_labels(encoding.examples, languages, own)
    ids = [loaded.examples[place].language_id for place in encoding.kept]
    num_examples = {name: ids.count(name) for name in dict.fromkeys(ids)}
    share = shares(num_examples, temperature=run.data.temperature, weights=run.data.weights)
    drawn = order(ids, share, run.train.num_draws(len(ids)), run.seed)
    for row in table(ids, [len(example.input_ids) for example in encoding.examples], drawn):
        progress.say(
            f"{row.language_id}: {row.num_examples} examples, {row.num_tokens} tokens, "
            f"{row.share:.1%} of all draws, {row.epochs:.1f} epochs"
        )
    return Prepared(encoding.examples, drawn, languages)


def _need_labels(examples: Sequence[EncodedExample], languages: Sequence[str], own: Sequence[str]) -> None:
    """Refuse a language whose tokens are all taken for other text: its part of a method would learn nothing."""
    found = set().union(*(example.language_ids for example in examples))
    if missing := [name for name in own if languages.index(name) + 1 not in found]:
        raise DataError(
            f"No token of the examples in {', '.join(missing)} counts as such: in a chat, code stands in fences with "
            f"the tag of its language. Tag the fences (```{missing[0]}), or set data.style = 'completion'."
        )
