"""Every row, over every level that claims it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from codeglot.execute.cold import ColdSandbox
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.execute.step import Level
from codeglot.records import Limits
from tests.execute.hostile.conftest import Host
from tests.execute.hostile.row import ALL, Row
from tests.execute.hostile.rows import ROWS
from tests.execute.test_hostile import SYSTEM_CALLS

TABLE = Path(__file__).parents[3] / "docs" / "design" / "isolation.md"


@pytest.mark.parametrize(
    ("name", "row"),
    [pytest.param(name, row, id=f"{name}-{row.name}") for name in ALL for row in ROWS if name in row.levels],
)
def test_a_row_is_stopped_where_it_is_claimed(
    name: str, row: Row, open_level: Callable[[str], Level], host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    level = open_level(name)
    monkeypatch.setenv("SECRET", "hunter2")
    place = 0 if os.uname().machine == "x86_64" else 1
    calls = [(name, call[place], *eval(f"({call[2]},)")) for name, call in SYSTEM_CALLS.items()]
    with level.open_box() as other:
        other.put({"main": "secret of another program"})
        request = ExecutionRequest(
            source=host.fill(row.source, OTHER=other.folder, CALLS=calls),
            language_id="python",
            limits=Limits.model_validate({"cpu_s": 5.0, **row.limits}),
        )
        execution = ColdSandbox(level).run(request)
    assert execution.level == name
    assert row.is_stopped(execution), f"{execution.verdict} {execution.detail}\n{execution.stdout}{execution.stderr}"
    assert not host.is_harmed()


def test_the_table_in_the_documentation_says_what_is_tested() -> None:
    lines = ["| a program tries | " + " | ".join(ALL) + " |", "|---|" + "---|" * len(ALL)]
    for row in ROWS:
        cells = ("stopped" if name in row.levels else "not claimed" for name in ALL)
        lines.append(f"| {row.name} | {' | '.join(cells)} |")
    table = "\n".join(lines)
    assert table in TABLE.read_text(), f"put this into {TABLE}:\n{table}"
