"""Programs -> verdicts that hold.

Where a verdict of what was kept ready for a language turns out to be wrong, the others of that language are given
again, from nothing.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from typing import TypeVar

from codeglot.execute.local import Pool
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.records import Execution

Key = TypeVar("Key")


def judge(
    pool: Pool,
    keys: Iterable[Key],
    program: Callable[[Key], ExecutionRequest | Execution],
    *,
    known: Mapping[Key, Execution] | None = None,
    doubted: Iterable[str] = (),
    say: Callable[[str], None] = lambda _: None,
) -> Generator[tuple[Key, Execution], None, None]:
    """Yield each execution under its key; a key may come again, and the later execution counts.

    Args:
        pool: Where programs are run.
        keys: What is to be judged.
        program: Gives the program of a key, or its verdict at once where there is none to run.
        known: Verdicts of an earlier start, which are yielded only if they are given again.
        doubted: Languages of which what was kept ready is known to have judged wrongly.
        say: Is told how many verdicts are given again.

    Raises:
        SandboxError: If the sandbox cannot be used at all.
    """
    found, wrong = dict(known or {}), set(doubted)
    ended: list[tuple[Key, Execution]] = []

    def requests(asked: Iterable[Key]) -> Iterator[tuple[Key, ExecutionRequest]]:
        for key in asked:
            made = program(key)
            if isinstance(made, Execution):
                ended.append((key, made))
            else:
                yield key, made.model_copy(update={"from_nothing": made.language_id in wrong})

    def run(asked: Iterable[Key]) -> Iterator[tuple[Key, Execution]]:
        with closing(pool.run_all(requests(asked))) as results:
            for key, execution in results:
                found[key] = execution
                wrong.update(doubted_languages([execution]))
                yield key, execution
                while ended:
                    yield ended.pop()
        yield from ended
        ended.clear()

    yield from run(keys)
    if again := [key for key, execution in found.items() if is_doubtful(execution, wrong)]:
        say(
            f"{len(again)} verdicts on {' and '.join(sorted(wrong))} are given again, from nothing, since what "
            "was kept ready for it judged a program wrongly."
        )
        yield from run(again)


def doubted_languages(executions: Iterable[Execution]) -> set[str]:
    """Languages of which a verdict of what was kept ready was contradicted."""
    return {language_id for execution in executions if execution.contradicts for language_id in execution.versions}


def is_doubtful(execution: Execution, doubted: set[str]) -> bool:
    """Whether a verdict was given by what was kept ready for one of these languages."""
    return bool(execution.strategy) and not doubted.isdisjoint(execution.versions)
