"""The sandbox and the pool that a run's settings ask for, opened and tried before anything is paid for."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from importlib import import_module
from typing import NamedTuple

from codeglot.errors import ToolchainError
from codeglot.execute.cold import ColdSandbox
from codeglot.execute.fork_server.client import ForkServers, Ground
from codeglot.execute.levels.choose import AUTO, SandboxName, open_level
from codeglot.execute.local import LocalPool, Pool
from codeglot.execute.log import ReusingPool, VerdictLog, default_log, refuse_unwritable_log
from codeglot.execute.step import Level
from codeglot.execute.warm.sandbox import WarmSandbox
from codeglot.jobs.preflight import preflight
from codeglot.jobs.progress import Progress
from codeglot.jobs.sections import Judging
from codeglot.languages import spec


class Judges(NamedTuple):
    """Where programs are judged."""

    pool: Pool
    versions: dict[str, str]
    """Of the tools, by language id."""
    level: str
    """Isolation level."""


@contextmanager
def open_judges(settings: Judging, language_ids: Sequence[str], progress: Progress) -> Iterator[Judges]:
    """Open what the settings ask for, with every language tried.

    Raises:
        SandboxError: If no sandbox, or no cluster, can be used.
        ToolchainError: If a language cannot be judged, or Ray is not installed.
        RunError: If the log of verdicts cannot be written.
    """
    if settings.reuse:
        refuse_unwritable_log()
    with ExitStack() as stack:
        pool = _open_pool(settings, stack)
        versions, level = preflight(pool, language_ids, progress)
        if settings.reuse:
            # Who judges from nothing wants no verdict of what was kept ready.
            path = default_log(level if settings.warm else f"{level}, from nothing")
            log = stack.enter_context(VerdictLog(path))
            yield Judges(ReusingPool(pool, log, versions), versions, level)
        else:
            yield Judges(pool, versions, level)


def open_sandbox(name: SandboxName = AUTO, *, is_warm: bool = True) -> ColdSandbox | WarmSandbox:
    """A sandbox of this level.

    Raises:
        SandboxError: If it cannot be used here.
    """
    level = open_level(name)
    return warm_sandbox(level) if is_warm else ColdSandbox(level)


def warm_sandbox(level: Level) -> WarmSandbox:
    """A sandbox that keeps ready what it can on this level."""
    if not isinstance(level, Ground):
        return WarmSandbox(level)
    forking = [language.warm for language in spec.all_languages() if language.warm]
    return WarmSandbox(level, ForkServers(level, [module for warm in forking for module in warm.preload]))


def _open_pool(settings: Judging, stack: ExitStack) -> Pool:
    opener = partial(open_sandbox, settings.sandbox, is_warm=settings.warm)
    if settings.cluster is None:
        return LocalPool(stack.enter_context(closing(opener())), settings.slots)
    try:
        module = import_module("codeglot.execute.ray")
    except ImportError as error:
        raise ToolchainError(
            "evaluate.cluster needs Ray: pip install 'codeglot[cluster]', here and on all nodes."
        ) from error
    pool: Pool = module.RayPool(settings.cluster, opener, settings.slots)
    return pool
