"""One training run of TRL's SFTTrainer, in its own environment: `python peer.py SETTINGS.json` prints one JSON line."""

import json
import os
import resource
import sys
import time
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", TOKENIZERS_PARALLELISM="false")

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

settings = json.loads(Path(sys.argv[1]).read_text())
torch.set_num_threads(settings["threads"])
torch.manual_seed(0)
model = AutoModelForCausalLM.from_pretrained(settings["model"], dtype=torch.float32)
tokenizer = AutoTokenizer.from_pretrained(settings["model"])
rows = json.loads(Path(settings["rows"]).read_text())
data = Dataset.from_list(
    [{"input_ids": row["input_ids"], "completion_mask": [int(x != -100) for x in row["labels"]]} for row in rows]
)
config = SFTConfig(
    output_dir=settings["out"],
    max_steps=settings["steps"],
    per_device_train_batch_size=settings["batch_size"],
    gradient_accumulation_steps=1,
    learning_rate=settings["lr"],
    lr_scheduler_type="constant",
    weight_decay=0.0,
    max_grad_norm=1.0,
    max_length=settings["length"],
    completion_only_loss=True,
    loss_type=settings["loss_type"],
    gradient_checkpointing=False,
    bf16=False,
    use_cpu=True,
    dataloader_pin_memory=False,
    save_strategy="no",
    logging_steps=settings["steps"],
    report_to="none",
    seed=0,
)
lora = LoraConfig(r=settings["r"], lora_alpha=2 * settings["r"], lora_dropout=0.0, target_modules="all-linear")
trainer = SFTTrainer(model=model, args=config, train_dataset=data, processing_class=tokenizer, peft_config=lora)
started = time.process_time()
result = trainer.train()
print(
    json.dumps(
        {
            "cpu_s": time.process_time() - started,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "loss": result.training_loss,
            "trainable": sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
        }
    )
)
