"""MBPP+: 378 problems of MBPP that EvalPlus mended, with many more inputs each, judged beside a reference.

As `humaneval_plus`, with the inputs of the form that holds them (`MbppPlus.jsonl`): in the executable form three tasks
(737, 787, 794) cannot be failed. JSON has no tuples, sets and complex numbers, so some inputs are given their types
here. Task ids are `MbppPlus/<number>`; splits go by the numbers of MBPP, and the field reports all.
Source: Liu et al. 2023, arXiv:2305.01210; data github.com/evalplus/mbppplus_release.
"""

from codeglot.data.sources import Row, Source
from codeglot.evaluate.benchmarks import humaneval_plus, mbpp
from codeglot.evaluate.benchmarks.benchmark import Benchmark
from codeglot.records import Limits, Problem

NAME = "mbpp_plus"

_SHAPES: dict[tuple[str, ...], tuple[int, ...]] = {
    ("t",): (
        *(2, 116, 132, 143, 222, 261, 273, 394, 399, 421, 424, 429, 470, 560, 579, 596, 616, 630, 726, 740, 744, 809),
    ),
    ("lt",): (63, 64, 70, 94, 120, 237, 272, 299, 400, 409, 417, 438, 473, 614, 780),
    ("lt", ""): (75, 413, 444, 753),
    ("", "t"): (106, 750),
    ("ls",): (115,),
    ("f", "c"): (124,),
    ("t", ""): (250, 307, 405, 446, 617, 720, 763, 808),
    ("c",): (252,),
    ("tt",): (259, 401, 445),
    ("to",): (278,),
    ("*",): (580, 615, 791),
    ("dt", ""): (722,),
}
"""Types of the arguments, as `evalplus_judge.shape` has them, and the tasks that have such."""

_RULES = {
    **dict.fromkeys((2, 7, 111, 140, 232, 579, 769), "is_same_set"),
    **dict.fromkeys((737, 787, 794), "is_match"),
    558: "is_digit_distance",
    581: "is_pyramid",
}

_SLOW = {
    **dict.fromkeys((123, 271, 392, 592, 603), Limits(cpu_s=30.0)),
    255: Limits(cpu_s=60.0, memory_mib=3072),  # lists of 1.7 million tuples of 77, twice
    599: Limits(cpu_s=120.0),  # sums hundred million numbers, many times
}
"""Tasks that take more than a third of the default limit where the answer is the reference."""


def _problem(language_id: str, row: Row) -> Problem:
    number, solution = humaneval_plus.number_of(row), row.text("canonical_solution")
    shapes = next((shapes for shapes, tasks in _SHAPES.items() if number in tasks), ())
    return Problem(
        task_id=f"MbppPlus/{number}",
        benchmark=NAME,
        language_id=language_id,
        prompt=row.text("prompt"),
        entry_point=row.text("entry_point"),
        tests=humaneval_plus.tests(row),
        canonical_solution=solution,
        stop=mbpp.STOP,
        files=humaneval_plus.files(row, solution, rule=_RULES.get(number), shapes=shapes),
        limits=_SLOW.get(number),
        origin=f"{mbpp.NAME}/{number}",
    )


BENCHMARK = Benchmark(
    name=NAME,
    sources={"python": Source(files=("MbppPlus.jsonl",))},
    problem=_problem,
    license="Apache-2.0 AND CC-BY-4.0",
    citation=humaneval_plus.CITATION,
    splits={name: mbpp.SPLITS[name] for name in ("test", "validation")},  # its licence is for evaluation
)
