"""The probes of a language as programs to be judged: what a sandbox must let pass, and what it must refuse."""

from codeglot.errors import UnknownNameError
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.languages import spec
from codeglot.languages.spec import Language
from codeglot.records import Verdict


def probe_request(language: Language, probe: Verdict) -> ExecutionRequest:
    """One probe of a language."""
    program = language.probes[probe]
    return ExecutionRequest(
        source=program.source,
        tests=language.probe_tests if program.tests is None else program.tests,
        language_id=language.id,
    )


def canary(language_id: str) -> ExecutionRequest | None:
    """The known-good program of a language; None where nobody knows the language."""
    try:
        return probe_request(spec.get(language_id), Verdict.PASS)
    except UnknownNameError:
        return None
