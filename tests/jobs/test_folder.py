"""Whose run folder it is."""

from pathlib import Path

import pytest

from codeglot import runs
from codeglot.errors import RunError
from codeglot.jobs.folder import claim
from codeglot.jobs.runfile import EvaluationRun, RunFile


def run_file(seed: int = 0) -> EvaluationRun:
    settings = {"seed": seed, "generate": {"engine": "reference"}, "evaluate": {"benchmarks": ["humaneval"]}}
    return EvaluationRun.model_validate(settings)


def test_settings_may_change_until_the_first_completion_is_written(tmp_path: Path) -> None:
    with claim(tmp_path, run_file(0)):
        (tmp_path / runs.COMPLETIONS).touch()
    with claim(tmp_path, run_file(1)):
        (tmp_path / runs.COMPLETIONS).write_text("{}\n")
    with pytest.raises(RunError, match="other settings \\(seed\\)"), claim(tmp_path, run_file(2)):
        pass


def test_two_processes_do_not_share_a_folder(tmp_path: Path) -> None:
    with claim(tmp_path, run_file()), pytest.raises(RunError, match="Another process"), claim(tmp_path, run_file()):
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
