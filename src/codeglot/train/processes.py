"""Training on several processes: each has the whole model and makes the gradient of its part of the rows.

Gradients are added up once per optimizer step, after accumulation, and not while the backward pass runs. So a process
may have fewer forward passes than another, or none, and a parameter may get no gradient on some of them (an expert
that no token was sent to), where a wrapper that counts gradients would wait for ever.
"""

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

import torch
from accelerate import Accelerator, InitProcessGroupKwargs
from accelerate.utils import DistributedType, broadcast_object_list, gather_object
from torch import Tensor, distributed, nn

from codeglot.errors import ConfigError
from codeglot.train.settings import Tracker

_SUPPORTED = {
    DistributedType.NO,
    DistributedType.MULTI_CPU,
    DistributedType.MULTI_GPU,
}
Value = TypeVar("Value")
_BUCKET = 2**26
"""Numbers that are added up over the processes at once."""
_PATIENCE = timedelta(hours=6)
"""How long a process waits for the one that validates."""


class Processes:
    """This process among those that `accelerate launch` or torchrun started; alone where there are no others.

    Args:
        trackers: Where metrics are sent, by accelerate.
        folder: Where those trackers that write files put them.
        on_cpu: Whether the model is to stay on the CPU, be there accelerators or not.

    Raises:
        ConfigError: If the launcher asks for sharded training.
    """

    def __init__(self, trackers: Sequence[Tracker] = (), folder: str | None = None, *, on_cpu: bool = False) -> None:
        patience = InitProcessGroupKwargs(timeout=_PATIENCE)
        asked = int(os.environ.get("WORLD_SIZE", "1"))
        self.accelerator = Accelerator(
            cpu=on_cpu and asked > 1,  # processes on CPUs add up by other means than those on accelerators
            log_with=list(trackers) or None,
            project_dir=folder,
            kwargs_handlers=[patience],
        )
        kind = self.accelerator.distributed_type
        if kind not in _SUPPORTED:
            raise ConfigError(
                f"Training sharded over processes ({kind}) is not supported yet. Launch with plain data parallelism "
                "(accelerate launch --multi_gpu, or torchrun): every process then holds the whole model."
            )
        if asked != self.accelerator.num_processes:
            raise ConfigError(
                f"The launcher started {asked} processes, and accelerate sees {self.accelerator.num_processes}: each "
                "would train by itself, into the same folder. On CPUs, set base.device = 'cpu'."
            )
        self.count = self.accelerator.num_processes
        self.index = self.accelerator.process_index

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes."""
        return self.index == 0

    def device(self, model: nn.Module) -> torch.device:
        """Where to train: where the model is, if alone; else this process's own device of that kind."""
        return self.accelerator.device if self.count > 1 else next(model.parameters()).device

    def wait(self) -> None:
        """Go on when every process is here."""
        self.accelerator.wait_for_everyone()

    def gather(self, value: Value) -> list[Value]:
        """One value of each process, in order."""
        return list(gather_object([value])) if self.count > 1 else [value]

    def from_first(self, value: Value) -> Value:
        """The value that the first process gives."""
        values: list[Value] = broadcast_object_list([value]) if self.count > 1 else [value]
        return values[0]

    def copy_from_first(self, tensors: Sequence[Tensor]) -> None:
        """Make tensors equal to those of the first process, in place."""
        if self.count > 1:
            for tensor in tensors:
                distributed.broadcast(tensor.detach(), src=0)

    def add_up(self, values: Tensor) -> Tensor:
        """Sum of a tensor over the processes."""
        if self.count > 1:
            distributed.all_reduce(values)
        return values

    def add_up_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Replace each gradient by its sum over the processes; one that no process has stays None."""
        if self.count == 1:
            return
        has_gradient = torch.tensor([p.grad is not None for p in parameters], device=self.accelerator.device)
        counts = self.add_up(has_gradient.int()).tolist()
        for bucket in _buckets([p for p, count in zip(parameters, counts, strict=True) if count]):
            grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in bucket]
            flat = self.add_up(torch.cat([grad.flatten() for grad in grads]))
            parts = flat.split([grad.numel() for grad in grads])
            for parameter, part in zip(bucket, parts, strict=True):
                parameter.grad = part.view_as(parameter).clone()


def is_first_process() -> bool:
    """Whether this is the process that writes; told by the launcher's environment, so it is known at once."""
    return os.environ.get("RANK", "0") == "0"


def _buckets(parameters: Sequence[nn.Parameter]) -> list[list[nn.Parameter]]:
    """Parameters of one number format and a bounded size together, in order."""
    buckets: list[list[nn.Parameter]] = []
    size = 0
    for parameter in parameters:
        fits = buckets and buckets[-1][0].dtype == parameter.dtype and size + parameter.numel() <= _BUCKET
        if not fits:
            buckets.append([])
            size = 0
        buckets[-1].append(parameter)
        size += parameter.numel()
    return buckets
