"""Translations from one of the three languages of `codetrans_exec`, which says what they are."""

from codeglot.evaluate.benchmarks import codetrans_exec

NAME = "codetrans_from_python"

BENCHMARK = codetrans_exec.benchmark(NAME, "python")
