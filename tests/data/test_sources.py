"""Rows from files, from a data folder and from a hub."""

import gzip
import hashlib
import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeglot.data import sources
from codeglot.data.sources import Row, Source, data_folder, iter_rows, locate, read
from codeglot.errors import DataError

ROWS = [{"task_id": "a/0", "prompt": "π\n"}, {"task_id": "a/1", "prompt": "\u2028"}]
SOURCE = Source(files=("rows.jsonl",), hub="someone/rows", hub_files=("data/rows.jsonl",))


def jsonl(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def values(path: Path) -> list[Any]:
    return [row.values for row in iter_rows(path)]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz", "rows.json", "rows.json.gz", "rows.parquet"])
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    text = json.dumps(ROWS) if ".json" in name and ".jsonl" not in name else jsonl(ROWS)
    if name.endswith(".parquet"):
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), path)
    elif name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    assert values(path) == ROWS


def test_lines_in_a_json_file_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text("\ufeff" + jsonl(ROWS), encoding="utf-8")
    assert values(path) == ROWS


def test_a_bare_nan_is_read_and_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"task_id": "a", "canonical_solution": NaN}\n')
    [row] = iter_rows(path)
    assert math.isnan(row.values["canonical_solution"])
    assert row.optional("canonical_solution") is None


@settings(deadline=None, max_examples=30)
@given(st.lists(st.dictionaries(st.text(), st.none() | st.text() | st.integers()), min_size=1))
def test_any_rows_come_back_from_jsonl(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), newline="")
    assert values(path) == rows


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("rows.jsonl", b'{"a": 1}\n{"a": \n', "line 2"),
        ("rows.jsonl", b'{"a": 1}\n[1]\n', "line 2: a row must be a JSON object"),
        (
            "rows.jsonl",
            b'[1, 2]\n{"a": 1}\n',
            r"line 1: a row must be a JSON object, not \[1, 2\]\. .* one object a line",
        ),
        ("rows.jsonl", b'[{"a": 1}]', "line 1: a row must be a JSON object, .* a .json file may also be one array"),
        ("rows.jsonl", b'[\n{"a": 1}\n]', "line 1: not valid JSON: .* a .json file may also be one array"),
        ("rows.json", b'[{"a": 1},\n\n3]', "row 2: a row must be a JSON object, not 3"),
        ("rows.jsonl", b"\n\n", "holds no rows"),
        ("rows.json", b"[]", "holds no rows"),
        ("rows.json", b"[{}", "not valid JSON"),
        ("rows.jsonl", b"\xef\xbb\xbf{}\n\n{\xff\xfe", r"jsonl, line 3: the byte 0xff is no UTF-8\. Save the file as"),
        ("rows.jsonl.gz", b"not gzip", "Cannot read"),
        ("rows.jsonl.gz", gzip.compress(b"{}\n" * 100, mtime=0)[:-20], "Cannot read"),
        ("rows.parquet", b"PAR1 but not really", "not a readable Parquet file"),
        ("rows.csv", b"a,b", "rows are read from .jsonl"),
    ],
)
def test_a_broken_file_is_named_with_its_fault(tmp_path: Path, name: str, content: bytes, complaint: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=complaint) as error:
        values(path)
    assert str(path) in str(error.value)
    assert ".." not in str(error.value).replace("...", "")


def test_a_row_with_half_a_character_is_named() -> None:
    with pytest.raises(DataError, match=r"x\.jsonl, line 3: 'prompt' holds half a character"):
        Row("x.jsonl, line 3", {"prompt": "\ud800"}).text("prompt")


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    (tmp_path / "rows.parquet").write_bytes(b"")
    with pytest.raises(DataError, match=r"pip install 'codeglot\[parquet\]'"):
        values(tmp_path / "rows.parquet")


def test_a_missing_column_is_told_with_the_place_and_the_columns() -> None:
    row = Row("x.jsonl, line 3", {"task_id": "T/1", "prompt": " "})
    with pytest.raises(
        DataError, match=r"x\.jsonl, line 3 \(task T/1\): no text in 'text' or 'prompt'.*task_id, prompt"
    ):
        row.text("text", "prompt")


def test_a_list_column_must_hold_texts() -> None:
    assert Row("x", {}).lines("tests") == []
    assert Row("x", {"tests": ["a"]}).lines("tests") == ["a"]
    with pytest.raises(DataError, match="'tests' must be a list of texts"):
        Row("x", {"tests": [1]}).lines("tests")


@pytest.mark.parametrize("place", ["rows.jsonl", "rows.jsonl.gz", "bench/rows.jsonl", "bench/rows.jsonl.gz"])
def test_a_file_is_found_in_the_folder_and_below_it(tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(jsonl(ROWS).encode()) if place.endswith(".gz") else jsonl(ROWS).encode())
    assert locate(SOURCE, tmp_path, folder="bench") == (path,)
    assert [row.values for row in read(SOURCE, tmp_path, folder="bench")] == ROWS


def test_a_local_copy_of_the_hub_data_set_is_found(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/rows.jsonl").write_text(jsonl(ROWS))
    assert [row.values for row in read(SOURCE, tmp_path, folder="bench")] == ROWS


def test_a_named_folder_without_the_file_is_an_error_and_the_hub_is_not_asked(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"No rows\.jsonl in {tmp_path}.*--data FOLDER"):
        list(read(SOURCE, tmp_path, folder="bench"))


def test_the_data_folder_is_the_given_one_else_that_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(sources.DATA_VARIABLE, str(tmp_path))
    assert data_folder(None) == tmp_path
    assert data_folder(tmp_path.parent) == tmp_path.parent
    with pytest.raises(DataError, match="There is no"):
        data_folder(tmp_path / "absent")
    monkeypatch.setenv(sources.DATA_VARIABLE, str(tmp_path / "absent"))
    with pytest.raises(DataError, match="CODEGLOT_DATA names it"):
        data_folder(None)
    monkeypatch.delenv(sources.DATA_VARIABLE)
    assert data_folder(None) is None


def test_a_source_that_is_on_no_hub_says_so() -> None:
    with pytest.raises(DataError, match="on no hub"):
        list(read(Source(files=("own.jsonl",)), None, folder="x"))


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def hub(files: dict[str, bytes]) -> Iterator[str]:
    """A server on this machine that speaks the resolve protocol of the hub for one data set."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            content = files.get(self.path)
            self.send_response(404 if content is None else 200)
            if content is None:
                self.send_header("X-Error-Code", "EntryNotFound")
                content = b"Entry not found"
            else:
                self.send_header("X-Repo-Commit", COMMIT)
                self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(timeout=10)


READ = """
import json
from codeglot.data.sources import Source, read
from codeglot.errors import DataError
hub_files = ("data/a.jsonl", "data/b.parquet")
source = Source(files=("rows.jsonl",), hub="someone/rows", hub_files=hub_files, revision={revision!r})
try:
    print(json.dumps([dict(row.values) for row in read(source, None, folder="x")]))
except DataError as error:
    print(f"error: {{error}}")
"""


def ask_hub(endpoint: str, cache: Path, revision: str | None = None, **environment: str) -> str:
    """Read from `endpoint` in a process of its own, since huggingface_hub reads its settings when imported."""
    settings_ = {"HF_ENDPOINT": endpoint, "HF_HOME": str(cache), "HF_HUB_DISABLE_TELEMETRY": "1", **environment}
    result = subprocess.run(
        [sys.executable, "-c", READ.format(revision=revision)],
        env={**{k: v for k, v in os.environ.items() if "proxy" not in k.lower()}, **settings_},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return result.stdout.strip()


@pytest.mark.parametrize(("revision", "branch"), [(None, "main"), ("refs/convert/parquet", "refs%2Fconvert%2Fparquet")])
def test_rows_come_from_the_hub_and_then_from_its_cache(tmp_path: Path, revision: str | None, branch: str) -> None:
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS[1:]), tmp_path / "b.parquet")
    root = f"/datasets/someone/rows/resolve/{branch}/data"
    files = {f"{root}/a.jsonl": jsonl(ROWS[:1]).encode(), f"{root}/b.parquet": (tmp_path / "b.parquet").read_bytes()}
    with hub(files) as endpoint:
        assert json.loads(ask_hub(endpoint, tmp_path / "cache", revision)) == ROWS
    assert json.loads(ask_hub(endpoint, tmp_path / "cache", revision, HF_HUB_OFFLINE="1")) == ROWS


def test_a_file_that_the_hub_does_not_have_is_one_error_with_a_remedy(tmp_path: Path) -> None:
    with hub({}) as endpoint:
        message = ask_hub(endpoint, tmp_path)
    assert message.startswith("error: Cannot get data/a.jsonl of the data set someone/rows")
    assert "404" in message
    assert "name a local copy of rows.jsonl in data.sources.N.path (training), with evaluate.data or --data" in message
    assert "\n" not in message


def test_offline_without_a_cached_file_is_one_error_with_a_remedy(tmp_path: Path) -> None:
    message = ask_hub("http://127.0.0.1:9", tmp_path, HF_HUB_OFFLINE="1")
    assert message.startswith("error: Cannot get data/a.jsonl")
    assert "--data FOLDER" in message


def test_a_hub_that_does_not_answer_is_one_error_with_a_remedy(tmp_path: Path) -> None:
    message = ask_hub("http://127.0.0.1:9", tmp_path, HF_HUB_ETAG_TIMEOUT="2", HF_HUB_DOWNLOAD_TIMEOUT="2")
    assert message.startswith("error: Cannot get data/a.jsonl")
    assert "--data FOLDER" in message


def test_json_that_nests_without_end_is_an_error_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("[" * 100_000 + "]" * 100_000 + "\n")
    with pytest.raises(DataError, match="not valid JSON"):
        list(iter_rows(path))


def test_rows_know_their_place_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(f"\n{jsonl(ROWS)}")
    assert [row.number for row in iter_rows(tmp_path / "rows.jsonl")] == [0, 1]


IN_PARTS = Source(files=("rows_{part}.jsonl", "data/{part}.json"), parts=("ja", "de"))


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("pattern", IN_PARTS.files)
def test_all_parts_are_read_in_order_and_told_apart(tmp_path: Path, pattern: str, ending: str) -> None:
    for number, part in enumerate(IN_PARTS.parts):
        path = tmp_path / "named" / (pattern.replace("{part}", part) + ending)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = jsonl([ROWS[number]]).encode()
        path.write_bytes(gzip.compress(text) if ending else text)
    rows = list(read(IN_PARTS, tmp_path, folder="named"))
    assert [row.values for row in rows] == [{**ROWS[0], "part": "ja"}, {**ROWS[1], "part": "de"}]


def test_a_part_that_is_missing_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "rows_de.jsonl").write_text(jsonl(ROWS))
    with pytest.raises(DataError, match=r"No rows_\{part\}\.jsonl or .*part being each of ja, de"):
        list(read(IN_PARTS, tmp_path, folder="named"))
    assert [row.values["part"] for row in read(IN_PARTS, tmp_path / "rows_de.jsonl", folder="named")] == ["de", "de"]
