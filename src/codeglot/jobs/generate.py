"""Problems -> completions.jsonl: whatever the file does not hold yet is written, each on disk before the next."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from codeglot import runs
from codeglot.data.format import build_prompt
from codeglot.errors import RunError
from codeglot.generate.engine import Engine, GenerationRequest
from codeglot.jobs.progress import Progress
from codeglot.jobs.runfile import EvaluationRun
from codeglot.languages import spec
from codeglot.records import Completion, Problem, short_hash

Key = tuple[str, int]


def generate(
    run: EvaluationRun, problems: Sequence[Problem], engine: Engine, path: Path, progress: Progress
) -> list[Completion]:
    """Have every missing completion written.

    Returns:
        All completions, in the order of problems and samples.

    Raises:
        EngineError: If the engine cannot answer; what it wrote before is in `path`.
        RunError: If `path` holds answers to other prompts.
    """
    wanted = {(request.task_id, request.sample): request for request in build_requests(run, problems)}
    found = kept_completions(run, problems, path)
    missing = [request for key, request in wanted.items() if key not in found]
    with (
        progress.track("generate", total=len(wanted), done=len(found)) as advance,
        runs.RowWriter(path) as writer,
        closing(engine.generate(missing, run.generate)) as answers,
    ):
        for completion in answers:
            writer.write(completion)
            found[completion.key] = completion
            advance()
    return [found[key] for key in wanted]


def kept_completions(run: EvaluationRun, problems: Sequence[Problem], path: Path) -> dict[Key, Completion]:
    """Completions of an earlier start, by key, in the order of problems and samples.

    Raises:
        RunError: If `path` holds answers to other prompts.
    """
    if not path.exists():
        return {}
    wanted = {(request.task_id, request.sample): request.prompt_hash for request in build_requests(run, problems)}
    found = {row.key: row for row in runs.iter_rows(path, Completion)}
    if stale := [key for key, row in found.items() if wanted.get(key) != row.prompt_hash]:
        raise RunError(
            f"{path} holds {len(stale)} completions of other prompts, the first for '{stale[0][0]}': the data or the "
            "wording of prompts changed since this run began. Name another folder with --out."
        )
    return {key: found[key] for key in wanted if key in found}


def refuse_changed_answers(run: EvaluationRun, problems: Sequence[Problem], engine: Engine, path: Path) -> None:
    """Hold completions of an earlier start against an engine that knows all of them.

    Raises:
        RunError: If `path` holds others: the file of completions, or how solutions are written, changed.
    """
    found = kept_completions(run, problems, path)
    requests = [request for request in build_requests(run, problems) if (request.task_id, request.sample) in found]
    for completion in engine.generate(requests, run.generate):
        if found[completion.key].text != completion.text:
            raise RunError(
                f"{path} holds another answer to '{completion.task_id}' than {_source(run)} gives now. "
                "Name another folder with --out."
            )


def _source(run: EvaluationRun) -> str:
    return f"the file {run.generate.completions}" if run.generate.completions else f"the {run.generate.engine} engine"


def build_requests(run: EvaluationRun, problems: Sequence[Problem]) -> Iterator[GenerationRequest]:
    """One request per problem and sample, each with a seed of its own that no order changes."""
    for problem in problems:
        prompt = build_prompt(problem, run.generate.style, spec.get(problem.language_id))
        prompt_hash = short_hash(prompt.text, [message.model_dump() for message in prompt.messages])
        for sample in range(run.generate.num_samples):
            digest = hashlib.sha256(f"{run.seed}\0{problem.task_id}\0{sample}".encode()).digest()
            yield GenerationRequest(
                task_id=problem.task_id,
                sample=sample,
                prompt=prompt.text,
                messages=prompt.messages,
                language_id=problem.language_id,
                prompt_is_code=problem.prompt_is_code,
                stop=problem.stop if prompt.text else (),
                seed=int.from_bytes(digest[:4]) >> 1,  # servers take 31 bits
                prompt_hash=prompt_hash,
            )
