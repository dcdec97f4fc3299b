"""Whose run folder it is."""

from pathlib import Path
from typing import TextIO

import pytest

from codeglot import runs
from codeglot.errors import RunError
from codeglot.jobs.folder import check_folder, claim
from codeglot.jobs.runfile import EvaluationRun, RunFile
from codeglot.jobs.trained import trained_run


def run_file(seed: int = 0) -> EvaluationRun:
    settings = {"seed": seed, "generate": {"engine": "reference"}, "evaluate": {"benchmarks": ["humaneval"]}}
    return EvaluationRun.model_validate(settings)


def test_settings_may_change_until_the_first_completion_is_written(tmp_path: Path) -> None:
    with claim(tmp_path, run_file(0)):
        (tmp_path / runs.COMPLETIONS).touch()
    with claim(tmp_path, run_file(1)):
        (tmp_path / runs.COMPLETIONS).write_text("{}\n")
    with pytest.raises(RunError, match="other settings \\(seed was 1, is 2\\)"), claim(tmp_path, run_file(2)):
        pass


def test_two_processes_do_not_share_a_folder(tmp_path: Path) -> None:
    with claim(tmp_path, run_file()), pytest.raises(RunError, match="Another process"), claim(tmp_path, run_file()):
        pass


def test_of_many_changed_settings_a_handful_is_named_with_old_and_new_value(tmp_path: Path) -> None:
    with claim(tmp_path, run_file()):
        (tmp_path / runs.COMPLETIONS).write_text("{}\n")
    settings = {
        "seed": 4,
        "generate": {"engine": "mutated", "max_new_tokens": 7, "temperature": 0.5, "top_p": 0.25},
        "evaluate": {"benchmarks": ["x" * 99], "languages": ["python"], "split": "all"},
    }
    with pytest.raises(RunError) as caught, claim(tmp_path, EvaluationRun.model_validate(settings)):
        pass
    text = str(caught.value)
    assert f"(evaluate.benchmarks was ['humaneval'], is ['{'x' * 55}...; " in text
    assert "evaluate.languages was unset, is ['python']; evaluate.split was unset, is 'all'; " in text
    assert "; and 3 more)" in text
    assert "seed was" not in text


def test_looking_at_a_folder_refuses_what_claiming_it_would_and_touches_nothing(tmp_path: Path) -> None:
    out = tmp_path / "run"
    check_folder(out, run_file())
    assert not out.exists()
    with claim(out, run_file()):
        (out / runs.COMPLETIONS).write_text("{}\n")
    before = (out / runs.CONFIG).read_bytes()
    with pytest.raises(RunError, match=r"seed was 0, is 1"):
        check_folder(out, run_file(1))
    assert (out / runs.CONFIG).read_bytes() == before
    with pytest.raises(RunError, match="no run folder"):
        check_folder(tmp_path, run_file())


def test_a_failure_before_any_work_leaves_no_folder_that_was_not_there(tmp_path: Path) -> None:
    def work(out: Path, *written: str) -> None:
        with claim(out, run_file()):
            for name in written:
                (out / name).touch()
            raise RunError("stop")

    def fail(out: Path, *written: str) -> None:
        with pytest.raises(RunError, match="stop"):
            work(out, *written)

    fail(tmp_path / "new" / "run")
    assert not list(tmp_path.iterdir())
    fail(tmp_path / "worked", runs.PROBLEMS, runs.ENVIRONMENT)
    assert (tmp_path / "worked" / runs.CONFIG).exists()
    (tmp_path / "mine").mkdir()
    fail(tmp_path / "mine" / "run", runs.PROBLEMS)
    assert (tmp_path / "mine").is_dir()
    assert not list((tmp_path / "mine").iterdir())


def test_a_folder_that_was_removed_before_it_was_locked_is_not_worked_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start that waited for the lock file of one that failed would hold a lock that nobody else can see."""

    def lock(file: TextIO, flags: int) -> None:
        Path(file.name).unlink()

    monkeypatch.setattr("fcntl.flock", lock)
    with pytest.raises(RunError, match=r"has removed .* meanwhile"), claim(tmp_path / "run", run_file()):
        pass


def validated(max_new_tokens: int, *, is_validated: bool = True) -> RunFile:
    settings = {
        "generate": {"engine": "huggingface", "max_new_tokens": max_new_tokens},
        "validation": {"benchmarks": ["micro"], "every": 5} if is_validated else None,
    }
    return RunFile.model_validate(settings)


def test_a_training_goes_on_under_the_decoding_that_its_validations_began_with(tmp_path: Path) -> None:
    with claim(tmp_path, validated(64)):
        (tmp_path / runs.METRICS).write_text("{}\n")
    with pytest.raises(RunError, match=r"generate\.max_new_tokens"), claim(tmp_path, validated(32)):
        pass
    runs.write_json(tmp_path / runs.TRAINING, {})
    with claim(tmp_path, validated(32)):  # trained to its end, it may be judged otherwise
        pass


def test_without_validation_decoding_decides_nothing_of_a_training(tmp_path: Path) -> None:
    with claim(tmp_path, validated(64, is_validated=False)):
        (tmp_path / runs.METRICS).write_text("{}\n")
    with claim(tmp_path, validated(32, is_validated=False)):
        pass


@pytest.mark.parametrize("place", ["file", "file/below", "nul\0", "long" * 99])
def test_a_place_for_no_folder_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"name one|Name another"), claim(tmp_path / place, run_file()):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("extra", [(), (runs.METRICS,), (runs.METRICS, runs.TRAINING)])
def test_a_model_or_another_thing_with_a_config_of_its_own_is_left_alone(
    tmp_path: Path, extra: tuple[str, ...]
) -> None:
    (tmp_path / runs.CONFIG).write_text('{"architectures": ["LlamaForCausalLM"], "vocab_size": 7}')
    for name in extra:
        (tmp_path / name).write_text("{}\n")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(RunError, match=r"config\.json is not that of a run"):
        check_folder(tmp_path, run_file())
    with pytest.raises(RunError, match=r"config\.json is not that of a run"), claim(tmp_path, run_file()):
        pass
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    with pytest.raises(RunError, match="nothing was trained there"):
        trained_run(tmp_path, None)


def test_a_place_below_a_file_is_refused_without_trying(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with pytest.raises(RunError, match=r"plain is no folder\. Name another with --out"):
        check_folder(tmp_path / "plain" / "run", run_file())
