"""What does each expert make of each language? The loss on held-out solutions with every expert forced on all of them.

RUN/adapter/ and the canonical solutions that its [evaluate] asks for -> expert_matrix.json, .md and .html in OUT
"""

from pathlib import Path

from codeglot import __version__, runs
from codeglot.config import StrictModel, build
from codeglot.data.encode import encode
from codeglot.data.examples import from_problem
from codeglot.errors import ConfigError, DataError
from codeglot.jobs.problems import asked_problems
from codeglot.jobs.progress import Progress, Silent
from codeglot.jobs.runfile import TrainingRun
from codeglot.jobs.trained import trained_run
from codeglot.languages import spec
from codeglot.methods.adapter import Attached, load_methods
from codeglot.models.load import load_base
from codeglot.records import Example
from codeglot.report.content import Chart, Report, Section
from codeglot.report.heat_map import heat_map
from codeglot.report.markdown import render_markdown
from codeglot.report.page import render_plain_page
from codeglot.report.tables import Table
from codeglot.train.forced_loss import forced_losses

OTHER = "other"
_NAME = "expert_matrix"


class Matrix(StrictModel):
    """`expert_matrix.json`."""

    experts: tuple[str, ...]
    """What all tokens were taken for: a language of the run, or `other`, text in none of them."""
    languages: tuple[str, ...]
    """What the solutions are in."""
    num_examples: tuple[int, ...]
    """Solutions, by language."""
    num_targets: tuple[int, ...]
    """Tokens that were predicted, by language."""
    nats: tuple[tuple[float, ...], ...]
    """Mean negative log-likelihood per token, in nats: by language, then by expert."""


def expert_matrix(run: Path, out: Path | None = None, progress: Progress | None = None) -> Matrix:
    """Force each expert of a trained run on each language, and write what comes of it.

    Args:
        run: Folder of a finished training whose method routes by language.
        out: Folder for the files; None: that of the run.
        progress: Is told of each language.

    Raises:
        CodeglotError: If the run cannot be loaded, is not routed, or asks for no problem with a known solution.
    """
    settings = build(TrainingRun, trained_run(run, None), source=str(run / runs.CONFIG))
    examples = _examples(settings)
    base = load_base(settings.base)
    attached = load_methods(base.model, run / runs.ADAPTER)
    if attached.routing is None:
        raise ConfigError(f"Nothing in {run} is routed by language, so no expert can be forced on another's text.")
    matrix = _measure(settings, attached, examples, base.tokenizer, progress or Silent())
    folder = out or run
    runs.write_json(folder / f"{_NAME}.json", matrix)
    report = _report(matrix, settings)
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


def _measure(
    run: TrainingRun, attached: Attached, examples: dict[str, list[Example]], tokenizer: object, progress: Progress
) -> Matrix:
    labels = [*range(1, len(attached.languages) + 1), 0]
    rows, sizes, counts = [], [], []
    for language in sorted(examples):
        progress.say(f"{language}: {len(examples[language])} solutions, {len(labels)} experts")
        encoded = encode(examples[language], tokenizer, run.data, attached.languages).examples  # type: ignore[arg-type]
        num_targets = sum(example.num_targets for example in encoded)
        sums = forced_losses(attached.model, attached.route, encoded, labels)
        rows.append(tuple(sum(values) / num_targets for values in sums))
        sizes.append(num_targets)
        counts.append(len(encoded))
    return Matrix(
        experts=(*attached.languages, OTHER),
        languages=tuple(sorted(examples)),
        num_examples=tuple(counts),
        num_targets=tuple(sizes),
        nats=tuple(rows),
    )


def _report(matrix: Matrix, run: TrainingRun) -> Report:
    names = {language.id: language.name for language in spec.all_languages()}
    languages = [names.get(name, name) for name in matrix.languages]
    experts = [names.get(name, name) for name in matrix.experts]
    caption = "Nats per token of held-out solutions (rows) with the expert of a language (columns) forced on all tokens"
    own = [
        name == matrix.experts[min(range(len(row)), key=row.__getitem__)]
        for name, row in zip(matrix.languages, matrix.nats, strict=True)
        if name in matrix.experts
    ]
    table = Table(
        caption,
        ("Language", "Tokens", *experts),
        tuple(
            (name, f"{size:,}", *(f"{value:.3f}" for value in row))
            for name, size, row in zip(languages, matrix.num_targets, matrix.nats, strict=True)
        ),
    )
    return Report(
        title=f"Experts against languages, on {run.base.model}",
        summary=(f"For {sum(own)} of {len(own)} languages with an expert, their own predicts them best.",),
        warnings=(),
        sections=(
            Section("matrix", "The matrix", (Chart(heat_map(languages, experts, matrix.nats, caption=caption)), table)),
        ),
    )
