"""What runs next, and what runs again."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from codeglot.execute.sandbox import ExecutionRequest
from codeglot.execute.scheduler import (
    CANARY_EVERY,
    RECHECKED_SHARE,
    RECHECKED_SHARES,
    UNKNOWN_MEMORY_MIB,
    Kind,
    Scheduler,
    Task,
    is_rechecked,
    is_suspect,
    weight,
)
from codeglot.records import Execution, Limits, Verdict

GOOD = ExecutionRequest(source="good", language_id="python")


def scheduler(slots: int = 2, memory_mib: float = 1e6) -> Scheduler[int]:
    return Scheduler(
        slots,
        memory_mib,
        find_canary=lambda language_id: GOOD.model_copy(),
        find_weight=lambda language_id: 2.0 if language_id == "heavy" else 1.0,
    )


def request(language_id: str = "python", wall_s: float | None = None) -> ExecutionRequest:
    return ExecutionRequest(source="", language_id=language_id, limits=Limits(wall_s=wall_s))


def ended(verdict: Verdict, *, key: str = "ffffffffffffffff", **facts: float) -> Execution:
    return Execution.model_validate({"verdict": verdict, "execution_key": key, **facts})


def started(pool: Scheduler[int]) -> Task[int]:
    task = pool.start()
    assert task
    return task


def run(pool: Scheduler[int], *executions: Execution) -> list[tuple[int, Execution]]:
    """Start and end one program after the other, each as told."""
    return [verdict for execution in executions for verdict in pool.end(started(pool), execution)]


def test_programs_fill_the_slots_and_no_more() -> None:
    pool = scheduler(slots=2)
    for key in range(3):
        pool.add(key, request())
    first, _ = started(pool), started(pool)
    assert pool.start() is None
    assert [key for key, _ in pool.end(first, ended(Verdict.PASS))] == [first.key]
    assert pool.start()


def test_a_heavy_language_takes_more_than_one_slot() -> None:
    pool = scheduler(slots=2)
    pool.add(0, request("heavy"))
    pool.add(1, request())
    task = started(pool)
    pool.end(task, ended(Verdict.PASS, cpu_s=5.0))
    pool.add(2, request("heavy"))
    assert started(pool).key == 2
    assert pool.start() is None


@settings(deadline=None)
@given(
    st.integers(1, 8),
    st.lists(st.tuples(st.sampled_from(["scala", "elixir", "lua"]), st.floats(1, 900)), min_size=1, max_size=60),
    st.randoms(use_true_random=False),
)
def test_weights_and_memory_are_kept_to_and_no_part_of_a_slot_is_left_idle(
    slots: int, programs: list[tuple[str, float]], dice: random.Random
) -> None:
    budget_mib = 1000.0
    pool: Scheduler[int] = Scheduler(slots, budget_mib, find_canary=lambda _: None)
    memory = {language_id: UNKNOWN_MEMORY_MIB for language_id, _ in programs}
    for key, (language_id, _) in enumerate(programs):
        pool.add(key, request(language_id))
    waiting, running = dict(enumerate(programs)), list[Task[int]]()

    def fits(language_id: str) -> bool:
        held_mib = sum(memory[one.request.language_id] for one in running) + memory[language_id]
        taken = sum(weight(one.request.language_id) for one in running)
        return not running or (taken < slots and held_mib <= budget_mib)

    while waiting or running:
        while task := pool.start():
            assert task.key is not None
            assert fits(task.request.language_id)
            del waiting[task.key]
            running.append(task)
        assert not any(fits(language_id) for language_id, _ in waiting.values())
        task = running.pop(dice.randrange(len(running)))
        assert task.key is not None
        language_id, memory_mib = programs[task.key]
        pool.end(task, ended(Verdict.PASS, memory_mib=memory_mib))
        memory[language_id] = max(0.99 * memory[language_id], memory_mib)


def test_the_longest_is_started_first() -> None:
    pool = scheduler(slots=1)
    pool.add(0, request("lua"))
    run(pool, ended(Verdict.PASS, cpu_s=0.01))
    pool.add(1, request("lua"))
    pool.add(2, request("java"))
    assert started(pool).key == 2


def test_programs_that_would_fill_the_memory_wait() -> None:
    pool = scheduler(slots=4, memory_mib=700)
    pool.add(0, request("java"))
    run(pool, ended(Verdict.PASS, memory_mib=400))
    for key in (1, 2):
        pool.add(key, request("java"))
    assert started(pool)
    assert pool.start() is None


def test_one_program_may_always_run_however_large_it_is() -> None:
    pool = scheduler(memory_mib=1)
    pool.add(0, request())
    assert started(pool).key == 0


def test_a_starved_program_runs_again_alone_with_more_time_and_only_that_counts() -> None:
    pool = scheduler(slots=2)
    pool.add(0, request(wall_s=15.0))
    pool.add(1, request())
    starved, other = started(pool), started(pool)
    if starved.key == 1:
        starved, other = other, starved
    assert not pool.end(starved, ended(Verdict.TIMEOUT_WALL, wall_s=15.0, waited_s=6.0))
    assert pool.start() is None, "it waits until it is alone"
    pool.end(other, ended(Verdict.PASS))
    pool.add(2, request())
    again = started(pool)
    assert (again.key, again.kind, again.to_run.limits.wall_s) == (0, Kind.QUIET, 30.0)
    assert pool.start() is None, "nothing runs beside it"
    ((key, verdict),) = pool.end(again, ended(Verdict.PASS))
    assert (key, verdict.verdict, verdict.earlier, verdict.attempts) == (0, Verdict.PASS, (Verdict.TIMEOUT_WALL,), 2)
    assert started(pool).key == 2


def test_a_program_that_only_slept_is_no_suspect() -> None:
    assert not is_suspect(ended(Verdict.TIMEOUT_WALL, wall_s=70.0, waited_s=0.1))
    assert is_suspect(ended(Verdict.TIMEOUT_WALL, wall_s=70.0, waited_s=20.0))
    assert is_suspect(ended(Verdict.TIMEOUT_WALL, wall_s=70.0)), "nothing is known of it"
    assert not is_suspect(ended(Verdict.TIMEOUT_CPU, cpu_s=10.0))


def test_a_program_that_was_killed_by_somebody_is_one() -> None:
    killed = Execution(verdict=Verdict.RUNTIME_ERROR, detail="killed by SIGKILL")
    assert is_suspect(killed)
    assert not is_suspect(killed.model_copy(update={"detail": "killed by SIGSEGV"}))


def test_what_the_machine_refused_is_believed_when_it_refuses_it_alone_too() -> None:
    pool = scheduler()
    pool.add(0, request())
    refused = ended(Verdict.RESOURCE_DENIED)
    ((_, verdict),) = run(pool, refused, refused, refused)
    assert (verdict.verdict, verdict.attempts) == (Verdict.RESOURCE_DENIED, 3)


def test_a_failing_sandbox_is_given_up_after_two_quiet_runs() -> None:
    pool = scheduler()
    pool.add(0, request())
    lost = Execution(verdict=Verdict.INFRA_ERROR, detail="no room")
    ((_, verdict),) = run(pool, lost, lost, lost)
    assert (verdict.verdict, verdict.attempts, verdict.detail) == (Verdict.INFRA_ERROR, 3, "no room")


def test_a_program_that_ends_otherwise_the_second_time_is_flaky() -> None:
    pool = scheduler()
    pool.add(0, request())
    ((_, verdict),) = run(pool, ended(Verdict.PASS, key="0" * 16), ended(Verdict.FAIL_ASSERT, key="0" * 16))
    assert (verdict.verdict, verdict.earlier) == (Verdict.FLAKY, (Verdict.PASS,))
    assert verdict.detail == "ended as 'pass', and when it was run again as 'fail_assert'"


def test_a_warm_verdict_that_one_from_nothing_does_not_repeat_was_wrong_and_is_not_flaky() -> None:
    warm = ended(Verdict.FAIL_ASSERT, key="0" * 16).model_copy(update={"strategy": "fork_server"})
    cold = ended(Verdict.PASS, key="0" * 16)
    for runs in ((warm, cold), (cold, warm)):
        pool = scheduler()
        pool.add(0, request())
        ((_, verdict),) = run(pool, *runs)
        assert (verdict.verdict, verdict.strategy, verdict.attempts) == (Verdict.PASS, "", 2)


def test_a_program_that_ends_alike_keeps_what_its_first_run_showed() -> None:
    pool = scheduler()
    pool.add(0, request())
    first = ended(Verdict.PASS, key="0" * 16, cpu_s=1.5)
    ((_, verdict),) = run(pool, first, ended(Verdict.PASS, key="0" * 16, cpu_s=9.0))
    assert (verdict.verdict, verdict.cpu_s, verdict.attempts) == (Verdict.PASS, 1.5, 2)


def test_a_contradiction_is_told_whichever_run_met_it() -> None:
    for runs in (("", "fork_server"), ("fork_server", "")):
        pool = scheduler()
        pool.add(0, request())
        met = [ended(Verdict.PASS, key="0" * 16).model_copy(update={"contradicts": strategy}) for strategy in runs]
        ((_, verdict),) = run(pool, *met)
        assert verdict.contradicts == "fork_server"


def test_a_second_run_that_the_sandbox_lost_makes_nothing_flaky() -> None:
    pool = scheduler()
    pool.add(0, request())
    ((_, verdict),) = run(pool, ended(Verdict.PASS, key="0" * 16), Execution(verdict=Verdict.INFRA_ERROR))
    assert verdict.verdict == Verdict.PASS


def test_a_fixed_share_is_run_twice_whichever_machine_is_asked() -> None:
    keys = [f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}" for number in range(20_000)]
    for verdict, share in ((Verdict.PASS, RECHECKED_SHARES[Verdict.PASS]), (Verdict.FAIL_ASSERT, RECHECKED_SHARE)):
        chosen = sum(is_rechecked(ended(verdict, key=key)) for key in keys) / len(keys)
        assert abs(chosen - share) < 0.005
    assert not is_rechecked(ended(Verdict.RESOURCE_DENIED, key="0" * 16))


def judged(pool: Scheduler[int], count: int) -> None:
    for key in range(count):
        pool.add(key, request())
    assert len(run(pool, *[ended(Verdict.PASS)] * count)) == count


def test_a_canary_follows_every_so_many_programs() -> None:
    pool = scheduler()
    judged(pool, CANARY_EVERY)
    assert started(pool).kind is Kind.CANARY


def test_a_slow_canary_closes_a_slot_and_a_fast_one_opens_it_again() -> None:
    pool = scheduler(slots=3)
    slots = []
    for wall_s in (0.1, 0.5, 0.1):
        judged(pool, CANARY_EVERY)
        assert not run(pool, ended(Verdict.PASS, wall_s=wall_s))
        slots.append(pool.slots)
    assert slots == [3, 2, 3]


def test_a_failing_canary_that_passes_alone_has_its_programs_run_again() -> None:
    pool = scheduler()
    judged(pool, CANARY_EVERY)
    assert not run(pool, ended(Verdict.RUNTIME_ERROR), ended(Verdict.PASS))
    again = run(pool, *[ended(Verdict.FAIL_ASSERT)] * CANARY_EVERY)
    assert sorted(key for key, _ in again) == list(range(CANARY_EVERY))
    assert {verdict.verdict for _, verdict in again} == {Verdict.FAIL_ASSERT}


def test_a_canary_that_fails_alone_too_takes_the_verdicts_back_and_those_to_come() -> None:
    pool = scheduler()
    judged(pool, CANARY_EVERY)
    back = run(pool, ended(Verdict.RUNTIME_ERROR), Execution(verdict=Verdict.COMPILE_ERROR, detail="no such header"))
    assert sorted(key for key, _ in back) == list(range(CANARY_EVERY))
    assert {verdict.verdict for _, verdict in back} == {Verdict.INFRA_ERROR}
    assert "no such header" in back[0][1].detail
    pool.add(999, request())
    ((_, later),) = run(pool, ended(Verdict.FAIL_ASSERT))
    assert later.verdict == Verdict.INFRA_ERROR
    pool.add(1000, request("lua"))
    ((_, other),) = run(pool, ended(Verdict.FAIL_ASSERT))
    assert other.verdict == Verdict.FAIL_ASSERT, "another language is not touched"
