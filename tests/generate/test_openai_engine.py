import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from codeglot.data.format import Message
from codeglot.errors import ConfigError, EngineError
from codeglot.generate.engine import Decoding, GenerationRequest
from codeglot.generate.openai_engine import OpenAIEngine, OpenAIServer
from codeglot.records import Completion, FinishReason
from tests.openai_server import Fault, LocalServer

GREEDY = Decoding(max_new_tokens=100)
SECRET = "sk-very-secret-0123456789"
ANSWERS = {f"prompt {number}": f"answer {number}" for number in range(30)}
REQUESTS = [
    GenerationRequest(task_id=f"t/{number}", sample=0, prompt=f"prompt {number}", seed=number, prompt_hash=f"h{number}")
    for number in range(30)
]


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


class Pauses:
    """Waits for nothing and remembers how long it should have."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def engine(server: LocalServer, pause: Callable[..., Any] | None = None, **settings: Any) -> OpenAIEngine:
    fields = {"base_url": server.base_url, "model": server.model, "timeout_s": 20, "max_retries": 3}
    return OpenAIEngine(OpenAIServer(**(fields | settings)), pause=pause or Pauses())


def first(stream: Iterator[Completion]) -> Completion:
    (completion,) = stream
    return completion


def collect(stream: Iterator[Completion]) -> tuple[list[str], EngineError | None]:
    """Tasks answered, and the error that ended the stream."""
    answered: list[str] = []
    try:
        answered.extend(completion.task_id for completion in stream)
    except EngineError as error:
        return answered, error
    return answered, None


def test_every_request_is_answered_once() -> None:
    with LocalServer(ANSWERS) as server:
        completions = list(engine(server).generate(REQUESTS, GREEDY))

    assert {(c.task_id, c.text, c.prompt_hash, c.num_tokens) for c in completions} == {
        (f"t/{number}", f"answer {number}", f"h{number}", 2) for number in range(30)
    }
    assert len(server.requests) == 30


def test_no_request_sends_nothing() -> None:
    with LocalServer({}) as server:
        nothing = engine(server, base_url="http://127.0.0.1:9").generate([], GREEDY)

        assert list(nothing) == []


def test_a_chat_goes_to_the_chat_path_with_its_messages() -> None:
    chat = REQUESTS[3].model_copy(update={"prompt": "", "messages": (Message(role="user", content="do: prompt 3"),)})
    with LocalServer(ANSWERS) as server:
        completion = first(engine(server).generate([chat], GREEDY))

    assert completion.text == "answer 3"
    assert server.requests[0]["messages"] == [{"role": "user", "content": "do: prompt 3"}]
    assert "prompt" not in server.requests[0]


def test_sampling_sends_its_settings_and_greedy_decoding_only_what_it_needs() -> None:
    with LocalServer(ANSWERS) as server:
        sampled = first(engine(server).generate(REQUESTS[5:6], Decoding(max_new_tokens=7, temperature=0.8, top_p=0.9)))
        greedy = first(engine(server).generate(REQUESTS[5:6], GREEDY))

    body = {"model": "local-model", "prompt": "prompt 5"}
    assert server.requests == [
        body | {"max_tokens": 7, "temperature": 0.8, "top_p": 0.9, "seed": 5},
        body | {"max_tokens": 100, "temperature": 0.0},
    ]
    assert (sampled.seed, greedy.seed) == (5, None)


def test_four_stop_strings_are_sent_and_all_are_applied() -> None:
    request = REQUESTS[0].model_copy(update={"stop": ("1", "2", "3", "4", "wer 0")})
    with LocalServer(ANSWERS) as server:
        completion = first(engine(server).generate([request], GREEDY))

    assert server.requests[0]["stop"] == ["1", "2", "3", "4"]
    assert (completion.text, completion.finish_reason) == ("ans", FinishReason.STOP)


def test_an_answer_cut_by_the_limit_is_marked() -> None:
    with LocalServer(ANSWERS) as server:
        completion = first(engine(server).generate(REQUESTS[:1], Decoding(max_new_tokens=1)))

    assert (completion.text, completion.finish_reason, completion.num_tokens) == ("answer", FinishReason.LENGTH, 1)


def test_a_server_that_wants_the_other_name_of_the_limit_gets_it() -> None:
    with LocalServer(ANSWERS, limit="max_completion_tokens") as server:
        completions = list(engine(server, concurrency=2).generate(REQUESTS[:6], GREEDY))

    assert len(completions) == 6
    assert sum("max_tokens" in body for body in server.requests) <= 2


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.BROKEN, Fault.DROP, Fault.MALFORMED, Fault.EMPTY])
def test_a_fault_that_passes_is_tried_again(fault: Fault) -> None:
    pauses = Pauses()
    with LocalServer(ANSWERS, faults={0: fault, 1: fault, 2: fault}) as server:
        completion = first(engine(server, pauses).generate(REQUESTS[:1], GREEDY))

    assert completion.text == "answer 0"
    assert len(server.requests) == 4
    assert all(0.25 * 2**i <= pause <= 0.5 * 2**i for i, pause in enumerate(pauses.seconds))
    assert len(pauses.seconds) == 3


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.BROKEN, Fault.DROP, Fault.MALFORMED, Fault.EMPTY])
def test_a_fault_that_stays_ends_with_an_error_that_names_task_and_remedy(fault: Fault) -> None:
    with LocalServer(ANSWERS, faults=dict.fromkeys(range(9), fault)) as server:
        answered, error = collect(engine(server).generate(REQUESTS[:1], GREEDY))

    assert not answered
    assert f"{server.base_url} did not answer t/0 in 4 attempt(s)" in str(error)
    assert "running again resumes" in str(error)
    assert len(server.requests) == 4


def test_the_pause_that_the_server_asks_for_is_kept() -> None:
    pauses = Pauses()
    with LocalServer(ANSWERS, faults={0: Fault.BUSY}, retry_after="7") as server:
        list(engine(server, pauses).generate(REQUESTS[:1], GREEDY))

    assert 7.25 <= pauses.seconds[0] <= 7.5


@pytest.mark.parametrize("retry_after", ["soon", "Wed, 21 Oct 2015 07:28:00 GMT", "-3", "nan"])
def test_a_requested_pause_that_says_nothing_is_passed_over(retry_after: str) -> None:
    pauses = Pauses()
    with LocalServer(ANSWERS, faults={0: Fault.BUSY}, retry_after=retry_after) as server:
        assert len(list(engine(server, pauses).generate(REQUESTS[:1], GREEDY))) == 1

    assert pauses.seconds[0] <= 0.5


@pytest.mark.parametrize(("fault", "retry_after"), [(Fault.BUSY, "86400"), (Fault.QUOTA, "0")])
def test_a_quota_that_is_used_up_stops_at_once(fault: Fault, retry_after: str) -> None:
    with LocalServer(ANSWERS, faults={0: fault}, retry_after=retry_after) as server:
        _, error = collect(engine(server, concurrency=1).generate(REQUESTS, GREEDY))

    assert "status 429" in str(error)
    assert "quota" in str(error)
    assert len(server.requests) == 1


def test_a_request_that_is_refused_stops_the_run_with_the_words_of_the_server() -> None:
    with LocalServer(ANSWERS, faults={4: Fault.BAD_REQUEST}) as server:
        answered, error = collect(engine(server, concurrency=1).generate(REQUESTS, GREEDY))

    assert answered == ["t/0", "t/1", "t/2", "t/3"]
    assert f"{server.base_url}/completions refused t/4 with status 400: This request cannot be served" in str(error)
    assert len(server.requests) == 5


def test_answers_under_way_are_not_lost_when_another_request_fails() -> None:
    with LocalServer(ANSWERS, faults={7: Fault.BAD_REQUEST}, delay_s=0.2) as server:
        answered, error = collect(engine(server, concurrency=8).generate(REQUESTS, GREEDY))

    assert error is not None
    assert len(answered) == len(server.requests) - 1


def test_a_server_that_dies_leaves_what_it_answered_and_a_second_run_does_the_rest() -> None:
    with LocalServer(ANSWERS, faults={12: Fault.DIE}) as server:
        answered, error = collect(engine(server, concurrency=4).generate(REQUESTS, GREEDY))
    assert "did not answer" in str(error)
    assert 8 <= len(answered) <= 12

    rest = [request for request in REQUESTS if request.task_id not in answered]
    with LocalServer(ANSWERS) as server:
        again, error = collect(engine(server).generate(rest, GREEDY))
    assert error is None
    assert sorted(answered + again) == sorted(request.task_id for request in REQUESTS)


def test_a_server_that_hangs_is_given_up_after_the_timeout() -> None:
    with LocalServer(ANSWERS, faults=dict.fromkeys(range(9), Fault.HANG)) as server:
        _, error = collect(engine(server, timeout_s=0.2, max_retries=1).generate(REQUESTS[:1], GREEDY))

    assert "t/0 in 2 attempt(s); the last ended with: no answer within 0.2 s" in str(error)


def test_a_server_that_is_not_there_is_an_error_before_anything_is_sent() -> None:
    with LocalServer(ANSWERS) as server:
        pass

    _, error = collect(engine(server).generate(REQUESTS, GREEDY))

    assert f"No answer from {server.base_url}/models" in str(error)
    assert "generate.openai.base_url" in str(error)


def test_a_model_that_the_server_does_not_list_is_an_error_before_anything_is_sent() -> None:
    with LocalServer(ANSWERS) as server:
        _, error = collect(engine(server, model="local-modle").generate(REQUESTS, GREEDY))

    assert "has no model 'local-modle'. Did you mean 'local-model'?" in str(error)
    assert not server.requests


def test_a_server_without_a_list_of_models_is_taken_as_it_is() -> None:
    with LocalServer(ANSWERS, has_model_list=False) as server:
        assert len(list(engine(server).generate(REQUESTS, GREEDY))) == 30


def test_a_missing_model_shows_with_the_first_request_where_there_is_no_list() -> None:
    with LocalServer(ANSWERS, has_model_list=False) as server:
        _, error = collect(engine(server, model="other", concurrency=1).generate(REQUESTS, GREEDY))

    assert "status 404: The model 'other' does not exist" in str(error)
    assert len(server.requests) == 1


def test_the_key_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", SECRET)
    with LocalServer(ANSWERS, key=SECRET) as server:
        assert len(list(engine(server, api_key_env="MY_KEY").generate(REQUESTS, GREEDY))) == 30


def test_a_missing_key_is_an_error_that_names_the_variable() -> None:
    with LocalServer(ANSWERS, key=SECRET) as server:
        _, error = collect(engine(server, api_key_env="MY_KEY").generate(REQUESTS, GREEDY))

    assert "status 401" in str(error)
    assert "environment variable MY_KEY is not set" in str(error)
    assert not server.requests


@pytest.mark.parametrize("has_model_list", [True, False])
def test_a_wrong_key_is_an_error_that_does_not_show_it(monkeypatch: pytest.MonkeyPatch, has_model_list: bool) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with LocalServer(ANSWERS, key="another", has_model_list=has_model_list) as server:
        asking = engine(server)
        _, error = collect(asking.generate(REQUESTS, GREEDY))

    assert "OPENAI_API_KEY was sent and is not accepted" in str(error)
    assert SECRET not in str(error) + repr(error) + repr(asking) + repr(vars(asking)["_server"])


def test_a_key_that_the_server_repeats_in_a_passing_fault_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with LocalServer(ANSWERS, faults={0: Fault.WRONG_KEY}) as server:
        _, error = collect(engine(server).generate(REQUESTS[:1], GREEDY))

    assert "[key]" in str(error)
    assert SECRET not in str(error)


def test_a_key_with_characters_that_cannot_be_sent_is_an_error_that_does_not_show_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-\N{EN DASH}secret")

    with pytest.raises(ConfigError, match="OPENAI_API_KEY") as raised:
        OpenAIEngine(OpenAIServer(base_url="http://localhost/v1", model="m"))

    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "localhost:8000"},
        {"base_url": "ftp://localhost"},
        {"base_url": "http://me:word:host:port"},
        {"base_url": "https://me:word@host/v1"},
        {"base_url": "https://host/v1?key=word"},
        {"api_key_env": "sk-word"},
        {"concurrency": 0},
    ],
)
def test_settings_that_cannot_hold_are_refused_without_repeating_secrets(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as raised:
        OpenAIServer(**({"base_url": "http://localhost/v1", "model": "m"} | settings))

    assert "word" not in raised.value.errors()[0]["msg"]


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_than_concurrency_requests_run_and_few_are_ahead_of_the_caller(concurrency: int) -> None:
    with LocalServer(ANSWERS, delay_s=0.02) as server:
        stream = engine(server, concurrency=concurrency).generate(REQUESTS, GREEDY)
        next(stream)
        time.sleep(0.3)  # the caller is slow
        assert len(server.requests) <= 2 * concurrency
        assert len(list(stream)) == 29

    assert server.largest_concurrency == concurrency


def test_a_caller_that_goes_away_stops_the_requests_at_once() -> None:
    with LocalServer(ANSWERS, faults=dict.fromkeys(range(1, 30), Fault.HANG)) as server:
        stream = engine(server, concurrency=4).generate(REQUESTS, GREEDY)
        next(stream)
        begin = time.monotonic()
        stream.close()

        assert time.monotonic() - begin < 5
        assert not [thread for thread in threading.enumerate() if thread.name == "openai-engine"]


def test_an_interrupt_ends_the_process_at_once(tmp_path: Path) -> None:
    with LocalServer(ANSWERS, faults=dict.fromkeys(range(30), Fault.HANG)) as server:
        code = (
            "from codeglot.generate.engine import *\nfrom codeglot.generate.openai_engine import *\n"
            f"engine = OpenAIEngine(OpenAIServer(base_url={server.base_url!r}, model='local-model'))\n"
            "request = GenerationRequest(task_id='t', sample=0, prompt='p', seed=0, prompt_hash='')\n"
            "list(engine.generate([request], Decoding()))\n"
        )
        # A process in the background inherits that interrupts are ignored.
        argv = ["env", "--default-signal", sys.executable, "-c", code]
        process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while not server.requests and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(2)
        _, stderr = process.communicate(timeout=20)

    assert stderr.rstrip().endswith("KeyboardInterrupt")


def test_the_engine_works_where_an_event_loop_runs_already() -> None:
    import asyncio

    async def notebook(server: LocalServer) -> int:
        return len(list(engine(server).generate(REQUESTS, GREEDY)))

    with LocalServer(ANSWERS) as server:
        assert asyncio.run(notebook(server)) == 30


def test_the_environment_record_says_where_the_answers_come_from() -> None:
    server = OpenAIServer(base_url="http://localhost:8000/v1/", model="m")

    assert OpenAIEngine(server).device == "m at http://localhost:8000/v1"


def test_the_local_server_answers_from_the_problems_of_a_run(tmp_path: Path) -> None:
    path = tmp_path / "problems.jsonl"
    path.write_text(json.dumps({"prompt": "prompt 0", "canonical_solution": "solution"}) + "\n")
    command = [sys.executable, "-m", "tests.openai_server", "--answers", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    try:
        assert process.stdout
        server = OpenAIServer(base_url=process.stdout.readline().strip(), model="local-model")
        assert first(OpenAIEngine(server).generate(REQUESTS[:1], GREEDY)).text == "solution"
    finally:
        process.terminate()
        process.communicate(timeout=20)
