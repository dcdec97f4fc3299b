import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codeglot.errors import UnknownNameError
from codeglot.execute.cold import ColdSandbox, execution_key, run_limits
from codeglot.execute.levels.bubblewrap import Bubblewrap
from codeglot.execute.prepare import prepared_folder
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.execute.toolchains import Toolchains, tools
from codeglot.languages import spec
from codeglot.languages.spec import Language
from codeglot.records import Limits, Verdict


def toy(**fields: Any) -> Language:
    probes = {"pass": {"source": ""}, "fail_assert": {"source": ""}}
    base = {
        "id": "toy",
        "name": "Toy",
        "source": "main.toy",
        "comment": "#",
        "version": ("sh", "-c", "echo Toy 1; echo x"),
    }
    return Language.model_validate(
        base | {"run": ("sh", "/box/{source}"), "probe_tests": "", "probes": probes} | fields
    )


REQUEST = ExecutionRequest(source="cat", language_id="toy", stdin="hello", expected_output="hello")


def test_the_version_is_the_first_line(level: Bubblewrap) -> None:
    assert Toolchains(level).get(toy()).version == "Toy 1"
    assert not Toolchains(level).get(toy()).problem


def test_every_missing_tool_is_named_with_the_remedy(level: Bubblewrap) -> None:
    language = toy(compile=("no-such-compiler", "{source}"), forms=[{"run": ("no-such-runner",)}])
    problem = Toolchains(level).get(language).problem
    assert "no-such-compiler, no-such-runner" in problem
    assert "codeglot languages check --only toy --install" in problem


def test_the_remedy_for_what_no_package_manager_has_is_a_command_for_a_person(level: Bubblewrap) -> None:
    language = toy(run=("no-such-runner",), packages={"by_hand": "fetch it"})
    problem = Toolchains(level).get(language).problem
    assert "no-such-runner" in problem
    assert "a person installs it by `fetch it`" in problem
    assert "--install" not in problem


def test_a_version_command_that_fails_is_a_problem(level: Bubblewrap) -> None:
    problem = Toolchains(level).get(toy(version=("sh", "-c", "echo broken library >&2; exit 4"))).problem
    assert "broken library" in problem
    assert "4" in problem


@pytest.mark.parametrize("version", ["echo a stack >&2; exit 1", "echo Toy 1"])
def test_a_missing_library_is_named_with_the_remedy_whether_the_tool_works_or_not(
    level: Bubblewrap, cache: Path, version: str
) -> None:
    language = toy(version=("sh", "-c", version), packages={"npm": ("left-pad@1.3.0",)})
    assert Toolchains(level).get(language).problem == (
        "Toy needs left-pad@1.3.0 from npm, which is not there. "
        "`codeglot languages check --only toy --install` installs what is missing."
    )
    folder = cache / "npm" / "node_modules" / "left-pad"
    folder.mkdir(parents=True)
    (folder / "package.json").write_text('{"version": "1.3.0"}')
    found = Toolchains(level).get(language)
    assert "left-pad" not in found.problem
    assert "a stack" in found.problem or found.version == "Toy 1"


@pytest.mark.parametrize(
    "language", [language for language in spec.all_languages() if language.packages.npm], ids=lambda found: found.id
)
def test_a_language_without_its_libraries_is_refused(level: Bubblewrap, cache: Path, language: Language) -> None:
    problem = Toolchains(level).get(language).problem
    if "from npm" not in problem:
        assert "which is not there" in problem, "its own tools are missing as well"
        pytest.skip(problem)
    assert all(package in problem for package in language.packages.npm)


def test_only_names_are_looked_for_since_paths_may_be_made_by_compiling() -> None:
    assert tools(toy(run=("/box/main",), compile=("cc", "{source}"))) == ["cc", "sh"]


def test_a_missing_toolchain_is_a_verdict_outside_of_any_score(level: Bubblewrap) -> None:
    execution = ColdSandbox(level, lambda _: toy(run=("no-such-runner",))).run(REQUEST)
    assert execution.verdict == Verdict.TOOLCHAIN_MISSING
    assert "no-such-runner" in execution.detail
    assert not execution.verdict.is_scored


def test_a_failed_preparation_is_a_missing_toolchain_and_tried_once(level: Bubblewrap, cache: Path) -> None:
    language = toy(prepare={"command": ("sh", "-c", "date +%N >&2; exit 1")})
    sandbox = ColdSandbox(level, lambda _: language)
    first, second = sandbox.run(REQUEST), sandbox.run(REQUEST)
    assert first.verdict == Verdict.TOOLCHAIN_MISSING
    assert first.detail == second.detail


def test_what_was_prepared_is_seen_by_every_step(level: Bubblewrap, cache: Path) -> None:
    language = toy(
        prepare={"command": ("sh", "-c", "cat given > made"), "files": {"given": "ready"}},
        compile=("sh", "-c", "cp /prepared/made /box/copy"),
    )
    sandbox = ColdSandbox(level, lambda _: language)
    source = "cat /prepared/made /box/copy; touch /prepared/x 2> /dev/null && echo writable"
    execution = sandbox.run(ExecutionRequest(source=f"{source}; true", language_id="toy", expected_output="readyready"))
    assert execution.verdict == Verdict.PASS, execution.detail


def test_many_that_ask_for_a_preparation_get_the_same_one(level: Bubblewrap, cache: Path) -> None:
    language = toy(prepare={"command": ("sh", "-c", "sleep 0.2; date +%N > made")})
    folders: list[Path | None] = []
    threads = [threading.Thread(target=lambda: folders.append(prepared_folder(level, language, "1"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(folders) == 4
    assert len(set(folders)) == 1
    assert folders[0] is not None
    assert folders[0].stat().st_uid == os.geteuid()
    assert (folders[0] / "made").read_text().strip().isdigit()


def test_another_version_is_prepared_anew(level: Bubblewrap, cache: Path) -> None:
    language = toy(prepare={"command": ("touch", "made")})
    assert prepared_folder(level, language, "1") != prepared_folder(level, language, "2")


def test_a_program_is_judged_by_its_output(level: Bubblewrap) -> None:
    sandbox = ColdSandbox(level, lambda _: toy())
    execution = sandbox.run(REQUEST)
    assert (execution.verdict, execution.stdout) == (Verdict.PASS, "hello")
    assert execution.versions == {"toy": "Toy 1"}
    assert execution.level == "bubblewrap"
    assert sandbox.run(REQUEST.model_copy(update={"stdin": "bye"})).verdict == Verdict.FAIL_OUTPUT


def test_limits_hold_as_asked_but_for_what_the_runtime_needs() -> None:
    asked = Limits(memory_mib=32, num_tasks=3)
    assert run_limits(asked, toy()) == asked
    needs = toy(limits={"run_memory_mib": 64, "num_tasks": 8})
    assert run_limits(asked, needs) == Limits(memory_mib=64, num_tasks=8)
    assert run_limits(Limits(), needs) == Limits()


def test_a_program_has_no_more_tasks_than_it_was_given(
    sandbox: ColdSandbox, need_toolchain: Callable[[str], None]
) -> None:
    need_toolchain("python")
    source = "import threading, time\nfor _ in range(8):\n    threading.Thread(target=time.sleep, args=(0.2,)).start()"

    def run(num_tasks: int) -> Verdict:
        limits = Limits(cpu_s=5, num_tasks=num_tasks)
        return sandbox.run(ExecutionRequest(source=source, tests="1", language_id="python", limits=limits)).verdict

    assert (run(12), run(6)) == (Verdict.PASS, Verdict.RESOURCE_DENIED)


def test_files_of_a_problem_can_be_read_in_both_places_and_written_in_one(level: Bubblewrap) -> None:
    request = ExecutionRequest(
        source="cat data/in.txt /box/data/in.txt; echo 2 > data/in.txt; cat data/in.txt; ! echo 3 > /box/data/in.txt",
        language_id="toy",
        files={"data/in.txt": "1\n"},
        expected_output="1\n1\n2\n",
    )
    sandbox = ColdSandbox(level, lambda _: toy())
    assert sandbox.run(request).verdict == Verdict.PASS


def test_an_unknown_language_is_an_error(sandbox: ColdSandbox) -> None:
    with pytest.raises(UnknownNameError, match="python"):
        sandbox.run(ExecutionRequest(source="", language_id="pyton"))


def test_a_key_changes_with_all_that_decides_a_verdict() -> None:
    base = execution_key(REQUEST, toy(), "1")
    others = {
        execution_key(REQUEST.model_copy(update=change), toy(), "1")
        for change in (
            {"source": "x"},
            {"tests": "x"},
            {"stdin": None},
            {"expected_output": None},
            {"files": {"a": "b"}},
            {"limits": Limits(cpu_s=1)},
        )
    }
    others |= {execution_key(REQUEST, toy(), "2"), execution_key(REQUEST, toy(env={"A": "b"}), "1")}
    assert len(others | {base}) == 9
    assert execution_key(REQUEST, toy(probe_tests="new"), "1") == base
    assert execution_key(REQUEST, toy(limits={"weight": 2.0}), "1") == base
    assert execution_key(REQUEST.model_copy(update={"from_nothing": True}), toy(), "1") == base
    assert (
        execution_key(REQUEST, toy(aliases=("new",), stop=("new",), wrong_values=[{"before": "-(", "after": ")"}]), "1")
        == base
    )
