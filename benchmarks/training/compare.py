"""Trained tokens per CPU second and peak memory: our loop against TRL's SFTTrainer, the same token ids, interleaved.

    python -m venv PEER && PEER/bin/pip install -r benchmarks/training/requirements.txt
    python benchmarks/training/compare.py --peer PEER/bin/python [--rounds 5]

Writes benchmarks/training/result.md. One thread each; the models are random Qwen2s, one with a vocabulary that is large
beside its width and one where the layers weigh more; half of every row is prompt. CPU seconds are those of the training
call alone; memory is the process's largest resident set.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

HERE = Path(__file__).parent
LENGTH, BATCH, STEPS, RANK = 256, 4, 12, 8


class Shape(NamedTuple):
    """Size of a model of 8 layers."""

    vocabulary: int
    width: int


SHAPES = (Shape(32_000, 256), Shape(4_096, 384))


Arms = dict[str, tuple[str, str, dict[str, Any]]]
"""By name: a Python, a script, and settings of its own."""
HEAD = f"""# The training loop beside TRL's

<!-- Written by benchmarks/training/compare.py; do not edit. -->

{{rounds}} rounds in turns, one thread each, {STEPS} steps of {BATCH} x {LENGTH} tokens (half of them prompt),
LoRA r {RANK} on all linears of a random Qwen2 of 8 layers, float32. Median (lowest to highest). The last two columns
are our median over theirs. Versions: `benchmarks/training/requirements.txt`. Losses are means over the steps; the order
of rows differs.

codeglot takes only positions that are trained on to the vocabulary. SFTTrainer also reports entropy and token accuracy
of each step, which codeglot does not. So the gain is largest where the vocabulary is large beside the width.
"""


def save_model(folder: Path, shape: Shape) -> None:
    """A random Qwen2 with a tokenizer that only has to be there."""
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        intermediate_size=shape.width * 43 // 16,
        num_hidden_layers=8,
        num_attention_heads=8,
        num_key_value_heads=4,
        max_position_embeddings=LENGTH,
        tie_word_embeddings=True,
        eos_token_id=0,
        pad_token_id=0,
        bos_token_id=None,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    words = {f"t{index}": index for index in range(shape.vocabulary)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="t1"))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="t0", pad_token="t0", unk_token="t1").save_pretrained(
        folder
    )


def write_rows(path: Path, vocabulary: int) -> None:
    """Random rows of full length, the first half of each not trained on."""
    draw = random.Random(0)
    rows = []
    for _ in range(STEPS * BATCH):
        ids = [draw.randrange(2, vocabulary) for _ in range(LENGTH)]
        rows.append({"input_ids": ids, "labels": [-100] * (LENGTH // 2) + ids[LENGTH // 2 :]})
    path.write_text(json.dumps(rows))


def measure(python: str, script: str, settings: dict[str, Any], folder: Path) -> dict[str, float]:
    """One run in a process of its own."""
    file = folder / "settings.json"
    file.write_text(json.dumps(settings))
    done = subprocess.run(
        [python, str(HERE / script), str(file)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "HOME": str(folder)},
    )
    if done.returncode:
        sys.exit(f"{script} failed:\n{done.stderr[-3000:]}")
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main() -> None:
    """Measure in turns and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", required=True, help="Python of the environment that has TRL")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    arms = {
        "codeglot": (sys.executable, "ours.py", {}),
        "TRL SFTTrainer, nll": (given.peer, "peer.py", {"loss_type": "nll"}),
        "TRL SFTTrainer, chunked_nll": (given.peer, "peer.py", {"loss_type": "chunked_nll"}),
    }
    text = HEAD.format(rounds=given.rounds)
    for shape in SHAPES:
        text += table(shape, in_turns(shape, arms, given.rounds))
    (HERE / "result.md").write_text(text)
    print(text)


def in_turns(shape: Shape, arms: Arms, rounds: int) -> dict[str, list[dict[str, float]]]:
    """What each arm measured in each round."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in arms}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_model(folder / "model", shape)
        write_rows(folder / "rows.json", shape.vocabulary)
        shared = {
            "model": str(folder / "model"),
            "rows": str(folder / "rows.json"),
            "threads": 1,
            "steps": STEPS,
            "batch_size": BATCH,
            "length": LENGTH,
            "r": RANK,
            "lr": 1e-3,
        }
        for turn in range(rounds):
            for arm, (python, script, own) in arms.items():
                settings = {**shared, **own, "out": str(folder / f"{turn}-{script}")}
                found[arm].append(measure(python, script, settings, folder))
                print(shape, turn, arm, found[arm][-1], flush=True)
    return found


def table(shape: Shape, found: dict[str, list[dict[str, float]]]) -> str:
    """The figures of one shape as Markdown; ratios are between the medians."""
    tokens = STEPS * BATCH * LENGTH
    rate = {arm: [tokens / run["cpu_s"] for run in runs] for arm, runs in found.items()}
    peak = {arm: [run["peak_mib"] for run in runs] for arm, runs in found.items()}
    ours_rate, ours_peak = (statistics.median(figures["codeglot"]) for figures in (rate, peak))
    lines = [
        f"\nVocabulary {shape.vocabulary:,}, width {shape.width}:\n",
        "| | tokens per CPU second | peak memory, MiB | loss | ours: speed | ours: memory |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for arm in found:
        speed, memory = statistics.median(rate[arm]), statistics.median(peak[arm])
        ratio = f"{ours_rate / speed:.2f} x | {ours_peak / memory:.2f} x" if arm != "codeglot" else "| "
        lines.append(
            f"| {arm} | {speed:.0f} ({min(rate[arm]):.0f} to {max(rate[arm]):.0f}) "
            f"| {memory:.0f} ({min(peak[arm]):.0f} to {max(peak[arm]):.0f}) "
            f"| {found[arm][0]['loss']:.4f} | {ratio} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
