"""The rows of every file: what is asked, what a model wrote, what running it showed, and the score.

Each record is one line of JSON. No record imports anything heavier than pydantic.
"""

import hashlib
import json
import re
from enum import StrEnum
from typing import Self

from pydantic import Field, field_validator, model_validator

from codeglot.config import StrictModel

_LONGEST_NAME = 255
"""Bytes in a file's name, from the file systems."""
_LONGEST_PATH = 1000
"""Characters; below what the kernel takes, with room for the folder in front."""


class Verdict(StrEnum):
    """How a program ended. The process status decides; its text only refines."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL_ASSERT = "fail_assert"
    FAIL_OUTPUT = "fail_output"
    COMPILE_ERROR = "compile_error"
    RUNTIME_ERROR = "runtime_error"
    TIMEOUT_CPU = "timeout_cpu"
    TIMEOUT_WALL = "timeout_wall"
    MEMORY = "memory"
    OUTPUT_LIMIT = "output_limit"
    RESOURCE_DENIED = "resource_denied"
    EARLY_EXIT = "early_exit"
    NO_TESTS_RAN = "no_tests_ran"
    EXTRACTION_FAILED = "extraction_failed"
    FLAKY = "flaky"
    INFRA_ERROR = "infra_error"
    TOOLCHAIN_MISSING = "toolchain_missing"

    @property
    def is_scored(self) -> bool:
        """Whether the program was judged; False where the machine, not the program, failed."""
        return self not in (Verdict.INFRA_ERROR, Verdict.TOOLCHAIN_MISSING)


class Limits(StrictModel):
    """What a program may use while it runs. Compile steps have their own, in the language."""

    cpu_s: float = Field(default=10.0, gt=0, le=3600)
    """CPU seconds (user + system) of all its processes together; this decides `timeout_cpu`."""
    wall_s: float | None = Field(default=None, gt=0, le=86400)
    """Wall seconds, only a guard against sleeping programs, so not below `cpu_s`; None: 6 x `cpu_s` + 10."""
    memory_mib: int = Field(default=512, ge=16, le=2**20)
    """Data memory of one process in MiB (RLIMIT_DATA); where a language's runtime needs more to start, that much."""
    num_tasks: int = Field(default=64, ge=1, le=2**15)
    """Processes and threads alive at one time; where a language's runtime needs more to start, as many."""
    output_kib: int = Field(default=1024, ge=1, le=2**20)
    """Bytes in KiB on stdout and stderr together before the program is stopped."""
    file_mib: int = Field(default=16, ge=1, le=2**20)
    """Largest file it may write, in MiB."""
    disk_mib: int = Field(default=32, ge=1, le=2**20)
    """All it may write to its private disk, in MiB."""

    @property
    def wall_guard_s(self) -> float:
        """The wall limit in force, in seconds."""
        return self.wall_s if self.wall_s is not None else 6 * self.cpu_s + 10

    @model_validator(mode="after")
    def _can_use_its_cpu_time(self) -> Self:
        if self.wall_guard_s < self.cpu_s:
            raise ValueError(
                f"wall_s={self.wall_s:g} is below cpu_s={self.cpu_s:g}: programs would be stopped before they had "
                "their CPU time; raise wall_s, or lower cpu_s, which decides, as well"
            )
        return self


class Problem(StrictModel):
    """One benchmark item: what a model is asked and how its answer is judged.

    The program judged is `prompt + completion` where `prompt_is_code`, else the completion alone, and behind it, from a
    new line, `tests`; in languages whose tests lie in a file of their own, `tests` is that file.
    A problem without `tests` must have an `expected_output`: it reads `stdin` and prints.
    """

    task_id: str = Field(min_length=1)
    """Unique within a run, as the benchmark spells it, for instance `HumanEval/0`."""
    benchmark: str = Field(min_length=1)
    """Name of the benchmark it came from."""
    language_id: str = Field(min_length=1)
    """Programming language of the answer, an id of `codeglot languages`."""
    natural_language: str = Field(default="en", min_length=2)
    """Language of the prose in the prompt (BCP 47)."""
    prompt: str
    """Text given to the model."""
    prompt_is_code: bool = True
    """Whether the prompt is the beginning of the program (signature and docstring) rather than prose."""
    given: str = ""
    """Where the prompt is prose: the beginning of a program at its end, which an answer may go on with."""
    entry_point: str | None = None
    """Name of the function that the tests call; None where the program is run as a whole."""
    tests: str = ""
    """Code put behind the program; it must fail loudly (exception, assertion, status) when an answer is wrong."""
    canonical_solution: str | None = None
    """A known answer, in the place of a completion; None where the benchmark has none."""
    stop: tuple[str, ...] = ()
    """Strings that end a completion of a base model."""
    stdin: str | None = None
    """Text on standard input; None is an empty input."""
    expected_output: str | None = None
    """What the program must print; trailing white space of lines and of the whole does not count."""
    files: dict[str, str] = Field(default_factory=dict)
    """Files by relative path that lie beside the program, for its tests or its data."""
    limits: Limits | None = None
    """Own limits of this problem; None takes those of the run."""
    origin: str | None = Field(default=None, min_length=1)
    """The problem that this one is a form of, over languages and benchmarks, as `mbpp/601`; None: itself."""

    @property
    def root(self) -> str:
        """What all forms of one problem have in common, and no other problem has."""
        return self.origin or f"{self.benchmark}/{self.task_id}"

    @property
    def as_asked(self) -> "Problem":
        """Without its origin, which no model sees and no verdict depends on: equal ones ask and judge alike."""
        return self.model_copy(update={"origin": None})

    @model_validator(mode="after")
    def _is_judged(self) -> Self:
        if not self.tests.strip() and self.expected_output is None:
            raise ValueError(
                f"problem '{self.task_id}' has neither tests nor an expected_output: nothing would judge it"
            )
        return self

    @model_validator(mode="after")
    def _can_be_written(self) -> Self:
        for name, value in self.model_dump().items():
            try:
                json.dumps(value, ensure_ascii=False).encode()
            except UnicodeEncodeError as error:
                half = ascii(error.object[error.start])
                raise ValueError(f"'{name}' holds {half}, half of a surrogate pair, which UTF-8 cannot write") from None
        return self

    @field_validator("stop")
    @classmethod
    def _end_something(cls, stop: tuple[str, ...]) -> tuple[str, ...]:
        if "" in stop:
            raise ValueError("an empty stop string would end every answer before it begins; leave it out")
        return stop

    @field_validator("files")
    @classmethod
    def _stay_beside_the_program(cls, files: dict[str, str]) -> dict[str, str]:
        for path in files:
            parts = path.split("/")
            if "\0" in path or not {"", ".", ".."}.isdisjoint(parts) or len(path) > _LONGEST_PATH:
                raise ValueError(f"{path!a:.80} is no plain path; give one below the program's folder, as data/x.txt")
            if long := [part for part in parts if len(part.encode(errors="replace")) > _LONGEST_NAME]:
                raise ValueError(f"the name {long[0]!a:.40}... is longer than {_LONGEST_NAME} bytes")
        return files


class Example(StrictModel):
    """One training pair."""

    prompt: str
    completion: str
    prompt_is_code: bool = True
    """Whether the prompt is the beginning of the program that the completion continues, rather than prose."""
    language_id: str
    natural_language: str = "en"
    source: str
    """Data set and row it came from."""
    license: str | None = None
    """SPDX id where the source states one."""
    origin: str | None = None
    """The problem that it was made from, as `mbpp/601`; None: from none."""


class FinishReason(StrEnum):
    """Why a completion ended."""

    STOP = "stop"
    LENGTH = "length"
    ERROR = "error"


class Completion(StrictModel):
    """What a model wrote for one problem, unchanged."""

    task_id: str
    sample: int = Field(default=0, ge=0)
    """0 to n - 1."""
    prompt_hash: str = ""
    """Short hash of the prompt as sent; a changed prompt never reuses an old completion."""
    text: str
    """As it came; only half a surrogate pair, which UTF-8 cannot write, is U+FFFD."""
    finish_reason: FinishReason = FinishReason.STOP
    num_tokens: int | None = None
    """Tokens generated; None where the source does not say."""
    seed: int | None = None
    """Seed this completion was sampled with; None for greedy decoding or where unknown."""

    @field_validator("text")
    @classmethod
    def _can_be_written(cls, text: str) -> str:
        return re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)

    @property
    def key(self) -> tuple[str, int]:
        """What identifies it within a run."""
        return self.task_id, self.sample


class Execution(StrictModel):
    """What running one program showed."""

    task_id: str = ""
    sample: int = 0
    verdict: Verdict
    detail: str = ""
    """One line for a person: the failing assertion, the exception, the signal, the limit."""
    execution_key: str = ""
    """Hash of program, tests, language, toolchain and limits; equal keys are the same experiment."""
    cpu_s: float = 0.0
    """CPU seconds of all processes, compiling included."""
    wall_s: float = 0.0
    memory_mib: float = 0.0
    """Largest resident set of one process, in MiB."""
    stdout: str = ""
    """Head and tail."""
    stderr: str = ""
    """Head and tail; the compiler's messages when it failed."""
    level: str = ""
    """Isolation level the program ran under."""
    strategy: str = ""
    """What was kept ready for it, as `compile_server`; empty: nothing."""
    contradicts: str = ""
    """The strategy that judged this very program otherwise, as often as it was asked; verdicts of this language that
    the strategy gave cannot be trusted."""
    attempts: int = Field(default=1, ge=0)
    """Starts that it took; 0: not run here, the verdict of an equal program was taken from the log."""
    earlier: tuple[Verdict, ...] = ()
    """Verdicts of starts before the one that counts: of one that other programs disturbed, or of the first of two that
    were made to see whether they end alike."""
    waited_s: float | None = None
    """Seconds its processes were ready to run and waited for a core, where it was stopped by the wall limit; None:
    not known."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Version of each tool that took part."""

    @property
    def key(self) -> tuple[str, int]:
        """What identifies it within a run."""
        return self.task_id, self.sample


class Score(StrictModel):
    """pass@k of one group of problems, with what it rests on."""

    benchmark: str
    language_id: str
    natural_language: str
    k: int = Field(ge=1)
    n: int = Field(ge=1)
    """Samples per problem (the smallest, where they differ)."""
    num_problems: int = Field(ge=1)
    pass_at_k: float | None
    """Mean over problems, 0 to 1; None while executions are missing."""
    interval: tuple[float, float] | None
    """95 % interval over problems; None while executions are missing."""
    bounds: tuple[float, float]
    """Lowest and highest value that the missing executions still allow; both equal `pass_at_k` when none is missing."""
    taxonomy: dict[Verdict, int]
    """Programs by verdict."""
    incomplete: int = Field(ge=0)
    """Programs of this group without a scored verdict."""


def short_hash(*parts: object) -> str:
    """First 16 hex digits of SHA-256 over the JSON of `parts`."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
