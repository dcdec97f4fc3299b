"""Recipe -> bundled base: a tokenizer and a small Llama trained on the micro world from nothing.

The corpus is its seed: nothing of it is kept. A killed pretraining goes on from its last checkpoint.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from safetensors import SafetensorError

from codeglot import runs
from codeglot.config import build
from codeglot.data.encode import encode
from codeglot.data.format import PromptStyle
from codeglot.data.settings import Data, DataSet
from codeglot.errors import UnknownNameError
from codeglot.jobs.folder import hold
from codeglot.jobs.pretrain_folders import RECIPE, refuse_assets, refuse_out
from codeglot.jobs.progress import Progress, Silent, steps_shown
from codeglot.methods.full import Full
from codeglot.micro import phrasing
from codeglot.micro.recipe import Recipe
from codeglot.micro.renderers.renderer import languages as rendered_languages
from codeglot.micro.stream import stream
from codeglot.models.new import new_llama, save_base, train_tokenizer
from codeglot.optim.registry import OPTIMIZERS
from codeglot.optim.settings import Optim
from codeglot.records import Example
from codeglot.train import loop
from codeglot.train.settings import Train
from codeglot.train.summary import TrainingSummary

_SAVES = 8
"""Checkpoints on the way."""


def pretrain(
    recipe: Recipe, out: Path, assets: Path, progress: Progress | None = None, *, is_replacing: bool = False
) -> TrainingSummary:
    """Build a base and write it to `assets`; the log and the checkpoints stay in `out`.

    Args:
        recipe: What to build.
        out: Folder of the training.
        assets: Folder for the model: config, weights in bfloat16, tokenizer, and the recipe with what it took.
        progress: Shows how far it is.
        is_replacing: Whether a base of another training that is in `assets` is replaced, as a whole.

    Raises:
        ConfigError: If there is no such optimizer or language, or a number is out of its range.
        RunError: If a folder cannot be written, or holds something else.
    """
    progress = progress or Silent()
    optim, train, corpus = _optim(recipe), _train(recipe), _read(recipe)
    refuse_assets(assets, out, is_replacing=is_replacing)
    with hold(out):
        refuse_out(out, recipe)
        runs.write_json(out / runs.CONFIG, recipe)
        tokenizer = train_tokenizer(_tokenizer_texts(recipe), recipe.vocab_size)
        ids = tuple(sorted(recipe.languages))
        examples = list(islice(corpus, recipe.steps * recipe.batch_size))
        settings = Data(sources=(DataSet(dataset="micro", num_examples=1),), style=PromptStyle.COMPLETION)
        settings = settings.model_copy(update={"max_length": recipe.max_length, "too_long": "drop"})
        encoding = encode(examples, tokenizer, settings, ids)
        for note in encoding.notes:
            progress.say(note)
        method = Full(method="full")
        base = new_llama(recipe, tokenizer)
        model = method.attach(base, ids)
        with steps_shown(progress) as advance:
            result = loop.train(
                model,
                (method,),
                encoding.examples,
                train=train,
                optim=optim,
                languages=ids,
                seed=recipe.seed,
                out=out,
                order=range(len(encoding.examples)),
                progress=advance,
                pad_token_id=int(tokenizer.pad_token_id or 0),
            )
        summary = TrainingSummary(num_examples=len(encoding.examples), languages=ids, **result._asdict())
        runs.write_json(out / runs.TRAINING, summary)
        with runs.replacing_folder(assets, also=(SafetensorError,)) as new:
            save_base(base, tokenizer, new)
            runs.write_json(new / RECIPE, recipe)
            runs.write_json(new / runs.TRAINING, summary)
            runs.write_text(new / runs.METRICS, (out / runs.METRICS).read_text(encoding="utf-8"))
    return summary


def _tokenizer_texts(recipe: Recipe) -> Iterator[str]:
    """Prompts and solutions, equally many of every language, those that the base never reads among them.

    A vocabulary that knows all languages does not make a model know them, and leaves room to adapt to them.
    """
    flat = recipe.model_copy(
        update={
            "seed": recipe.seed + 1,
            "languages": dict.fromkeys(rendered_languages(), 1.0),
            "natural_languages": dict.fromkeys(phrasing.natural_languages(), 1.0),
        }
    )
    examples = islice(_read(flat), recipe.num_tokenizer_texts)
    return (example.prompt + example.completion for example in examples)


def _read(recipe: Recipe) -> Iterator[Example]:
    """What the base reads, without end."""
    return stream(seed=recipe.seed, languages=recipe.languages, natural_languages=recipe.natural_languages)


def _train(recipe: Recipe) -> Train:
    own = {name: getattr(recipe, name) for name in ("steps", "batch_size", "max_length")}
    portions = {"micro_batch_size": recipe.batch_size, "packing": True, "precision": "bfloat16"}
    kept = {"log_every": 20, "save_every": max(1, recipe.steps // _SAVES)}
    return build(Train, own | portions | kept, source="The recipe")


def _optim(recipe: Recipe) -> Optim:
    if recipe.optimizer not in OPTIMIZERS:
        raise UnknownNameError("optimizer of the recipe", recipe.optimizer, OPTIMIZERS)
    update = {"name": recipe.optimizer, "lr": recipe.lr, "betas": (0.9, 0.95), "weight_decay": recipe.weight_decay}
    schedule = {"schedule": "cosine", "warmup_steps": recipe.warmup_steps, "min_lr_share": recipe.min_lr_share}
    return build(Optim, update | schedule, source="The recipe")
