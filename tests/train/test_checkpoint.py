import logging
import resource
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from codeglot.errors import RunError
from codeglot.train.checkpoint import Checkpoints, Standing, Tensors
from codeglot.train.randomness import capture
from tests.train.scene import make_examples, run, tiny, weights

IDENTITY = {"the base model": "a", "the languages": "b"}


def tensors(value: Any = 1.0, size: int = 4) -> Any:
    trained = {"a": torch.full((size,), value)}
    return Tensors(trained, {"state": {0: {"step": torch.tensor(value)}}, "param_groups": []}, [capture()])


def load(checkpoints: Checkpoints) -> tuple[Standing, Tensors]:
    found = checkpoints.load()
    assert found is not None
    return found


def names(folder: Any) -> Any:
    return sorted(path.name for path in (folder / "checkpoints").iterdir())


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, IDENTITY, keep=1)
    standing = Standing(step=7, num_tokens=5, cpu_s=0.1, losses={"nll": 1 / 3}, num_logged_over=2)

    checkpoints.save(standing, tensors(2.5))

    found, loaded = load(checkpoints)
    assert found == standing
    assert torch.equal(loaded.trained["a"], torch.full((4,), 2.5))
    assert loaded.optimizer["state"][0]["step"] == 2.5
    assert loaded.random[0]["random"] == tensors().random[0]["random"]


def test_nothing_saved_is_nothing_to_continue(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path, IDENTITY, keep=1).load() is None


def test_the_newest_are_kept(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, IDENTITY, keep=2)

    for step in (1, 2, 10):
        checkpoints.save(Standing(step=step), tensors())

    assert names(tmp_path) == ["step-00000002", "step-00000010"]
    assert load(checkpoints)[0].step == 10


def test_the_best_step_of_every_kept_checkpoint_stays(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, IDENTITY, keep=2)
    for step in (1, 2, 3):
        checkpoints.save_best(step, {"a": torch.full((1,), float(step))})
        checkpoints.save(Standing(step=step, best_step=step, best_metric=0.0), tensors())

    assert names(tmp_path) == ["best-00000002", "best-00000003", "step-00000002", "step-00000003"]
    assert checkpoints.load_best(2)["a"].item() == 2.0


@pytest.mark.parametrize("file", ["checkpoint.json", "trained.safetensors", "optimizer.pt", "random.pt"])
@pytest.mark.parametrize("harm", ["cut", "gone", "filled with zeros", "filled with ones"])
def test_a_damaged_checkpoint_is_passed_over_with_a_message(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, file: str, harm: str
) -> None:
    checkpoints = Checkpoints(tmp_path, IDENTITY, keep=2)
    checkpoints.save(Standing(step=1), tensors(1.0))
    checkpoints.save(Standing(step=2), tensors(2.0))
    path = tmp_path / "checkpoints" / "step-00000002" / file
    content = path.read_bytes()
    path.unlink()
    if harm != "gone":
        filled = (b"\xff" if harm == "filled with ones" else b"\0") * len(content)
        path.write_bytes(content[: len(content) // 2] if harm == "cut" else filled)

    with caplog.at_level(logging.WARNING):
        standing, loaded = load(checkpoints)

    assert standing.step == 1
    assert loaded.trained["a"][0] == 1.0
    assert "step-00000002 is damaged" in caplog.text


def test_a_damaged_checkpoint_does_not_outlive_the_step_before_it(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, IDENTITY, keep=1)
    checkpoints.save(Standing(step=5), tensors())
    (tmp_path / "checkpoints" / "step-00000005" / "optimizer.pt").unlink()

    checkpoints.save(Standing(step=3), tensors())

    assert names(tmp_path) == ["step-00000003"]


def test_a_checkpoint_whose_best_step_is_lost_is_passed_over(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, IDENTITY, keep=2)
    checkpoints.save(Standing(step=1), tensors())
    checkpoints.save_best(2, {"a": torch.ones(1)})
    checkpoints.save(Standing(step=2, best_step=2, best_metric=1.0), tensors())
    shutil.rmtree(tmp_path / "checkpoints" / "best-00000002")

    assert load(checkpoints)[0].step == 1


def test_a_checkpoint_of_another_training_is_refused_by_what_differs(tmp_path: Path) -> None:
    Checkpoints(tmp_path, IDENTITY, keep=1).save(Standing(step=1), tensors())

    with pytest.raises(RunError, match=r"another training: the base model differ.*Give another folder"):
        Checkpoints(tmp_path, IDENTITY | {"the base model": "c"}, keep=1).load()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"lr": 0.5}, r"the settings of \[train\] and \[optim\]"),
        ({"seed": 3}, "the examples, their order or the seed"),
        ({"examples": make_examples(5)}, "the examples, their order or the seed"),
        ({"model": 1}, "the base model"),
        ({"r": 3}, "the base model, the methods"),
    ],
    ids=["rate", "seed", "examples", "base", "rank"],
)
def test_a_run_folder_of_another_training_is_refused(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    run(*tiny(), tmp_path, steps=2)
    own = dict(change)
    model = tiny(own.pop("model", 0), **({"r": own.pop("r")} if "r" in own else {}))

    with pytest.raises(RunError, match=named):
        run(*model, tmp_path, steps=2, **own)


def test_how_often_is_logged_and_saved_may_change(tmp_path: Path) -> None:
    run(*tiny(), tmp_path, steps=2)

    assert run(*tiny(), tmp_path, steps=2, log_every=2, save_every=1, keep_checkpoints=3).num_steps == 2


@pytest.fixture
def small_files() -> Any:
    """No file above a few bytes can be written, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))

    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 300, 3000], ids=["state", "weights", "optimizer"])
def test_a_full_disk_leaves_the_checkpoint_before_whole(tmp_path: Path, small_files: Any, size: int) -> None:
    checkpoints = Checkpoints(tmp_path, IDENTITY, keep=1)
    checkpoints.save(Standing(step=1), tensors(1.0))

    small_files(size)
    with pytest.raises(RunError, match=r"Cannot write the checkpoint .*step-00000002.*The one before it is whole"):
        checkpoints.save(Standing(step=2), tensors(2.0, size=100))
    small_files(resource.RLIM_INFINITY)

    assert names(tmp_path) == ["step-00000001"]
    assert load(checkpoints)[0].step == 1


def test_a_checkpoint_holds_no_frozen_weights(tmp_path: Path) -> None:
    model, methods = tiny()
    run(model, methods, tmp_path, steps=1)

    (path,) = (tmp_path / "checkpoints").glob("step-*/trained.safetensors")
    trained = sum(value.numel() for value in weights(model).values())
    assert path.stat().st_size < 4 * trained + 20_000
