"""The part of MultiPL-E that was compiled from MBPP.

The number in a task id, as `rust/mbpp/601`, is that of MBPP, so its splits hold here too, but for those to learn from,
which the licence forbids; the field reports all rows. Source: as for MultiPL-E.
"""

from codeglot.data.sources import Row
from codeglot.evaluate.benchmarks import mbpp, multipl_e
from codeglot.evaluate.benchmarks.benchmark import Benchmark
from codeglot.records import Problem

NAME = "multipl_e_mbpp"


def _problem(language_id: str, row: Row) -> Problem:
    return multipl_e.build(language_id, row, benchmark=NAME, root=mbpp.NAME)


BENCHMARK = Benchmark(
    name=NAME,
    sources=multipl_e.sources("mbpp"),
    problem=_problem,
    license=multipl_e.LICENSE,
    citation=multipl_e.CITATION,
    splits={name: mbpp.SPLITS[name] for name in ("test", "validation")},
)
