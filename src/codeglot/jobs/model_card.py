"""README.md of what is exported: what it is, what it was made of, and how it is loaded."""

from typing import Literal

from codeglot import __version__
from codeglot.jobs.runfile import TrainingRun
from codeglot.languages import spec
from codeglot.methods.adapter import Attached

_CARD = """# {title}

{form} of {base}, trained with codeglot {version} by {methods}{of_languages}.

- Base: `{base}`; its license holds for what is made of it, too.
- Data: {data}.
- Languages trained: {languages}.
- Load it with {how}.
"""


def model_card(run: TrainingRun, attached: Attached, form: Literal["peft", "merged"], name: str) -> str:
    """The text for one export.

    Args:
        run: That was trained.
        attached: What it gave.
        form: Of the export.
        name: Language it is for, `other` for other text; empty: all.
    """
    language = "other text" if name == "other" else spec.get(name).name if name else ""
    return _CARD.format(
        title=f"{run.base.model}, {language or 'adapted'}",
        form="A LoRA adapter" if form == "peft" else "The weights",
        base=run.base.model,
        version=__version__,
        methods=" and ".join(method.method for method in attached.methods),
        of_languages=f", as it treats {language}" if language else "",
        data=", ".join(dict.fromkeys(source.dataset for source in run.data.sources)),
        languages=", ".join(attached.languages),
        how=(
            "PEFT (`PeftModel.from_pretrained`), or any server of LoRA adapters whose largest rank is not below `r` in "
            "adapter_config.json"
            if form == "peft"
            else "transformers, or anything that loads the base"
        ),
    )
