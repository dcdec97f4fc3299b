"""The deep equality that the C# tests of MBXP call, as it judges programs."""

from collections.abc import Callable
from importlib import resources

import pytest

from codeglot.evaluate import benchmarks
from codeglot.execute.sandbox import ExecutionRequest, Sandbox
from codeglot.records import Verdict

NAME = "CompareNetObjects.cs"
START = """
using System;
using System.Collections.Generic;
using KellermanSoftware.CompareNetObjects;

public class Program
{
    static List<int> L(params int[] items) { return new List<int>(items); }
"""
EQUAL = [
    "L(1, 2), L(1, 2)",
    'new Dictionary<string, int> {{"a", 1}, {"b", 2}}, new Dictionary<string, int> {{"b", 2}, {"a", 1}}',
    "new Dictionary<int, object> {{1, L(1)}, {2, null}}, new Dictionary<int, object> {{2, null}, {1, L(1)}}",
    "new Dictionary<List<int>, int> {{L(1), 1}, {L(2), 2}}, new Dictionary<List<int>, int> {{L(1), 1}, {L(2), 2}}",
    "new HashSet<int> {1, 2}, new HashSet<int> {1, 2}",
    'new List<object> {1, "a", L(3)}, new List<object> {1, "a", L(3)}',
    "Tuple.Create(1, L(2)), Tuple.Create(1, L(2))",
    "null, null",
]
DIFFERENT = [
    "L(1, 2), L(2, 1)",
    "L(1, 2), L(1)",
    "1, 1.0",
    "1.0, 1.0000001",
    "null, 0",
    'new Dictionary<string, int> {{"a", 1}, {"b", 2}}, new Dictionary<string, int> {{"b", 1}, {"a", 2}}',
    'new Dictionary<string, int> {{"a", 1}, {"b", 1}}, new Dictionary<string, int> {{"a", 1}, {"c", 1}}',
    'new Dictionary<string, int> {{"a", 1}}, new Dictionary<string, int> {{"a", 1}, {"b", 2}}',
    "new Dictionary<List<int>, int> {{L(1), 1}}, new Dictionary<List<int>, int> {{L(1), 2}}",
    "new Dictionary<List<int>, int> {{L(1), 1}}, new Dictionary<List<int>, int> {{L(2), 1}}",
    "Tuple.Create(1, L(2)), Tuple.Create(1, L(3))",
]


@pytest.mark.toolchain
@pytest.mark.parametrize(("pairs", "are_equal"), [(EQUAL, "true"), (DIFFERENT, "false")], ids=["equal", "different"])
def test_values_compare_as_with_the_library_of_that_name(
    warm_sandbox: Sandbox, need_toolchain: Callable[[str], None], pairs: list[str], are_equal: str
) -> None:
    need_toolchain("csharp")
    checks = "\n".join(
        f"        if (new CompareLogic().Compare({pair}).AreEqual != {are_equal}) "
        f'throw new Exception("Exception --- test case {number} failed to pass");'
        for number, pair in enumerate(pairs)
    )
    request = ExecutionRequest(
        source=START,
        tests=f"    public static void Main(string[] args)\n    {{\n{checks}\n    }}\n}}\n",
        language_id="csharp",
        files={NAME: (resources.files(benchmarks) / NAME).read_text(encoding="utf-8")},
    )
    execution = warm_sandbox.run(request)
    assert (execution.verdict, execution.detail) == (Verdict.PASS, "")
