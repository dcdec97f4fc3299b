import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from huggingface_hub import HfApi

from codeglot import micro
from codeglot.errors import ConfigError, EngineError
from codeglot.models.locate import locate_adapter, locate_model
from codeglot.models.settings import BUNDLED, Base
from tests.tiny_model import save_tiny_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a complete model looks like from outside."""
    path = tmp_path / "model"
    path.mkdir()
    for name in ("config.json", "tokenizer.json"):
        (path / name).write_text("{}")
    (path / "model.safetensors").write_bytes(b"weights")
    return path


def refusal(model: Path | str, **settings: Any) -> str:
    with pytest.raises(EngineError) as raised:
        locate_model(Base(model=str(model), **settings))
    assert str(model) in str(raised.value)
    return str(raised.value)


def test_a_complete_folder_is_taken(folder: Path) -> None:
    assert locate_model(Base(model=str(folder))) == folder


@pytest.mark.parametrize("name", ["./missing", "/no/such/folder", "a/b/c", "~/no such"])
def test_a_name_that_can_only_be_a_folder_and_is_not_there_is_an_error(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"base\.model = '{name}' is not a folder here"):
        locate_model(Base(model=name))


def test_a_revision_of_a_folder_is_an_error_since_it_has_no_effect(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"base\.revision = 'v2' has no effect"):
        locate_model(Base(model=str(folder), revision="v2"))


def test_a_folder_without_config_is_an_error(folder: Path) -> None:
    (folder / "config.json").unlink()

    assert "has no config.json" in refusal(folder)


def test_an_adapter_in_the_place_of_a_model_is_recognized(folder: Path) -> None:
    (folder / "config.json").rename(folder / "adapter_config.json")

    assert "name it in base.adapter" in refusal(folder)


def test_a_config_that_is_no_json_is_an_error(folder: Path) -> None:
    (folder / "config.json").write_text("{")

    assert "config.json cannot be read" in refusal(folder)


def test_a_folder_without_tokenizer_is_an_error(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()

    assert "has no tokenizer" in refusal(folder)


def test_a_folder_without_weights_is_an_error(folder: Path) -> None:
    (folder / "model.safetensors").unlink()

    assert "has no weights" in refusal(folder)


def test_pickled_weights_are_refused_with_a_remedy(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")

    message = refusal(folder)

    assert "only as pickles (pytorch_model.bin)" in message
    assert "save_pretrained" in message


def test_every_missing_shard_is_named(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    shards = {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-3.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))

    assert "lacks 2 of 3 files of weights: model-2.safetensors, model-3.safetensors" in refusal(folder)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"weight_map": 3}'])
def test_an_index_that_is_none_is_an_error(folder: Path, text: str) -> None:
    (folder / "model.safetensors.index.json").write_text(text)

    assert "is not an index of weights" in refusal(folder)


@pytest.mark.parametrize(
    ("present", "complaint"),
    [
        ([], "no adapter_config.json"),
        (["adapter_config.json"], "no adapter_model.safetensors"),
        (["adapter_config.json", "adapter_model.bin"], "pickles"),
    ],
)
def test_an_adapter_that_is_incomplete_or_a_pickle_is_an_error(
    tmp_path: Path, present: list[str], complaint: str
) -> None:
    for name in present:
        (tmp_path / name).touch()

    with pytest.raises(EngineError, match=complaint):
        locate_adapter(tmp_path)


def test_an_adapter_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="is not a folder"):
        locate_adapter(tmp_path / "missing")


FILES = {
    "config.json": b"{}",
    "tokenizer.json": b"{}",
    "model.safetensors": b"weights",
    "pytorch_model.bin": b"pickle",
    "onnx/config.json": b"{}",
    "README.md": b"text",
}


class _HubHandler(BaseHTTPRequestHandler):
    """The little of the hub's protocol that a download needs: one model, `me/tiny`."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the standard library
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/api/models/me/tiny/revision/other"):
            self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        elif path.startswith("/api/models/me/tiny/revision/"):
            self._send(200, json.dumps({"id": "me/tiny", "sha": COMMIT, "siblings": []}).encode())
        elif path.startswith("/api/models/me/tiny/tree/"):
            rows = [
                {"type": "file", "path": name, "size": len(FILES[name]), "oid": f"{i:040d}"}
                for i, name in enumerate(FILES)
            ]
            self._send(200, json.dumps(rows).encode())
        elif path.startswith(f"/me/tiny/resolve/{COMMIT}/"):
            name = path.rpartition(f"{COMMIT}/")[2]
            self._send(200, FILES[name], {"ETag": f'"{name}"', "X-Repo-Commit": COMMIT})
        elif "me/gated" in path:
            self._send(403, b"{}", {"X-Error-Code": "GatedRepo"})
        else:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HfApi]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _HubHandler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield HfApi(endpoint=f"http://127.0.0.1:{server.server_address[1]}", token=False)
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_model_of_the_hub_is_brought_without_its_pickles(hub: HfApi) -> None:
    folder = locate_model(Base(model="me/tiny"), hub)

    assert sorted(path.name for path in folder.rglob("*")) == ["config.json", "model.safetensors", "tokenizer.json"]
    assert folder.name == COMMIT


def test_a_model_that_is_neither_here_nor_on_the_hub_is_an_error(hub: HfApi) -> None:
    with pytest.raises(EngineError, match="'me/tyni' is neither a folder here nor a model on http"):
        locate_model(Base(model="me/tyni"), hub)


def test_a_gated_model_is_an_error_with_a_remedy(hub: HfApi) -> None:
    with pytest.raises(EngineError, match=r"'me/gated' on .* is gated.*HF_TOKEN"):
        locate_model(Base(model="me/gated"), hub)


def test_a_revision_that_is_not_there_is_an_error(hub: HfApi) -> None:
    with pytest.raises(EngineError, match="'me/tiny' at revision 'other' has no such revision"):
        locate_model(Base(model="me/tiny", revision="other"), hub)


def test_a_hub_that_cannot_be_reached_is_an_error_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))

    with pytest.raises(EngineError, match=r"could not be brought from http://127.0.0.1:9.*Check the network"):
        locate_model(Base(model="me/tiny"), HfApi(endpoint="http://127.0.0.1:9", token=False))


def test_a_bundled_base_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(micro.__loader__, "path", str(tmp_path / "micro" / "__init__.py"))
    folder = save_tiny_model(tmp_path / "micro" / "assets" / "nano")

    assert locate_model(Base(model="nano")) == folder


def test_a_bundled_name_means_the_same_in_every_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(micro.__loader__, "path", str(tmp_path / "micro" / "__init__.py"))
    folder = save_tiny_model(tmp_path / "micro" / "assets" / "nano")
    own = save_tiny_model(tmp_path / "work" / "nano")
    monkeypatch.chdir(tmp_path / "work")

    assert locate_model(Base(model="nano")) == folder
    assert locate_model(Base(model="./nano")).resolve() == own


def test_a_bundled_base_that_is_misspelled_is_suggested(hub: HfApi) -> None:
    with pytest.raises(EngineError, match="Did you mean the bundled base 'micro'"):
        locate_model(Base(model="micr"), hub)
    with pytest.raises(EngineError, match="Did you mean the bundled base 'nano'"):
        locate_model(Base(model="nanno"), HfApi(endpoint="http://127.0.0.1:9", token=False))


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_base_that_is_not_there_is_an_error_with_the_command_that_builds_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(micro.__loader__, "path", str(tmp_path / "micro" / "__init__.py"))
    monkeypatch.chdir(tmp_path)

    with pytest.raises(
        EngineError, match=rf"'{name}' is not in this installation.*`codeglot pretrain-micro`"
    ) as raised:
        locate_model(Base(model=name))
    assert "working directory" not in str(raised.value)

    (tmp_path / name).mkdir()
    with pytest.raises(EngineError, match=rf"To use the folder '{name}' of the working directory, write './{name}'"):
        locate_model(Base(model=name))


def test_a_revision_of_a_bundled_base_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"base\.revision = 'main' has no effect"):
        locate_model(Base(model="micro", revision="main"))
