"""The same programs on the machines of a Ray cluster.

Each node has one actor, which owns that node's sandbox and pool; the driver hands it shards of programs, the next one
before the last is done, and takes each verdict as it comes. Ray only carries requests and verdicts: programs run in the
node's boxes, never in a worker's own process, user or network. A node that is lost gives back what it had not finished;
one that joins, or comes back, gets work as soon as it has shown that it judges as the others do: with the same code and
the same tools.

It promises that no verdict is lost and that only programs in flight on a lost node run twice. It does not promise that
a cluster which forwards its ports to strangers is safe: Ray runs what anybody who reaches it asks for.
"""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from codeglot.errors import CodeglotError, SandboxError
from codeglot.execute.local import LocalPool
from codeglot.execute.log import judging_code
from codeglot.execute.probes import probe_request
from codeglot.execute.reach import reach
from codeglot.execute.sandbox import ExecutionRequest, Sandbox
from codeglot.languages import spec
from codeglot.records import Execution, Verdict

Key = TypeVar("Key")

SHARD_SIZE = 128
"""Programs sent to a node at one time."""
LOW_WATER = 2
"""Programs for each of a node's slots that it has left when the next shard is sent: no slot waits for one."""
LOOK_S = 2.0
"""Seconds between two looks at who is there."""
PATIENCE_S = 60.0
"""Seconds without any node after which a run is given up; what is done is kept."""
MOST_LOSSES = 4
"""Nodes that may die with a shard before its programs are given up as `infra_error`."""
PROBES = (Verdict.PASS, Verdict.FAIL_ASSERT)

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Shard(Generic[Key]):
    """Some programs on their way through the cluster."""

    programs: dict[int, tuple[Key, ExecutionRequest]]
    """Those without a verdict yet, by number."""
    losses: int = 0

    @property
    def languages(self) -> set[str]:
        """Ids of the languages of its programs."""
        return {request.language_id for _, request in self.programs.values()}


class Node:
    """What runs on each node, as a Ray actor.

    Args:
        open_sandbox: Makes the node's sandbox.
        slots: Programs at one time; None: one per core.
    """

    def __init__(self, open_sandbox: Callable[[], Sandbox], slots: int | None) -> None:
        self._open_sandbox = open_sandbox
        self._slots = slots
        self._arriving: queue.SimpleQueue[dict[int, ExecutionRequest]] = queue.SimpleQueue()
        self._here: list[tuple[int, ExecutionRequest]] = []
        self._is_over = False

    def open(self) -> tuple[str, str, int]:
        """Hash of the code that judges here, why no sandbox can be opened (empty where one was), and the slots."""
        try:
            self._sandbox = self._open_sandbox()
        except SandboxError as error:
            return judging_code(), str(error), 0
        self._pool = LocalPool(self._sandbox, self._slots)
        return judging_code(), "", self._pool.slots

    def probe(self, language_id: str) -> tuple[str, str]:
        """Version of a language's tools here, and why it cannot be judged here; empty where it can."""
        language, version = spec.get(language_id), ""
        for probe in PROBES:
            execution = self._sandbox.run(probe_request(language, probe))
            version = execution.versions.get(language.id, version)
            if execution.verdict is not probe:
                return version, f"the probe '{probe}' ended as '{execution.verdict}': {execution.detail}"
        return version, ""

    def give(self, programs: dict[int, ExecutionRequest]) -> None:
        """Take programs to be judged; none: no more come."""
        self._arriving.put(programs)

    def judge(self) -> Iterator[tuple[int, Execution]]:
        """Yield the verdict on each program given, under its number, as soon as it is there."""
        with closing(self._pool.run_arriving(self._take)) as results:
            yield from results

    def _take(self, most: int, is_idle: bool) -> list[tuple[int, ExecutionRequest]]:  # noqa: FBT001 - the pool's
        while len(self._here) < most and not self._is_over:
            try:
                programs = self._arriving.get(block=is_idle and not self._here)
            except queue.Empty:
                break
            self._is_over = not programs
            self._here += programs.items()
        taken, self._here = self._here[:most], self._here[most:]
        return taken


class RayPool:
    """Runs programs on all nodes of a cluster.

    Args:
        address: Of the cluster, as `ray.init` takes it: `auto`, `HOST:PORT` or `ray://HOST:PORT`.
        open_sandbox: Makes a node's sandbox, on that node.
        slots: Programs at one time on each node; None: one per core.

    Raises:
        SandboxError: If no cluster answers there.
    """

    def __init__(self, address: str, open_sandbox: Callable[[], Sandbox], slots: int | None = None) -> None:
        self._open_sandbox = open_sandbox
        self._slots = slots
        self._versions: dict[str, str] = {}
        self._version_lock = threading.Lock()
        self._left_out: dict[str, str] = {}
        self._actors: dict[str, Any] = {}
        try:
            reach(address)
            if not ray.is_initialized():
                ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, RayError, ValueError, RuntimeError) as error:
            raise SandboxError(
                f"No Ray cluster answers at '{address}': {error}. Start one with `ray start --head`, or run without "
                "--cluster."
            ) from error

    def run_all(self, requests: Iterable[tuple[Key, ExecutionRequest]]) -> Generator[tuple[Key, Execution], None, None]:
        """Yield each execution under its key, as `Pool.run_all` does."""
        waiting = iter(enumerate(requests))
        work: _Work[Key] = _Work()
        servers: dict[str, threading.Thread] = {}
        last_seen, next_look = time.monotonic(), 0.0
        try:
            while True:
                # Here, since making a program is the caller's code, which knows nothing of threads.
                while work.num_ready <= len(servers) and not work.is_complete:
                    work.add(Shard(dict(islice(waiting, SHARD_SIZE))))
                if work.is_done:
                    return
                if time.monotonic() >= next_look and not work.is_judged:
                    self._look(servers, work)
                    next_look = time.monotonic() + LOOK_S
                if any(server.is_alive() for server in servers.values()):
                    last_seen = time.monotonic()
                elif time.monotonic() - last_seen > PATIENCE_S:
                    raise SandboxError(self._nobody_left())
                yield from work.results(LOOK_S)
        finally:
            work.stop()
            for actor in list(self._actors.values()):
                ray.kill(actor)

    def _look(self, servers: dict[str, threading.Thread], work: "_Work[Key]") -> None:
        """Put a thread to every node that is there and has none."""
        for facts in ray.nodes():
            node_id = facts["NodeID"]
            is_served = node_id in servers and servers[node_id].is_alive()
            if facts["Alive"] and not is_served and node_id not in self._left_out:
                name = facts.get("NodeManagerHostname", node_id)
                servers[node_id] = threading.Thread(target=self._serve, args=(node_id, name, work), daemon=True)
                servers[node_id].start()

    def _serve(self, node_id: str, name: str, work: "_Work[Key]") -> None:
        """Give one node shards until nothing is left, or it is lost."""
        where = NodeAffinitySchedulingStrategy(node_id, soft=False)
        remote: Any = ray.remote(Node)
        held: list[Shard[Key]] = []
        try:
            actor = remote.options(num_cpus=0, max_concurrency=2, scheduling_strategy=where).remote(
                self._open_sandbox, self._slots
            )
            self._actors[node_id] = actor
            code, fault, slots = ray.get(actor.open.remote())
            self._refuse_other_code(code, fault)
            self._supply(node_id, held, slots, work)
            ray.kill(actor)
        except _DifferentNodeError as error:
            self._left_out[node_id] = f"{name}: {error}"
            _log.warning("The node %s is left out: %s", name, error)
            work.give_back(held, is_lost=False)
            ray.kill(actor)
        except RayTaskError as error:  # raised by codeglot itself: the request is at fault, wherever it is run
            work.fail(error.cause if isinstance(error.cause, CodeglotError) else error)
        except RayError as error:
            if not work.is_stopped:
                _log.warning("The node %s was lost: %s", name, str(error).partition("\n")[0])
                work.give_back(held, is_lost=True)
        finally:
            work.leave(node_id)
            self._actors.pop(node_id, None)

    def _supply(self, node_id: str, held: list[Shard[Key]], slots: int, work: "_Work[Key]") -> None:
        """Keep a node's slots busy until nothing is left; `held` are the shards that it has."""
        actor = self._actors[node_id]
        known: set[str] = set()
        answers = actor.judge.options(num_returns="streaming").remote()
        while True:
            num_left = sum(len(shard.programs) for shard in held)
            if num_left <= LOW_WATER * slots:
                if shard := work.take(node_id, held, wait=not num_left):
                    for language_id in sorted(shard.languages - known):
                        self._refuse_other_tools(language_id, *ray.get(actor.probe.remote(language_id)))
                        known.add(language_id)
                    actor.give.remote({number: request for number, (_, request) in shard.programs.items()})
                elif not num_left:
                    break
            work.put(held, *ray.get(next(answers)))
        actor.give.remote({})
        for answer in answers:  # what a canary takes back at the end
            work.put(held, *ray.get(answer))

    def _refuse_other_code(self, code: str, fault: str) -> None:
        if code != judging_code():
            raise _DifferentNodeError("another version of codeglot is installed there; install the same one everywhere")
        if fault:
            raise _DifferentNodeError(fault)

    def _refuse_other_tools(self, language_id: str, version: str, fault: str) -> None:
        if fault:
            raise _DifferentNodeError(f"{language_id} cannot be judged there: {fault}")
        with self._version_lock:
            first = self._versions.setdefault(language_id, version)
        if version != first:
            raise _DifferentNodeError(f"it has '{version}' for {language_id}, where the first node has '{first}'")

    def _nobody_left(self) -> str:
        reasons = "".join(f"\n  {reason}" for reason in self._left_out.values())
        return (
            f"No node of the cluster is left to run programs on; none joined for {PATIENCE_S:.0f} s.{reasons}\n"
            "What was judged is kept: start nodes and run the same command again."
        )


class _DifferentNodeError(Exception):
    """A node that would not judge as the others do."""


class _Work(Generic[Key]):
    """What is still to be done, shared by the threads that serve the nodes."""

    def __init__(self) -> None:
        self._ready: deque[Shard[Key]] = deque()
        self._answers: queue.Queue[tuple[Key, Execution] | Exception] = queue.Queue()
        self._changed = threading.Condition()
        self._num_out = 0
        self._keys: dict[int, Key] = {}
        """Of programs with a verdict, by number."""
        self._judging: set[str] = set()
        """Ids of the nodes that may give verdicts."""
        self.is_complete = False
        """Whether no more programs come."""
        self.is_stopped = False

    @property
    def num_ready(self) -> int:
        """Shards that no node has taken."""
        return len(self._ready)

    @property
    def is_judged(self) -> bool:
        """Whether every program has a verdict."""
        with self._changed:
            return self._is_judged()

    @property
    def is_done(self) -> bool:
        """Whether all verdicts were taken and none can come again."""
        with self._changed:
            return self._is_judged() and not self._judging and self._answers.empty()

    def _is_judged(self) -> bool:
        return self.is_complete and not self._num_out and not self._ready

    def add(self, shard: Shard[Key]) -> None:
        """Take a shard; one without programs is the last."""
        with self._changed:
            if shard.programs:
                self._ready.append(shard)
            else:
                self.is_complete = True
            self._changed.notify_all()

    def take(self, node_id: str, held: list[Shard[Key]], *, wait: bool) -> Shard[Key] | None:
        """Add the next shard to those that a node holds; None where there is none.

        Args:
            node_id: Of the node.
            held: What it holds.
            wait: Whether to wait while others may still give theirs back, and be told None only when all is judged.
        """
        with self._changed:
            while wait and not (self._ready or self.is_stopped or self._is_judged()):
                self._changed.wait()
            if not self._ready or self.is_stopped:
                return None
            self._num_out += 1
            self._judging.add(node_id)
            held.append(self._ready.popleft())
            return held[-1]

    def put(self, held: list[Shard[Key]], number: int, execution: Execution) -> None:
        """Take a verdict of a node; on a program that has one, it takes its place."""
        shard = next((shard for shard in held if number in shard.programs), None)
        if shard:
            self._keys[number] = shard.programs.pop(number)[0]
        self._answers.put((self._keys[number], execution))
        if shard and not shard.programs:
            held.remove(shard)
            self._finish(shard)

    def _finish(self, shard: Shard[Key]) -> None:
        with self._changed:
            self._num_out -= 1
            if shard.programs:
                self._ready.append(shard)
            self._changed.notify_all()

    def give_back(self, held: list[Shard[Key]], *, is_lost: bool) -> None:
        """Let other nodes do what is left of a node's shards; one that keeps losing nodes is given up."""
        for shard in held.copy():
            shard.losses += is_lost
            if shard.losses >= MOST_LOSSES:
                lost = Execution(verdict=Verdict.INFRA_ERROR, detail=f"{shard.losses} nodes were lost with it")
                for number in list(shard.programs):
                    self.put(held, number, lost)
            else:
                held.remove(shard)
                self._finish(shard)

    def leave(self, node_id: str) -> None:
        """Note that no more verdicts come from a node."""
        with self._changed:
            self._judging.discard(node_id)

    def results(self, timeout_s: float) -> Iterator[tuple[Key, Execution]]:
        """Yield what has come, waiting a while for the first."""
        wait = True
        while True:
            try:
                answer = self._answers.get(timeout=timeout_s) if wait else self._answers.get_nowait()
            except queue.Empty:
                return
            if isinstance(answer, Exception):
                raise answer
            yield answer
            wait = False

    def fail(self, error: Exception) -> None:
        """Let the driver raise this."""
        self._answers.put(error)

    def stop(self) -> None:
        """Let no thread take more."""
        with self._changed:
            self.is_stopped = True
            self._changed.notify_all()
