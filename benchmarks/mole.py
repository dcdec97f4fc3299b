"""MoLE beside PEFT on a random Llama of width 1024: a training step, and decoding for requests in eight languages.

    python benchmarks/mole.py [--rounds 5] [--layers 4]

Writes benchmarks/mole.md (not with other layers). One thread, CPU seconds, in turns. About twenty minutes.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from flex.scene import in_turns, ratios, spread
from peft import LoraConfig, PeftModel, XLoraConfig, get_peft_model
from torch import Tensor, nn
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from codeglot.methods.mole.method import Mole

LANGUAGES = ("c", "java", "javascript", "cpp", "go", "rust", "python", "csharp")
WIDTH, INNER, VOCAB = 1024, 2816, 8192
ROWS, LENGTH = 8, 256
NEW_TOKENS = 24
ONE = "one LoRA for all, PEFT"
ACTIVE = 64
"""Rank that each token meets."""
PAGE = """# MoLE beside PEFT

<!-- Written by benchmarks/mole.py; do not edit. -->

A random Llama, width {width}, inner width {inner}, {layers} layers, vocabulary {vocab}; {rounds} rounds in turns, one
thread, CPU time. Median (lowest to highest); ratios are taken round by round. Adapters are on the linears of the MLPs,
in float32.

## A training step

{rows} rows of {length} tokens in eight languages, a tenth of them other text; forward and backward pass and AdamW. MoLE
has the ranks 16, 48 and 64, so each token meets rank {active}.

| | ms per step | over a LoRA of rank {active} |
|---|---:|---:|
{steps}

## Decoding

{rows} requests, each in a language of its own, {new} new tokens each behind a prompt of 32. `adapter_names` is PEFT's
way to give each row an adapter of its own; X-LoRA mixes eight adapters by a learned router, without a cache.

| | ms per token of the batch | over one LoRA |
|---|---:|---:|
{decoding}
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


def lora_config(**settings: Any) -> LoraConfig:
    """A LoRA on the MLPs of the rank that each token meets."""
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=ACTIVE,
        lora_alpha=32,
        use_rslora=True,
        target_modules=["gate_proj", "up_proj", "down_proj"],
        **settings,
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
    variants: dict[str, dict[str, Any]] = {
        "MoLE, `shared_first_exact`": {},
        "MoLE, `shared_first`": {"init": "shared_first"},
        "MoLE, `std_zero`": {"init": "std_zero"},
        "MoLE, `std_zero`, masked": {"init": "std_zero", "impl": "masked"},
        "MoLE, `std_zero`, eager": {"init": "std_zero", "impl": "eager"},
    }
    for name, settings in variants.items():
        add(name, *mixture(layers, **settings))
    return table(in_turns(works, rounds=rounds, repeats=1), "LoRA, PEFT", 1.0)


def decoding(layers: int, rounds: int) -> str:
    """Rows of the second table."""
    ids = torch.randint(1, VOCAB, (ROWS, 32), generator=torch.Generator().manual_seed(3))
    settings = GenerationConfig(max_new_tokens=NEW_TOKENS, do_sample=False, pad_token_id=0, eos_token_id=None)

    def write(model: Any, **more: Any) -> None:
        with torch.inference_mode():
            model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=settings, **more)

    one = get_peft_model(llama(layers), lora_config(init_lora_weights=False)).eval()
    several = get_peft_model(llama(layers), lora_config(init_lora_weights=False), adapter_name="l0").eval()
    for number in range(1, ROWS):
        several.add_adapter(f"l{number}", lora_config(init_lora_weights=False))
    works: dict[str, Callable[[], None]] = {
        "the base": partial(write, llama(layers)),
        ONE: partial(write, one),
        "`adapter_names`, PEFT": partial(write, several, adapter_names=[f"l{number}" for number in range(ROWS)]),
        "X-LoRA, PEFT": partial(write, xlora(layers)),
    }
    for name, more in {"MoLE": {}, "MoLE, grouped": {"impl": "grouped"}, "MoLE, gather": {"impl": "gather"}}.items():
        model, method = mixture(layers, **more)
        works[name] = partial(write, routed(model.eval(), method))
    return table(in_turns(works, rounds=rounds, repeats=1), ONE, NEW_TOKENS)


def routed(model: Any, method: Mole) -> Any:
    """The mixture, told in each forward pass that row n is in language n."""
    step = model.forward

    def forward(*arguments: Any, **inputs: Any) -> Any:
        width = inputs["input_ids"].shape[1]
        with method.route(torch.arange(1, ROWS + 1)[:, None].expand(ROWS, width)):
            return step(*arguments, **inputs)

    model.forward = forward
    return model


def xlora(layers: int) -> PeftModel:
    """PEFT's mixture of eight adapters, which it reads from disk."""
    with tempfile.TemporaryDirectory() as folder:
        names = {}
        for number in range(ROWS):
            path = f"{folder}/{number}"
            get_peft_model(llama(layers), lora_config(init_lora_weights=False)).save_pretrained(path)
            names[str(number)] = path
        base = llama(layers)
        base.config.use_cache = False
        config = XLoraConfig(
            task_type="CAUSAL_LM", hidden_size=WIDTH, xlora_depth=1, adapters=names, layerwise_scalings=False
        )
        return get_peft_model(base, config).eval()


def table(found: Mapping[str, list[float]], reference: str, divisor: float) -> str:
    """Lines of a table."""
    lines = []
    for name, values in found.items():
        over = "" if name == reference else spread(ratios(values, found[reference]), 1)
        lines.append(f"| {name} | {spread(values, 1e3 / divisor, 0)} | {over} |")
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
        steps=steps(arguments.layers, arguments.rounds),
        decoding=decoding(arguments.layers, arguments.rounds),
    )
    if arguments.layers == parser.get_default("layers"):
        (Path(__file__).parent / "mole.md").write_text(page)
    print(page, f"{time.perf_counter() - began:.0f} s", sep="\n")


if __name__ == "__main__":
    main()
