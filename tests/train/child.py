"""One training in a process of its own: `python -m tests.train.child OUT RESULT [KEY=JSON ...]`."""

import json
import os
import sys
from pathlib import Path

import torch

from codeglot.regularizers.settings import Spectral
from codeglot.train.processes import is_first_process
from tests.train.scene import make_examples, run, tiny, weights


def main() -> None:
    out, result, *settings = sys.argv[1:]
    model, methods = tiny(lora_dropout=0.2 if "dropout" in settings else 0.0)
    own = {"examples": make_examples(seed=int(os.environ["RANK"]))} if "own_data" in settings else {}
    pairs = (setting.split("=", 1) for setting in settings if "=" in setting)
    given = {key: json.loads(value) for key, value in pairs}
    if "regularizer" in given:
        given["regularizer"] = Spectral.model_validate(given["regularizer"])
    found = run(model, methods, Path(out), **given, **own)
    if is_first_process():
        torch.save(weights(model), result)
    sys.stdout.write(json.dumps(found._asdict()) + "\n")


if __name__ == "__main__":
    main()
