"""Options and fixtures of the whole suite."""

import importlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from codeglot.errors import SandboxError
from codeglot.execute.cold import ColdSandbox
from codeglot.execute.levels.bubblewrap import Bubblewrap
from codeglot.execute.warm.sandbox import WarmSandbox
from codeglot.jobs import boxes
from codeglot.languages import spec

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

GOLDEN = Path(__file__).parent / "golden"

needs_data = pytest.mark.skipif(
    not os.environ.get("CODEGLOT_DATA"), reason="CODEGLOT_DATA names no folder of benchmark files"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write recorded texts anew instead of comparing with them"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden(name, text)`: the text is the recorded one, or becomes it under --update-golden."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text

    return check


@pytest.fixture(scope="session")
def level() -> Iterator[Bubblewrap]:
    """The isolation level; tests that need it are skipped where no box can be started."""
    try:
        level = Bubblewrap()
    except SandboxError as error:
        pytest.skip(f"bubblewrap is not usable here: {error}")
    yield level
    level.close()


@pytest.fixture(scope="session")
def sandbox(level: Bubblewrap) -> ColdSandbox:
    """The sandbox that all tests share."""
    return ColdSandbox(level)


@pytest.fixture(scope="session")
def warm_sandbox(level: Bubblewrap) -> Iterator[WarmSandbox]:
    """One that keeps compilers ready; for tests of programs, not of the sandbox."""
    with closing(boxes.warm_sandbox(level)) as sandbox:
        yield sandbox


@pytest.fixture
def need_toolchain(sandbox: ColdSandbox) -> Callable[[str], None]:
    """`need_toolchain(language_id)`: skip the test where that language cannot be run."""

    def need(language_id: str) -> None:
        if problem := sandbox.toolchain(spec.get(language_id)).problem:
            pytest.skip(problem)

    return need


@pytest.fixture
def cluster() -> "Iterator[Cluster]":
    """A Ray cluster of one node; for modules that skip themselves where there is no Ray."""
    ray, utils = (importlib.import_module(name) for name in ("ray", "ray.cluster_utils"))
    cluster = utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache folder that the users of boxes can enter, unlike pytest's own temporary folders."""
    folder = Path(tempfile.mkdtemp(prefix="codeglot-test-cache-"))
    folder.chmod(0o755)
    monkeypatch.setenv("CODEGLOT_CACHE", str(folder))
    yield folder
    shutil.rmtree(folder)
