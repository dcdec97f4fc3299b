"""Training data that is like what a run is judged on: how much of it, in which way, and where."""

from pathlib import Path

from codeglot.config import build
from codeglot.evaluate.benchmarks.benchmark import load_problems
from codeglot.jobs.progress import Silent
from codeglot.jobs.runfile import TrainingRun
from codeglot.jobs.training_data import training_examples
from tests.jobs.test_evaluate import PROBLEM
from tests.jobs.test_train import ROWS, tree, write_rows


def test_likenesses_are_looked_for_in_the_problems_that_are_asked_and_counted_by_kind(tmp_path: Path) -> None:
    asked = [
        {"language_id": "lua", "prompt": f"{word} " * 13, "canonical_solution": f"return {number}"}
        for number, word in enumerate(["first", "second", "third"])
    ]
    problems = [{**PROBLEM, **row, "task_id": f"mine/{number}"} for number, row in enumerate(asked)]
    rows = [
        {**ROWS[0], "pl": "lua", "prompt": asked[0]["prompt"]},
        {**ROWS[0], "pl": "lua", "completion": "return 1"},
        {**ROWS[0], "pl": "lua", "prompt": asked[2]["prompt"]},
    ]
    judged = {
        "benchmarks": ["problems"],
        "split": "all",
        "data": str(write_rows(tmp_path / "problems.jsonl", problems)),
        "num_problems": 2,
    }
    data = write_rows(tmp_path / "rows.jsonl", rows)
    settings = tree(tmp_path / "no model is needed", data, evaluate=judged, generate={"engine": "huggingface"})
    [note] = training_examples(build(TrainingRun, settings, source="run.toml"), Silent()).notes
    assert note == (
        "2 training example(s) are like problems of the benchmark 'problems', split 'all': "
        f"1 by the answer (first {data}, line 2, like mine/1), "
        f"1 by 13 words in a row (first {data}, line 1, like mine/0). "
        "It may be chance: read them, and take copies out of the data."
    )


def test_what_stands_in_many_problems_of_the_split_is_boilerplate_however_few_are_asked(tmp_path: Path) -> None:
    header = "#include <stdio.h> #include <vector> using namespace std; "
    problems = [{**PROBLEM, "prompt": f"{header} {number}", "task_id": f"mine/{number}"} for number in range(11)]
    judged = {
        "benchmarks": ["problems"],
        "split": "all",
        "data": str(write_rows(tmp_path / "problems.jsonl", problems)),
        "num_problems": 1,
    }
    data = write_rows(tmp_path / "rows.jsonl", [{**ROWS[0], "prompt": header}])
    settings = tree(tmp_path / "no model is needed", data, evaluate=judged, generate={"engine": "huggingface"})
    assert training_examples(build(TrainingRun, settings, source="run.toml"), Silent()).notes == ()


def test_examples_of_the_bundled_world_are_not_held_against_its_problems_and_copies_of_these_are(
    tmp_path: Path,
) -> None:
    [problem] = load_problems("micro", languages=["python"], limit=1)
    copied = {"prompt": problem.prompt, "completion": "other", "pl": "python"}
    data = write_rows(tmp_path / "rows.jsonl", [copied])
    settings = tree(
        tmp_path / "no model is needed",
        data,
        evaluate={"benchmarks": ["micro"], "languages": ["python"]},
        generate={"engine": "huggingface"},
    )
    made = {"dataset": "micro", "num_examples": 50, "languages": ["python"]}
    settings["data"]["sources"] = [made, *settings["data"]["sources"]]
    [note] = training_examples(build(TrainingRun, settings, source="run.toml"), Silent()).notes
    assert note.startswith("1 training example(s) are like problems of the benchmark 'micro', split 'test': 1 by 13")
    assert f"first {data}, line 1, like {problem.task_id})" in note
