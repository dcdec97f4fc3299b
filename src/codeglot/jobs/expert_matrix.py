"""What does each expert make of each language? Each is forced on held-out solutions, on demand on answers too.

RUN/adapter/ and the canonical solutions that its [evaluate] asks for -> expert_matrix.json, .md and .html in OUT
"""

from pathlib import Path

from codeglot import __version__, runs
from codeglot.config import build
from codeglot.data.batch import OTHER_LANGUAGE
from codeglot.data.encode import encode
from codeglot.data.examples import from_problem
from codeglot.errors import ConfigError, DataError
from codeglot.generate.routing import forced
from codeglot.jobs.expert_matrix_report import Matrix, build_report
from codeglot.jobs.forced_answers import forced_passes
from codeglot.jobs.problems import asked_problems
from codeglot.jobs.progress import Progress, Silent
from codeglot.jobs.runfile import TrainingRun
from codeglot.jobs.trained import trained_run
from codeglot.methods.adapter import Attached, load_methods
from codeglot.models.load import LoadedBase, load_base
from codeglot.records import Example
from codeglot.report.markdown import render_markdown
from codeglot.report.page import render_plain_page
from codeglot.train.forced_loss import forced_losses

_NAME = "expert_matrix"


def expert_matrix(
    run: Path, out: Path | None = None, progress: Progress | None = None, *, with_answers: bool = False
) -> Matrix:
    """Force each expert of a trained run on each language, and write what comes of it.

    Args:
        run: Folder of a finished training whose method routes by language.
        out: Folder for the files; None: that of the run.
        progress: Is told of each language.
        with_answers: Whether every expert also answers every problem.

    Raises:
        CodeglotError: If the run cannot be loaded, is not routed, or asks for no problem with a known solution.
    """
    settings = build(TrainingRun, trained_run(run, None), source=str(run / runs.CONFIG))
    examples = _examples(settings)
    base = load_base(settings.base)
    attached = load_methods(base.model, run / runs.ADAPTER)
    if attached.routing is None:
        raise ConfigError(f"Nothing in {run} is routed by language, so no expert can be forced on another's text.")
    met = [tuple(map(tuple, method.experts_met(attached.languages)[1:])) for method in attached.methods]
    if len(attached.languages) > 1 and all(len(set(experts)) < 2 for experts in met):
        raise ConfigError(f"All languages of {run} meet the same experts, so there is nothing to compare.")
    progress = progress or Silent()
    folder = out or run
    matrix = _measure(settings, attached, examples, base, progress)
    if with_answers:
        on_it = base._replace(model=attached.model, routing=attached.routing)  # type: ignore[arg-type]
        ways = {
            name: forced(attached.routing, label) for name, label in zip(matrix.experts, _labels(attached), strict=True)
        }
        passes = forced_passes(settings, run / runs.ADAPTER, on_it, ways, folder, progress)
        matrix = matrix.model_copy(update={"pass_at_1": tuple(passes[language] for language in matrix.languages)})
    runs.write_json(folder / f"{_NAME}.json", matrix)
    report = build_report(matrix, settings.base.model)
    runs.write_text(folder / f"{_NAME}.md", render_markdown(report))
    runs.write_text(folder / f"{_NAME}.html", render_plain_page(report, __version__))
    return matrix


def _examples(run: TrainingRun) -> dict[str, list[Example]]:
    """Problems with their known solutions, by language."""
    if run.evaluate is None:
        raise ConfigError("The run file has no [evaluate], so there is no text to try. Name its benchmarks there.")
    found: dict[str, list[Example]] = {}
    for problems in asked_problems(run.evaluate).values():
        for problem in problems:
            if example := from_problem(problem):
                found.setdefault(problem.language_id, []).append(example)
    if not found:
        raise DataError("No problem of [evaluate] has a known solution. Name a benchmark that has them.")
    return found


def _labels(attached: Attached) -> list[int]:
    """Of each language of the run, and of other text."""
    return [*range(1, len(attached.languages) + 1), OTHER_LANGUAGE]


def _measure(
    run: TrainingRun, attached: Attached, examples: dict[str, list[Example]], base: LoadedBase, progress: Progress
) -> Matrix:
    labels = _labels(attached)
    rows, sizes, counts = [], [], []
    for language in sorted(examples):
        progress.say(f"{language}: {len(examples[language])} solutions, {len(labels)} experts")
        encoding = encode(examples[language], base.tokenizer, run.data, attached.languages, base.num_positions)
        for note in encoding.notes:
            progress.say(note)
        encoded = encoding.examples
        num_targets = sum(example.num_targets for example in encoded)
        sums = forced_losses(attached.model, attached.route, encoded, labels)
        rows.append(tuple(sum(values) / num_targets for values in sums))
        sizes.append(num_targets)
        counts.append(len(encoded))
    return Matrix(
        experts=(*attached.languages, "other"),
        languages=tuple(sorted(examples)),
        num_examples=tuple(counts),
        num_targets=tuple(sizes),
        nats=tuple(rows),
    )
