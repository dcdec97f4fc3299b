import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from codeglot.data.batch import IGNORED
from codeglot.errors import ConfigError, DataError, DivergedError
from codeglot.methods.base import Method, Stage
from codeglot.runs import METRICS, read_rows
from codeglot.train.loop import Validation
from codeglot.train.metrics import MetricsRow
from codeglot.train.randomness import capture
from tests.conftest import GOLDEN
from tests.train.scene import make_examples, run, tiny, weights


def train_tiny(out: Path, *, method: Any = "lora", attach: Any = None, **settings: Any) -> Any:
    """Train a fresh tiny model and return its weights and its lines of metrics."""
    model, methods = tiny(method=method, **(attach or {}))
    run(model, methods, out, **settings)
    return weights(model), read_rows(out / METRICS, MetricsRow)


def assert_alike(left: Any, right: Any) -> None:
    assert left.keys() == right.keys()
    for name in left:
        torch.testing.assert_close(left[name], right[name], rtol=2e-4, atol=2e-5, msg=name)


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize(
    "settings",
    [{"micro_batch_size": 1}, {"micro_batch_size": 3}, {"packing": True}, {"packing": True, "micro_batch_size": 1}],
    ids=str,
)
def test_rows_and_forward_passes_change_nothing_about_a_step(tmp_path: Path, method: str, settings: Any) -> None:
    # eps: Adam divides by the gradient, so that of a weight without one would be noise over noise
    own = {"method": method, "batch_size": 6, "eps": 1e-3, "steps": 3}
    expected, expected_rows = train_tiny(tmp_path / "a", micro_batch_size=6, **own)

    found, rows = train_tiny(tmp_path / "b", **own | {"max_length": 48} | settings)

    assert_alike(found, expected)
    for row, expected_row in zip(rows, expected_rows, strict=True):
        assert row.losses == pytest.approx(expected_row.losses, rel=1e-4)
        assert row.nll_by_language == pytest.approx(expected_row.nll_by_language, rel=1e-4)
        assert row.grad_norm == pytest.approx(expected_row.grad_norm, rel=1e-3)
        assert (row.num_tokens, row.num_target_tokens) == (expected_row.num_tokens, expected_row.num_target_tokens)


def test_layers_computed_twice_give_the_same_steps(tmp_path: Path) -> None:
    expected, _ = train_tiny(tmp_path / "a")

    found, _ = train_tiny(tmp_path / "b", gradient_checkpointing=True)

    assert_alike(found, expected)


def test_the_loss_is_the_sum_over_targets_by_their_number(tmp_path: Path) -> None:
    model, methods = tiny()
    examples = make_examples(4)
    nll = []
    with torch.no_grad():
        for example in examples:
            logits = model(torch.tensor([example.input_ids])).logits[0, :-1]
            targets = torch.tensor(example.labels[1:])
            nll += nn.functional.cross_entropy(logits, targets, ignore_index=IGNORED, reduction="none")[
                targets != IGNORED
            ].tolist()

    run(model, methods, tmp_path, steps=1, examples=examples)

    (row,) = read_rows(tmp_path / METRICS, MetricsRow)
    assert row.losses["nll"] == pytest.approx(sum(nll) / len(nll), rel=1e-4)
    assert row.num_target_tokens == len(nll)
    assert row.num_tokens == sum(len(example.input_ids) for example in examples)


def test_a_warm_up_longer_than_the_training_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"optim.warmup_steps = 5, but the training has 4 step\(s\)"):
        train_tiny(tmp_path, steps=4, warmup_steps=5)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(("method", "name"), [("lora", "adamw"), ("full", "adamw"), ("full", "muon")])
def test_a_training_that_stops_and_goes_on_is_the_one_that_did_not_bit_for_bit(
    tmp_path: Path, method: str, name: str
) -> None:
    settings = {"method": method, "attach": {"lora_dropout": 0.3} if method == "lora" else {}}
    own = {"steps": 6, "log_every": 4, "save_every": 3, "schedule": "cosine", "weight_decay": 0.1, "name": name}
    expected, expected_rows = train_tiny(tmp_path / "a", **own, **settings)

    class StopError(Exception):
        pass

    def stop(step: int, num_steps: int, row: Any) -> None:
        if step == 5:  # two steps behind the checkpoint
            raise StopError

    with pytest.raises(StopError):
        train_tiny(tmp_path / "b", **own, **settings, progress=stop)
    seen = []
    found, rows = train_tiny(tmp_path / "b", **own, **settings, progress=lambda step, *_: seen.append(step))

    assert seen == [3, 4, 5, 6]
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    timeless = {"tokens_per_s", "cpu_s", "wall_s"}
    assert [r.model_dump(exclude=timeless) for r in rows] == [r.model_dump(exclude=timeless) for r in expected_rows]
    assert [row.step for row in rows] == [1, 4, 6]


def test_a_finished_training_is_not_taken_again(tmp_path: Path) -> None:
    expected, rows = train_tiny(tmp_path)

    found, again = train_tiny(tmp_path)

    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert again == rows


def test_twice_the_same_seed_is_twice_the_same_training_and_another_seed_is_not(tmp_path: Path) -> None:
    dropout = {"attach": {"lora_dropout": 0.5}}
    first, _ = train_tiny(tmp_path / "a", **dropout)
    second, _ = train_tiny(tmp_path / "b", **dropout)
    other, _ = train_tiny(tmp_path / "c", seed=1, **dropout)

    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def measure_rudely(model: Any, step: int) -> Any:
    """A validation that leaves everything different."""
    model.train()
    model.requires_grad_(requires_grad=True)
    model.config.use_cache = False
    torch.manual_seed(step)
    np.random.seed(step)
    torch.rand(3)
    with torch.no_grad():
        model(torch.tensor([[1, 2, 3]]))
    return {"pass_at_1": 0.0}


def test_a_validation_leaves_no_trace(tmp_path: Path) -> None:
    dropout = {"attach": {"lora_dropout": 0.5}, "steps": 5}
    expected, _ = train_tiny(tmp_path / "a", **dropout)

    # The first of equal steps is the best, so that the last step's weights are in the last checkpoint alone.
    states = []

    def measure(model: Any, step: int) -> Any:
        before = capture()["torch"]
        assert not model.training
        result = measure_rudely(model, step)
        states.append(before)
        return result | {"pass_at_1": float(step)}

    found, rows = train_tiny(tmp_path / "b", **dropout, validate=Validation(measure, "pass_at_1", 2))

    assert len(states) == 3
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert [(row.step, row.validation) for row in rows if row.validation] == [
        (step, {"pass_at_1": float(step)}) for step in (2, 4, 5)
    ]


def test_the_weights_of_the_best_step_are_kept(tmp_path: Path) -> None:
    seen = {}

    def measure(model: Any, step: int) -> Any:
        seen[step] = weights(model)
        return {"pass_at_1": {2: 0.1, 4: 0.5, 6: 0.5}[step]}

    model, methods = tiny()
    result = run(model, methods, tmp_path, steps=6, save_every=2, validate=Validation(measure, "pass_at_1", 2))

    assert (result.best_step, result.best_metric) == (4, 0.5)
    found = weights(model)
    assert all(torch.equal(found[name], seen[4][name]) for name in found)
    assert not all(torch.equal(found[name], seen[6][name]) for name in found)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["best-00000004", "step-00000006"]


def test_a_best_step_before_the_stop_is_still_the_best(tmp_path: Path) -> None:
    def measure(model: Any, step: int) -> Any:
        return {"pass_at_1": 1.0 / step}

    settings = {"steps": 4, "save_every": 2, "validate": Validation(measure, "pass_at_1", 1)}
    expected, _ = train_tiny(tmp_path / "a", **settings)

    def stop(step: int, num_steps: int, row: Any) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_tiny(tmp_path / "b", **settings, progress=stop)
    model, methods = tiny()
    result = run(model, methods, tmp_path / "b", **settings)

    assert result.best_step == 1
    assert all(torch.equal(value, expected[name]) for name, value in weights(model).items())


def test_a_validation_without_the_deciding_number_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no 'pass_at_1'.*it gave accuracy"):
        train_tiny(tmp_path, validate=Validation(lambda *_: {"accuracy": 1.0}, "pass_at_1", 1))


def test_the_model_is_left_in_evaluation_without_gradients(tmp_path: Path) -> None:
    model, methods = tiny()

    run(model, methods, tmp_path, gradient_checkpointing=True)

    assert not any(module.training for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert model.config.use_cache
    assert not model.is_activation_checkpointing


def test_a_loss_that_is_no_number_stops_before_the_weights_change(tmp_path: Path) -> None:
    model, methods = tiny()
    before = weights(model)
    with torch.no_grad():
        model.get_output_embeddings().weight[7] = math.nan

    with pytest.raises(DivergedError, match=r"loss \(nll\) of step 1 is not a finite number.*scene:\d") as caught:
        run(model, methods, tmp_path)
    assert "checkpoints" not in str(caught.value)
    assert "float32" not in str(caught.value)

    assert all(torch.equal(value, before[name]) for name, value in weights(model).items())
    assert not (tmp_path / "checkpoints").exists()


def test_only_the_forward_pass_at_fault_is_named(tmp_path: Path) -> None:
    model, methods = tiny(method="full")
    examples = make_examples(4)
    examples[2] = examples[2]._replace(input_ids=[95] * len(examples[2].input_ids))
    for place in (0, 1, 3):
        examples[place] = examples[place]._replace(
            input_ids=[token % 95 for token in examples[place].input_ids],
            labels=[label if label == IGNORED else label % 95 for label in examples[place].labels],
        )
    with torch.no_grad():
        model.get_input_embeddings().weight[95] = math.inf

    with pytest.raises(DivergedError, match=r"with these examples: scene:2. "):
        run(model, methods, tmp_path, examples=examples, micro_batch_size=1)


def test_an_example_without_targets_is_named(tmp_path: Path) -> None:
    examples = make_examples(4)
    examples[1] = examples[1]._replace(labels=[IGNORED] * len(examples[1].labels))

    with pytest.raises(DataError, match=r"1 example.* no token to train on: scene:1"):
        train_tiny(tmp_path, examples=examples)


def test_nothing_to_train_is_an_error(tmp_path: Path) -> None:
    model, methods = tiny()
    model.requires_grad_(requires_grad=False)

    with pytest.raises(ConfigError, match="Nothing of the model is trained"):
        run(model, methods, tmp_path)


def test_a_model_in_float16_is_refused(tmp_path: Path) -> None:
    model, methods = tiny()

    with pytest.raises(ConfigError, match="float16"):
        run(model.half(), methods, tmp_path)


def test_the_curve_of_twenty_steps_is_the_recorded_one(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A change of 1e-3 in a loss is more than rounding on another processor does, and less than any fault."""
    _, rows = train_tiny(tmp_path, steps=20, lr=1e-3, warmup_steps=4, schedule="cosine", weight_decay=0.01)
    found = [row.losses["nll"] for row in rows]
    path = GOLDEN / "train_loss.json"
    if request.config.getoption("--update-golden"):
        path.write_text(json.dumps([round(value, 5) for value in found], indent=1) + "\n")

    assert found == pytest.approx(json.loads(path.read_text()), rel=1e-3)


def test_training_learns(tmp_path: Path) -> None:
    _, rows = train_tiny(tmp_path, steps=40, lr=3e-2, batch_size=12, examples=make_examples(12))

    assert rows[-1].losses["nll"] < 0.7 * rows[0].losses["nll"]


class Watched(Method):
    """Writes down what the loop asks of it."""

    method: str = "watched"
    calls: list[tuple[object, ...]]
    two_stages: bool = False

    def attach(self, model: Any, languages: Any) -> Any:
        return model

    def stages(self) -> Any:
        return (Stage("first", 0.5), Stage("second", 0.5)) if self.two_stages else super().stages()

    def begin_stage(self, model: Any, stage: Any) -> None:
        self.calls.append(("begin_stage", stage))
        if self.two_stages:
            for name, parameter in model.named_parameters():
                parameter.requires_grad_(("lora_A" if stage == "first" else "lora_B") in name)

    def prepare(self, batch: Any, *, drops: bool = True) -> Any:
        self.calls.append(("prepare", tuple(batch.input_ids.shape)))
        return batch

    def forward_loss(self, model: Any) -> Any:
        self.calls.append(("forward_loss",))
        return {"balance": torch.tensor(2.0)}

    def step_loss(self, model: Any) -> Any:
        self.calls.append(("step_loss",))
        return {"penalty": sum((p**2).sum() for p in model.parameters() if p.requires_grad)}

    def before_step(self, model: Any) -> None:
        self.calls.append(("before_step", all(p.grad is not None for p in model.parameters() if p.requires_grad)))

    def after_step(self, model: Any, lr_by_parameter: Any) -> None:
        self.calls.append(("after_step", sorted(set(lr_by_parameter.values()))))

    def save(self, model: Any, folder: Any) -> None:
        pass

    def load(self, base: Any, folder: Any, languages: Any) -> Any:
        return base


def test_the_hooks_of_a_method_come_in_their_order(tmp_path: Path) -> None:
    model, methods = tiny()
    watched = Watched(calls=[])

    run(model, [*methods, watched], tmp_path, steps=1, batch_size=4, micro_batch_size=2, lr=0.5)

    assert [call[0] for call in watched.calls] == [
        "begin_stage",
        *["prepare", "forward_loss"] * 2,
        "step_loss",
        "before_step",
        "after_step",
    ]
    assert watched.calls[-2:] == [("before_step", True), ("after_step", [0.5])]


def test_terms_are_logged_apart_and_a_mean_over_passes_does_not_depend_on_their_number(tmp_path: Path) -> None:
    model, methods = tiny()

    run(model, [*methods, Watched(calls=[])], tmp_path, steps=1, micro_batch_size=1)

    (row,) = read_rows(tmp_path / METRICS, MetricsRow)
    assert row.losses["balance"] == pytest.approx(2.0)
    assert row.losses["penalty"] == pytest.approx(
        sum(float((v**2).sum()) for v in weights(tiny()[0]).values()), rel=1e-4
    )
    assert set(row.losses) == {"nll", "balance", "penalty"}


def test_stages_train_what_they_say_and_a_stop_between_them_changes_nothing(tmp_path: Path) -> None:
    def train(out: Path, progress: Any = None) -> Any:
        model, methods = tiny(method="lora")
        watched = Watched(calls=[], two_stages=True)
        run(model, [*methods, watched], out, steps=4, save_every=2, progress=progress)
        return {name: p.detach().clone() for name, p in model.named_parameters() if "lora_" in name}

    expected = train(tmp_path / "a")

    def stop(step: int, num_steps: int, row: Any) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "b", stop)
    found = train(tmp_path / "b")

    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert [row.stage for row in read_rows(tmp_path / "a" / METRICS, MetricsRow)] == ["first"] * 2 + ["second"] * 2


def test_a_best_step_of_an_earlier_stage_has_later_ones_as_they_began(tmp_path: Path) -> None:
    model, methods = tiny(method="lora")
    began = weights(model)

    result = run(
        model,
        [*methods, Watched(calls=[], two_stages=True)],
        tmp_path,
        steps=4,
        validate=Validation(lambda _, step: {"score": -float(step)}, "score", 1),
    )

    assert result.best_step == 1
    for name, parameter in model.named_parameters():
        if name in began:
            assert torch.equal(parameter, began[name]) == ("lora_B" in name), name


def test_numbers_behind_a_training_are_those_of_its_settings(tmp_path: Path) -> None:
    model, methods = tiny()
    examples = make_examples(10)

    result = run(model, methods, tmp_path, epochs=1.0, batch_size=4, examples=examples)

    assert result.num_steps == 3
    assert result.num_tokens == sum(len(example.input_ids) for example in examples)
    assert result.num_target_tokens == sum(example.num_targets for example in examples)
    assert result.num_trainable == sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert result.gpu_s == 0.0
    assert result.cpu_s > 0
    assert result.wall_s > 0


def test_muon_gets_the_layers_and_leaves_embeddings_to_adamw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, ...]] = []
    step = torch.optim.Muon.step

    def watch(self: Any, closure: Any = None) -> Any:
        seen.extend(tuple(parameter.shape) for group in self.param_groups for parameter in group["params"])
        return step(self, closure)

    monkeypatch.setattr(torch.optim.Muon, "step", watch)
    model, methods = tiny(method="full")
    run(model, methods, tmp_path, name="muon", lr=1e-3, steps=1)
    layers = [tuple(p.shape) for name, p in model.named_parameters() if ".layers." in name and p.ndim == 2]
    assert sorted(seen) == sorted(layers)
