"""How the rows of benchmarks that are relatives of others, most in several natural languages, become programs."""

import json
from pathlib import Path
from typing import Any

import pytest

from codeglot.errors import DataError, UnknownNameError
from codeglot.evaluate.benchmarks.benchmark import get, load_problems
from codeglot.evaluate.benchmarks.humaneval_xl import HUMANEVAL
from codeglot.records import Problem
from tests.conftest import needs_data


def write(path: Path, *rows: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def program(problem: Problem) -> str:
    return f"{problem.prompt}{problem.canonical_solution}\n{problem.tests}"


def passes(problem: Problem, solution: str | None = None) -> bool:
    changed = problem if solution is None else problem.model_copy(update={"canonical_solution": solution})
    try:
        exec(program(changed), {})
    except AssertionError:
        return False
    return True


def mxeval_row(language: str, task_id: str, **columns: Any) -> dict[str, Any]:
    return {
        "task_id": task_id,
        "language": language,
        "prompt": 'def f(x):\n    """ Verdoppeln """\n',
        "entry_point": "f",
        "canonical_solution": "    return 2 * x\n",
        "test": "def check(candidate):\n    assert candidate(2) == 4\n",
    } | columns


# humaneval_xl


def test_humaneval_xl_tells_by_its_id_the_language_that_it_asks_in(tmp_path: Path) -> None:
    rows = [mxeval_row("python", "python/1", natural_language=name) for name in ("German", "Tagalog")]
    write(tmp_path / "humaneval_xl" / "humaneval_xl_python.jsonl", *rows)
    german, tagalog = load_problems("humaneval_xl", data=tmp_path, languages=["python"])
    assert (german.task_id, german.natural_language, german.origin) == ("python/de/1", "de", "humaneval/8")
    assert (tagalog.task_id, tagalog.natural_language, tagalog.root) == ("python/tl/1", "tl", german.root)
    assert passes(german)
    assert not passes(german, "    return x\n")


def test_humaneval_xl_has_rows_whose_answer_is_nan_and_csharp_brings_its_library(tmp_path: Path) -> None:
    row = mxeval_row("csharp", "csharp/0", natural_language="Greek", canonical_solution=float("nan"))
    write(tmp_path / "humaneval_xl_csharp.jsonl", row)
    [problem] = load_problems("humaneval_xl", data=tmp_path, languages=["csharp"])
    assert problem.canonical_solution is None
    assert any(name.endswith(".cs") for name in problem.files)


@pytest.mark.parametrize(
    "changes", [{"natural_language": "Klingon"}, {"task_id": "python/80"}, {"task_id": "python/x"}]
)
def test_humaneval_xl_refuses_rows_that_it_cannot_place(tmp_path: Path, changes: dict[str, str]) -> None:
    row = mxeval_row("python", "python/1", natural_language="German") | changes
    write(tmp_path / "humaneval_xl_python.jsonl", row)
    with pytest.raises(DataError, match=r"line 1: humaneval_xl has tasks 0 to 79, each in Afrikaans, Arabic"):
        load_problems("humaneval_xl", data=tmp_path, languages=["python"])


def test_natural_languages_and_the_limit_choose_among_rows_that_are_read(tmp_path: Path) -> None:
    names = {"German": "de", "English": "en", "Turkish": "tr"}
    rows = [mxeval_row("python", f"python/{n}", natural_language=name) for name in names for n in range(3)]
    write(tmp_path / "humaneval_xl_python.jsonl", *rows)

    def ids(**options: Any) -> list[str]:
        found = load_problems("humaneval_xl", data=tmp_path, languages=["python"], **options)
        return [problem.task_id.removeprefix("python/") for problem in found]

    assert ids() == [f"{code}/{n}" for code in names.values() for n in range(3)]
    assert ids(natural_languages=["tr", "de"], limit=2) == ["de/0", "de/1", "tr/0", "tr/1"]
    with pytest.raises(DataError, match=r"no problem in split 'all', asked in zh, of this data"):
        ids(natural_languages=["zh"])
    with pytest.raises(UnknownNameError, match="natural language of humaneval_xl 'ja'"):
        ids(natural_languages=["ja"])
    assert get("humaneval_xl").has_natural_languages
    assert not get("mbpp_zh").has_natural_languages


@needs_data
def test_the_forms_of_a_problem_have_the_tests_of_their_origin() -> None:
    tests = {problem.origin: problem.tests for problem in load_problems("humaneval")}
    found = load_problems("humaneval_xl", languages=["python"], natural_languages=["en", "zh"])
    assert [problem.tests.split() for problem in found] == [tests[problem.origin].split() for problem in found]
    assert len(set(HUMANEVAL)) == len(HUMANEVAL) == 80


# multilingual_humaneval and mathqa_x


def test_multilingual_humaneval_names_the_language_in_each_id(tmp_path: Path) -> None:
    folder = tmp_path / "multilingual_humaneval"
    write(folder / "HumanEval.jsonl", mxeval_row("python", "HumanEval/7"))
    write(folder / "HumanEval_ruby_v1.1.jsonl", mxeval_row("ruby", "HumanEval_ruby/7", canonical_solution=None))
    for data in (tmp_path, folder):
        python, ruby = load_problems("multilingual_humaneval", data=data, languages=["python", "ruby"])
        assert (python.task_id, python.origin) == ("HumanEval_python/7", "humaneval/7")
        assert (ruby.task_id, ruby.origin) == ("HumanEval_ruby/7", "humaneval/7")
        assert passes(python)


def test_multilingual_humaneval_does_not_take_humaneval_for_its_own(tmp_path: Path) -> None:
    row = mxeval_row("python", "HumanEval/7")
    del row["language"]
    write(tmp_path / "HumanEval.jsonl", row)
    with pytest.raises(DataError, match="no text in 'language'"):
        load_problems("multilingual_humaneval", data=tmp_path, languages=["python"])


def test_mathqa_x_names_the_language_in_each_id(tmp_path: Path) -> None:
    for language in ("java", "javascript"):
        write(tmp_path / f"mathqa-test-{language}_v1.jsonl", mxeval_row(language, "MathQA/1", canonical_solution=None))
    found = load_problems("mathqa_x", data=tmp_path, languages=["java", "javascript"])
    assert [problem.task_id for problem in found] == ["MathQA_java/1", "MathQA_javascript/1"]
    assert {problem.origin for problem in found} == {"mathqa/1"}


# mhumaneval


FLORES = ("arb_Arab", "ben_Beng", "fra_Latn", "hin_Deva", "ita_Latn", "por_Latn", "spa_Latn", "swh_Latn", "zho_Hans")


def expert_row(nl: str, solution: str) -> dict[str, Any]:
    return {
        "nl": nl,
        "pl": "python",
        "prompt": 'def g(x):\n    return x\n\n\ndef f(x):\n    """ Doblar """\n',
        "canonical_solution": solution,
        "test": "def check(candidate):\n    assert candidate(2) == 4\n",
    }


def test_mhumaneval_counts_its_rows_and_indents_the_answer_that_lost_its_indentation(tmp_path: Path) -> None:
    solutions = ["for _ in range(1):\n    x = 2 * x\nreturn x\n", "\n    return 2 * x\n"]
    for nl in FLORES:
        rows = [expert_row(nl, solution) for solution in solutions]
        write(tmp_path / "mhumaneval_expert" / f"mhumaneval_expert_{nl}.jsonl", *rows)
    found = load_problems("mhumaneval", data=tmp_path, natural_languages=["es", "sw"])
    assert [(problem.task_id, problem.natural_language, problem.origin) for problem in found] == [
        ("mHumanEval/es/0", "es", "humaneval/0"),
        ("mHumanEval/es/1", "es", "humaneval/1"),
        ("mHumanEval/sw/0", "sw", "humaneval/0"),
        ("mHumanEval/sw/1", "sw", "humaneval/1"),
    ]
    assert {problem.entry_point for problem in found} == {"f"}
    assert all(passes(problem) and not passes(problem, "    return x\n") for problem in found)


def test_mhumaneval_needs_all_of_its_files(tmp_path: Path) -> None:
    write(tmp_path / "mhumaneval_expert_spa_Latn.jsonl", expert_row("spa_Latn", "    return 2 * x\n"))
    with pytest.raises(DataError, match=r"mhumaneval_expert_\{part\}\.jsonl .*part being each of arb_Arab, ben_Beng"):
        load_problems("mhumaneval", data=tmp_path)


@pytest.mark.parametrize("changes", [{"nl": "eng_Latn"}, {"prompt": "x = 1\n"}])
def test_mhumaneval_refuses_rows_that_it_cannot_place(tmp_path: Path, changes: dict[str, str]) -> None:
    path = tmp_path / "one_file.jsonl"
    write(path, expert_row("spa_Latn", "    return x\n") | changes)
    with pytest.raises(DataError, match="line 1: a row of mhumaneval has one of arb_Arab"):
        load_problems("mhumaneval", data=path)


@needs_data
def test_the_rows_of_mhumaneval_stand_in_the_order_of_humaneval() -> None:
    names = {problem.origin: problem.entry_point for problem in load_problems("humaneval")}
    found = load_problems("mhumaneval")
    assert {problem.origin for problem in found} == set(names)
    assert [problem.entry_point for problem in found] == [names[problem.origin] for problem in found]


# mbpp_zh and humaneval_zh


def test_mbpp_zh_asks_as_mbpp_does_but_in_chinese(tmp_path: Path) -> None:
    row = {
        "task_id": "Python/367",
        "prompt": "Double.",
        "prompt_text_chinese": "翻倍。",
        "canonical_solution": "def f(x):\r\n    return 2 * x\r\n",
        "test_setup": "two = f(1)",
        "test": ["assert f(two) == 4", "assert f(0) == 0"],
    }
    write(tmp_path / "mbpp_x.jsonl", row)
    [problem] = load_problems("mbpp_zh", data=tmp_path)
    assert (problem.task_id, problem.natural_language, problem.origin) == ("MbppZh/367", "zh", "mbpp/367")
    assert problem.prompt == '"""\n翻倍。\nassert f(two) == 4\nassert f(0) == 0\n"""\n'
    assert passes(problem)
    assert not passes(problem, "def f(x):\n    return 3 * x\n")


def test_mbpp_zh_refuses_an_id_without_a_number(tmp_path: Path) -> None:
    write(tmp_path / "mbpp_x.jsonl", {"task_id": "Python/x"})
    with pytest.raises(DataError, match="end in the number of MBPP; this one is 'x'"):
        load_problems("mbpp_zh", data=tmp_path)


def test_humaneval_zh_breaks_the_line_behind_its_prompt(tmp_path: Path) -> None:
    row = {
        "task_id": "Python/7",
        "prompt": 'def g(x):\n    return x\n\n\ndef f(x):\n    """\n    翻倍。\n    """',
        "declaration": "def g(x):\n    return x\n\n\ndef f(x):\n",
        "canonical_solution": "    return 2 * x\n",
        "test": "def check(f):\n    assert f(2) == 4\n\ncheck(f)",
    }
    write(tmp_path / "mbpp_zh" / "humaneval_python_cn.jsonl", row)
    [problem] = load_problems("humaneval_zh", data=tmp_path)
    assert (problem.task_id, problem.natural_language, problem.origin) == ("HumanEvalZh/7", "zh", "humaneval/7")
    assert problem.entry_point == "f"
    assert passes(problem)
    assert not passes(problem, "    return x\n")


def test_humaneval_zh_needs_a_declaration(tmp_path: Path) -> None:
    write(tmp_path / "humaneval_python_cn.jsonl", {"task_id": "Python/7", "declaration": "x = 1"})
    with pytest.raises(DataError, match="task 7 of humaneval_zh declares no function"):
        load_problems("humaneval_zh", data=tmp_path)


# odex


def odex_row(**changes: Any) -> dict[str, Any]:
    return {
        "task_id": 5,
        "prompt": "def f_5(x):\n\t",
        "suffix": "\n\treturn y",
        "canonical_solution": "y = x\n\tfor _ in range(1):\n\t    y += math.floor(x)",
        "test_start": "\nimport math\n\ndef check(candidate):",
        "test": ["\n    assert candidate(2) == 4\n", "\n    assert candidate(0) == 0\n"],
        "entry_point": "f_5",
        "intent": "Удвоить \\ `x`",
        "library": ["math"],
    } | changes


def write_odex(folder: Path, *rows: dict[str, Any]) -> list[Problem]:
    for code in ("en", "es", "ja", "ru"):
        write(folder / "odex" / f"{code}_test.jsonl", *(rows if code == "ru" else [odex_row()]))
    return load_problems("odex", data=folder, natural_languages=["ru"])


def test_odex_asks_by_docstring_and_puts_what_follows_the_answer_before_its_tests(tmp_path: Path) -> None:
    first, second = write_odex(tmp_path, odex_row(), odex_row())
    assert (first.task_id, second.task_id) == ("ODEX/ru/0", "ODEX/ru/1")
    assert (first.origin, first.natural_language) == (second.origin, "ru") == ("odex/ru/5", "ru")
    assert first.prompt == 'def f_5(x):\n    """Удвоить \\\\ `x`\n    """\n    '
    assert "return y" not in first.prompt
    assert passes(first)
    assert not passes(first, "y = x")


def test_odex_leaves_out_what_needs_other_libraries_or_a_network_and_keeps_the_numbers_of_rows(tmp_path: Path) -> None:
    libraries = [["numpy"], [], ["os", "pandas"], ["os"], *([[]] * 37)]
    found = write_odex(tmp_path, *(odex_row(library=names) for names in libraries))
    rows = [int(problem.task_id.removeprefix("ODEX/ru/")) for problem in found]
    assert rows == [1, *range(3, 40)], "40 fetches a page"


@pytest.mark.parametrize("changes", [{"prompt": "def f_5(x): return "}, {"test": []}])
def test_odex_refuses_rows_of_another_shape(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="a row of odex needs a prompt of two lines and tests"):
        write_odex(tmp_path, odex_row(**changes))
