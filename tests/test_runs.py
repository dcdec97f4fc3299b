"""The run folder's files survive kills, and say where they are wrong."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codeglot import runs
from codeglot.errors import DataError, RunError
from codeglot.records import Completion

TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=6)


def rows(texts: list[str]) -> list[Completion]:
    return [Completion(task_id=f"t/{number}", text=text) for number, text in enumerate(texts)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(TEXTS)
def test_rows_come_back_as_they_were_written(tmp_path: Path, texts: list[str]) -> None:
    path = tmp_path / "rows.jsonl"
    runs.write_rows(path, rows(texts))
    assert runs.read_rows(path, Completion) == rows(texts)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(TEXTS, st.integers(min_value=0), st.text(max_size=5))
def test_a_file_torn_anywhere_keeps_its_whole_lines_and_can_be_continued(
    tmp_path: Path, texts: list[str], cut: int, more: str
) -> None:
    path = tmp_path / "rows.jsonl"
    runs.write_rows(path, rows(texts))
    whole = path.read_bytes()
    torn = whole[: cut % (len(whole) + 1)]
    path.write_bytes(torn)
    kept = rows(texts)[: torn.count(b"\n")]
    assert runs.read_rows(path, Completion) == kept
    last = Completion(task_id="last", text=more.encode(errors="replace").decode())
    with runs.RowWriter(path) as writer:
        writer.write(last)
    assert runs.read_rows(path, Completion) == [*kept, last]


def test_a_torn_line_longer_than_one_read_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    first = rows(["a"])
    runs.write_rows(path, first)
    with path.open("ab") as file:
        file.write(b"x" * 200_000)
    runs.RowWriter(path).close()
    assert runs.read_rows(path, Completion) == first


def test_each_row_is_in_the_file_before_the_next_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with runs.RowWriter(path) as writer:
        for count, row in enumerate(rows(["a", "b", "c"]), start=1):
            writer.write(row)
            assert len(runs.read_rows(path, Completion)) == count


def test_a_malformed_whole_line_is_named_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"task_id": "a", "text": ""}\n{"task_id": 1}\n')
    with pytest.raises(DataError, match=r"rows\.jsonl, line 2, has 2 problem"):
        runs.read_rows(path, Completion)
    path.write_text("garbage\n")
    with pytest.raises(DataError, match=r"(?s)line 1, has 1 problem.*Invalid JSON.*take the line out; the same"):
        runs.read_rows(path, Completion)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.jsonl"):
        runs.read_rows(tmp_path / "nowhere.jsonl", Completion)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    runs.write_json(path, {"score": 1})
    before = path.read_bytes()
    with pytest.raises(ValueError, match="JSON compliant"):
        runs.write_json(path, {"score": float("nan")})
    with pytest.raises(UnicodeEncodeError):
        runs.write_text(path, "\ud800")
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["scores.json"]


def test_a_place_that_cannot_be_written_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"Cannot write .*file/scores\.json: (Not a directory|File exists)"):
        runs.write_text(tmp_path / "file" / "scores.json", "")
    with pytest.raises(RunError, match=r"Cannot write .*rows\.jsonl"):
        runs.RowWriter(tmp_path / "file" / "rows.jsonl")


def test_a_full_disk_is_told_once(tmp_path: Path) -> None:
    full = tmp_path / "rows.jsonl"
    full.symlink_to("/dev/full")
    with pytest.raises(RunError, match="No space left on device"), runs.RowWriter(full) as writer:
        writer.write(rows(["a"])[0])


def test_the_environment_names_what_can_change_a_result() -> None:
    found = runs.environment(device="cpu", toolchains={"python": "Python 3"}, sandbox_level="bubblewrap")
    assert found.packages["pydantic"]
    assert found.num_cores >= 1
    assert found.toolchains == {"python": "Python 3"}


def test_the_cache_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CODEGLOT_CACHE", str(tmp_path))
    assert runs.cache_folder() == tmp_path
