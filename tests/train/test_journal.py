import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from codeglot.errors import ConfigError
from codeglot.runs import METRICS, read_rows
from codeglot.train.metrics import MetricsRow, cut_after
from codeglot.train.trackers import check
from tests.train.scene import run, tiny


def row(step: int) -> Any:
    return MetricsRow(
        step=step,
        stage="train",
        num_tokens=step,
        num_target_tokens=step,
        losses={"nll": 1.0},
        nll_by_language={},
        lr=0.1,
        grad_norm=1.0,
        tokens_per_s=1.0,
        cpu_s=1.0,
        wall_s=1.0,
    )


def test_lines_behind_a_step_are_cut_off_with_a_torn_one(tmp_path: Path) -> None:
    path = tmp_path / METRICS
    path.write_text("".join(row(step).model_dump_json() + "\n" for step in (1, 2, 3)) + '{"step": 4, "sta')

    cut_after(path, 2)

    assert read_rows(path, MetricsRow) == [row(1), row(2)]


def test_nothing_is_cut_off_what_is_not_there(tmp_path: Path) -> None:
    cut_after(tmp_path / METRICS, 0)

    assert not (tmp_path / METRICS).exists()


def test_the_first_the_last_and_every_nth_step_are_logged(tmp_path: Path) -> None:
    run(*tiny(), tmp_path, steps=8, log_every=3)

    assert [line.step for line in read_rows(tmp_path / METRICS, MetricsRow)] == [1, 3, 6, 8]


def test_a_line_has_the_mean_of_the_steps_since_the_last(tmp_path: Path) -> None:
    run(*tiny(), tmp_path / "a", steps=5, log_every=1)
    run(*tiny(), tmp_path / "b", steps=5, log_every=5)

    every = [line.losses["nll"] for line in read_rows(tmp_path / "a" / METRICS, MetricsRow)]
    first, last = (line.losses["nll"] for line in read_rows(tmp_path / "b" / METRICS, MetricsRow))
    assert first == pytest.approx(every[0])
    assert last == pytest.approx(sum(every[1:]) / 4, rel=1e-5)


def test_progress_hears_of_every_step_and_of_what_is_logged(tmp_path: Path) -> None:
    heard = []

    run(*tiny(), tmp_path, steps=3, log_every=2, progress=lambda *news: heard.append(news))

    lines = {line.step: line for line in read_rows(tmp_path / METRICS, MetricsRow)}
    assert heard == [(0, 3, None), *((step, 3, lines.get(step)) for step in (1, 2, 3))]


@pytest.mark.skipif(find_spec("trackio") is not None, reason="trackio is installed here")
def test_a_tracker_that_is_not_installed_is_named_with_the_command_for_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"names trackio, not installed here. Install with: pip install trackio"):
        check(["trackio"])
    with pytest.raises(ConfigError, match="trackio"):
        run(*tiny(), tmp_path, trackers=("trackio",))
    assert not list(tmp_path.iterdir())


def test_settings_trackers_and_metrics_need_no_torch() -> None:
    modules = ("settings", "trackers", "metrics", "summary")
    imports = "; ".join(f"import codeglot.train.{name}" for name in modules)
    code = f"{imports}; import codeglot.optim.settings, sys; assert not {{'torch', 'accelerate'}} & sys.modules.keys()"

    subprocess.run([sys.executable, "-c", code], check=True)


def test_tensorboard_gets_the_curves(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run(*tiny(), tmp_path, steps=3, trackers=("tensorboard",))

    (folder,) = (path.parent for path in tmp_path.glob("codeglot/events*"))
    events = EventAccumulator(str(folder)).Reload()
    lines = read_rows(tmp_path / METRICS, MetricsRow)
    assert [event.value for event in events.Scalars("loss/nll")] == pytest.approx([x.losses["nll"] for x in lines])
