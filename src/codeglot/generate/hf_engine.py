"""Completions of a Hugging Face causal language model on this machine, in batches.

Promised: each completion depends on its own request alone (see `sampling` for the limits of that), nothing is cut
without a `finish_reason` that says so, and what a batch wrote is handed out before the next one begins.
"""

import gc
import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Self

import torch
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

from codeglot.errors import EngineError
from codeglot.generate.cache import growing_cache
from codeglot.generate.engine import Decoding, GenerationRequest
from codeglot.generate.prompt_tokens import prompt_tokens
from codeglot.generate.routing import routed
from codeglot.generate.rows import Row, RowEnds
from codeglot.generate.sampling import SeededSampler
from codeglot.methods.adapter import load_adapted
from codeglot.models.layers import plain_model
from codeglot.models.load import LoadedBase
from codeglot.models.modes import in_evaluation
from codeglot.models.settings import Base
from codeglot.records import Completion, FinishReason

_log = logging.getLogger(__name__)

_IDS = ("eos_token_id", "bos_token_id", "pad_token_id")
_SHARE = 0.75
"""Rows that have ended are taken out of the batch when no more than this part of it goes on."""


class HuggingFaceEngine:
    """Runs the model of `[base]`.

    Args:
        base: What the run file says.
        batch_size: Prompts at once, at most; halved while memory does not suffice.
        load: How the model comes into memory.

    Raises:
        ConfigError: If a setting cannot hold on this machine.
        EngineError: If the model is missing, unsafe or incomplete.
    """

    def __init__(self, base: Base, batch_size: int, *, load: Callable[[Base], LoadedBase] = load_adapted) -> None:
        model, self._tokenizer, self._device, self._routing = load(base)
        self._model: Any = model  # with an adapter around it, its type does not know what it can do
        self._name = base.model
        self._batch_size = batch_size
        self._end_ids = self._read_generation_config()
        self._num_positions: int | None = getattr(self._model.config.get_text_config(), "max_position_embeddings", None)
        self.device = torch.cuda.get_device_name(self._device) if self._device.type == "cuda" else self._device.type

    @classmethod
    def of(cls, loaded: LoadedBase, batch_size: int, *, name: str) -> Self:
        """An engine around a model in memory, which is left as it was after every batch: trained on, for instance.

        Args:
            loaded: The model in any mode, its tokenizer and where it runs.
            batch_size: Prompts at once, at most.
            name: What messages call it.
        """
        return cls(Base(model=name), batch_size, load=lambda _: loaded)

    def check(self, requests: Sequence[GenerationRequest], decoding: Decoding) -> None:
        """Refuse what `generate` would refuse before it writes anything.

        Raises:
            EngineError: For every prompt that the model cannot take.
        """
        self._rows(requests, decoding)

    def generate(self, requests: Sequence[GenerationRequest], decoding: Decoding) -> Generator[Completion, None, None]:
        """Yield the completions of each batch when it is written, the longest prompts first.

        Raises:
            EngineError: Before anything is generated, for every prompt that the model cannot take; or when memory
                does not suffice for one prompt alone.
        """
        # The longest batch comes first, so memory that does not suffice shows at once; equal lengths need no padding.
        waiting = sorted(self._rows(requests, decoding), key=lambda row: -len(row.prompt_ids))
        self._warn_of_short(waiting, decoding)
        size = self._batch_size
        while waiting:
            batch = [replace(row) for row in waiting[:size]]  # a second try begins anew
            if self._write(batch, decoding):
                waiting = waiting[size:]
                yield from (_completion(row, decoding) for row in batch)
            elif len(batch) == 1:
                raise self._out_of_memory(batch[0])
            else:
                size = len(batch) // 2
                _log.warning("Memory does not suffice for %d prompts at once; going on with %d", len(batch), size)

    def _read_generation_config(self) -> set[int]:
        """Return the tokens that end a completion; all else that the model says about decoding is not used."""
        own = self._model.generation_config
        if settings := {
            key: value
            for key, value in own.to_diff_dict().items()
            if key not in (*_IDS, "transformers_version", "_from_model_config")
        }:
            _log.info(
                "Settings of the model's generation_config.json that are not used, since the run file decides: %s",
                settings,
            )
        ids = own.eos_token_id if isinstance(own.eos_token_id, list) else [own.eos_token_id]
        return {token_id for token_id in (*ids, self._tokenizer.eos_token_id) if token_id is not None}

    def _rows(self, requests: Sequence[GenerationRequest], decoding: Decoding) -> list[Row]:
        """Encode every prompt, and refuse all those that cannot be answered in one error."""
        rows, faults = [], []
        for request in requests:
            ids = prompt_tokens(self._tokenizer, request, name=self._name)
            room = decoding.max_new_tokens if self._num_positions is None else self._num_positions - len(ids)
            if not ids:
                faults.append(f"{request.task_id}: the prompt has no tokens")
            elif room < 1:
                faults.append(
                    f"{request.task_id}: the prompt has {len(ids)} tokens, the model {self._num_positions} positions"
                )
            rows.append(Row(request, ids, min(room, decoding.max_new_tokens)))
        if faults:
            lines = [f"  {fault}" for fault in dict.fromkeys(faults)]  # all samples of a problem have one prompt
            raise EngineError(
                f"{self._name} cannot answer {len(lines)} problem(s); leave them out or take another model:\n"
                + "\n".join(lines)
            )
        return rows

    def _warn_of_short(self, rows: Sequence[Row], decoding: Decoding) -> None:
        if num_short := sum(row.max_new_tokens < decoding.max_new_tokens for row in rows):
            _log.warning(
                "%d prompt(s) leave fewer than max_new_tokens=%d of %s positions in %s; what is cut there is marked",
                num_short,
                decoding.max_new_tokens,
                self._num_positions,
                self._name,
            )

    def _write(self, rows: Sequence[Row], decoding: Decoding) -> bool:
        """Fill in the rows; False if memory did not suffice."""
        try:
            self._run(rows, decoding)
        except torch.OutOfMemoryError:
            is_written = False
        else:
            is_written = True
        if not is_written:  # only now does no traceback hold the tensors any more
            gc.collect()
            if self._device.type == "cuda":
                torch.cuda.empty_cache()
        return is_written

    def _run(self, rows: Sequence[Row], decoding: Decoding) -> None:
        width = max(len(row.prompt_ids) for row in rows)
        # Padding is masked, so any id will do.
        ids = [[0] * (width - len(row.prompt_ids)) + row.prompt_ids for row in rows]
        mask = [[0] * (width - len(row.prompt_ids)) + [1] * len(row.prompt_ids) for row in rows]
        input_ids, attention_mask = torch.tensor(ids, device=self._device), torch.tensor(mask, device=self._device)
        samplers = self._samplers(rows, decoding)
        with _as_for_generation(self._model), routed(self._model, self._routing, rows, self._tokenizer) as labels:
            cache = None if self._has_prompt_of_its_own else growing_cache(plain_model(self._model))
            ends = RowEnds(rows, self._tokenizer, self._end_ids, share=_SHARE if cache else 0.0)
            while True:
                input_ids = self._model.generate(
                    input_ids=input_ids,
                    attention_mask=attention_mask,
                    generation_config=GenerationConfig(max_new_tokens=ends.room, do_sample=False, use_cache=True),
                    logits_processor=LogitsProcessorList(samplers),
                    stopping_criteria=StoppingCriteriaList([ends]),
                    **({"past_key_values": cache} if cache else {}),
                )
                places = ends.narrow()
                if cache is None or not places:
                    return
                input_ids = input_ids[places]
                attention_mask = _lengthened(attention_mask[places], input_ids.shape[1])
                cache.batch_select_indices(torch.tensor(places, device=self._device))
                for sampler in samplers:
                    sampler.keep(places)
                if labels is not None:
                    labels.keep(places)

    @property
    def _has_prompt_of_its_own(self) -> bool:
        """Whether an adapter puts positions of its own before the prompt, and so into the cache."""
        return bool(getattr(getattr(self._model, "active_peft_config", None), "is_prompt_learning", False))

    def _samplers(self, rows: Sequence[Row], decoding: Decoding) -> list[SeededSampler]:
        if decoding.temperature == 0:
            return []
        seeds = [row.request.seed for row in rows]
        return [SeededSampler(seeds, temperature=decoding.temperature, top_p=decoding.top_p, device=self._device)]

    def _out_of_memory(self, row: Row) -> EngineError:
        return EngineError(
            f"The memory of {self.device} does not suffice for {row.request.task_id} alone "
            f"({len(row.prompt_ids)} tokens of prompt, {row.max_new_tokens} to write). Lower generate.max_new_tokens, "
            "set base.dtype=bfloat16 or take a smaller model; what was written stays, and running again resumes."
        )


@contextmanager
def _as_for_generation(model: Any) -> Iterator[None]:
    """Evaluation mode, and no decoding settings but ours; afterwards every module is as it was.

    Left in place, the model's own temperature, penalties and so on would quietly fill whatever a run leaves open.
    """
    owners = list({id(owner): owner for owner in (model, plain_model(model))}.values())
    configs = [vars(owner).get("generation_config") for owner in owners]
    for owner in owners:
        owner.generation_config = GenerationConfig()
    try:
        with in_evaluation(model):
            yield
    finally:
        for owner, config in zip(owners, configs, strict=True):
            if config is None:
                del owner.generation_config
            else:
                owner.generation_config = config


def _lengthened(mask: Tensor, width: int) -> Tensor:
    """The mask with ones for the positions that came after it."""
    return torch.cat([mask, mask.new_ones(len(mask), width - mask.shape[1])], dim=1)


def _completion(row: Row, decoding: Decoding) -> Completion:
    return Completion(
        task_id=row.request.task_id,
        sample=row.request.sample,
        prompt_hash=row.request.prompt_hash,
        text=row.text,
        finish_reason=row.finish_reason or FinishReason.LENGTH,
        num_tokens=row.num_tokens,
        seed=row.request.seed if decoding.temperature > 0 else None,
    )
