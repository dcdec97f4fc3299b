"""What a sandbox promises.

A sandbox compiles and runs programs that nobody has read. It keeps them from the network, from other
processes, from every file but their own and from more than their share of CPU, memory, disk and output.
It does not hide the tests from the program: both live in one process, so a program that reads its own
file can see the nonce that marks the end of the tests. It is no defence against faults of the kernel.
"""

from typing import Protocol

from pydantic import Field

from codeglot.config import StrictModel
from codeglot.records import Execution, Limits


class ExecutionRequest(StrictModel):
    """One program to be judged."""

    source: str
    """The whole program, without its tests."""
    tests: str = ""
    """Code behind the program; empty for a program that is judged by its output alone."""
    language_id: str
    stdin: str | None = None
    expected_output: str | None = None
    files: dict[str, str] = Field(default_factory=dict)
    """Files by relative path, beside the program."""
    limits: Limits = Limits()
    from_nothing: bool = False
    """Whether nothing that is kept ready may take part; decides no verdict."""


class Sandbox(Protocol):
    """Runs untrusted programs; every level passes the same contract tests."""

    level: str
    """Name of the isolation level, written into every result."""

    def run(self, request: ExecutionRequest) -> Execution:
        """Compile if the language compiles, run, judge, and always clean up.

        The sandbox adds the nonce. A missing toolchain is the verdict `toolchain_missing`.

        Raises:
            SandboxError: If the sandbox failed; never for a fault of the program.
            UnknownNameError: If no language has this id.
        """
        ...

    def close(self) -> None:
        """Kill all programs that run; they and later ones raise SandboxError."""
        ...
