"""Bases made from nothing."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from codeglot.micro.recipe import Recipe, assets, names, read_recipe
from codeglot.models.load import load_base
from codeglot.models.new import END_OF_TEXT, new_llama, save_base, train_tokenizer
from codeglot.models.settings import Base

TEXTS = [
    "def solve(xs):\n    total = 0\n    for x in xs:\n        total += x * 12\n    return total\n",
    "# Multiplica cada uno por 3. Ersetze jedes durch sein Quadrat. 返回它们的和。\n",
    "# 数の合計を返す。 Верните их сумму.\n",
    "# n का वर्ग लौटाएँ। संख्याओं का योग लौटाएँ।\n",
]


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(TEXTS * 20, 440)


@pytest.fixture
def recipe() -> Recipe:
    return read_recipe("nano").model_copy(update={"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2})


@given(text=st.text(max_size=80))
@settings(deadline=None)
def test_every_text_survives_a_round_trip(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_pieces_are_what_the_pattern_says(tokenizer: PreTrainedTokenizerFast) -> None:
    def pieces(text: str) -> list[str]:
        return [str(tokenizer.decode(token_id)) for token_id in tokenizer(text)["input_ids"]]

    assert pieces("\n    for x in xs:") == ["\n    ", "for", " x", " in", " xs", ":"]
    assert pieces(" 12") == [" 1", "2"]  # one digit each
    assert pieces("का योग")[-1].endswith("योग")  # marks stay with their letters


def test_the_end_of_text_is_one_token_and_no_text_is_padded_or_cut(tokenizer: PreTrainedTokenizerFast) -> None:
    assert tokenizer.eos_token == END_OF_TEXT
    assert tokenizer(END_OF_TEXT)["input_ids"] == [tokenizer.eos_token_id]
    assert tokenizer.backend_tokenizer.padding is None
    assert tokenizer.backend_tokenizer.truncation is None


def test_the_same_seed_makes_the_same_weights_and_leaves_the_generator_alone(
    tokenizer: PreTrainedTokenizerFast, recipe: Recipe
) -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first, second = new_llama(recipe, tokenizer), new_llama(recipe, tokenizer)
    other = new_llama(recipe.model_copy(update={"seed": 1}), tokenizer)
    assert torch.equal(torch.get_rng_state(), before)
    weights = [model.model.layers[0].mlp.up_proj.weight for model in (first, second, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_what_is_saved_is_loaded_with_the_same_logits(
    tokenizer: PreTrainedTokenizerFast, recipe: Recipe, tmp_path: Path
) -> None:
    model = new_llama(recipe, tokenizer).eval()
    save_base(model, tokenizer, tmp_path / "base")
    loaded = load_base(Base(model=str(tmp_path / "base"), device="cpu"))
    ids = torch.tensor([loaded.tokenizer(TEXTS[0])["input_ids"]])
    assert loaded.model.dtype == torch.bfloat16
    assert next(model.parameters()).dtype == torch.float32  # the one in memory stays as it was
    with torch.no_grad():
        torch.testing.assert_close(loaded.model(ids).logits.float(), model(ids).logits, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("name", names())
def test_a_bundled_base_is_there_and_of_the_size_its_recipe_says(name: str) -> None:
    found = load_base(Base(model=name, device="cpu"))
    recipe = read_recipe(name)
    assert found.model.config.num_hidden_layers == recipe.num_hidden_layers
    assert found.model.config.hidden_size == recipe.hidden_size
    assert len(found.tokenizer) <= recipe.vocab_size


def test_bundled_bases_are_small() -> None:
    assert sum(path.stat().st_size for name in names() for path in assets(name).iterdir()) <= 10 * 2**20
