"""Which verdicts are used again, and what a damaged log can do."""

import multiprocessing
from collections.abc import Generator, Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeglot.errors import RunError
from codeglot.execute.cold import execution_key
from codeglot.execute.local import Key
from codeglot.execute.log import REUSABLE, ReusingPool, VerdictLog, default_log
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.languages import spec
from codeglot.records import Execution, Verdict

VERSIONS = {"python": "Python 3"}


class ScriptedPool:
    """Ends each program as its source says, one after the other, and remembers what it ran."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def run_all(self, requests: Iterable[tuple[Key, ExecutionRequest]]) -> Generator[tuple[Key, Execution], None, None]:
        for key, request in requests:
            self.ran.append(request.source)
            name = execution_key(request, spec.get("python"), VERSIONS["python"])
            verdict = Verdict(request.source.split("#")[0])
            yield key, Execution(verdict=verdict, execution_key=name, detail=request.source, stdout='"execution_key":"')


def request(source: str, tests: str = "") -> ExecutionRequest:
    return ExecutionRequest(source=source, tests=tests, language_id="python", expected_output="1")


def entry(number: int, verdict: Verdict = Verdict.PASS) -> Execution:
    return Execution(verdict=verdict, execution_key=f"{number:016x}", stdout=f"{number}\n\u2028")


def judge(pool: ScriptedPool, path: Path, sources: list[str]) -> dict[int, Execution]:
    with VerdictLog(path) as log:
        return dict(ReusingPool(pool, log, VERSIONS).run_all((i, request(source)) for i, source in enumerate(sources)))


@settings(deadline=None, max_examples=40)
@given(
    sources=st.lists(
        st.builds("{}#{}".format, st.sampled_from([v.value for v in Verdict if v.is_scored]), st.integers(0, 2))
    )
)
def test_every_program_ends_as_if_all_had_been_run(
    sources: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("log") / "verdicts.jsonl"
    for _ in range(2):  # with an empty log and with a full one
        found = judge(ScriptedPool(), path, sources)
        assert {i: row.detail for i, row in found.items()} == dict(enumerate(sources))


def test_equal_programs_are_run_once_in_a_run_and_in_later_ones(tmp_path: Path) -> None:
    pool = ScriptedPool()
    first = judge(pool, tmp_path / "log", ["pass", "pass", "fail_assert", "pass"])
    assert sorted(pool.ran) == ["fail_assert", "pass"]
    assert sorted(row.attempts for row in first.values()) == [0, 0, 1, 1]
    again = judge(pool, tmp_path / "log", ["pass", "fail_assert"])
    assert len(pool.ran) == 2
    assert {row.attempts for row in again.values()} == {0}


@pytest.mark.parametrize("verdict", sorted(set(Verdict) - REUSABLE))
def test_what_depends_on_the_machine_is_run_every_time(verdict: Verdict, tmp_path: Path) -> None:
    pool = ScriptedPool()
    for _ in range(2):
        judge(pool, tmp_path / "log", [verdict.value, verdict.value])
    assert len(pool.ran) == 4


def test_other_tests_are_another_program(tmp_path: Path) -> None:
    pool = ScriptedPool()
    with VerdictLog(tmp_path / "log") as log:
        pairs = [(0, request("pass", "assert f(1)")), (1, request("pass", "assert f(2)"))]
        list(ReusingPool(pool, log, VERSIONS).run_all(pairs))
    assert len(pool.ran) == 2


def test_leaving_early_stops_the_pool_below(tmp_path: Path) -> None:
    closed = []

    class Endless(ScriptedPool):
        def run_all(
            self, requests: Iterable[tuple[Key, ExecutionRequest]]
        ) -> Generator[tuple[Key, Execution], None, None]:
            try:
                yield from super().run_all(requests)
            finally:
                closed.append(True)

    with VerdictLog(tmp_path / "log") as log:
        results = ReusingPool(Endless(), log, VERSIONS).run_all((i, request(f"pass#{i}")) for i in range(9))
        next(results)
        results.close()
    assert closed


def test_a_verdict_that_is_taken_back_is_so_for_all_that_it_served(tmp_path: Path) -> None:
    class Wavering(ScriptedPool):
        def run_all(
            self, requests: Iterable[tuple[Key, ExecutionRequest]]
        ) -> Generator[tuple[Key, Execution], None, None]:
            first = list(super().run_all(requests))
            yield from first
            for key, execution in first:
                yield key, execution.model_copy(update={"verdict": Verdict.FAIL_ASSERT})

    with VerdictLog(tmp_path / "log") as log:
        pairs = [(0, request("pass")), (1, request("pass")), (2, request("pass"))]
        results = dict(ReusingPool(Wavering(), log, VERSIONS).run_all(pairs))
        assert {execution.verdict for execution in results.values()} == {Verdict.FAIL_ASSERT}
        assert sorted(results) == [0, 1, 2]
    with VerdictLog(tmp_path / "log") as log:
        kept = log.find(results[0].execution_key)
        assert kept
        assert kept.verdict == Verdict.FAIL_ASSERT


def warm(number: int, verdict: Verdict = Verdict.PASS, language_id: str = "python", **facts: str) -> Execution:
    facts = {"strategy": "fork_server", **facts}
    return entry(number, verdict).model_copy(update={"versions": {language_id: "1"}, **facts})


def test_a_contradiction_ends_what_was_judged_warm_before_it(tmp_path: Path) -> None:
    before = [warm(0), warm(1, strategy=""), warm(2, language_id="go")]
    contradiction = warm(3, strategy="", contradicts="fork_server")
    with VerdictLog(tmp_path / "log") as log, VerdictLog(tmp_path / "log") as other:
        for row in before:
            log.add(row)
        assert all(other.find(row.execution_key) for row in before)
        log.add(contradiction)
        log.add(warm(4))
        found = [bool(reader.find(f"{n:016x}")) for reader in (log, other) for n in range(5)]
        assert found == [False, True, True, True, True] * 2
        log.add(warm(0, Verdict.FAIL_ASSERT, strategy=""))
        again = [reader.find(f"{0:016x}") for reader in (log, other)]
        assert [row and row.verdict for row in again] == [Verdict.FAIL_ASSERT] * 2


def test_output_that_looks_like_a_contradiction_is_none(tmp_path: Path) -> None:
    with VerdictLog(tmp_path / "log") as log:
        log.add(warm(0))
        log.add(warm(1, stdout='"contradicts":"fork_server"', stderr='\\"contradicts":"fork_server"'))
        assert log.find(f"{0:016x}")


def test_who_asks_for_a_verdict_from_nothing_gets_no_warm_one_and_leaves_it_to_others(tmp_path: Path) -> None:
    class Cold(ScriptedPool):
        """Judges all from nothing, and otherwise than before."""

        def run_all(
            self, requests: Iterable[tuple[Key, ExecutionRequest]]
        ) -> Generator[tuple[Key, Execution], None, None]:
            for key, execution in super().run_all(requests):
                yield key, execution.model_copy(update={"verdict": Verdict.FAIL_ASSERT})

    asked = request("pass")
    name = execution_key(asked, spec.get("python"), VERSIONS["python"])
    with VerdictLog(tmp_path / "log") as log:
        log.add(warm(0, execution_key=name))
        pool = ReusingPool(Cold(), log, VERSIONS)
        verdicts = [
            dict(pool.run_all([(0, asked.model_copy(update={"from_nothing": is_cold})), (1, asked)]))[0].verdict
            for is_cold in (False, True, False)
        ]
    assert verdicts == [Verdict.PASS, Verdict.FAIL_ASSERT, Verdict.FAIL_ASSERT]


def test_a_verdict_is_taken_back_as_often_as_it_must_be(tmp_path: Path) -> None:
    with VerdictLog(tmp_path / "log") as log:
        log.add(entry(0))
        for verdict in (Verdict.FAIL_ASSERT, Verdict.EARLY_EXIT):
            log.replace(entry(0, verdict))
            found = log.find(f"{0:016x}")
            assert found
            assert found.verdict == verdict


@settings(deadline=None, max_examples=40)
@given(cut=st.integers(0, 900))
def test_a_log_torn_anywhere_loses_at_most_its_last_verdict(cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("log") / "verdicts.jsonl"
    with VerdictLog(path) as log:
        for number in range(3):
            log.add(entry(number))
    whole = path.read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == 10]
    path.write_bytes(whole[: min(cut, len(whole))])
    with VerdictLog(path) as log:
        assert [n for n in range(3) if log.find(f"{n:016x}")] == [n for n in range(3) if ends[n] <= cut]
        for number in range(4):
            log.add(entry(number))
        assert all(log.find(f"{number:016x}") == entry(number) for number in range(4))


def _append(path: Path, first: int) -> None:
    with VerdictLog(path) as log:
        for number in range(first, first + 50):
            log.add(entry(number))


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append, args=(tmp_path / "log", 25 * i)) for i in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with VerdictLog(tmp_path / "log") as log:
        assert all(log.find(f"{number:016x}") == entry(number) for number in range(100))


def test_a_verdict_of_another_process_is_seen_without_opening_anew(tmp_path: Path) -> None:
    with VerdictLog(tmp_path / "log") as early, VerdictLog(tmp_path / "log") as late:
        assert early.find(f"{1:016x}") is None
        late.add(entry(1))
        assert early.find(f"{1:016x}") == entry(1)


def test_a_folder_that_cannot_be_written_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"file.*evaluate\.reuse=false"):
        VerdictLog(tmp_path / "file" / "log")


def test_each_isolation_level_has_a_log_of_its_own() -> None:
    assert default_log("bubblewrap") == default_log("bubblewrap") != default_log("process")
