"""A random Llama of a few thousand parameters with a tokenizer of its own, as a folder, for tests."""

import string
import warnings
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase, PreTrainedTokenizerFast

torch.set_num_threads(1)  # matrices this small only wait for one another

END = "<|end|>"
TEXTS = [
    (
        "def add(a, b):\n    return a + b\n\n\ndef total(numbers):\n    result = 0\n"
        "    for number in numbers:\n        result += number\n    return result\n"
    ),
    "public static int add(int a, int b) {\n    return a + b;\n}\n",
    "grüße, 你好, Ω — 'quoted' \"text\" 🙂\n",
]
CHAT_TEMPLATE = (
    "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}"
)


def byte_level_tokenizer(chat_template: str | None = None, vocab_size: int = 320) -> PreTrainedTokenizerFast:
    """A byte-level BPE, as Qwen, DeepSeek-Coder and StarCoder have; without a padding token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=[END], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END, chat_template=chat_template)


def sentencepiece_tokenizer() -> PreTrainedTokenizerFast:
    """A BPE on "▁" with bytes to fall back on and a first space that decoding strips, as Code Llama has."""
    letters = string.ascii_letters + string.digits + string.punctuation
    words = ["▁return", "▁▁", "▁▁▁▁", "▁x", "def", "return"]
    specials = ["<unk>", "<s>", "</s>"]
    byte_tokens = [f"<0x{byte:02X}>" for byte in range(256)]
    names = [*specials, *byte_tokens, "▁", *letters, *words]
    vocab = {token: index for index, token in enumerate(dict.fromkeys(names))}
    merges = [("▁", "▁"), ("▁▁", "▁▁"), ("▁", "x")]
    model = models.BPE(vocab=vocab, merges=merges, byte_fallback=True, unk_token="<unk>", fuse_unk=True)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in specials])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def random_llama(
    vocab_size: int, *, seed: int = 0, num_positions: int = 256, end_id: int | None = None, width: int = 32
) -> LlamaForCausalLM:
    """Two layers, float32; `seed` decides the weights."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=num_positions,
        initializer_range=0.4 * (32 / width) ** 0.5,
        bos_token_id=None,
        eos_token_id=end_id,
        pad_token_id=None,
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config)
    model.eval()
    return model


def save_tiny_model(
    folder: Path, tokenizer: PreTrainedTokenizerBase | None = None, *, num_positions: int = 256, width: int = 32
) -> Path:
    """Write model and tokenizer to `folder` and return it."""
    tokenizer = tokenizer or byte_level_tokenizer(CHAT_TEMPLATE)
    end_id = tokenizer.eos_token_id
    model = random_llama(len(tokenizer), num_positions=num_positions, end_id=end_id, width=width)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_tiny_adapter(folder: Path) -> Path:
    """Write a LoRA for the tiny model, one that changes its output, to `folder` and return it."""
    with warnings.catch_warnings():
        # PEFT 0.21 reads an attribute that transformers 5 has renamed.
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)
        config = LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False)
        get_peft_model(random_llama(len(byte_level_tokenizer())), config).save_pretrained(str(folder))
    return folder
