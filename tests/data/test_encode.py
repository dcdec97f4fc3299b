"""Examples as tokens: the prompt as the engine asks it, the completion with its end, and a language for each token."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, processors
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from codeglot.data.batch import IGNORED, EncodedExample
from codeglot.data.encode import Encoding, encode, encode_prompts
from codeglot.data.format import PromptStyle, build_prompt
from codeglot.data.settings import Data
from codeglot.errors import DataError, EngineError
from codeglot.generate.engine import GenerationRequest
from codeglot.generate.prompt_tokens import prompt_tokens
from codeglot.languages import spec
from codeglot.languages.fences import FenceMachine
from codeglot.records import Example, Problem
from tests.tiny_model import CHAT_TEMPLATE, END, byte_level_tokenizer, sentencepiece_tokenizer

LANGUAGES = ("java", "python")
JAVA, PYTHON = 1, 2
PROMPT = 'def add(a, b):\n    """Add."""'
COMPLETION = "\n    return a + b\n"
# As Qwen writes it: the turn ends in a special token, behind which stands a line break.
TURN = "<|turn_end|>"
MARKED_TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}>\n{{ m.content | trim }}" + TURN + "\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>\n{% endif %}"
)

BYTE_LEVEL = byte_level_tokenizer(CHAT_TEMPLATE)
SENTENCEPIECE = sentencepiece_tokenizer()
both = pytest.mark.parametrize("tokenizer", [BYTE_LEVEL, SENTENCEPIECE], ids=["byte-level", "sentencepiece"])


def example(prompt: str = PROMPT, completion: str = COMPLETION, **values: object) -> Example:
    fields = {"language_id": "python", "source": "rows.jsonl, line 7", **values}
    return Example(prompt=prompt, completion=completion, **fields)


def data(**values: object) -> Data:
    source = {"dataset": "file", "path": "rows.jsonl", "language_id": "python"}
    return Data.model_validate({"sources": [source], **values})


def run(*examples: Example, tokenizer: PreTrainedTokenizerBase = BYTE_LEVEL, **values: object) -> Encoding:
    return encode(examples, tokenizer, data(**values), LANGUAGES)


def only(*examples: Example, tokenizer: PreTrainedTokenizerBase = BYTE_LEVEL, **values: object) -> EncodedExample:
    [encoded] = run(*examples, tokenizer=tokenizer, **values).examples
    return encoded


def trained(encoded: EncodedExample) -> list[int]:
    return [label for label in encoded.labels if label != IGNORED]


def decoded(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> str:
    return str(tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))


CODE = st.text(st.sampled_from('abx()= \n\t:#"ü你🙂`'), min_size=1, max_size=40)


@both
@settings(deadline=None, max_examples=200)
@given(prompt=CODE, completion=CODE.filter(str.strip))
def test_tokens_are_those_of_the_prompt_alone_then_the_completion_then_the_end(
    tokenizer: PreTrainedTokenizerFast, prompt: str, completion: str
) -> None:
    encoded = only(example(prompt, completion), tokenizer=tokenizer)
    prompt_ids = list(tokenizer(prompt)["input_ids"])
    assert encoded.input_ids[: len(prompt_ids)] == prompt_ids
    assert encoded.labels == [IGNORED] * len(prompt_ids) + encoded.input_ids[len(prompt_ids) :]
    assert encoded.input_ids[-1] == tokenizer.eos_token_id
    assert decoded(tokenizer, encoded.input_ids) == prompt + completion
    assert len(encoded.input_ids) == len(encoded.labels) == len(encoded.language_ids)
    assert encoded.num_targets == len(encoded.input_ids) - len(prompt_ids)


def test_a_space_that_the_tokenizer_puts_before_a_text_is_not_put_before_a_completion() -> None:
    encoded = only(example("def f(x):", "return x"), tokenizer=SENTENCEPIECE)
    assert decoded(SENTENCEPIECE, encoded.input_ids) == "def f(x):return x"
    assert encoded.input_ids[0] == SENTENCEPIECE.bos_token_id
    assert encoded.input_ids.count(SENTENCEPIECE.bos_token_id) == 1


def joining_tokenizer(*before_x: str) -> PreTrainedTokenizerFast:
    """Puts a space before every text, and joins an x to each of these."""
    pieces = [*"▁abx;\n☺", *(text + "x" for text in before_x), END]
    vocab = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[(text, "x") for text in before_x]))
    tokenizer.normalizer = normalizers.Prepend("▁")
    build: Any = PreTrainedTokenizerFast  # which has no annotations
    joining: PreTrainedTokenizerFast = build(tokenizer_object=tokenizer, eos_token=END)
    return joining


def test_a_completion_that_joins_what_it_is_tokenized_behind_is_tokenized_behind_something_else() -> None:
    tokenizer = joining_tokenizer("\n", ";")
    tokens = [tokenizer.convert_ids_to_tokens(trained(e)) for e in run(*map(ask, "xa"), tokenizer=tokenizer).examples]
    assert tokens == [["x", END], ["a", END]]


def ask(completion: str) -> Example:
    return example("b", completion)


def test_a_completion_that_joins_everything_is_refused() -> None:
    with pytest.raises(EngineError, match="joins 'xa' to whatever stands before it"):
        run(ask("xa"), tokenizer=joining_tokenizer("\n", ";", "a", "☺"))


@both
def test_the_prompt_has_the_tokens_that_the_engine_gives_it(tokenizer: PreTrainedTokenizerFast) -> None:
    request = GenerationRequest(task_id="a", sample=0, prompt=PROMPT, prompt_hash="", seed=0)
    encoded = only(example(), tokenizer=tokenizer)
    assert encoded.input_ids[: encoded.labels.count(IGNORED)] == prompt_tokens(tokenizer, request, name="m")


def test_the_message_has_the_tokens_that_the_engine_gives_it() -> None:
    problem = Problem(
        task_id="a", benchmark="b", language_id="python", prompt=PROMPT, entry_point="add", tests="assert add(1, 2)"
    )
    prompt = build_prompt(problem, PromptStyle.CHAT, spec.get("python"))
    request = GenerationRequest(task_id="a", sample=0, prompt="", messages=prompt.messages, prompt_hash="", seed=0)
    encoded = only(example(), style="chat")
    assert encoded.input_ids[: encoded.labels.count(IGNORED)] == prompt_tokens(BYTE_LEVEL, request, name="m")


def test_an_end_token_that_the_tokenizer_adds_to_every_text_is_taken_off_the_prompt() -> None:
    tokenizer = byte_level_tokenizer()
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {END}", special_tokens=[(END, tokenizer.eos_token_id)]
    )
    assert tokenizer("ab")["input_ids"][-1] == tokenizer.eos_token_id
    plain, closed = encode_prompts(tokenizer, ["ab", "ab" + END])
    assert plain == byte_level_tokenizer()("ab")["input_ids"]
    assert closed[-1] == tokenizer.eos_token_id
    encoded = only(example("ab", "c"), tokenizer=tokenizer)
    assert encoded.input_ids.count(tokenizer.eos_token_id) == 1


def test_padding_and_truncation_saved_with_a_tokenizer_change_nothing() -> None:
    tokenizer = byte_level_tokenizer()
    tokenizer.backend_tokenizer.enable_padding(length=64, pad_id=5, pad_token="a")
    tokenizer.backend_tokenizer.enable_truncation(max_length=4)
    assert run(example(), example("x", "y"), tokenizer=tokenizer) == run(example(), example("x", "y"))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(CODE, CODE.filter(str.strip)), min_size=1, max_size=5))
def test_examples_together_are_as_each_alone(pairs: list[tuple[str, str]]) -> None:
    examples = [example(*pair) for pair in pairs]
    assert run(*examples, tokenizer=SENTENCEPIECE).examples == [only(e, tokenizer=SENTENCEPIECE) for e in examples]


def test_more_examples_than_are_tokenized_at_a_time_keep_their_order() -> None:
    examples = [example(f"x{number}", "y") for number in range(2100)]
    encoding = run(*examples)
    assert encoding.kept == list(range(2100))
    for number in (0, 1023, 1024, 2099):
        assert decoded(BYTE_LEVEL, encoding.examples[number].input_ids) == f"x{number}y"


@pytest.mark.parametrize(("prompt_is_code", "language"), [(True, PYTHON), (False, 0)])
def test_a_completion_is_in_the_language_of_its_record_and_a_prompt_of_code_too(
    prompt_is_code: bool, language: int
) -> None:
    encoded = only(example(prompt_is_code=prompt_is_code))
    num_prompt = encoded.labels.count(IGNORED)
    assert encoded.language_ids == [language] * num_prompt + [PYTHON] * (len(encoded.labels) - num_prompt)


def test_in_a_chat_the_fence_machine_says_the_language_and_the_answer_begins_anew() -> None:
    answer = "```java\nint x;\n```\nDone."
    # The fence of the question never closes, and the template puts the answer's on a line of its own marks.
    encoded = only(example("Like this:\n```python\nx = 1", answer, prompt_is_code=False), style="chat")
    num_prompt = encoded.labels.count(IGNORED)
    assert set(encoded.language_ids[:num_prompt]) == {0, PYTHON}
    machine, expected = FenceMachine(), []
    for token_id in encoded.input_ids[num_prompt:-1]:
        machine = machine.feed(decoded(BYTE_LEVEL, [token_id]))
        expected.append({"java": JAVA, None: 0}[machine.language_id])
    assert encoded.language_ids[num_prompt:-1] == expected
    assert JAVA in expected
    assert encoded.language_ids[-1] == 0


def test_in_a_chat_what_is_trained_on_is_the_answer_as_rendered_and_the_end() -> None:
    encoded = only(example(), style="chat")
    assert decoded(BYTE_LEVEL, trained(encoded)) == f"```python\n{PROMPT}{COMPLETION}```\n"
    assert trained(encoded)[-1] == BYTE_LEVEL.eos_token_id
    text = decoded(BYTE_LEVEL, encoded.input_ids)
    assert text.startswith("[user] Complete this Python code.")


def test_an_answer_ends_with_its_mark_and_not_with_white_space_behind_it() -> None:
    tokenizer = byte_level_tokenizer(MARKED_TEMPLATE)
    tokenizer.add_special_tokens({"additional_special_tokens": [TURN]})
    turn_id = tokenizer.convert_tokens_to_ids(TURN)
    assert trained(only(example("Hi", "```python\nx```", prompt_is_code=False), tokenizer=tokenizer, style="chat"))[
        -2:
    ] == [turn_id, tokenizer.eos_token_id]
    tokenizer.eos_token = TURN
    labels = trained(only(example("Hi", "x", prompt_is_code=False), tokenizer=tokenizer, style="chat"))
    assert labels[-1] == turn_id
    assert labels.count(turn_id) == 1


@pytest.mark.parametrize(
    "template",
    [
        CHAT_TEMPLATE.replace("[assistant]", "<answer>"),  # begins otherwise than when the model is asked
        CHAT_TEMPLATE.replace("m.content", "m.content | upper"),
    ],
)
def test_a_template_that_hides_where_the_answer_is_stops_with_the_source(template: str) -> None:
    with pytest.raises(DataError, match=r"rows.jsonl, line 7: the chat template does not put the answer"):
        run(example(), tokenizer=byte_level_tokenizer(template), style="chat")


def test_a_template_that_refuses_the_messages_stops_with_the_source() -> None:
    tokenizer = byte_level_tokenizer("{{ raise_exception('no users here') }}")
    with pytest.raises(DataError, match=r"rows.jsonl, line 7: .* no users here"):
        run(example(), tokenizer=tokenizer, style="chat")


def test_a_chat_needs_a_template() -> None:
    with pytest.raises(EngineError, match="no chat template"):
        run(example(), tokenizer=byte_level_tokenizer(), style="chat")


def test_a_tokenizer_needs_an_end_token() -> None:
    tokenizer = byte_level_tokenizer()
    tokenizer.eos_token = None
    with pytest.raises(EngineError, match="no end token"):
        run(example(), tokenizer=tokenizer)


@pytest.mark.parametrize(
    ("prompt", "completion", "complaint"),
    [
        ("", "x", "the prompt is empty"),
        ("x", " \n", "no token would be trained on"),
        ("x", "", "no token would be trained on"),
        ("x", f"y{END}z", "holds the end token"),
    ],
)
@pytest.mark.parametrize("style", ["completion", "chat"])
def test_an_example_that_cannot_be_trained_on_stops_with_its_source(
    prompt: str, completion: str, complaint: str, style: str
) -> None:
    with pytest.raises(DataError, match=rf"1 example\(s\)[^\n]*\n  rows.jsonl, line 8: .*{complaint}"):
        run(example(), example(prompt, completion, source="rows.jsonl, line 8"), style=style)


def test_only_the_first_faults_are_listed_and_all_are_counted() -> None:
    with pytest.raises(DataError) as caught:
        run(*(example("x", "", source=f"line {number}") for number in range(12)))
    assert "12 example(s)" in str(caught.value)
    assert "line 9:" in str(caught.value)
    assert "line 10:" not in str(caught.value)
    assert "and 2 more" in str(caught.value)


LONG = example(completion=COMPLETION * 20, source="long")


def test_a_long_example_is_an_error_unless_told_otherwise() -> None:
    length = len(only(LONG).input_ids)
    assert only(LONG, max_length=length).input_ids
    with pytest.raises(DataError, match=f"long: it has {length} tokens, above data.max_length = {length - 1}"):
        run(LONG, max_length=length - 1)


def test_a_long_example_can_be_left_out_which_is_said() -> None:
    encoding = run(example(), LONG, example(), max_length=60, too_long="drop")
    assert encoding.kept == [0, 2]
    assert encoding.examples == run(example(), example()).examples
    assert encoding.notes == (
        "1 example(s) with more tokens than data.max_length = 60 were left out (data.too_long = 'drop').",
    )


def test_a_language_whose_examples_are_all_too_long_is_an_error() -> None:
    java = LONG.model_copy(update={"language_id": "java"})
    with pytest.raises(DataError, match=r"All examples in java have more tokens than data.max_length = 60"):
        run(example(), java, LONG, max_length=60, too_long="drop")


def test_a_long_completion_can_be_cut_which_is_said() -> None:
    encoding = run(LONG, max_length=60, too_long="truncate")
    [cut], whole = encoding.examples, only(LONG)
    assert cut == EncodedExample(whole.input_ids[:60], whole.labels[:60], whole.language_ids[:60], "long")
    assert "1 example(s) with more tokens than data.max_length = 60 were cut" in encoding.notes[0]


def test_an_example_above_the_positions_of_the_model_is_as_one_above_max_length() -> None:
    with pytest.raises(DataError, match=r"long: it has \d+ tokens, above the 60 positions of the base model"):
        encode([LONG], BYTE_LEVEL, data(), LANGUAGES, 60)
    cut = encode([LONG], BYTE_LEVEL, data(too_long="truncate"), LANGUAGES, 60)
    assert len(cut.examples[0].input_ids) == 60
    assert "than the 60 positions of the base model were cut" in cut.notes[0]
    assert encode([LONG], BYTE_LEVEL, data(), LANGUAGES, 1024) == run(LONG)


def test_a_prompt_that_leaves_no_target_is_never_cut() -> None:
    with pytest.raises(DataError, match="none is trained on"):
        run(example(PROMPT * 20), max_length=60, too_long="truncate")


def test_nothing_is_said_where_nothing_was_left_out() -> None:
    assert run(example(), too_long="drop").notes == ()
