"""The language of each token: the fence machine behind it, the same however the tokens come."""

from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerBase

from codeglot.data.token_languages import TokenLanguages
from codeglot.languages.fences import label_characters
from tests.tiny_model import byte_level_tokenizer, sentencepiece_tokenizer

LANGUAGES = ("java", "python")
BYTE_LEVEL = byte_level_tokenizer()
LINES = st.sampled_from(
    [
        "```python\n",
        "```java\n",
        "``` perl\n",
        "```\n",
        "~~~js\r\n",
        "    return x\n",
        "text\n",
        "\n",
        " ",
        "`",
        "ü🙂",
        "x",
    ]
)
TEXTS = st.lists(LINES, max_size=12).map("".join)


def test_indices_follow_the_list_and_others_are_zero() -> None:
    labeler = TokenLanguages(BYTE_LEVEL, LANGUAGES)
    assert [labeler.index(name) for name in ("java", "python", "perl", None)] == [1, 2, 0, 0]


@settings(deadline=None, max_examples=200)
@given(TEXTS)
def test_tokens_are_labeled_as_their_last_characters_are(text: str) -> None:
    labeler = TokenLanguages(BYTE_LEVEL, LANGUAGES)
    encoded = BYTE_LEVEL(text, return_offsets_mapping=True)
    characters = [labeler.index(language_id) for language_id in label_characters(text)]
    labels, _ = labeler.label(encoded["input_ids"])
    assert labels == [characters[end - 1] for _, end in encoded["offset_mapping"]]


@settings(deadline=None, max_examples=100)
@given(TEXTS, st.sampled_from([BYTE_LEVEL, sentencepiece_tokenizer()]))
def test_one_token_at_a_time_gives_what_all_at_once_give(text: str, tokenizer: PreTrainedTokenizerBase) -> None:
    ids = list(tokenizer(text)["input_ids"])
    labeler = TokenLanguages(tokenizer, LANGUAGES)
    labels, state = [], None
    for token_id in ids:
        [label], state = labeler.label([token_id], state)
        labels.append(label)
    assert (labels, state) == (labeler.label(ids)[0], labeler.label(ids)[1] if ids else None)


def test_spaces_that_a_decoder_strips_from_the_front_still_make_an_indented_line() -> None:
    tokenizer = sentencepiece_tokenizer()
    labeler = TokenLanguages(tokenizer, LANGUAGES)
    # Four spaces before a fence make it text; were one stripped, it would open a block.
    ids = [tokenizer.vocab[token] for token in ["▁▁▁▁", *"```", *"java", "<0x0A>", "x"]]
    assert labeler.label(ids)[0] == [0] * len(ids)
    assert labeler.label(ids[1:])[0][-2:] == [1, 1]


def test_special_tokens_are_no_text() -> None:
    labeler = TokenLanguages(BYTE_LEVEL, LANGUAGES)
    ids = [BYTE_LEVEL.eos_token_id, *BYTE_LEVEL("```java\nx")["input_ids"], BYTE_LEVEL.eos_token_id]
    labels = labeler.label(ids)[0]
    assert labels[0] == 0
    assert labels[-2:] == [1, 1]
