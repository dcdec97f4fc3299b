from collections.abc import Callable, Iterator

import pytest

from codeglot.errors import SandboxError
from codeglot.execute.cold import ColdSandbox
from codeglot.execute.fork_server.client import ForkServers
from codeglot.execute.levels.bubblewrap import Bubblewrap
from codeglot.execute.levels.userns import Userns
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.execute.step import Level
from codeglot.execute.warm.strategy import COLD, StartedCompiler, Strategy
from codeglot.languages import spec
from codeglot.languages.spec import Language
from codeglot.records import Execution, Limits

PRELOAD = tuple(name for language in spec.all_languages() if language.warm for name in language.warm.preload)
WAYS: dict[str, Callable[[], Level]] = {
    "bubblewrap": Bubblewrap,
    "bubblewrap, fork servers": lambda: ForkServers(Bubblewrap(), PRELOAD),
    "userns": Userns,
    "userns, fork servers": lambda: ForkServers(Userns(), PRELOAD),
}
"""Ways to isolate that promise the same; a module takes them all with `pytestmark = every_way`."""

every_way = pytest.mark.parametrize("way", WAYS, indirect=True, scope="session")


@pytest.fixture(scope="session")
def way(request: pytest.FixtureRequest) -> str:
    """One of WAYS; the first where a test does not say which."""
    return str(getattr(request, "param", "bubblewrap"))


@pytest.fixture(scope="session")
def new_level(way: str) -> Callable[[], Level]:
    """Make one more level of this way."""
    return WAYS[way]


@pytest.fixture(scope="session")
def level(way: str) -> Iterator[Level]:
    """An isolation level; tests that need it are skipped where no box can be started."""
    try:
        level = WAYS[way]()
    except SandboxError as error:
        pytest.skip(f"{way} is not usable here: {error}")
    yield level
    level.close()


@pytest.fixture(scope="session")
def sandbox(level: Level) -> ColdSandbox:
    """The sandbox that all tests of a way share."""

    def find_strategy(language: Language) -> Strategy:
        is_forked = isinstance(level, ForkServers) and language.warm and language.warm.strategy == "fork_server"
        return StartedCompiler("fork_server", forks=True) if is_forked else COLD

    return ColdSandbox(level, find_strategy=find_strategy)


@pytest.fixture
def run_python(sandbox: ColdSandbox, need_toolchain: Callable[[str], None]) -> Callable[..., Execution]:
    """Run a whole Python program; keywords are those of Limits, and `stdin`."""
    need_toolchain("python")

    def run(
        source: str, *, stdin: str | None = None, files: dict[str, str] | None = None, **limits: float
    ) -> Execution:
        request = ExecutionRequest(
            source=source,
            language_id="python",
            stdin=stdin,
            files=files or {},
            limits=Limits.model_validate({"cpu_s": 5.0, **limits}),
        )
        return sandbox.run(request)

    return run
