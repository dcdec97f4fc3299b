"""A trained run -> folders that other software loads unchanged: plain PEFT adapters or whole models.

RUN/adapter/ -> OUT/ (one for all languages) or OUT/<language>/ (one each), every one of them held against the run.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from codeglot import runs
from codeglot.config import build
from codeglot.errors import ConfigError, RunError, UnknownNameError
from codeglot.jobs.folder import refuse_unwritable
from codeglot.jobs.model_card import model_card
from codeglot.jobs.progress import Progress, Silent
from codeglot.jobs.runfile import TrainingRun
from codeglot.jobs.trained import trained_run
from codeglot.methods.adapter import Attached, check_export, load_methods
from codeglot.methods.plain import Update, merge, sum_up, write_lora
from codeglot.models.load import LoadedBase, load_base, put_adapter_on
from codeglot.regularizers.low_rank import LowRank

Form = Literal["peft", "merged"]
_TEXT = "def scale(values, factor):\n    return [factor * value for value in values]\n"
"""What the exported model is compared on."""


def export(
    run: Path, out: Path, form: Form, languages: Sequence[str] = (), progress: Progress | None = None
) -> list[Path]:
    """Write what was trained in a form that needs no codeglot.

    Args:
        run: Folder of a finished training.
        out: Where to: an empty or a new folder, which is whole afterwards or not there.
        form: `peft`: adapters for the base; `merged`: whole models.
        languages: Those wanted, of a method that routes by language; empty: all, and other text.
        progress: Is told of each folder.

    Raises:
        CodeglotError: If the run cannot be loaded, is no sum of low-rank updates, or lacks a language; or if something
            lies in `out`.
    """
    progress = progress or Silent()
    out = out.resolve()  # a name is needed, which '.' has not
    _refuse_filled(out)
    settings = build(TrainingRun, trained_run(run, None), source=str(run / runs.CONFIG))
    base = load_base(settings.base)
    attached = load_methods(base.model, run / runs.ADAPTER)
    variants = _variants(attached)
    wanted = _wanted(variants, languages)
    with runs.replacing_folder(out) as new:
        for name in wanted:
            progress.say(f"{out / name}: writing")
            folder = new / name
            folder.mkdir(exist_ok=True)
            _write(settings, base, sum_up(variants[name]), form, folder)
            (folder / "README.md").write_text(model_card(settings, attached, form, name), encoding="utf-8")
            _check(settings, attached, base, form, folder, name)
    return [out / name for name in wanted]


def _refuse_filled(out: Path) -> None:
    refuse_unwritable(out)
    if names := sorted(path.name for path in out.iterdir()) if out.exists() else []:
        some = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        raise RunError(f"{out} holds {some} already, which would be lost. Name an empty or a new folder with --out.")


def _variants(attached: Attached) -> dict[str, list[LowRank]]:
    """All low-rank updates that a token meets, by its language; under the empty name where that does not count."""
    found: dict[str, list[LowRank]] = {"": []}
    for method in attached.methods:
        updates = method.updates(attached.model, attached.languages)
        if updates is None:
            raise ConfigError(
                f"What '{method.method}' trained is no sum of low-rank updates. The run's own folder "
                f"`{runs.ADAPTER}` is what other software can load of it."
            )
        if "" in updates:
            found = {name: [*before, *updates[""]] for name, before in found.items()}
        else:
            found = {name: [*found[""], *own] for name, own in updates.items()}
    return found


def _wanted(variants: Mapping[str, Sequence[LowRank]], languages: Sequence[str]) -> list[str]:
    if "" in variants and languages:
        raise ConfigError(
            f"--language {languages[0]}: this run is not routed by language, so it has one export. "
            "Leave --language out."
        )
    if unknown := [name for name in languages if name not in variants]:
        raise UnknownNameError("language of this run", unknown[0], variants)
    return list(dict.fromkeys(languages)) or list(variants)


def _write(run: TrainingRun, base: LoadedBase, updates: Mapping[str, Update], form: Form, folder: Path) -> None:
    fresh: Any = load_base(run.base).model
    if form == "peft":
        write_lora(updates, fresh, run.base.model, folder)
    else:
        merge(updates, fresh)
        fresh.save_pretrained(folder)
        base.tokenizer.save_pretrained(folder)


def _check(run: TrainingRun, attached: Attached, base: LoadedBase, form: Form, folder: Path, name: str) -> None:
    """Load what was written, and compare it with the run where all tokens are of this language."""
    if form == "peft":
        model: Any = put_adapter_on(load_base(run.base).model, folder)
    else:
        model = load_base(run.base.model_copy(update={"model": str(folder), "revision": None})).model
    check_export(attached, model, base.tokenizer.encode(_TEXT), name)
