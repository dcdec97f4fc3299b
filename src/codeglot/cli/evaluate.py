"""`codeglot evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from codeglot.cli.paths import PathName
from codeglot.generate.names import ENGINES

if TYPE_CHECKING:
    from codeglot.evaluate.score import MacroScore, Scores
    from codeglot.records import Score


@click.command()
@click.argument("arguments", nargs=-1, metavar="[RUN.toml | RUN] [KEY=VALUE]...")
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    help="Who writes the completions. --completions and --base-url imply theirs.",
)
@click.option("--benchmark", "benchmarks", multiple=True, help="Name of a benchmark; may be given several times.")
@click.option("--languages", help="Programming languages, separated by commas. Default: all that the benchmark has.")
@click.option("--natural-languages", help="Codes of the prompts' languages, by commas, where a benchmark has several.")
@click.option(
    "--data",
    type=PathName(),
    help="Folder or file of benchmark data. Default: $CODEGLOT_DATA, else the hub.",
)
@click.option("--split", help="Part of the benchmark. Default: the part that the field reports.")
@click.option("--model", help="Folder or hub id of a model, or the name that the server knows it by.")
@click.option("--adapter", help="Folder or hub id of a PEFT adapter on top of --model.")
@click.option("--base-url", help="Address of an OpenAI-compatible server, as http://127.0.0.1:8000/v1.")
@click.option("--completions", type=PathName(), help="File of somebody else's generations (JSONL).")
@click.option(
    "--style",
    type=click.Choice(["completion", "chat"]),
    help="Continue the prompt, or answer a chat.  [default: completion]",
)
@click.option("--samples", type=int, help="Completions per problem.  [default: 1]")
@click.option("--temperature", type=float, help="0 is greedy.  [default: 0]")
@click.option("-k", "ks", multiple=True, type=int, help="k of pass@k; may be given several times.  [default: 1]")
@click.option("--problems", type=int, help="Only the first this many problems of each benchmark and language.")
@click.option("--slots", type=int, help="Programs at once.  [default: one per core]")
@click.option("--sandbox", help="Isolation level, as in evaluate.sandbox.  [default: the strongest there is]")
@click.option("--cluster", help="Judge on the nodes of a Ray cluster: `auto` or HOST:PORT.")
@click.option(
    "--out",
    type=PathName(),
    help="Run folder; the same command continues a killed run. Default: RUN, where one is given.",
)
@click.option("--check", is_flag=True, help="Validate the settings, print the run file as JSON, stop.")
def evaluate(arguments: tuple[str, ...], out: Path | None, check: bool, **options: Any) -> None:
    """Generate, execute and score; then write the report.

    Settings come from a run file, from options, or both; options win, and KEY=VALUE wins over options. RUN is a
    folder that `codeglot train` filled: what it trained is judged, as its run file says.

    \b
    Examples:
      codeglot evaluate runs/lora
      codeglot evaluate --engine reference --benchmark humaneval --data FOLDER --out runs/reference
      codeglot evaluate --model my/model --benchmark humaneval_x --languages java,cpp --out runs/mine
      codeglot evaluate --base-url http://127.0.0.1:8000/v1 --model mine --style chat --benchmark mbpp --out runs/served
      codeglot evaluate run.toml generate.temperature=0.8 generate.num_samples=20 --out runs/sampled
    """  # noqa: D301 - click looks for the character, not for its name
    from codeglot.cli.progress import TerminalProgress
    from codeglot.config import apply, build, read_tree
    from codeglot.jobs import evaluate as job
    from codeglot.jobs.paths import resolve_paths
    from codeglot.jobs.report import report
    from codeglot.jobs.runfile import EvaluationRun
    from codeglot.jobs.trained import trained_run

    file, overrides = _split(arguments)
    if file is not None and file.is_dir():
        tree, out = trained_run(file, out), out or file
    else:
        tree = resolve_paths(read_tree(file), file.parent) if file else {}
    if out is None:
        raise click.UsageError("Missing option '--out': the folder for the results.")
    merged = apply(_merge({"generate": {}, "evaluate": {}}, _merge(tree, _tree(options))), overrides)
    if isinstance(merged["generate"], dict) and "engine" not in merged["generate"]:
        raise click.UsageError(
            "Nobody is named who writes the completions. Give --engine (as --engine reference), --model, --base-url or "
            "--completions, or generate.engine in a run file."
        )
    if isinstance(merged["evaluate"], dict) and "benchmarks" not in merged["evaluate"]:
        raise click.UsageError("No benchmark is named. Give --benchmark, or evaluate.benchmarks in a run file.")
    run = build(EvaluationRun, merged, source=f"{file} with the command line" if file else "the command line")
    if check:
        click.echo(run.model_dump_json(indent=2))
        return
    progress = TerminalProgress()
    scores = job.evaluate(run, out, progress)
    pages = report([out], None, progress)
    for line in _lines(scores):
        click.echo(line)
    for page in pages:
        click.echo(page)


def _lines(scores: "Scores") -> list[str]:
    """The scores for a terminal; the report says the rest."""
    rows = labeled(scores)
    first, second = (max(map(len, column)) for column in ([row.benchmark for row, _ in rows], [who for _, who in rows]))
    lines = []
    for row, who in rows:
        value = f"undecided, {row.bounds[0]:.1%} to {row.bounds[1]:.1%}"
        if row.pass_at_k is not None and row.interval is not None:
            value = f"{row.pass_at_k:6.1%}  (95 % interval {row.interval[0]:.1%} to {row.interval[1]:.1%})"
        lines.append(f"{row.benchmark:<{first}}  {who:<{second}}  pass@{row.k}  {value}")
    if scores.incomplete:
        lines.append(f"Programs without a verdict: {scores.incomplete}. The machine failed, not they; run this again.")
    return lines


def labeled(scores: "Scores") -> "list[tuple[Score | MacroScore, str]]":
    """Every score with its languages: the one of the prompts only where there are several."""
    several = len({row.natural_language for row in scores.scores}) > 1
    rows: list[tuple[Score | MacroScore, str]] = [(row, row.language_id) for row in scores.scores]
    rows += [(row, "mean over languages") for row in scores.macro]
    return [(row, f"{who} ({row.natural_language})" if several else who) for row, who in rows]


def _split(arguments: tuple[str, ...]) -> tuple[Path | None, list[str]]:
    """The run file, if the first argument is one, and the overrides."""
    if arguments and "=" not in arguments[0]:
        return Path(arguments[0]), list(arguments[1:])
    return None, list(arguments)


def _tree(options: dict[str, Any]) -> dict[str, Any]:
    """Options as the sections of a run file; what was not given is left out."""
    engine = options["engine"]
    if options["completions"] is not None and options["base_url"] is not None:
        raise click.UsageError("--completions and --base-url both name who writes the completions; give one of them.")
    if engine is None:
        implied = {
            "completions": options["completions"],
            "openai": options["base_url"],
            "huggingface": options["model"],
        }
        engine = next((name for name, value in implied.items() if value is not None), None)
    served = engine == "openai"
    return _given(
        {
            "base": {"model": None if served else options["model"], "adapter": options["adapter"]},
            "generate": {
                "engine": engine,
                "style": options["style"],
                "num_samples": options["samples"],
                "temperature": options["temperature"],
                "completions": _text(options["completions"]),
                "openai": {"base_url": options["base_url"], "model": options["model"] if served else None},
            },
            "evaluate": {
                "benchmarks": list(options["benchmarks"]) or None,
                "languages": _names(options["languages"]),
                "natural_languages": _names(options["natural_languages"]),
                "split": options["split"],
                "data": _text(options["data"]),
                "num_problems": options["problems"],
                "k": list(options["ks"]) or None,
                "slots": options["slots"],
                "sandbox": options["sandbox"],
                "cluster": options["cluster"],
            },
        }
    )


def _names(text: str | None) -> list[str] | None:
    """Names that commas separate."""
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path.resolve())


def _given(tree: dict[str, Any]) -> dict[str, Any]:
    """Without the keys that hold nothing."""
    kept = {key: _given(value) if isinstance(value, dict) else value for key, value in tree.items()}
    return {key: value for key, value in kept.items() if value is not None and value != {}}


def _merge(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` on top of `under`, table by table."""
    merged = dict(under)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged
