"""Before anything is paid for: can this machine judge these languages at all?

A harness that scores with a missing compiler or a broken runtime reports zeros. So each language must first let its
known-good probe pass and its known-bad one fail, in the sandbox that will judge the real programs.
"""

from collections.abc import Sequence

from codeglot.errors import ToolchainError
from codeglot.execute.local import Pool
from codeglot.execute.probes import probe_request
from codeglot.jobs.progress import Progress
from codeglot.languages import spec
from codeglot.records import Execution, Verdict

_PROBES = (Verdict.PASS, Verdict.FAIL_ASSERT)


def preflight(pool: Pool, language_ids: Sequence[str], progress: Progress) -> tuple[dict[str, str], str]:
    """Run the probe and the counter-probe of each language.

    Returns:
        The version of each language's toolchain, and the isolation level.

    Raises:
        ToolchainError: With every language that cannot be judged here, and why.
    """
    requests = (
        ((language_id, probe), probe_request(spec.get(language_id), probe))
        for language_id in language_ids
        for probe in _PROBES
    )
    versions: dict[str, str] = {}
    faults: set[str] = set()
    level = ""
    with progress.track("check toolchains", total=len(language_ids) * len(_PROBES)) as advance:
        for (language_id, probe), execution in pool.run_all(requests):
            advance()
            versions.update(execution.versions)
            level = execution.level or level
            if execution.verdict is not probe:
                faults.add(f"  {language_id}: {_fault(probe, execution)}")
    if faults:
        raise ToolchainError(
            "Not every language can be judged on this machine:\n"
            + "\n".join(sorted(faults))
            + "\nRun `codeglot languages check` for more, `codeglot languages --install` to install what is missing, "
            "or leave the language out with --languages."
        )
    return versions, level


def _fault(probe: Verdict, execution: Execution) -> str:
    if execution.verdict is Verdict.TOOLCHAIN_MISSING:
        return execution.detail
    detail = f": {execution.detail}" if execution.detail else ""
    return f"the probe '{probe}' ended as '{execution.verdict}'{detail}"
