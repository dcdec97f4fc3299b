"""What a local model is given for a request, in tokens."""

from typing import Any

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from codeglot.data.encode import encode_prompt
from codeglot.errors import EngineError
from codeglot.generate.engine import GenerationRequest


def prompt_tokens(tokenizer: PreTrainedTokenizerBase, request: GenerationRequest, *, name: str) -> list[int]:
    """Tokens of a prompt to continue, or of a chat up to where the answer begins.

    Args:
        tokenizer: That of the model.
        request: What is asked.
        name: What messages call the model.

    Raises:
        EngineError: If the tokenizer has no chat template, or one that does not take the messages.
    """
    if not request.messages:
        return encode_prompt(tokenizer, request.prompt)
    if not tokenizer.chat_template:
        raise EngineError(
            f"The tokenizer of {name} has no chat template, so {request.task_id} cannot be asked as a chat. "
            "Set generate.style=completion, or take a model that is tuned for chat."
        )
    messages = [message.model_dump() for message in request.messages]
    try:
        encoded: Any = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)
    except TemplateError as error:
        raise EngineError(
            f"The chat template of {name} does not take the messages of {request.task_id}: {error}."
        ) from error
    return list(encoded["input_ids"])
