"""What the run file says about training data. No torch here: a run file is checked without it."""

from pathlib import Path
from string import Formatter
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from codeglot.config import StrictModel
from codeglot.data.format import PromptStyle
from codeglot.errors import UnknownNameError
from codeglot.languages import spec

MICRO = "micro"
"""The bundled world, which makes its examples itself."""
FILE = "file"
"""Rows of one local file."""
HUB = "hub"
"""Rows of a data set on the Hugging Face hub."""
BENCHMARKS = ("mbpp", "mbxp", "sanitized_mbpp")
"""Benchmarks with a part for training."""
MOST = 10_000_000
"""Examples of one language, tokens of one example: more is a slip of the finger, not a wish."""


class Columns(StrictModel):
    """Which columns of a row make an example.

    `prompt` and `completion` are the name of a column, or a text with names in braces, as `"{instruction} {input}"`;
    a paragraph of it (what stands between blank lines) whose columns are all empty is left out.
    """

    prompt: str = Field(default="prompt", min_length=1)
    """What is put to the model."""
    completion: str = Field(default="completion", min_length=1)
    """What it is to write."""
    language_id: str | None = None
    """Column of the programming language, by id, name or alias; None: the set's `language_id`."""
    natural_language: str | None = None
    """Column of the prose's language (BCP 47); None: the set's `natural_language`."""

    @field_validator("prompt", "completion")
    @classmethod
    def _is_a_template(cls, text: str) -> str:
        try:
            names = template_columns(text)
        except ValueError as error:
            raise ValueError(f"{text!r} is no text with columns in braces: {error}; a brace itself is {{{{") from None
        if not names:
            raise ValueError(f"{text!r} names no column in braces, so all rows would be alike")
        return text


def template_columns(template: str) -> tuple[str, ...]:
    """Columns that a template names; a text without braces is the name of a column.

    Raises:
        ValueError: If its braces do not match, or hold more than a name.
    """
    if "{" not in template and "}" not in template:
        return (template,)
    names = []
    for _, name, form, conversion in Formatter().parse(template):
        if name is None:
            continue
        if not name or form or conversion or not name.replace("-", "_").isidentifier():
            raise ValueError(f"'{name}' is not the plain name of a column")
        names.append(name)
    return tuple(names)


class DataSet(StrictModel):
    """One of `data.sources`: where examples come from."""

    dataset: str = Field(min_length=1)
    """`micro` (the bundled world), `file`, `hub`, or the name of a benchmark with a part for training."""
    path: Path | None = None
    """The file of `file`; the data folder (or file) of a benchmark, None: `CODEGLOT_DATA`, else the hub."""
    hub: str | None = Field(default=None, pattern=r"^[\w.-]+/[\w.-]+$")
    """Data set on the hub, as `owner/name`, for `hub`."""
    files: tuple[str, ...] = ()
    """Files of it, all of which are read, in order, for `hub`."""
    revision: str | None = None
    """Branch, tag or commit of it; None: its main branch."""
    columns: Columns | None = None
    """How a row of `file` and `hub` is read; None: `prompt` and `completion` as they are."""
    prompt_is_code: bool = False
    """Whether the prompts of `file` and `hub` are the beginning of the program that the completion continues."""
    language_id: str | None = None
    """Programming language of every row of `file` and `hub`, where no column has it."""
    detect_language: bool = False
    """Take the language from the completion's first fence, else from the one language that the prompt names; rows
    with none or several are left out, and counted. For `file` and `hub` without a column of languages."""
    languages: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Programming languages that are taken; None: all. A named one without an example is an error."""
    natural_languages: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Languages of the prose that are taken (BCP 47); None: all."""
    natural_language: str = Field(default="en", min_length=2)
    """Language of the prose of `file` and `hub`, where no column has it."""
    num_examples: int | None = Field(default=None, ge=1, le=MOST)
    """The first this many of each programming language; None: all. `micro` needs a number."""
    incomplete: Literal["error", "drop"] = "error"
    """Rows whose prompt, completion or language is missing: an error naming them, or left out and counted."""
    license: str | None = None
    """SPDX id, where the set states one; kept with each example."""

    @field_validator("dataset")
    @classmethod
    def _can_be_trained_on(cls, name: str) -> str:
        known = (MICRO, FILE, HUB, *BENCHMARKS)
        if name not in known:
            unknown = UnknownNameError("training data", name, known)
            raise ValueError(f"{unknown} Other benchmarks are for evaluation alone")
        return name

    @field_validator("languages")
    @classmethod
    def _are_known(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if names is None else _language_ids(names)

    @field_validator("language_id")
    @classmethod
    def _is_known(cls, name: str | None) -> str | None:
        return None if name is None else _language_ids((name,))[0]

    @field_validator("natural_languages")
    @classmethod
    def _are_different(cls, codes: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if codes and (repeated := sorted({code for code in codes if codes.count(code) > 1})):
            raise ValueError(f"{', '.join(repeated)} stands there more than once; name each once")
        return codes

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        has_rows = self.dataset in {FILE, HUB}
        fields = type(self).model_fields
        given = {name for name in self.model_fields_set if getattr(self, name) != fields[name].default}
        rows_only = {"columns", "prompt_is_code", "language_id", "detect_language", "natural_language", "incomplete"}
        if not has_rows and (idle := sorted(rows_only & given)):
            raise ValueError(
                f"dataset = '{self.dataset}' takes no {', '.join(idle)}: it knows that itself; they are for "
                f"'{FILE}' and '{HUB}'"
            )
        if self.dataset != HUB and (idle := sorted({"hub", "files", "revision"} & given)):
            raise ValueError(f"dataset = '{self.dataset}' takes no {', '.join(idle)}; that is for '{HUB}'")
        if self.dataset == HUB and (self.hub is None or not self.files or self.path is not None):
            raise ValueError(f"'{HUB}' needs hub = 'owner/name' and files = [...], and no path")
        if self.dataset == FILE and self.path is None:
            raise ValueError(f"'{FILE}' needs path = 'rows.jsonl' (or .json, .parquet, .gz)")
        if self.dataset == MICRO and (self.num_examples is None or self.path is not None):
            raise ValueError(f"'{MICRO}' makes its examples: num_examples (of each language) is needed, and no path")
        if has_rows:
            self._check_language()
        return self

    def _check_language(self) -> None:
        column = self.columns.language_id if self.columns else None
        ways = [self.language_id is not None, column is not None, self.detect_language]
        if sum(ways) != 1:
            raise ValueError(
                "say in one way which language the rows are in: language_id = '...' for all of them, "
                f"columns.language_id = the column that has it, or detect_language = true; {sum(ways)} are given"
            )


class Data(StrictModel):
    """`[data]`: what is trained on."""

    sources: tuple[DataSet, ...]
    """Where examples come from."""
    style: PromptStyle = PromptStyle.COMPLETION
    """`completion`: the prompt is continued, as base models do; `chat`: a message is answered."""
    languages: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Programming languages in the order of `language_ids` 1, 2, ...; None: those of the examples, sorted. One without
    an example is an error, and so is an example in none of them."""
    max_length: int = Field(default=1024, ge=2, le=MOST)
    """Tokens of one example at most, prompt, completion and end together; never more than the base has positions."""
    too_long: Literal["error", "drop", "truncate"] = "error"
    """Examples above `max_length`: an error naming them; left out and counted; or their completion is cut."""
    temperature: float = Field(default=1.0, ge=1.0, le=1000.0)
    """A language with n examples is drawn in proportion to n^(1/temperature): 1 as the data are, large ones evenly."""
    weights: dict[str, float] | None = Field(default=None, min_length=1)
    """Share of each language in what is drawn, in any unit, instead of `temperature`; it names every language."""

    @field_validator("sources")
    @classmethod
    def _are_there(cls, sources: tuple[DataSet, ...]) -> tuple[DataSet, ...]:
        if not sources:  # as min_length, a faulty source would be called a missing one too
            raise ValueError("there are none; give at least one [[data.sources]]")
        return sources

    @field_validator("languages")
    @classmethod
    def _are_known(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if names is None else _language_ids(names)

    @field_validator("weights")
    @classmethod
    def _are_positive(cls, weights: dict[str, float] | None) -> dict[str, float] | None:
        if weights is None:
            return None
        ids = _language_ids(tuple(weights))
        if low := [name for name, weight in weights.items() if weight <= 0]:
            raise ValueError(f"weights must be above 0; leave {', '.join(low)} out of the sources instead")
        return dict(zip(ids, weights.values(), strict=True))

    @model_validator(mode="after")
    def _draws_in_one_way(self) -> Self:
        if self.weights is not None and self.temperature != 1.0:
            raise ValueError("temperature and weights both say how often a language is drawn; give one of them")
        return self


def _language_ids(names: tuple[str, ...]) -> tuple[str, ...]:
    """Ids of languages given by id, name or alias."""
    try:
        ids = [spec.get(name).id for name in names]
    except UnknownNameError as error:  # pydantic collects ValueErrors alone
        raise ValueError(str(error)) from None
    if repeated := sorted({language_id for language_id in ids if ids.count(language_id) > 1}):
        raise ValueError(f"{', '.join(repeated)} stands there more than once; name each once")
    return tuple(ids)
