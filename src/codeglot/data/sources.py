"""Where rows come from: files of a local folder, or of a data set on the Hugging Face hub.

Formats: `.jsonl`, `.json` (an array, or lines), both also with `.gz`, and `.parquet`. Bare `NaN` in JSON is
read as a float, as data sets in the wild have it. A folder that was named is never silently replaced by the hub.
"""

import gzip
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from huggingface_hub import hf_hub_download

from codeglot.errors import DataError

DATA_VARIABLE = "CODEGLOT_DATA"
"""Environment variable that names the data folder where none is given."""
_PLACE = (
    f"in data.sources.N.path (training), with evaluate.data or --data FOLDER (evaluation), or in {DATA_VARIABLE} (both)"
)
"""Where a folder of data is named."""
_FORM = "A .jsonl file has one object a line; a .json file may also be one array of objects."


class Source(NamedTuple):
    """Where the rows of one programming language lie."""

    files: tuple[str, ...]
    """Names to look for in the data folder; the first that exists is read (with or without `.gz`)."""
    hub: str | None = None
    """Data set on the Hugging Face hub, as `owner/name`; None: not there."""
    hub_files: tuple[str, ...] = ()
    """Files of it, all of which are read, in order; they are also found in a local copy of the data set."""
    revision: str | None = None
    """Branch, tag or commit on the hub; None: its main branch."""
    parts: tuple[str, ...] = ()
    """What `{part}` in a name of `files` stands for: that many files, all of which are read, in order. Their rows say
    which part they are of in a column `part`."""


class Row(NamedTuple):
    """One record as a file has it, with the place it came from."""

    where: str
    """File and line, for messages."""
    values: Mapping[str, Any]
    number: int = 0
    """Its place in the file, counted from 0."""

    def text(self, *names: str) -> str:
        """The first of these columns that holds text.

        Raises:
            DataError: If none of them does.
        """
        for name in names:
            value = self.values.get(name)
            if isinstance(value, str) and value.strip():
                if not is_unicode(value):
                    raise DataError(f"{self.where}: '{name}' holds half a character (\\ud800 to \\udfff). Mend it.")
                return value
        task = f" (task {self.values['task_id']})" if "task_id" in self.values else ""
        wanted = " or ".join(f"'{name}'" for name in names)
        raise DataError(
            f"{self.where}{task}: no text in {wanted}; the columns are {', '.join(self.values) or 'none'}. "
            "Give the file as its publisher has it."
        )

    def optional(self, name: str) -> str | None:
        """The text of a column; None where it is missing, null or NaN."""
        value = self.values.get(name)
        return value if isinstance(value, str) else None

    def lines(self, name: str) -> list[str]:
        """A column that holds a list of texts; empty where it is missing or null.

        Raises:
            DataError: If it holds something else.
        """
        value = self.values.get(name)
        items = [] if value is None else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise DataError(f"{self.where}: '{name}' must be a list of texts; it is {value!r:.80}.")
        return items


def is_unicode(text: str) -> bool:
    """Whether a text can be written at all; JSON may escape one half of a pair of surrogates, which is no character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def data_folder(given: Path | None) -> Path | None:
    """The folder (or single file) of local data: the one given, else that of `CODEGLOT_DATA`, else None.

    Raises:
        DataError: If it is named but not there.
    """
    named = os.environ.get(DATA_VARIABLE) if given is None else None
    path = Path(named) if named else given
    if path is not None and not path.exists():
        origin = f"{DATA_VARIABLE} names it" if given is None else "it was given as data"
        raise DataError(f"There is no {path} ({origin}). Name an existing folder {_PLACE}.")
    return path


def locate(source: Source, data: Path, *, folder: str) -> tuple[Path, ...]:
    """Files of `source` under `data`, directly or in its subfolder `folder`; empty where they are missing.

    `data` may also be the very file to read.
    """
    if data.is_file():
        return (data,)
    roots = (data, data / folder)
    for name in source.files:
        for root, ending in product(roots, ("", ".gz")):
            paths = tuple(root / (file + ending) for file in _expand(name, source))
            if all(path.is_file() for path in paths):
                return paths
    for root in roots if source.hub_files else ():
        copies = tuple(root / name for name in source.hub_files)
        if all(path.is_file() for path in copies):
            return copies
    return ()


def _expand(name: str, source: Source) -> list[str]:
    """The files that a name stands for."""
    return [name.replace("{part}", part) for part in source.parts or ("",)]


def _part(source: Source, path: Path) -> str | None:
    """Which part of the source a file is; None where it is none."""
    own = path.name.removesuffix(".gz")
    names = (_expand(name, source) for name in source.files)
    found = (part for files in names for part, file in zip(source.parts, files, strict=False) if Path(file).name == own)
    return next(found, None)


def read(source: Source, data: Path | None, *, folder: str, place: str = _PLACE) -> Iterator[Row]:
    """Rows of `source`, from the local `data` where it is given, else from the hub.

    Args:
        source: Where to look.
        data: Local folder or file; None: the hub.
        folder: Subfolder of `data` that is looked into as well.
        place: Where a local copy is named, for messages.

    Raises:
        DataError: If the files are missing, empty or malformed, or the hub does not give them.
    """
    paths = _download(source, place) if data is None else locate(source, data, folder=folder)
    if not paths:
        names = " or ".join(source.files) + (f", part being each of {', '.join(source.parts)}," if source.parts else "")
        raise DataError(
            f"No {names} in {data} or {data}/{folder} (with or without .gz). "
            f"Put it there, or name the right folder {place}."
        )
    for path in paths:
        part = _part(source, path)
        for row in iter_rows(path):
            yield row if part is None else row._replace(values={**row.values, "part": part})


def iter_rows(path: Path) -> Iterator[Row]:
    """Rows of one file, its format told by its name.

    Raises:
        DataError: If it cannot be read, is empty, or a line of it is malformed.
    """
    kind = Path(path.name.removesuffix(".gz")).suffix
    readers = {".jsonl": _iter_json, ".json": _iter_json, ".parquet": _iter_parquet}
    if kind not in readers:
        raise DataError(f"{path}: rows are read from .jsonl, .json, .jsonl.gz, .json.gz or .parquet files.")
    number = -1
    for number, (where, values) in enumerate(readers[kind](path)):
        if not isinstance(values, dict):
            raise DataError(f"{where}: a row must be a JSON object, not {values!r:.60}. {_FORM}")
        yield Row(where, values, number)
    if number < 0:
        raise DataError(f"{path} holds no rows. Get it again from where it came.")


def _iter_json(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = error.object.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, line {number}: the byte 0x{error.object[error.start]:02x} is no UTF-8. Save the file as UTF-8."
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error  # without the path once more
        raise DataError(f"Cannot read {path}: {_sentence(reason)} Name a file that is there and whole.") from error
    if text.lstrip().startswith("[") and Path(path.name.removesuffix(".gz")).suffix == ".json":
        for number, values in enumerate(_parse(text, str(path)), start=1):
            yield f"{path}, row {number}", values
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            where = f"{path}, line {number}"
            yield where, _parse(line, where)


def _parse(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: not valid JSON: {_sentence(error)} {_FORM}") from error


def _sentence(reason: object) -> str:
    """What a library says, with one full stop."""
    return f"{str(reason).rstrip('.')}."


def _iter_parquet(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError as error:
        raise DataError(
            f"{path} is a Parquet file, and pyarrow is not installed: pip install 'codeglot[parquet]', "
            "or give the rows as JSONL."
        ) from error
    try:
        table = parquet.read_table(path)
    except (OSError, ValueError) as error:  # pyarrow's own errors are subclasses of these
        raise DataError(f"{path} is not a readable Parquet file: {_sentence(error)} Get it again.") from error
    for number, values in enumerate(table.to_pylist(), start=1):
        yield f"{path}, row {number}", values


def _download(source: Source, place: str) -> tuple[Path, ...]:
    """Files from the hub, or from its cache on this machine (`HF_HUB_OFFLINE` is respected)."""
    if source.hub is None:
        raise DataError(
            f"{' or '.join(source.files)} is on no hub that codeglot knows. Get the file and name its folder {place}."
        )
    paths = []
    for name in source.hub_files:
        try:
            path = hf_hub_download(source.hub, name, repo_type="dataset", revision=source.revision)
        except (httpx.HTTPError, OSError, ValueError) as error:  # those of huggingface_hub are among these
            reason = _sentence(f"{' '.join(str(error).split()) or type(error).__name__:.400}")
            raise DataError(
                f"Cannot get {name} of the data set {source.hub} from the Hugging Face hub: {reason} "
                f"Without the hub, name a local copy of {' or '.join(source.files)} {place}."
            ) from error
        paths.append(Path(path))
    return tuple(paths)
