"""The demonstration, with the smallest base and a few problems."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from codeglot.cli.demo import demo

SMALL = (
    "base.model=nano",
    "evaluate.num_problems=2",
    'evaluate.languages=["python", "lua"]',
    'data.sources=[{dataset="micro", num_examples=8, languages=["python", "lua"]}]',
    "train.steps=2",
    'validation={benchmarks=["micro"], languages=["python"], num_problems=1, every=2}',
    "generate.max_new_tokens=60",
)


@pytest.mark.toolchain
def test_the_demonstration_tells_the_whole_story_and_a_second_one_only_reads_it(
    tmp_path: Path, need_toolchain: Any
) -> None:
    need_toolchain("lua")
    for _ in range(2):
        result = CliRunner().invoke(demo, [*SMALL, "--out", str(tmp_path / "demo")], catch_exceptions=False)
        assert result.exit_code == 0
        lines = [line for line in result.stdout.splitlines() if line.startswith(("python", "lua", "mean"))]
        assert [line.split()[0] for line in lines] == ["python", "lua", "mean"]
        assert all(line.count(" to ") == 2 for line in lines)
    assert {path.name for path in (tmp_path / "demo").iterdir()} >= {"base", "lora", "report.md", "report.html"}
