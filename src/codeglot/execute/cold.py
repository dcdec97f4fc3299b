"""The sandbox of one level: a fresh box for every program, a fresh set of namespaces for every step."""

import json
import secrets
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from codeglot.errors import ToolchainError
from codeglot.execute.assemble import Program, assemble
from codeglot.execute.places import relocate
from codeglot.execute.readiness import Readiness
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.execute.step import Level, Outcome, Step, clip
from codeglot.execute.toolchains import Toolchain, compile_limits
from codeglot.execute.verdict import judge, without_nonce
from codeglot.execute.warm.strategy import COLD, Strategy
from codeglot.languages import spec
from codeglot.languages.spec import Language
from codeglot.records import Execution, Limits, Verdict, short_hash

_NOT_EXECUTED = {
    "name",
    "aliases",
    "comment",
    "grammar",
    "stop",
    "syntax",
    "wrong_values",
    "wrong_result",
    "wrong_variables",
    "probes",
    "probe_tests",
}
"""Facts of a language that decide no verdict: what it is called, and how answers are read, ended and changed."""
_FACTS: dict[str, tuple[Language, str]] = {}
"""By id, a language and the hash of what its file says, as `execution_key` takes it."""


class ColdSandbox:
    """A sandbox over an isolation level; safe to call from many threads.

    Args:
        level: Where steps are run.
        find_language: Finds a language by its id.
        find_strategy: Tells how programs of a language are built and run; by default from nothing.
        readiness: What is known of the languages already.
    """

    def __init__(
        self,
        level: Level,
        find_language: Callable[[str], Language] = spec.get,
        find_strategy: Callable[[Language], Strategy] = lambda _: COLD,
        readiness: Readiness | None = None,
    ) -> None:
        self.level = level.name
        self._level = level
        self._find_language = cache(lambda name: relocate(find_language(name), level.places))
        self._find_strategy = find_strategy
        self._readiness = readiness or Readiness(level)

    def toolchain(self, language: Language) -> Toolchain:
        """Version of a language's tools in the boxes, or why they cannot be used; asked once.

        Raises:
            SandboxError: If the sandbox failed.
        """
        return self._readiness.toolchain(language)

    def run(self, request: ExecutionRequest) -> Execution:
        """Judge one program; see `Sandbox.run`.

        Raises:
            WarmthError: If what the strategy keeps ready failed.
        """
        language = self._find_language(request.language_id)
        toolchain = self.toolchain(language)
        facts: dict[str, Any] = {
            "execution_key": execution_key(request, language, toolchain.version),
            "level": self.level,
            "versions": {language.id: toolchain.version} if toolchain.version else {},
        }
        if toolchain.problem:
            return Execution(verdict=Verdict.TOOLCHAIN_MISSING, detail=toolchain.problem, **facts)
        try:
            prepared = self._readiness.prepared(language, toolchain.version)
        except ToolchainError as error:
            return Execution(verdict=Verdict.TOOLCHAIN_MISSING, detail=str(error), **facts)
        strategy = self._find_strategy(language)
        program = assemble(request, language, secrets.token_hex(16), is_warm=bool(strategy.name))
        with self._level.open_box() as box:
            compiled = None
            if program.compile:
                compiled = strategy.compile(box, program.files, _compile_step(program, language, prepared))
            else:
                box.put(program.files)
            ran = None
            if compiled is None or compiled.status == 0:
                # An interpreter that has started would not find modules that lie beside the program.
                forks = strategy.forks and not any(name.endswith(".py") for name in request.files)
                ran = box.run(_run_step(program, language, request, prepared, forks=forks))
        return Execution(strategy=strategy.name, **facts, **_findings(compiled, ran, program, language, request))

    def close(self) -> None:
        """Kill all programs that run; they and later ones raise SandboxError."""
        self._level.close()


def execution_key(request: ExecutionRequest, language: Language, version: str) -> str:
    """Hash of all that decides a verdict; equal keys are the same experiment."""
    # As ASCII: a model may write half of a surrogate pair.
    asked = json.dumps(request.model_dump(mode="json", exclude={"from_nothing"}), sort_keys=True)
    return short_hash(asked, _facts_of(language), version)


def _facts_of(language: Language) -> str:
    """Hash of what a language's file says about how programs are run; made once, since it costs more than the rest."""
    if (known := _FACTS.get(language.id)) is None or known[0] is not language:
        facts = language.model_dump(mode="json", exclude=_NOT_EXECUTED)
        facts["limits"]["weight"] = 1.0  # it decides when a program runs, not how it ends
        known = _FACTS[language.id] = language, short_hash(facts)
    return known[1]


def run_limits(limits: Limits, language: Language) -> Limits:
    """What a run step may use: what was asked for, or what the language's runtime needs where that is more."""
    needs = language.limits
    least = {"memory_mib": needs.run_memory_mib or 0, "num_tasks": needs.num_tasks}
    higher = {name: value for name, value in least.items() if value > getattr(limits, name)}
    return limits.model_copy(update=higher) if higher else limits


def _compile_step(program: Program, language: Language, prepared: Path | None) -> Step:
    return Step(
        command=program.compile,
        limits=compile_limits(language),
        env=language.env,
        binds=language.binds,
        is_writable=True,
        prepared=prepared,
    )


def _run_step(
    program: Program, language: Language, request: ExecutionRequest, prepared: Path | None, *, forks: bool
) -> Step:
    return Step(
        command=program.run,
        limits=run_limits(request.limits, language),
        env=language.env,
        binds=language.binds,
        prepared=prepared,
        stdin=request.stdin,
        work_files=request.files,
        forks=forks,
    )


def _findings(
    compiled: Outcome | None, ran: Outcome | None, program: Program, language: Language, request: ExecutionRequest
) -> dict[str, Any]:
    """The fields of an `Execution` that come from running."""
    judgement = judge(
        compiled=compiled,
        ran=ran,
        rules=language.errors,
        nonce=program.nonce,
        expected_output=request.expected_output,
    )
    steps = [step for step in (compiled, ran) if step is not None]
    return {
        "verdict": judgement.verdict,
        "detail": judgement.detail,
        "cpu_s": sum(step.cpu_s for step in steps),
        "wall_s": sum(step.wall_s for step in steps),
        "memory_mib": max(step.memory_mib for step in steps),
        "waited_s": steps[-1].waited_s,
        "stdout": clip(without_nonce(steps[-1].stdout, program.nonce)),
        "stderr": clip(steps[-1].stderr),
    }
