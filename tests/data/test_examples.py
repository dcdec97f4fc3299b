"""Examples out of files, hub sets and problems: whole, in a known language, and allowed."""

import json
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from codeglot.data import sources
from codeglot.data.examples import LoadedExamples, detect_language, from_problem, load_examples, run_languages
from codeglot.data.settings import Data, DataSet
from codeglot.data.sources import DATA_VARIABLE
from codeglot.errors import ConfigError, DataError
from codeglot.evaluate.benchmarks.benchmark import load_problems
from codeglot.records import Example, Problem


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def nothing(source: DataSet) -> Iterable[Example]:
    raise AssertionError(f"{source.dataset} is not to be made")


def load(*tables: dict[str, Any]) -> LoadedExamples:
    return load_examples(Data.model_validate({"sources": tables}), nothing)


def load_rows(folder: Path, *rows: dict[str, Any], **table: Any) -> LoadedExamples:
    path = write(folder / "rows.jsonl", *rows)
    language = {} if "detect_language" in table or "columns" in table else {"language_id": "python"}
    return load({"dataset": "file", "path": str(path), **language, **table})


def example(language_id: str = "python", natural_language: str = "en") -> Example:
    return Example(
        prompt="p", completion="c", language_id=language_id, natural_language=natural_language, source="made"
    )


def problem(**values: Any) -> Problem:
    fields = {"task_id": "b/1", "benchmark": "b", "language_id": "java", "prompt": "int f() {", "tests": "t", **values}
    return Problem.model_validate(fields)


def test_plain_rows_become_examples_that_say_where_they_are_from(tmp_path: Path) -> None:
    loaded = load_rows(tmp_path, {"prompt": "Ask", "completion": "x = 1\n"}, license="MIT", natural_language="tr")
    assert loaded.examples == [
        Example(
            prompt="Ask",
            completion="x = 1\n",
            prompt_is_code=False,
            language_id="python",
            natural_language="tr",
            source=f"{tmp_path}/rows.jsonl, line 1",
            license="MIT",
        )
    ]
    assert loaded.notes == ()


def test_columns_are_mapped_and_filled_into_templates(tmp_path: Path) -> None:
    columns = {
        "prompt": "Q {{}}: {question}\n\nGiven {a} and {b}\n\nEnd",
        "completion": "answer",
        "language_id": "lang",
        "natural_language": "prose",
    }
    row = {"question": "Why?", "answer": "code", "lang": "C++", "prose": "de"}
    loaded = load_rows(tmp_path, {**row, "a": "1", "b": None}, {**row, "a": "", "b": float("nan")}, columns=columns)
    assert [e.prompt for e in loaded.examples] == ["Q {}: Why?\n\nGiven 1 and \n\nEnd", "Q {}: Why?\n\nEnd"]
    assert {(e.language_id, e.natural_language) for e in loaded.examples} == {("cpp", "de")}


def test_a_column_that_no_row_has_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no row has a column reply; the columns are ask, answer"):
        load_rows(
            tmp_path, {"ask": "a", "answer": "b"}, language_id="java", columns={"prompt": "ask", "completion": "reply"}
        )


def test_a_row_without_its_natural_language_is_incomplete(tmp_path: Path) -> None:
    row = {"prompt": "a", "completion": "b", "prose": None}
    with pytest.raises(DataError, match="line 1: no language in 'prose'"):
        load_rows(tmp_path, row, language_id="java", columns={"natural_language": "prose"})


BROKEN: list[dict[str, Any]] = [
    {"prompt": "a", "completion": " \n"},
    {"prompt": None, "completion": "c"},
    {"prompt": 5, "completion": "c"},
]


def test_incomplete_rows_are_named_by_their_lines(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_rows(tmp_path, {"prompt": "a", "completion": "b"}, *BROKEN)
    assert "3 row(s) make no example" in str(caught.value)
    for line in ("line 2: no text in 'completion'", "line 3: no text in 'prompt'", "line 4: 'prompt' must be text"):
        assert line in str(caught.value)


def test_incomplete_rows_can_be_left_out_which_is_said(tmp_path: Path) -> None:
    loaded = load_rows(tmp_path, {"prompt": "a", "completion": "b"}, *BROKEN, incomplete="drop")
    assert len(loaded.examples) == 1
    assert "3 incomplete row(s) were left out" in loaded.notes[0]


def test_half_a_character_makes_a_row_incomplete(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "a", "completion": "b"}\n{"prompt": "\\ud83d\\ude42", "completion": "\\ud800"}\n')
    source = {"dataset": "file", "path": str(path), "language_id": "lua"}
    with pytest.raises(DataError, match=r"rows\.jsonl, line 2: 'completion' holds half a character"):
        load(source)
    assert [e.completion for e in load({**source, "incomplete": "drop"}).examples] == ["b"]


LANGUAGE_ROWS: list[dict[str, Any]] = [
    {"prompt": "a", "completion": "b", "language": name} for name in ("Java", "cooking", "py", "java")
]
BY_COLUMN: dict[str, Any] = {"columns": {"language_id": "language"}}


def test_a_language_that_is_none_makes_a_row_incomplete(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 2: 'language' is 'cooking', no language that codeglot knows"):
        load_rows(tmp_path, *LANGUAGE_ROWS, **BY_COLUMN)


def test_the_languages_asked_for_are_taken_and_the_first_of_each(tmp_path: Path) -> None:
    loaded = load_rows(tmp_path, *LANGUAGE_ROWS, **BY_COLUMN, languages=["java", "python"])
    assert [e.language_id for e in loaded.examples] == ["java", "python", "java"]
    first = load_rows(tmp_path, *LANGUAGE_ROWS, **BY_COLUMN, languages=["js", "java"][1:], num_examples=1)
    assert [e.source.split()[-1] for e in first.examples] == ["1"]


def test_a_named_language_without_an_example_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.sources\.0 \(file\) has no example in perl; there are some in java"):
        load_rows(tmp_path, *LANGUAGE_ROWS, **BY_COLUMN, languages=["java", "perl"])


def test_a_named_natural_language_without_an_example_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no example in ja"):
        load_rows(tmp_path, {"prompt": "a", "completion": "b"}, natural_languages=["en", "ja"])


@pytest.mark.parametrize(
    ("prompt", "completion", "language"),
    [
        ("Write a Java program", "x", "java"),
        ("Write a JavaScript program", "x", "javascript"),
        ("Write a program in c++.", "x", "cpp"),
        ("Use C# to sort", "x", "csharp"),
        ("Go on and sort", "x", "go"),
        ("Let it go on", "x", None),
        ("Convert this Java code to Python", "x", None),
        ("Convert this Java code to Python", "```py\nx\n```", "python"),
        ("Write a C program", "x", "c"),
        ("Sort in R, please", "x", "r"),
        ("Is plan C better than option D?", "x", None),
        ("In PYTHON3, sort", "x", "python"),
        ("Remove a node from a list", "x", None),
        ("Use golang", "x", "go"),
        ("in java", "x", "java"),
    ],
)
def test_a_language_is_detected_where_it_is_clear(prompt: str, completion: str, language: str | None) -> None:
    assert detect_language(prompt, completion) == language


def test_rows_without_a_clear_language_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [{"prompt": f"Sort in {name}", "completion": "x"} for name in ("Perl", "French", "Lua or Perl")]
    loaded = load_rows(tmp_path, *rows, detect_language=True)
    assert [e.language_id for e in loaded.examples] == ["perl"]
    assert loaded.notes == ("data.sources.0 (file): 2 row(s) that name no or several known languages were left out.",)


def test_files_of_a_hub_set_are_read_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        write(tmp_path / f"{name}.jsonl", {"prompt": name, "completion": "c"})
    asked = []

    def hub(repository: str, name: str, **kind: Any) -> str:
        asked.append((repository, name, kind["revision"]))
        return str(tmp_path / name)

    monkeypatch.setattr(sources, "hf_hub_download", hub)  # the network's edge
    table = {"dataset": "hub", "hub": "some/set", "files": ["two.jsonl", "one.jsonl"], "language_id": "lua"}
    loaded = load({**table, "revision": "v1"})
    assert [e.prompt for e in loaded.examples] == ["two", "one"]
    assert asked == [("some/set", "two.jsonl", "v1"), ("some/set", "one.jsonl", "v1")]


@pytest.mark.parametrize("name", ["multipl_e", "MultiPL-E"])
def test_data_whose_licence_forbids_training_is_refused_before_it_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "humaneval-lua.jsonl"
    with pytest.raises(ConfigError, match="licence of that data forbids training"):
        load({"dataset": "file", "path": str(path), "language_id": "lua"})
    with pytest.raises(ConfigError, match="licence of that data forbids training"):
        load({"dataset": "hub", "hub": f"nuprl/{name}", "files": ["x.parquet"], "language_id": "lua"})


def test_data_that_only_begins_alike_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "multiple.jsonl", {"prompt": "a", "completion": "b"})
    assert load({"dataset": "file", "path": str(path), "language_id": "lua"}).examples


def test_other_data_sets_are_made_by_the_caller_and_chosen_from_alike() -> None:
    made = [example("java"), example("lua"), example("java"), example("java", "de")]
    table = {"dataset": "micro", "num_examples": 1, "languages": ["java"], "natural_languages": ["en"]}
    asked: list[str] = []

    def make(source: DataSet) -> Iterable[Example]:
        asked.append(source.dataset)
        return made

    loaded = load_examples(Data.model_validate({"sources": [table]}), make)
    assert asked == ["micro"]
    assert loaded.examples == made[:1]


def test_a_source_without_any_example_is_an_error() -> None:
    settings = Data.model_validate({"sources": [{"dataset": "mbpp"}]})
    with pytest.raises(DataError, match=r"data\.sources\.0 \(mbpp\) has no example at all"):
        load_examples(settings, lambda _: [])


def test_the_languages_of_a_run_are_those_of_its_examples_sorted_or_as_named() -> None:
    examples = [example("python"), example("java"), example("python")]
    source = {"dataset": "mbpp"}
    assert run_languages(Data.model_validate({"sources": [source]}), examples) == ("java", "python")
    named = Data.model_validate({"sources": [source], "languages": ["py", "java"]})
    assert run_languages(named, examples) == ("python", "java")
    wrong = Data.model_validate({"sources": [source], "languages": ["perl", "java"]})
    with pytest.raises(DataError, match=r"no example is in perl; there are examples in python, which it leaves out"):
        run_languages(wrong, examples)


def test_a_problem_with_its_answer_is_an_example() -> None:
    made = from_problem(problem(canonical_solution="return 1;}", natural_language="zh"), "MIT")
    assert made == Example(
        prompt="int f() {",
        completion="return 1;}",
        language_id="java",
        natural_language="zh",
        source="b, task b/1",
        license="MIT",
        origin="b/b/1",
    )
    assert from_problem(problem(prompt_is_code=False, canonical_solution="x")).prompt_is_code is False  # type: ignore[union-attr]


@pytest.mark.parametrize("solution", [None, "", " \n"])
def test_a_problem_without_an_answer_is_none(solution: str | None) -> None:
    assert from_problem(problem(canonical_solution=solution)) is None


def staged(name: str) -> str:
    """A file of the data folder; the test is skipped where there is none."""
    folder = os.environ.get(DATA_VARIABLE)
    if not folder or not (Path(folder) / name).exists():
        pytest.skip(f"{DATA_VARIABLE} names no folder with {name}")
    return str(Path(folder) / name)


def test_instructions_of_gpteacher_are_read_with_the_language_they_name() -> None:
    path = staged("gpteacher_codegen/codegen-instruct.jsonl.gz")
    columns = {"prompt": "{instruction}\n\n{input}", "completion": "response"}
    table = {"dataset": "file", "path": path, "detect_language": True, "columns": columns, "incomplete": "drop"}
    loaded = load(table)
    counts = Counter(e.language_id for e in loaded.examples)
    assert counts["python"] > 1000
    assert counts["javascript"] > 700
    assert counts["cpp"] > 700
    assert loaded.examples[0].language_id == "cpp"
    assert loaded.examples[0].prompt.endswith("height.\n\nwidth: 5, height: 8")


def test_pairs_of_codexglue_are_read_as_translations() -> None:
    path = staged("codexglue_java_cs/train.jsonl.gz")
    columns = {"prompt": "Translate to C#:\n\n{java}", "completion": "cs"}
    loaded = load({"dataset": "file", "path": path, "language_id": "c#", "columns": columns})
    assert len(loaded.examples) == 10295
    assert {e.language_id for e in loaded.examples} == {"csharp"}


def test_the_training_part_of_mbpp_becomes_examples() -> None:
    folder = Path(staged("mbpp/mbpp.jsonl")).parent
    problems = load_problems("mbpp", data=folder, split="train")
    made = [from_problem(asked, "CC-BY-4.0") for asked in problems]
    assert len(made) == 374
    assert all(e is not None and e.completion.startswith(("def ", "import ", "from ", "class ")) for e in made[:20])
    assert {e.source for e in made if e} >= {"mbpp, task Mbpp/601", "mbpp, task Mbpp/974"}
