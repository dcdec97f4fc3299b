"""What the bundled bases can do: greedy pass@1 on the test problems of the bundled world, in every language.

    python benchmarks/micro_bases.py [--out runs/micro_bases]

Writes benchmarks/micro_bases.md. Continues where it was killed; verdicts of equal programs are taken from the log.
"""

import argparse
import sys
from pathlib import Path

from codeglot import runs
from codeglot.cli.progress import TerminalProgress
from codeglot.config import load
from codeglot.evaluate.score import Scores
from codeglot.jobs.evaluate import evaluate
from codeglot.jobs.runfile import EvaluationRun
from codeglot.jobs.sections import Evaluate, Generate
from codeglot.micro.recipe import assets, names, read_recipe
from codeglot.models.settings import Base
from codeglot.records import Score
from codeglot.train.summary import TrainingSummary

PAGE = Path(__file__).with_suffix(".md")
RICH, MIDDLE = 0.5, 0.01
"""Shares of the corpus from which on a language counts as rich or middle; below, it is poor, and without one unseen."""
WANTED = {"rich": (0.60, 0.90), "middle": (0.20, 0.60), "poor": (0.03, 0.30), "unseen": (0.0, 0.05)}
"""Range of pass@1 that `micro` was to reach, by the share of a language in what it reads."""
NUM_SPOKEN = 300
"""Problems of each natural language."""


def judge(name: str, benchmark: str, out: Path, num_problems: int | None) -> Scores:
    """Run one base on one benchmark."""
    run = EvaluationRun(
        base=Base(model=name, device="cpu"),
        generate=Generate(engine="huggingface", max_new_tokens=256, batch_size=128),
        evaluate=Evaluate(benchmarks=(benchmark,), split="test", num_problems=num_problems),
    )
    return evaluate(run, out, TerminalProgress())


def kind(name: str, language_id: str) -> str:
    """How much of a language a base has read."""
    share = read_recipe(name).languages.get(language_id, 0.0)
    return "rich" if share >= RICH else "middle" if share >= MIDDLE else "poor" if share else "unseen"


def cell(score: Score) -> str:
    """pass@1 with its interval."""
    if score.pass_at_k is None or score.interval is None:
        sys.exit(f"{score.language_id}: programs without a verdict; the machine failed. Run this again.")
    return f"{score.pass_at_k:.1%} ({score.interval[0]:.1%} to {score.interval[1]:.1%})"


def main() -> None:
    """Judge every bundled base and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/micro_bases"))
    out: Path = parser.parse_args().out
    code = {name: judge(name, "micro", out / f"{name}-micro", None) for name in names()}
    prose = {name: judge(name, "micro_nl", out / f"{name}-micro_nl", NUM_SPOKEN) for name in names()}
    page, missed = write(code, prose)
    runs.write_text(PAGE, page)
    print(page)
    sys.exit(1 if missed else 0)


def write(code: dict[str, Scores], prose: dict[str, Scores]) -> tuple[str, list[str]]:
    """The page, and the languages in which `micro` is not where it was to be."""
    first = next(iter(code.values())).scores[0]
    lines = [
        "# The bundled bases\n",
        "<!-- Written by benchmarks/micro_bases.py; do not edit. -->\n",
        (
            f"Greedy pass@1 on {first.num_problems} test problems of the bundled world per programming language, with "
            "95 % intervals over problems; prompts in English. The shares of the corpus were chosen on the validation "
            "problems. What holds here is evidence about these bases and this world.\n"
        ),
        f"| | share of the corpus | wanted of `micro` | {' | '.join(f'`{name}`' for name in code)} |",
        f"|---|---|---:|{'---:|' * len(code)}",
    ]
    missed = []
    by_language = {name: {score.language_id: score for score in scores.scores} for name, scores in code.items()}
    for language_id, score in by_language["micro"].items():
        low, high = WANTED[kind("micro", language_id)]
        if score.pass_at_k is not None and not low <= score.pass_at_k <= high:
            missed.append(language_id)
        share = read_recipe("micro").languages.get(language_id, 0.0)
        cells = " | ".join(cell(by_language[name][language_id]) for name in code)
        lines.append(
            f"| {language_id} | {share:.1%}, {kind('micro', language_id)} | {low:.0%} to {high:.0%} | {cells} |"
        )
    lines += [
        f"\nOutside the wanted range: {', '.join(missed) or 'none'}.\n",
        f"Python, by the language of the prompt ({NUM_SPOKEN} problems each):\n",
        f"| | share of the prompts | {' | '.join(f'`{name}`' for name in prose)} |",
        f"|---|---:|{'---:|' * len(prose)}",
    ]
    spoken = {name: {score.natural_language: score for score in scores.scores} for name, scores in prose.items()}
    for code_ in spoken["micro"]:
        share = read_recipe("micro").natural_languages.get(code_, 0.0)
        lines.append(f"| {code_} | {share:.0%} | {' | '.join(cell(spoken[name][code_]) for name in prose)} |")
    lines += ["\nWhat they took to build (`codeglot pretrain-micro`; the log is beside the weights):\n"]
    lines += ["| | parameters | tokens read | CPU s | wall s |", "|---|---:|---:|---:|---:|"]
    for name in code:
        built = load(TrainingSummary, assets(name) / runs.TRAINING)
        lines.append(
            f"| `{name}` | {built.num_trainable:,} | {built.num_tokens:,} | {built.cpu_s:.0f} | {built.wall_s:.0f} |"
        )
    return "\n".join(lines) + "\n", missed


if __name__ == "__main__":
    main()
