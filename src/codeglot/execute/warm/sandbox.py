"""The sandbox that keeps compilers and interpreters ready, and makes sure that this changes no verdict.

Whatever is warm, a program starts in a box of its own with nothing of another one in it. A share of all programs, and
the first that a warm compiler rejects, are judged from nothing as well; when the two disagree, and go on to, the
language is judged from nothing from then on.
"""

import logging
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping

from codeglot.execute.cold import ColdSandbox
from codeglot.execute.readiness import Readiness
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.execute.step import Level
from codeglot.execute.toolchains import Toolchain
from codeglot.execute.warm.compile_server import CompileServer
from codeglot.execute.warm.strategy import COLD, StartedCompiler, Strategy, WarmthError
from codeglot.languages import spec
from codeglot.languages.spec import Language
from codeglot.records import Execution, Verdict

CHECKED_SHARE = 0.02
"""Share of the programs that are judged from nothing too."""
NUM_CHECKED_REJECTIONS = 20
"""Programs of each language that a warm compiler rejects first, all of which are judged from nothing too."""
NUM_INSISTED = 3
"""Times that a program must end in one way from nothing and in another one warm: one that rolls dice seldom does."""
MOST_FAILURES = 5
"""Times in a row that what was kept ready for a language may fail before it is given up; one program may end one."""
_COMPARED = {
    Verdict.PASS,
    Verdict.FAIL_ASSERT,
    Verdict.FAIL_OUTPUT,
    Verdict.COMPILE_ERROR,
    Verdict.RUNTIME_ERROR,
    Verdict.EARLY_EXIT,
    Verdict.NO_TESTS_RAN,
}
"""Endings that the program alone decides."""

_log = logging.getLogger(__name__)


class WarmSandbox:
    """A sandbox over an isolation level; safe to call from many threads.

    `cold` is the same sandbox with nothing kept ready.

    Args:
        level: Where steps are run, and where what is kept ready lives.
        fast: The same level with boxes that start faster; None: `level` itself.
        find_language: Finds a language by its id.
        checked_share: Share of the programs that are judged from nothing too.
    """

    def __init__(
        self,
        level: Level,
        fast: Level | None = None,
        find_language: Callable[[str], Language] = spec.get,
        checked_share: float = CHECKED_SHARE,
    ) -> None:
        self.level = level.name
        self._boxes = level
        self._fast = fast or level
        self._find_language = find_language
        self._checked_share = checked_share
        self._readiness = Readiness(level)
        self.cold = ColdSandbox(level, find_language, readiness=self._readiness)
        self._warm = ColdSandbox(self._fast, find_language, self._strategy, self._readiness)
        self._strategies: dict[str, Strategy] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._failures: Counter[str] = Counter()
        self._rejections: Counter[str] = Counter()
        self._given_up: dict[str, str] = {}

    @property
    def given_up(self) -> Mapping[str, str]:
        """Languages that are judged from nothing although they need not be, and why."""
        return self._given_up

    def toolchain(self, language: Language) -> Toolchain:
        """Version of a language's tools in the boxes, or why they cannot be used; asked once.

        Raises:
            SandboxError: If the sandbox failed.
        """
        return self._readiness.toolchain(language)

    def run(self, request: ExecutionRequest) -> Execution:
        """Judge one program; see `Sandbox.run`."""
        language = self._find_language(request.language_id)
        if request.from_nothing or language.id in self._given_up:
            return self.cold.run(request)
        try:
            execution = self._warm.run(request)
        except WarmthError as failure:
            self._failures[language.id] += 1
            if self._failures[language.id] >= MOST_FAILURES:
                self._give_up(
                    language, f"what was kept ready for it failed {MOST_FAILURES} times in a row, last so: {failure}"
                )
            return self.cold.run(request)
        self._failures[language.id] = 0
        return self._checked(request, execution, language) if self._is_checked(execution, language) else execution

    def close(self) -> None:
        """Kill all programs that run and all that is kept ready; later programs raise SandboxError."""
        for strategy in self._strategies.values():
            strategy.close()
        self._fast.close()
        self._boxes.close()

    def _strategy(self, language: Language) -> Strategy:
        """What is kept ready for a language, started when its first program comes."""
        with self._locks[language.id]:
            if language.id not in self._strategies:
                self._strategies[language.id] = self._build(language)
            return self._strategies[language.id]

    def _build(self, language: Language) -> Strategy:
        if language.warm is None:
            return COLD
        if problem := self._readiness.warm_problem(language):
            self._give_up(language, problem)
            return COLD
        if language.warm.strategy == "compile_server":
            version = self._readiness.toolchain(language).version
            return CompileServer(self._boxes, language, self._readiness.prepared(language, version))
        if language.warm.strategy == "fork_server":
            return StartedCompiler("fork_server", forks=True) if self._fast is not self._boxes else COLD
        return StartedCompiler(language.warm.strategy)

    def _is_checked(self, execution: Execution, language: Language) -> bool:
        """Whether a warm verdict is to be compared with one from nothing; equal programs always or never are."""
        if not execution.strategy or execution.verdict not in _COMPARED:
            return False
        if execution.verdict is Verdict.COMPILE_ERROR and self._rejections[language.id] < NUM_CHECKED_REJECTIONS:
            self._rejections[language.id] += 1
            return True
        # Its last digits choose what is run twice by the pool; these choose others.
        return int(execution.execution_key[:4], 16) < self._checked_share * 16**4

    def _checked(self, request: ExecutionRequest, warm: Execution, language: Language) -> Execution:
        """The verdict from nothing; where it differs and both insist, the language is judged so from now on.

        What was judged warm before cannot be trusted then, which the verdict says to those who have it.
        """
        cold = self.cold.run(request)
        if cold.verdict is warm.verdict:
            return warm
        if cold.verdict not in _COMPARED or not self._both_insist(request, cold.verdict, warm.verdict):
            return cold
        self._give_up(
            language,
            f"a program that ends as '{cold.verdict}' from nothing ended as '{warm.verdict}' with "
            f"{warm.strategy} (execution key {warm.execution_key}): {warm.detail}",
        )
        return cold.model_copy(update={"contradicts": warm.strategy})

    def _both_insist(self, request: ExecutionRequest, cold: Verdict, warm: Verdict) -> bool:
        return all(
            self.cold.run(request).verdict is cold and self._warm_or_none(request) in (warm, None)
            for _ in range(NUM_INSISTED - 1)
        )

    def _warm_or_none(self, request: ExecutionRequest) -> Verdict | None:
        try:
            return self._warm.run(request).verdict
        except WarmthError:
            return None

    def _give_up(self, language: Language, why: str) -> None:
        """Judge a language from nothing from now on, and say so once."""
        with self._locks[f"{language.id} given up"]:
            if language.id in self._given_up:
                return
            self._given_up[language.id] = why
        _log.warning("%s programs are built and run from nothing from now on: %s", language.name, why)
