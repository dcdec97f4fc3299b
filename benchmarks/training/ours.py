"""One training run of codeglot's loop: `python ours.py SETTINGS.json` prints one line of JSON."""

import json
import resource
import sys
import time
from pathlib import Path

import torch

from codeglot.data.batch import EncodedExample
from codeglot.methods.lora import Lora
from codeglot.models.load import load_base
from codeglot.models.settings import Base
from codeglot.optim.settings import Optim
from codeglot.train import loop
from codeglot.train.settings import Train

settings = json.loads(Path(sys.argv[1]).read_text())
torch.set_num_threads(settings["threads"])
torch.manual_seed(0)
base = load_base(Base(model=settings["model"], dtype="float32", device="cpu"))
rows = json.loads(Path(settings["rows"]).read_text())
examples = [
    EncodedExample(row["input_ids"], row["labels"], [0] * len(row["labels"]), f"row {number}")
    for number, row in enumerate(rows)
]
lora = Lora(method="lora", r=settings["r"], lora_alpha=2 * settings["r"], lora_dropout=0.0, target_modules="all")
model = lora.attach(base.model, ())
started = time.process_time()
result = loop.train(
    model,
    (lora,),
    examples,
    train=Train(
        steps=settings["steps"],
        batch_size=settings["batch_size"],
        micro_batch_size=settings["batch_size"],
        max_length=settings["length"],
        log_every=settings["steps"],
    ),
    optim=Optim(lr=settings["lr"], schedule="constant", warmup_share=0.0),
    languages=(),
    seed=0,
    out=Path(settings["out"]),
    pad_token_id=0,
)
cpu_s = time.process_time() - started
lines = (Path(settings["out"]) / "metrics.jsonl").read_text().splitlines()
print(
    json.dumps(
        {
            "cpu_s": cpu_s,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "loss": json.loads(lines[-1])["losses"]["nll"],
            "trainable": result.num_trainable,
        }
    )
)
