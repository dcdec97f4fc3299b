"""What a person deciding on a model should read first, and what they must know before believing it."""

from collections.abc import Mapping, Sequence

from codeglot.evaluate.score import LeftOut, MacroScore
from codeglot.evaluate.taxonomy import ENDINGS, add_counts
from codeglot.records import FinishReason, Score, Verdict
from codeglot.report.comparison import Comparison, Difference
from codeglot.report.groups import benchmarks_of, ks_of
from codeglot.report.source import Run
from codeglot.report.words import counted, flat_settings, letter, p_value, percent, percent_range, points, subject

Names = Mapping[str, str]

_SIGNIFICANT = 0.05


def summary(runs: Sequence[Run], comparison: Comparison, names: Names) -> list[str]:
    """The result in one sentence per benchmark and run, and one per comparison of runs."""
    k = ks_of(runs)[0]
    sentences = []
    for benchmark in benchmarks_of(runs):
        rows = [row for row in comparison.differences if row.benchmark == benchmark and row.k == k]
        sentences += _difference_sentences(rows, runs, names)
        for index, run in enumerate(runs):
            mark = f"{letter(index)}: " if len(runs) > 1 else ""
            sentences += [mark + text for text in _sentences(run, benchmark, k, names)]
    return sentences


def _sentences(run: Run, benchmark: str, k: int, names: Names) -> list[str]:
    scores = [row for row in run.scores.scores if row.benchmark == benchmark and row.k == k]
    naturals = list(dict.fromkeys(row.natural_language for row in scores))
    sentences = []
    for natural in naturals:
        rows = [row for row in scores if row.natural_language == natural]
        mean = next(
            (m for m in run.scores.macro if (m.benchmark, m.natural_language, m.k) == (benchmark, natural, k)), None
        )
        asked = f"{benchmark} ({natural} prompts)" if len(naturals) > 1 else benchmark
        sentences.append(_sentence(run, asked, rows, mean, names))
    return sentences


def _sentence(run: Run, asked: str, rows: Sequence[Score], mean: MacroScore | None, names: Names) -> str:
    whole: Score | MacroScore = mean or rows[0]
    who, k = subject(run), whole.k
    tries = "one try" if k == 1 else f"{k} tries"
    if whole.pass_at_k is None or whole.interval is None:
        missing, total = sum(row.incomplete for row in rows), sum(_expected(row) for row in rows)
        return (
            f"{who} has no score on {asked} yet: {missing:,} of {counted(total, 'program')} have no verdict; "
            f"pass@{k} lies within {percent_range(whole.bounds)}."
        )
    trust = f"pass@{k}; 95\u00a0% interval {percent_range(whole.interval)}"
    if mean is None:
        language = names.get(rows[0].language_id, rows[0].language_id)
        problems = counted(rows[0].num_problems, f"{language} problem")
        return (
            f"{who} solved {percent(whole.pass_at_k)} of the {problems} of {asked} in {tries} ({trust})"
            f"{_main_failure(rows)}."
        )
    ranked = sorted(rows, key=lambda row: row.pass_at_k or 0.0, reverse=True)
    best, worst = (
        f"{names.get(row.language_id, row.language_id)} ({percent(row.bounds[0])})" for row in (ranked[0], ranked[-1])
    )
    spread = "" if ranked[0].pass_at_k == ranked[-1].pass_at_k else f", from {worst} to {best}"
    return (
        f"{who} solved {percent(whole.pass_at_k)} of {asked} in {tries}, on average over {mean.num_languages} "
        f"languages ({trust}){spread}{_main_failure(rows)}."
    )


def _expected(row: Score) -> int:
    scored = sum(count for verdict, count in row.taxonomy.items() if verdict.is_scored)
    return scored + row.incomplete


def _main_failure(rows: Sequence[Score]) -> str:
    counts = add_counts(row.taxonomy for row in rows)
    failures = {
        verdict: count for verdict, count in counts.items() if verdict is not Verdict.PASS and verdict.is_scored
    }
    if not failures:
        return ""
    verdict = max(failures, key=failures.__getitem__)
    total = sum(failures.values())
    if len(failures) == 1:
        return f"; all {counted(total, 'failure')} ended as \u201c{ENDINGS[verdict].label}\u201d" if total > 1 else ""
    return f"; the most frequent failure is \u201c{ENDINGS[verdict].label}\u201d ({failures[verdict]:,} of {total:,})"


def _difference_sentences(rows: Sequence[Difference], runs: Sequence[Run], names: Names) -> list[str]:
    several_naturals = len({row.natural_language for row in rows}) > 1
    sentences = []
    for key in dict.fromkeys((row.run, row.natural_language) for row in rows):
        mine = [row for row in rows if (row.run, row.natural_language) == key]
        head = next((row for row in mine if row.language_id is None), mine[0])
        asked = f"{head.benchmark} ({head.natural_language} prompts)" if several_naturals else head.benchmark
        p = head.p if head.adjusted_p is None else head.adjusted_p
        judged = "more than chance explains" if p < _SIGNIFICANT else "which may be chance"
        low, high = head.interval
        text = (
            f"{letter(head.run)} ({runs[head.run].name}) against A ({runs[0].name}) on {asked}: "
            f"{points(head.mean)} points of pass@{head.k} {_where(head, names)} "
            f"(95\u00a0% interval {points(low)} to {points(high)}), {judged} (p {_p(p)})"
        )
        sentences.append(text + (_single_languages(mine, names) if head.language_id is None else "") + ".")
    return sentences


def _where(row: Difference, names: Names) -> str:
    if row.language_id is None:
        return "on average over languages"
    return f"in {names.get(row.language_id, row.language_id)}"


def _single_languages(rows: Sequence[Difference], names: Names) -> str:
    """Which languages differ by themselves."""
    languages = [row for row in rows if row.language_id is not None]
    sure = [row for row in languages if row.adjusted_p is not None and row.adjusted_p < _SIGNIFICANT]
    if not sure:
        return f"; none of {len(languages)} languages differs by itself after Holm's correction"
    named = ", ".join(f"{names.get(str(row.language_id), str(row.language_id))} {points(row.mean)}" for row in sure)
    return f"; after Holm's correction {len(sure)} of {len(languages)} languages differ by themselves: {named}"


def _p(value: float) -> str:
    text = p_value(value)
    return text if text.startswith("<") else f"= {text}"


def warnings(runs: Sequence[Run], comparison: Comparison, names: Names) -> list[str]:
    """What keeps the figures from being what they seem, the gravest first."""
    found = [_incomplete(run, who) for run, who in _named(runs) if run.scores.incomplete]
    found += [f"Not compared: {text}." for text in comparison.refusals]
    if len({(run.environment.sandbox_level, *sorted(run.environment.toolchains.items())) for run in runs}) > 1:
        found.append("The runs had different toolchains or sandbox levels, which alone can change verdicts.")
    found += [text for run, who in _named(runs) for text in _given_up(run, who, names)]
    if cut := [text for run, who in _named(runs) if (text := _cut_off(run, who))]:
        found.append(f"Cut off at the token limit: {'; '.join(cut)}. A higher limit may raise the score.")
    found += [_left_out(run, who) for run, who in _named(runs) if run.scores.left_out != LeftOut()]
    if dirty := [who for run, who in _named(runs) if run.environment.is_dirty]:
        found.append(
            f"Made from a checkout with uncommitted changes, which its commit does not hold: {', '.join(dirty)}."
        )
    return found


def _named(runs: Sequence[Run]) -> list[tuple[Run, str]]:
    return [(run, f"run {letter(index)}" if len(runs) > 1 else "this run") for index, run in enumerate(runs)]


def _incomplete(run: Run, who: str) -> str:
    missing, total = run.scores.incomplete, sum(entry.num_samples for entry in run.tallies().values())
    return (
        f"Incomplete: in {who}, {total - missing:,} of {counted(total, 'program')} have a verdict. A score with gaps "
        "is refused; run the same `codeglot evaluate` again to fill them."
    )


def _given_up(run: Run, who: str, names: Names) -> list[str]:
    """Languages of which what was kept ready judged a program wrongly."""
    ids = {problem.task_id: problem.language_id for problem in run.problems}
    wrong = {ids[row.task_id]: row for row in run.executions.values() if row.contradicts}
    return [
        f"In {who}, what was kept ready for {names.get(language_id, language_id)} ({row.contradicts}) was given up: it "
        f"did not end {row.task_id} (sample {row.sample}) as \u201c{ENDINGS[row.verdict].label}\u201d, as a start from "
        "nothing does. Its verdicts were taken back; all that count on that language are from nothing."
        for language_id, row in wrong.items()
    ]


def _cut_off(run: Run, who: str) -> str:
    cut = sum(row.finish_reason is FinishReason.LENGTH for row in run.completions.values())
    limit = flat_settings(run.settings).get("generate.max_new_tokens")
    at = f" (max_new_tokens = {limit})" if limit else ""
    return f"{cut:,} of {counted(len(run.completions), 'completion')} of {who}{at}" if cut else ""


def _left_out(run: Run, who: str) -> str:
    left_out = run.scores.left_out
    return (
        f"In no score: {counted(left_out.completions, 'completion')} of unknown problems and "
        f"{counted(left_out.executions, 'execution')} of unknown completions in {who}."
    )
