"""MoLE beside PEFT on a random Llama of width 1024: a training step, and decoding for requests in eight languages.

    python benchmarks/mole.py [--rounds 5] [--layers 4]

Also its kernels beside each other, by the number of tokens. Writes benchmarks/mole.md (not with other layers). One
thread, CPU seconds, in turns. About half an hour.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import partial, wraps
from pathlib import Path
from typing import Any

import torch
from flex.scene import in_turns, ratios, spread
from peft import LoraConfig, PeftModel, XLoraConfig, get_peft_model
from torch import Tensor, nn
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from codeglot.methods.mole.kernels import LIVE, READY, Live, Ready, choose
from codeglot.methods.mole.method import Mole
from codeglot.methods.mole.routes import make_plan

LANGUAGES = ("c", "java", "javascript", "cpp", "go", "rust", "python", "csharp")
WIDTH, INNER, VOCAB = 1024, 2816, 8192
ROWS, LENGTH = 8, 256
NEW_TOKENS = 24
ONE, NAMES, XLORA = "one LoRA, PEFT", "`adapter_names`, PEFT", "X-LoRA, PEFT"
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "MoLE, `shared_first_exact`": {},
    "MoLE, `shared_first`": {"init": "shared_first"},
    "MoLE, `std_zero`": {"init": "std_zero"},
}
ACTIVE = 64
"""Rank that each token meets."""
SIZES = ((8, 1), (8, 8), (32, 8), (64, 8), (128, 8), (256, 8), (2048, 1), (2048, 8))
"""Tokens, and the languages that they are in."""
COPIES = 8
PAGE = """# MoLE beside PEFT

<!-- Written by benchmarks/mole.py; do not edit. -->

A random Llama, width {width}, inner width {inner}, {layers} layers, vocabulary {vocab}, float32; {rounds} rounds in
turns, one thread, CPU time. Median (lowest to highest); ratios are taken round by round. MoLE has the ranks 16, 48 and
64, so each token meets rank {active}, that of every LoRA here.

## A training step

{rows} rows of {length} tokens in eight languages, a tenth of them other text; forward and backward pass and AdamW.
Adapters are on the linears of the MLPs.

{steps}

## Decoding

{rows} requests, each in a language of its own, {new} new tokens each behind a prompt of 32. `adapter_names` is PEFT's
way to give each row an adapter of its own; X-LoRA mixes eight adapters by a learned router, without a cache.

With one token of each row, a linear takes as long as its weights take to be read. A LoRA of rank {active} for each of
eight rows reads more than the mixture, whose rows have one shared expert and, in the exact form, one start.

Adapters on the linears of the MLPs:

{decoding_mlp}

Adapters on all linears of the blocks:

{decoding_all}

## Kernels

The updates of one linear, {width} to {inner}, by how many tokens there are and in how many languages; in training
with the way back. Median of CPU milliseconds. `auto` takes what is bold.

{kernels}
"""


def llama(layers: int) -> Any:
    """The base, the same every time."""
    torch.manual_seed(0)
    config = LlamaConfig(
        hidden_size=WIDTH,
        intermediate_size=INNER,
        num_hidden_layers=layers,
        num_attention_heads=8,
        vocab_size=VOCAB,
        max_position_embeddings=1024,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=0,
    )
    return LlamaForCausalLM(config).eval()


def lora_config(targets: str = "mlp", **settings: Any) -> LoraConfig:
    """A LoRA of the rank that each token meets."""
    modules = ["gate_proj", "up_proj", "down_proj"]
    modules += ["q_proj", "k_proj", "v_proj", "o_proj"] if targets == "all" else []
    return LoraConfig(
        task_type="CAUSAL_LM", r=ACTIVE, lora_alpha=32, use_rslora=True, target_modules=modules, **settings
    )


def mixture(layers: int, **settings: Any) -> tuple[Any, Mole]:
    """A mixture of eight languages, whose experts have moved."""
    method = Mole(**settings)
    model = method.attach(llama(layers), LANGUAGES)
    move(model)
    return model, method


def move(model: nn.Module) -> None:
    """Give every trained parameter a value of its own."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.01)


def labels() -> Tensor:
    """A language for each row, and other text at its beginning."""
    found = torch.arange(1, ROWS + 1)[:, None].expand(ROWS, LENGTH).clone()
    found[:, : LENGTH // 10] = 0
    return found


def steps(layers: int, rounds: int) -> str:
    """Rows of the first table."""
    ids = torch.randint(VOCAB, (ROWS, LENGTH), generator=torch.Generator().manual_seed(2))
    works: dict[str, Callable[[], None]] = {}

    def add(name: str, model: Any, method: Mole | None) -> None:
        model.train()
        optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-5, foreach=True)

        def work() -> None:
            if method is None:
                model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
            else:
                with method.route(labels()):
                    model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
            optimizer.step()
            optimizer.zero_grad()

        works[name] = work

    lora = get_peft_model(llama(layers), lora_config())
    add("LoRA, PEFT", lora, None)
    for name, settings in VARIANTS.items():
        add(name, *mixture(layers, **settings))
    return table("ms per step", in_turns(works, rounds=rounds, repeats=1), ["LoRA, PEFT"], 1.0)


def decoding(layers: int, rounds: int, targets: str) -> str:
    """Rows of the table for these linears."""
    ids = torch.randint(1, VOCAB, (ROWS, 32), generator=torch.Generator().manual_seed(3))
    settings = GenerationConfig(max_new_tokens=NEW_TOKENS, do_sample=False, pad_token_id=0, eos_token_id=None)

    def write(model: Any, **more: Any) -> None:
        with torch.inference_mode():
            model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=settings, **more)

    config = partial(lora_config, targets, init_lora_weights=False)
    several = get_peft_model(llama(layers), config(), adapter_name="l0")
    for number in range(1, ROWS):
        several.add_adapter(f"l{number}", config())
    models = {
        "the base": llama(layers),
        ONE: get_peft_model(llama(layers), config()),
        NAMES: several,
        XLORA: xlora(layers, config),
    }
    for name, more in VARIANTS.items():
        models[name] = routed(*mixture(layers, target_modules=targets, **more))
    for model in models.values():
        # Torch copies this matrix for every row of the last tokens of prompts where it is frozen.
        model.eval().get_output_embeddings().requires_grad_(requires_grad=True)
    works = {name: partial(write, model) for name, model in models.items()}
    works[NAMES] = partial(write, several, adapter_names=[f"l{number}" for number in range(ROWS)])
    found = in_turns(works, rounds=rounds, repeats=1)
    return table("ms per token of the batch", found, [ONE, NAMES, XLORA], NEW_TOKENS)


def routed(model: Any, method: Mole) -> Any:
    """The mixture, told in each forward pass that row n is in language n."""
    step = model.forward

    @wraps(step)  # `generate` looks at what it takes
    def forward(*arguments: Any, **inputs: Any) -> Any:
        width = inputs["input_ids"].shape[1]
        with method.route(torch.arange(1, ROWS + 1)[:, None].expand(ROWS, width)):
            return step(*arguments, **inputs)

    model.forward = forward
    return model


def xlora(layers: int, config: Callable[[], LoraConfig]) -> PeftModel:
    """PEFT's mixture of eight adapters, which it reads from disk."""
    with tempfile.TemporaryDirectory() as folder:
        names = {}
        for number in range(ROWS):
            path = f"{folder}/{number}"
            get_peft_model(llama(layers), config()).save_pretrained(path)
            names[str(number)] = path
        base = llama(layers)
        base.config.use_cache = False
        settings = XLoraConfig(
            task_type="CAUSAL_LM", hidden_size=WIDTH, xlora_depth=1, adapters=names, layerwise_scalings=False
        )
        return get_peft_model(base, settings)


def kernels(rounds: int) -> str:
    """Tables of inference and training."""
    tables = []
    for doing, names in {"inference": READY, "training": LIVE}.items():
        header = " | ".join(f"{tokens} tokens, {languages}" for tokens, languages in SIZES)
        lines = [f"| {doing} | {header} |", "|---" * (len(SIZES) + 1) + "|"]
        columns = [kernel_times(*size, rounds, is_training=doing == "training") for size in SIZES]
        lines += [f"| `{name}` | {' | '.join(column.get(name, '-') for column in columns)} |" for name in names]
        tables.append("\n".join(lines))
        print(tables[-1], flush=True)
    return "\n\n".join(tables)


def kernel_times(num_tokens: int, num_languages: int, rounds: int, *, is_training: bool) -> dict[str, str]:
    """Cells of one column; that of the kernel which `auto` takes is bold."""
    plan = make_plan(torch.arange(num_tokens) % num_languages + 1)
    x_TI = torch.randn(num_tokens, WIDTH, generator=torch.Generator().manual_seed(4))
    model, _ = mixture(1)
    # Several copies, so that weights come from memory, as they do in a model.
    layers = [deepcopy(model.get_submodule("model.layers.0.mlp.up_proj")) for _ in range(COPIES)]
    parts = [(layer.experts, *zip(*map(layer.factors, layer.experts), strict=True), layer.start) for layer in layers]
    sets = layers[0].mixture.sets
    works: dict[str, Callable[[], None]] = {}

    def train(name: str) -> None:
        inputs_TI = x_TI.clone().requires_grad_()
        for part in parts:
            LIVE[name](inputs_TI, plan, sets, Live(*part)).sum().backward()

    def infer(name: str, ready: Sequence[Ready]) -> None:
        with torch.inference_mode():
            for one in ready:
                READY[name](x_TI, plan, one)

    if is_training:
        works = {name: partial(train, name) for name in LIVE}
    else:
        with torch.inference_mode():
            ready = [Ready(*part, sets) for part in parts]
        # Rows of its own for each token are a gigabyte for 2048 of them.
        works = {name: partial(infer, name, ready) for name in READY if name != "gather" or num_tokens <= ROWS}
    found = in_turns(works, rounds=rounds, repeats=3)
    cells = {name: f"{statistics.median(values) / COPIES * 1e3:.2f}" for name, values in found.items()}
    chosen = choose(is_training=is_training, num_tokens=num_tokens, num_labels=num_languages)
    return cells | {chosen: f"**{cells[chosen]}**"}


def table(what: str, found: Mapping[str, list[float]], references: Sequence[str], divisor: float) -> str:
    """Times, and how they stand to those of each reference."""
    header = " | ".join(f"over {name}" for name in references)
    lines = [f"| | {what} | {header} |", "|---" + "|---:" * (len(references) + 1) + "|"]
    for name, values in found.items():
        over = [spread(ratios(values, found[other]), 1) if name != other else "" for other in references]
        lines.append(f"| {name} | {spread(values, 1e3 / divisor, 0)} | {' | '.join(over)} |")
        print(lines[-1], flush=True)
    return "\n".join(lines)


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--layers", type=int, default=4)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    began = time.perf_counter()
    page = PAGE.format(
        width=WIDTH,
        inner=INNER,
        layers=arguments.layers,
        vocab=VOCAB,
        rounds=arguments.rounds,
        rows=ROWS,
        length=LENGTH,
        active=ACTIVE,
        new=NEW_TOKENS,
        kernels=kernels(arguments.rounds),
        steps=steps(arguments.layers, arguments.rounds),
        decoding_mlp=decoding(arguments.layers, arguments.rounds, "mlp"),
        decoding_all=decoding(arguments.layers, arguments.rounds, "all"),
    )
    if arguments.layers == parser.get_default("layers"):
        (Path(__file__).parent / "mole.md").write_text(page)
    print(page, f"{time.perf_counter() - began:.0f} s", sep="\n")


if __name__ == "__main__":
    main()
