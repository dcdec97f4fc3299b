"""Examples of a run -> tokens, and the order in which they are drawn."""

from typing import NamedTuple

from codeglot.data.batch import EncodedExample
from codeglot.data.encode import encode
from codeglot.data.examples import run_languages
from codeglot.data.mixture import order, shares, table
from codeglot.jobs.progress import Progress
from codeglot.jobs.runfile import TrainingRun
from codeglot.jobs.training_data import training_examples
from codeglot.models.load import LoadedBase


class Prepared(NamedTuple):
    """What is trained on, in tokens."""

    examples: list[EncodedExample]
    order: list[int]
    languages: tuple[str, ...]


def prepare(run: TrainingRun, base: LoadedBase, progress: Progress) -> Prepared:
    """Examples as tokens, and the order in which they are drawn.

    Raises:
        CodeglotError: With value, place and remedy.
    """
    loaded = training_examples(run, progress)
    languages = run_languages(run.data, loaded.examples)
    encoding = encode(loaded.examples, base.tokenizer, run.data, languages, base.num_positions)
    for note in (*loaded.notes, *encoding.notes):
        progress.say(note)
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
