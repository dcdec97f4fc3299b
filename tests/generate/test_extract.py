"""Completions of many kinds and the program that is in them."""

import textwrap
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeglot.data.format import fenced
from codeglot.generate.extract import Extraction, extract_program
from codeglot.generate.syntax import Kind, Program, leaves
from codeglot.languages import spec
from codeglot.records import FinishReason, Problem


class Task(NamedTuple):
    """A small problem of one language."""

    prompt: str
    body: str
    tests: str
    name: str = "total"
    is_code: bool = True

    @property
    def full(self) -> str:
        return self.prompt + self.body


TASKS = {
    "python": Task(
        'import math\nfrom typing import List\n\n\ndef total(xs: List[int]) -> int:\n    """Add up."""\n',
        "    result = 0\n    for x in xs:\n        result += x\n    return result\n",
        "\ndef check(candidate):\n    assert candidate([1, 2]) == 3\n\ncheck(total)\n",
    ),
    "javascript": Task(
        "/* Add up. */\nconst total = (xs) => {\n",
        "  let result = 0;\n  for (const x of xs) { result += x; }\n  return result;\n}\n",
        "const assert = require('assert');\nassert.strictEqual(total([1, 2]), 3);\n",
    ),
    "typescript": Task(
        "// Add up.\nfunction total(xs: number[]): number {\n",
        "  let result: number = 0;\n  for (const x of xs) { result += x; }\n  return result;\n}\n",
        "import * as assert from 'assert';\nassert.strictEqual(total([1, 2]), 3);\n",
    ),
    "java": Task(
        "import java.util.*;\n\nclass Solution {\n    /** Add up. */\n    public int total(List<Integer> xs) {\n",
        "        int result = 0;\n        for (int x : xs) { result += x; }\n        return result;\n    }\n}\n",
        "public class Main {\n    public static void main(String[] args) {\n"
        "        if (new Solution().total(List.of(1, 2)) != 3) throw new AssertionError();\n    }\n}\n",
    ),
    "csharp": Task(
        "using System;\nusing System.Linq;\n\nnamespace Solution\n{\n    public class Program\n    {\n"
        "        /// <summary>Add up.</summary>\n        public static int Total(int[] xs)\n        {",
        "\n            var result = 0;\n            foreach (var x in xs) { result += x; }\n"
        "            return result;\n        }",
        "\n        public static void Main(string[] args)\n        {\n"
        "            if (Total(new int[] {1, 2}) != 3) { throw new Exception(); }\n        }\n    }\n}\n",
        name="Total",
    ),
    "cpp": Task(
        "#include <vector>\nusing namespace std;\n\n// Add up.\nint total(vector<int> xs) {\n",
        "    int result = 0;\n    for (int x : xs) { result += x; }\n    return result;\n}\n",
        "#include <cassert>\nint main() {\n    assert(total({1, 2}) == 3);\n}\n",
    ),
    "go": Task(
        "package main\n\n// Total adds up.\nfunc Total(xs []int) int {\n",
        "\tresult := 0\n\tfor _, x := range xs {\n\t\tresult += x\n\t}\n\treturn result\n}\n",
        'func main() {\n\tif Total([]int{1, 2}) != 3 {\n\t\tpanic("wrong")\n\t}\n}\n',
        name="Total",
    ),
    "rust": Task(
        "use std::collections::{HashMap, HashSet};\n\n/// Add up.\nfn total(xs: Vec<i32>) -> i32 {\n",
        "    let mut result = 0;\n    for x in xs { result += x; }\n    result\n}\n",
        "#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n"
        "    fn test_total() { assert_eq!(total(vec![1, 2]), 3); }\n}\n",
    ),
    "ruby": Task(
        "# Add up.\ndef total(xs)",
        "\n  result = 0\n  xs.each { |x| result += x }\n  result\nend\n",
        "raise 'wrong' if total([1, 2]) != 3\n",
    ),
    "php": Task(
        "<?php\n// Add up.\nfunction total($xs) {\n",
        "    $result = 0;\n    foreach ($xs as $x) { $result += $x; }\n    return $result;\n}\n",
        "if (total([1, 2]) !== 3) { throw new Exception('wrong'); }\n",
    ),
    "lua": Task(
        "-- Add up.\nlocal function total(xs)\n",
        "  local result = 0\n  for _, x in ipairs(xs) do result = result + x end\n  return result\nend\n",
        "assert(total({1, 2}) == 3)\n",
    ),
    "perl": Task(
        "use strict;\n# Add up.\nsub total {\n",
        "    my $result = 0;\n    $result += $_ for @_;\n    return $result;\n}\n",
        "die 'wrong' unless total(1, 2) == 3;\n",
    ),
    "c": Task(
        "#include <stddef.h>\n\n// Add up.\nint total(const int *xs, size_t n) {\n",
        "    int result = 0;\n    for (size_t i = 0; i < n; i++) { result += xs[i]; }\n    return result;\n}\n",
        "#include <assert.h>\nint main() {\n    int xs[] = {1, 2};\n    assert(total(xs, 2) == 3);\n}\n",
    ),
    "bash": Task(
        "#!/bin/bash\n# Add up.\n#\n# $1 is a space-separated list\ntotal() {\n",
        '  local result=0\n  for x in $1; do result=$((result + x)); done\n  echo "${result}"\n}\n',
        'set -e\nrun_test() {\n    [[ $(total "1 2") = 3 ]]\n}\n\nrun_test\n',
    ),
    "r": Task(
        "# Add up.\ntotal <- function(xs) {\n",
        "  result <- 0\n  for (x in xs) { result <- result + x }\n  return(result)\n}\n",
        "test_total <- function() {\n    stopifnot(total(c(1, 2)) == 3)\n}\ntest_total()\n",
    ),
    "haskell": Task(
        "import Data.List (foldl')\n\n-- | Add up.\ntotal :: [Int] -> Int\ntotal xs = ",
        "foldl' add 0 xs\n  where\n    add result x = result + x\n",
        'main :: IO ()\nmain = do\n  if total [1, 2] == 3 then pure () else error "assertion failed"\n',
    ),
    "ocaml": Task(
        "open List\n\n(** Add up. *)\nlet rec total (xs : int list) : int = ",
        "\n  match xs with\n  | [] -> 0\n  | x :: rest -> x + total rest\n",
        "let assertions =\n  let candidate = total in\n  (assert ((candidate [1; 2]) = 3));\n  ()\n",
    ),
    "d": Task(
        "import std.math;\n/* Add up. */\nlong total(long[] xs)\n",
        "{\n    long result = 0;\n    foreach (x; xs) { result += x; }\n    return result;\n}\n",
        "unittest\n{\n    assert(total([1, 2]) == 3);\n}\nvoid main(){}\n",
    ),
    "fortran": Task(
        "! Add up.\ninteger function total(xs)\n",
        "    integer, intent(in) :: xs(:)\n    total = sum(xs)\nend function total\n",
        "program main\n  if (total([1, 2]) /= 3) error stop\ncontains\n  include 'main.f90'\nend program main\n",
    ),
    "tcl": Task(
        "# Add up.\nproc total {xs} {\n",
        "    set result 0\n    foreach x $xs { incr result $x }\n    return $result\n}\n",
        'if {[total {1 2}] != 3} { error "Assertion failed" }\n',
    ),
    "scala": Task(
        "object Main extends App {\n    /**\n     * Add up.\n     */\n    def total(xs : List[Int]) : Int = {\n",
        "        var result = 0\n        for (x <- xs) { result += x }\n        result\n    }\n",
        "\n    var x0 : Int = total(List(1, 2))\n    assert(x0 == 3)\n\n\n}\n",
    ),
    "kotlin": Task(
        "/**\n * Add up.\n */\nfun total(xs : List<Int>) : Int {\n",
        "    var result = 0\n    for (x in xs) { result += x }\n    return result\n}\n",
        '\nfun main() {\n    if (total(listOf(1, 2)) != 3) {\n        throw Exception("wrong")\n    }\n}\n',
    ),
    "swift": Task(
        "/// Add up.\nfunc total(xs: [Int]) -> Int {\n",
        "    var result = 0\n    for x in xs { result += x }\n    return result\n}\n",
        "assert(total(xs: [1, 2]) == 3)\n",
    ),
    "racket": Task(
        "#lang racket\n;; Add up.\n(define (total xs)\n",
        "  (for/fold ([result 0]) ([x xs])\n    (+ result x)))\n",
        "(require rackunit)\n(check-equal? (total (list 1 2)) 3)\n",
    ),
    "elixir": Task(
        "# Add up.\ndefmodule HumanEval do\n  def candidate(xs), do: total(xs)\n  def total(xs) do\n",
        "    Enum.reduce(xs, 0, fn x, result -> result + x end)\n  end\nend\n",
        "ExUnit.start()\ndefmodule T do\n  use ExUnit.Case\n  test 'total' do\n"
        "    assert 3 == HumanEval.candidate([1, 2])\n  end\nend\n",
    ),
    "julia": Task(
        '"""Add up."""\nfunction total(xs::Vector{Int64})::Int64 \n',
        "    result = 0\n    for x in xs\n        result += x\n    end\n    return result\nend\n",
        "using Test\n@testset begin\n@test(total([1, 2]) == 3)\nend\n",
    ),
    "common_lisp": Task(
        "(defun total (xs)\n;; Add up.\n",
        "  (let ((result 0))\n    (dolist (x xs result)\n      (incf result x))))\n",
        "(assert (equal (total '(1 2)) 3))\n",
    ),
    "scheme": Task(
        "(define (total xs)\n;; Add up.\n",
        "  (if (null? xs)\n      0\n      (+ (car xs) (total (cdr xs)))))\n",
        "(assert (= (total '(1 2)) 3))\n",
    ),
    "coffeescript": Task(
        "assert = require 'assert'\n# Add up.\ntotal = (xs) ->\n",
        "  result = 0\n  for x in xs\n    result += x\n  return result\n",
        "assert total([1, 2]) is 3\n",
    ),
    "emacs_lisp": Task(
        "(require 'cl-lib)\n\n(defun total (xs)\n;;Add up.\n",
        "  (let ((result 0))\n    (dolist (x xs result)\n      (setq result (+ result x)))))\n",
        "(cl-assert (equal (total '(1 2)) 3))\n",
    ),
    "vimscript": Task(
        '\n" Add up.\nfunction! Total(xs) abort\n',
        "    let result = 0\n    for x in a:xs\n        let result += x\n    endfor\n    return result\nendfunction\n",
        "if assert_equal(3, Total([1, 2])) | cq | endif\n",
        name="Total",
    ),
}
PROSE = Task(
    "Write a function `total` that adds up a list.\n",
    "def total(xs):\n    return sum(xs)\n",
    "assert total([1]) == 1\n",
    is_code=False,
)
WITH_GRAMMAR = [name for name in TASKS if spec.get(name).grammar]


NUM_OPEN = {"csharp": 2, "scala": 1}
"""Braces that the tests close."""


def problem_of(language_id: str, task: Task | None = None) -> Problem:
    task = task or TASKS[language_id]
    return Problem(
        task_id="t/1",
        benchmark="b",
        language_id=language_id,
        prompt=task.prompt,
        prompt_is_code=task.is_code,
        entry_point=task.name,
        tests=task.tests,
        canonical_solution=task.body,
    )


def extract(
    language_id: str, text: str, *, reason: FinishReason = FinishReason.STOP, task: Task | None = None
) -> Extraction:
    return extract_program(problem_of(language_id, task), text, reason, spec.get(language_id))


def tokens(source: str | None, language_id: str, num_open: int = 0) -> list[str]:
    """The code without white space, comments and imports."""
    if source is None:
        return []
    language = spec.get(language_id)
    if language.grammar is None:
        return source.split()
    program = Program(source + "\n" + "}" * num_open, language)
    imports = [(item.node.start_byte, item.end) for item in program.items if item.kind is Kind.IMPORT]
    found = (
        "".join((leaf.text or b"").decode().split())
        for leaf in leaves(program.root)
        if not any(start <= leaf.start_byte < end for start, end in imports)
    )
    return [token for token in found if token not in {"", ";"}]


def same(source: str | None, expected: str, language_id: str) -> bool:
    num_open = NUM_OPEN.get(language_id, 0)
    return tokens(source, language_id, num_open) == tokens(expected, language_id, num_open)


def wrapped(language_id: str) -> Iterator[tuple[str, str]]:
    """Answers that all hold exactly the reference program."""
    task = TASKS[language_id]
    closed = task.full + ("\n" + "}" * NUM_OPEN[language_id] + "\n" if language_id in NUM_OPEN else "")
    block = fenced(closed, language_id)
    yield "fenced", block
    yield (
        "chatty",
        f"Sure! Here is how I would do it:\n\n{block}\n\nIt adds up all numbers, e.g. `total([1, 2])` gives 3.\n",
    )
    yield "no tag", fenced(closed, "")
    yield "unknown tag", fenced(closed, "code")
    yield "tag in capitals with attributes", fenced(closed, f'{language_id.upper()} title="x"')
    yield "tilde fence", f"~~~{language_id}\n{closed}\n~~~\n"
    yield "deep in a list", f"1. Do this:\n\n{textwrap.indent(block, '     ')}\n2. Run it.\n"
    yield "fence not closed", f"Here:\n```{language_id}\n{closed}"
    yield "fence closed behind the last line", f"```{language_id}\n{closed.rstrip()}```"
    yield "windows line ends", block.replace("\n", "\r\n")
    yield "other block first", f"Install first:\n```bash\nmake all\n```\n{block}"
    yield "thinking first", f"<think>\nShould I write `total`?\n```{language_id}\nno\n```\n</think>\n{block}"
    yield "thought without a beginning", f"Let me see.\n</think>\n\n{block}"
    yield "end mark", f"{block}<|im_end|>"
    yield "body in a fence", fenced(task.body, language_id)
    yield "prompt repeated", closed
    yield "continued, then a fence closed", f"{task.body.rstrip()}\n```\n\nThis adds up."


CASES = [(language_id, *case) for language_id in TASKS for case in wrapped(language_id)]


@pytest.mark.parametrize(("language_id", "kind", "text"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_the_reference_program_is_found_in_every_wrapping(language_id: str, kind: str, text: str) -> None:
    if spec.get(language_id).grammar is None and kind == "windows line ends":
        pytest.skip("without a grammar, the text is taken as it is")
    result = extract(language_id, text)
    assert result.source is not None
    assert same(result.source.replace("\r", ""), TASKS[language_id].full, language_id), result


@pytest.mark.parametrize("language_id", WITH_GRAMMAR)
def test_a_long_tail_of_anything_is_left_out(language_id: str) -> None:
    tail = "\nThis is (a) sentence, and it's not code {at all}.\n"
    for times in (1, 40):
        result = extract(language_id, TASKS[language_id].body + tail * times)
        assert same(result.source, TASKS[language_id].full, language_id), result


@pytest.mark.parametrize("language_id", TASKS)
def test_a_continuation_is_kept_to_the_letter(language_id: str) -> None:
    task = TASKS[language_id]
    assert extract(language_id, task.body).source == task.full


class Case(NamedTuple):
    """A completion, and the program that is in it."""

    language_id: str
    kind: str
    text: str
    expected: str | None
    reason: FinishReason = FinishReason.STOP


def cases() -> Iterator[Case]:
    """Completions that hold more than the program, less, or the program in another shape."""
    yield from python_cases()
    yield from javascript_cases()
    yield from java_cases()
    yield from csharp_cases()
    yield from compiled_cases()
    yield from script_cases()
    yield from functional_cases()


def python_cases() -> Iterator[Case]:
    task = TASKS["python"]
    cut = FinishReason.LENGTH

    def case(kind: str, text: str, expected: str | None = task.full, reason: FinishReason = FinishReason.STOP) -> Case:
        return Case("python", kind, text, expected, reason)

    short = task.prompt + "    return sum(xs)\n"
    helped = task.prompt + "    return add(xs)\n\n\ndef add(xs):\n    return sum(xs)\n"
    function = task.full[task.full.index("def total") :]
    helper = "def add(xs):\n    return sum(xs)\n"
    yield case("stripped by the server", task.body.strip())
    yield case("indentation lost", textwrap.dedent(task.body))
    yield case(
        "stripped, then runs on",
        "return sum(xs)\n\n\nprint(total([1]))",
        task.prompt + "    return sum(xs)\n    print(total([1]))",
    )
    yield case("runs on into a call", task.body + "\n\nprint(total([1, 2]))\n")
    yield case("runs on into a main", task.body + '\n\nif __name__ == "__main__":\n    print(total([1]))\n')
    yield case("runs on into asserts", task.body + "\nassert total([1]) == 2\nassert total([]) == 0\n")
    yield case("runs on into prose", task.body + "\n\nThis function adds up all numbers in the list.\n")
    yield case("runs on into a note", task.body + "\nNote: it is fast\n")
    yield case("runs on into a second version", task.body + "\n\ndef total(xs):\n    return 0\n")
    yield case("runs on and is cut", task.body + "\n\ndef test_total():\n    assert total([1", reason=cut)
    yield case("runs on and is cut behind a colon", task.body + "\n\ndef test_total():\n", reason=cut)
    yield case(
        "runs on into what it needs", "    return add(xs)\n\n\nprint(3)\n\n\ndef add(xs):\n    return sum(xs)\n", helped
    )
    yield case("runs on into what nobody needs", task.body + "\nprint(1)\n\ndef other():\n    return 1\n")
    yield case("a helper behind it", "    return add(xs)\n\n\ndef add(xs):\n    return sum(xs)\n", helped)
    yield case(
        "table filled behind it",
        "    return T[0]\n\nT = []\nT.append(1)\nprint(total([]))\n",
        task.prompt + "    return T[0]\n\nT = []\nT.append(1)\n",
    )
    yield case("function alone", fenced(function, "python"))
    yield case("function alone, other imports", fenced("import os\n" + function, "python"))
    yield case(
        "prose around, no fence", f"Here is the function you asked for:\n\n{function}\nIt adds up all of the numbers.\n"
    )
    yield case("examples in the block", fenced(task.full + "\n\n# Example\nprint(total([1, 2]))\n", "python"))
    yield case("tests in the block", fenced(task.full + "\n\nassert total([1]) == 5\n", "python"))
    yield case(
        "usage in a second block", f"{fenced(task.full, 'python')}\nUse it:\n{fenced('print(total([1]))', 'python')}"
    )
    yield case(
        "usage in a first block", f"Use:\n{fenced('print(total([1]))', 'python')}\n{fenced(task.full, 'python')}"
    )
    yield case(
        "prompt echoed in a first block",
        f"Given\n{fenced(task.prompt, 'python')}\nwrite\n{fenced(task.full, 'python')}",
    )
    yield case(
        "only a pass in a first block", f"{fenced(task.prompt + '    pass', 'python')}\n{fenced(task.full, 'python')}"
    )
    yield case("tag of another language", fenced(task.full, "js"))
    yield case(
        "helper in a block of its own",
        "\nand\n".join(fenced(code, "python") for code in (helper, task.prompt + "    return add(xs)\n")),
        helper + task.prompt + "    return add(xs)\n",
    )
    yield case("one line on the next", "\n" + task.body)
    yield case(
        "tests regurgitated",
        task.body + task.tests,
        task.full + "\ndef check(candidate):\n    assert candidate([1, 2]) == 3\n",
    )
    nested = "    def total(ys):\n        return sum(ys)\n    return total(xs)\n"
    yield case("nested function of the same name", nested, task.prompt + nested)
    yield case(
        "own name as a variable",
        "    total = sum(xs)\n    return total\n",
        task.prompt + "    total = sum(xs)\n    return total\n",
    )
    yield case("cut within the body", "    result = 0\n    for x in", task.prompt + "    result = 0\n    for x in", cut)
    yield case("wrong and complete", "    return sum(xs", task.prompt + "    return sum(xs")
    yield case(
        "fence cut within the program",
        f"Sure\n```python\n{task.prompt}    return sum(",
        task.prompt + "    return sum(",
        cut,
    )
    yield case("empty", "", None)
    yield case("blank", " \n\n", None)
    yield case("only thinking", "<think>\nHmm, the sum", None, cut)
    yield case("refusal", "I am sorry, but I cannot help with that request.", None)
    yield case("signature alone", fenced(task.prompt.split("\n\n\n")[1].splitlines()[0], "python"), None)
    yield case("prompt alone", fenced(task.prompt, "python"), None)
    yield case("empty fence", "```python\n```\n", None)
    yield case("short", "    return sum(xs)", short)


def javascript_cases() -> Iterator[Case]:
    for language_id in ("javascript", "typescript"):
        task = TASKS[language_id]
        yield Case(language_id, "call behind", task.body + "\nconsole.log(total([1, 2]));\n", task.full)
        yield Case(
            language_id,
            "second function cut",
            task.body + "\nconst other = (x) => {\n  if (",
            task.full,
            FinishReason.LENGTH,
        )
        yield Case(
            language_id, "export behind", fenced(task.full + "\nmodule.exports = { total };\n", language_id), task.full
        )
        yield Case(language_id, "import that the tests repeat", fenced(task.full, "ts"), task.full)
        yield Case(language_id, "prose behind", task.body + "\nThis adds up the numbers.\n", task.full)
        written = "function total(xs) {\n  return add(xs);\n}\nfunction add(xs) { return xs.length; }\n"
        yield Case(language_id, "other kind of function", fenced(written, language_id), written)
    task = TASKS["typescript"]
    double = "import * as assert from 'assert';\n" + task.full + "\nassert.equal(total([]), 0);\n"
    yield Case("typescript", "same import as the tests", fenced(double, "typescript"), task.full)
    task = TASKS["javascript"]
    double = "const assert = require('assert');\n" + task.full + "\nassert.equal(total([]), 0);\n"
    yield Case("javascript", "same constant as the tests", fenced(double, "js"), task.full)
    yield Case("javascript", "closing brace left out", fenced(task.body.rstrip()[:-1], "js"), task.full)


def java_cases() -> Iterator[Case]:
    task = TASKS["java"]
    method = task.full[task.full.index("    /**") : task.full.rindex("}")]
    main = "    public static void main(String[] args) {\n        System.out.println(1);\n    }\n"
    members = task.full[: task.full.rindex("}")]
    yield Case("java", "method alone", fenced(textwrap.dedent(method), "java"), task.full)
    yield Case(
        "java",
        "method alone, with an import",
        fenced("import java.util.List;\n\n" + textwrap.dedent(method), "java"),
        task.full,
    )
    yield Case("java", "public class", fenced(task.full.replace("class Sol", "public class Sol"), "java"), task.full)
    yield Case(
        "java",
        "in the class of the tests",
        fenced(task.full.replace("class Solution", "public class Main"), "java"),
        task.full,
    )
    yield Case(
        "java", "class of another name", fenced(task.full.replace("class Solution", "class Adder"), "java"), task.full
    )
    yield Case("java", "own class with a main", task.body + "\nclass Main {\n" + main + "}\n", task.full)
    yield Case("java", "main in the class", fenced(members + main + "}\n", "java"), members + main + "}\n")
    yield Case("java", "class not closed", task.body.rstrip()[:-1].rstrip() + "\n", task.full)
    yield Case("java", "main cut", task.body[: task.body.rindex("}")] + main[:60], task.full, FinishReason.LENGTH)
    yield Case("java", "one brace too many", task.body + "}\n", task.full)
    yield Case("java", "package", fenced("package a.b;\n" + task.full, "java"), task.full)
    yield Case("java", "body without its brace", fenced(task.body[: task.body.index("    }\n}")], "java"), task.full)
    helper = "\nclass Pair { int a; }\n"
    yield Case("java", "second class", fenced(task.full + helper, "java"), task.full + helper)


def csharp_cases() -> Iterator[Case]:
    task = TASKS["csharp"]
    main = "\n        public static void Main(string[] args) { Console.WriteLine(1); }\n"
    method = task.full[task.full.index("        /// <summary>") :]
    yield Case("csharp", "class and namespace closed", task.body + "\n    }\n}\n", task.full)
    yield Case("csharp", "own main", task.body + main + "    }\n}\n", task.full)
    yield Case("csharp", "own main in the whole", fenced(task.full + main + "    }\n}\n", "c#"), task.full)
    yield Case("csharp", "method alone", fenced(textwrap.dedent(method), "cs"), task.full)
    yield Case(
        "csharp",
        "class without namespace",
        fenced("using System;\npublic class Program {\n" + method + "\n}\n", "csharp"),
        task.full,
    )
    yield Case(
        "csharp",
        "class of another name",
        fenced("public static class Adder {\n" + method + "\n}\n", "csharp"),
        task.full,
    )
    other = fenced("namespace Other;\npublic class Program {\n" + method + "\n}\n", "csharp")
    yield Case("csharp", "name space of the file", other, task.full)
    helper = "\n        private static int Two() { return 2; }"
    yield Case("csharp", "helper method behind", task.body + helper + "\n    }\n}\n", task.full + helper)
    yield Case(
        "csharp",
        "cut in a second method",
        task.body + "\n\n        public static int Other() { ret",
        task.full,
        FinishReason.LENGTH,
    )


def compiled_cases() -> Iterator[Case]:
    task = TASKS["cpp"]
    main = "\nint main() {\n    cout << total({1});\n    return 0;\n}\n"
    function = task.full[task.full.index("int total") :]
    yield Case("cpp", "own main", task.body + main, task.full)
    yield Case("cpp", "own main cut", task.body + main[:30], task.full, FinishReason.LENGTH)
    yield Case("cpp", "own main in the block", fenced("#include <iostream>\n" + task.full + main, "c++"), task.full)
    yield Case("cpp", "function alone", fenced(function, "cpp"), task.full)
    yield Case("cpp", "tag c", fenced(task.full, "c"), task.full)
    declared = task.prompt.replace("int total", "int add(int a, int b);\nint total") + task.body
    yield Case(
        "cpp",
        "prototype before",
        fenced(declared + "int add(int a, int b) { return a + b; }\n", "cpp"),
        declared + "int add(int a, int b) { return a + b; }\n",
    )
    task = TASKS["c"]
    main = '\nint main(void) {\n    printf("%d", total(0, 0));\n}\n'
    yield Case("c", "own main", task.body + main, task.full)
    yield Case("c", "own main in the block", fenced("#include <stdio.h>\n" + task.full + main, "c"), task.full)
    task = TASKS["d"]
    main = "\nvoid main()\n{\n    writeln(total([1]));\n}\n"
    yield Case("d", "own main in the block", fenced(task.full + main, "d"), task.full)
    yield Case("d", "own main on one line", fenced(task.full + "\nvoid main() { total([1]); }\n", "d"), task.full)
    task = TASKS["fortran"]
    function = task.full.removeprefix("! Add up.\n")
    around = f"program p\n  print *, total([1])\ncontains\n{function}end program p\n"
    yield Case("fortran", "in a program", fenced(around, "f90"), function)
    around = f"module adder\n  implicit none\ncontains\n{function}end module adder\n"
    yield Case("fortran", "in a module, with a program", fenced(around + "program p\nend program p\n", ""), function)
    task = TASKS["go"]
    main = "\nfunc main() {\n\tfmt.Println(Total([]int{1}))\n}\n"
    whole = task.full.replace("package main\n", 'package main\n\nimport "fmt"\n')
    yield Case("go", "own main", task.body + main, task.full)
    yield Case("go", "own main and its import", fenced(whole + main, "golang"), task.full)
    yield Case("go", "other package", fenced(task.full.replace("package main", "package adder"), "go"), task.full)
    yield Case("go", "no package", fenced(task.full.replace("package main", ""), "go"), task.full)
    task = TASKS["rust"]
    yield Case("rust", "own tests", fenced(task.full + "\n" + task.tests, "rs"), task.full)
    yield Case("rust", "own main", fenced(task.full + "\nfn main() {}\n", "rust"), task.full + "\nfn main() {}\n")
    yield Case("rust", "prose behind", task.body + "\nThis adds up the numbers.\n", task.full)
    yield Case("rust", "function alone", fenced(task.full[task.full.index("fn total") :], "rust,ignore"), task.full)


def script_cases() -> Iterator[Case]:
    task = TASKS["ruby"]
    yield Case("ruby", "call behind", task.body + "\nputs total([1, 2])\n", task.full)
    yield Case("ruby", "prose behind", task.body + "\nThis adds up the numbers.\n", task.full)
    yield Case("ruby", "end left out", fenced(task.body.rstrip()[:-3], "ruby"), task.full)
    yield Case("ruby", "prose before", f"Here is the method:\n\n{task.full}", task.full)
    yield Case("ruby", "second method cut", task.body + "\ndef other(x)\n  if x", task.full, FinishReason.LENGTH)
    task = TASKS["php"]
    yield Case("php", "call behind", task.body + "\necho total([1, 2]);\n", task.full)
    yield Case("php", "without its tag", fenced(task.full.replace("<?php\n", ""), "php"), task.full)
    yield Case("php", "closing tag", fenced(task.full + "\n?>\n", "php"), task.full)
    task = TASKS["lua"]
    yield Case("lua", "call behind", task.body + "\nprint(total({1, 2}))\n", task.full)
    yield Case("lua", "end left out", fenced(task.body.rstrip()[:-3], "lua"), task.full)
    yield Case(
        "lua",
        "global instead of local",
        fenced(task.full.replace("local f", "f"), "lua"),
        task.full.replace("local f", "f"),
    )
    task = TASKS["perl"]
    yield Case(
        "perl",
        "function alone",
        fenced(task.full.replace("use strict;\n", ""), "pl"),
        task.full.replace("# Add up.\n", "# Add up.\n"),
    )
    yield Case("perl", "prose only", "I would add them up in a loop.", None)
    task = TASKS["bash"]
    yield Case("bash", "call behind", task.body + "\ntotal '1 2'\n", task.full)
    yield Case("bash", "check behind", task.body + "\nif [ $(total 1) = 1 ]; then echo ok; fi\n", task.full)
    yield Case("bash", "call in the block", fenced(task.full + '\ntotal "$@"\n', "sh"), task.full)
    other = "function total {\n  echo 3\n}\n"
    yield Case("bash", "other kind of function", fenced(other, "shell"), other)
    task = TASKS["tcl"]
    yield Case("tcl", "function alone", fenced(task.full[task.full.index("proc") :], "tcl"), task.full[10:])
    task = TASKS["r"]
    yield Case("r", "other kind of assignment", fenced(task.full.replace("<-", "="), "R"), task.full.replace("<-", "="))


def functional_cases() -> Iterator[Case]:
    task = TASKS["haskell"]
    function = task.full[task.full.index("total ::") :]
    own_main = "\nmain :: IO ()\nmain = print (total [1])\n"
    yield Case("haskell", "own main", task.body + own_main, task.full)
    yield Case("haskell", "own main and module", fenced(f"module Main where\n{task.full}{own_main}", "hs"), task.full)
    yield Case("haskell", "other module", fenced(f"module Adder (total) where\n\n{task.full}", "haskell"), task.full)
    yield Case("haskell", "function alone", fenced(function, "haskell"), task.full)
    yield Case("haskell", "prose behind", task.body + "\nThis adds up the numbers.\n", task.full)
    cases = "total :: [Int] -> Int\ntotal [] = 0\ntotal (x : xs) = x + total xs\n"
    yield Case("haskell", "an equation for each case", fenced(cases, "haskell"), cases)
    value = "total :: [Int] -> Int\ntotal = sum\n"
    yield Case("haskell", "without parameters", fenced(value, "haskell"), value)
    helper = "go 0 xs\n\ngo :: Int -> [Int] -> Int\ngo n [] = n\ngo n (x : xs) = go (n + x) xs\n"
    yield Case("haskell", "a helper behind it", helper, task.prompt + helper)
    task = TASKS["ocaml"]
    function = task.full[task.full.index("let rec") :]
    check = "\nlet () = assert (total [] = 0)\n"
    yield Case("ocaml", "check behind", task.body + check, task.full)
    yield Case("ocaml", "check in the block", fenced(function + check, "ml"), task.full)
    yield Case("ocaml", "prose behind", task.body + "\nThis adds up the numbers.\n", task.full)
    helper = "let add a b = a + b\n\nlet total xs = fold_left add 0 xs\n"
    yield Case("ocaml", "a helper before it", fenced(helper, "ocaml"), helper)
    other = "\n  go 0 xs\n\nand go n = function [] -> n | x :: rest -> go (n + x) rest\n"
    yield Case("ocaml", "a helper behind it", other, task.prompt + other)


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: f"{case.language_id}-{case.kind}")
def test_the_program_is_taken_out_of(case: Case) -> None:
    result = extract(case.language_id, case.text, reason=case.reason)
    if case.expected is None:
        assert result.source is None, result
    else:
        assert same(result.source, case.expected, case.language_id), result.source


@pytest.mark.parametrize("kind", ["plain", "fenced"])
def test_a_prompt_in_prose_is_no_part_of_the_program(kind: str) -> None:
    text = PROSE.body if kind == "plain" else f"Sure:\n\n{fenced(PROSE.body, 'py')}\n"
    assert extract("python", text, task=PROSE).source == PROSE.body


def test_a_program_that_reads_and_prints_is_taken_as_it_is() -> None:
    problem = Problem(
        task_id="t",
        benchmark="b",
        language_id="python",
        prompt="Double a number.",
        prompt_is_code=False,
        stdin="2",
        expected_output="4",
    )
    program = "n = int(input())\nprint(2 * n)\n"
    assert (
        extract_program(problem, f"So:\n{fenced(program, 'python')}", FinishReason.STOP, spec.get("python")).source
        == program
    )


def test_tests_that_close_a_function_get_one_that_is_open() -> None:
    task = Task(TASKS["cpp"].prompt, TASKS["cpp"].body.rstrip()[:-1], "}\n" + TASKS["cpp"].tests)
    for text in (task.body, TASKS["cpp"].body, fenced(TASKS["cpp"].full, "cpp")):
        source = extract("cpp", text, task=task).source
        assert source is not None
        assert Program(source + task.tests, spec.get("cpp")).faults == []


def test_a_name_that_is_imported_already_is_not_imported_again() -> None:
    full = TASKS["rust"].full.replace("use std::collections::{HashMap, HashSet};", "use std::collections::HashMap;")
    source = extract("rust", fenced(full, "rust")).source or ""
    assert source.count("HashMap") == 1
    assert source.count("HashSet") == 1


def test_a_standard_package_that_is_used_is_imported_and_one_that_is_not_is_dropped() -> None:
    task = TASKS["go"]
    body = '\treturn len(strings.Fields("a b"))\n}\n'
    assert 'import "strings"' in (extract("go", body).source or "")
    unused = task.full.replace("package main\n", 'package main\n\nimport (\n\t"fmt"\n\t"os"\n)\n')
    assert '"os"' not in (extract("go", fenced(unused, "go")).source or "")


def test_what_the_prompt_defines_before_the_function_is_put_back() -> None:
    task = TASKS["python"]._replace(prompt="K = 3\n\n\ndef add(xs):\n    return sum(xs)\n\n\n" + TASKS["python"].prompt)
    source = extract("python", fenced("def total(xs):\n    return add(xs) + K\n", "python"), task=task).source or ""
    assert source.index("K = 3") < source.index("def add") < source.index("def total")
    assert source.count("def total") == 1


@settings(deadline=None, max_examples=150)
@given(language_id=st.sampled_from(sorted(TASKS)), data=st.data())
def test_a_text_cut_anywhere_never_raises(language_id: str, data: st.DataObject) -> None:
    texts = [text for _, text in wrapped(language_id)]
    text = data.draw(st.sampled_from(texts))
    end = data.draw(st.integers(0, len(text)))
    result = extract(language_id, text[:end], reason=FinishReason.LENGTH)
    assert result.how


@settings(deadline=None, max_examples=150)
@given(
    language_id=st.sampled_from(sorted(TASKS)),
    text=st.text(st.characters() | st.sampled_from("{}()`\n\"'#/ ;=:"), max_size=80),
)
def test_no_text_raises(language_id: str, text: str) -> None:
    assert extract(language_id, text).how
    assert extract(language_id, TASKS[language_id].body + text).how


@pytest.mark.parametrize("language_id", TASKS)
@pytest.mark.parametrize(
    "text", ["(" * 3000, "{" * 3000, "*" * 3000, "[" * 3000 + "]" * 3000, "a.b" * 2000, "\0\ud800", "}" * 3000]
)
def test_degenerate_text_does_not_raise(language_id: str, text: str) -> None:
    assert extract(language_id, text).how
    assert extract(language_id, fenced(text, language_id)).how


@settings(deadline=None, max_examples=100)
@given(
    language_id=st.sampled_from(sorted(TASKS)),
    before=st.lists(st.sampled_from(["Sure!", "Here is the program:", "## Solution", "- it adds up", ""]), max_size=3),
    after=st.lists(st.sampled_from(["It adds up.", "**Note** that it is slow.", "1. loop\n2. add", ""]), max_size=3),
    tag=st.sampled_from(["", "text", None]),
    num_ticks=st.integers(3, 6),
)
def test_talk_around_a_fence_never_changes_the_program(
    language_id: str, before: list[str], after: list[str], tag: str | None, num_ticks: int
) -> None:
    fence = "`" * num_ticks
    block = f"{fence}{language_id if tag is None else tag}\n{TASKS[language_id].full}\n{fence}"
    bare = extract(language_id, block)
    assert extract(language_id, "\n\n".join([*before, block, *after])).source == bare.source


OBJECT = "import scala.math._\nobject Problem {\n    // Add up.\n    def total(xs : List[Long]) : Long = {\n"
SUM = "        xs.sum\n"
CLOSING = "    }\n    def main(args: Array[String]) = {\n    assert(total(List[Long](1l)) == (1l));\n    }\n\n}\n"


@pytest.mark.parametrize(
    "text",
    [
        SUM,
        f"{SUM}    }}\n",
        f"{SUM}    }}\n}}\n",
        fenced(f"{OBJECT}{SUM}    }}\n}}\n", "scala"),
        fenced("object Problem {\n  def total(xs: List[Long]): Long = {\n    xs.sum\n  }\n}\n", "scala"),
        fenced("def total(xs: List[Long]): Long = {\n    xs.sum\n}\n", "scala"),
    ],
)
def test_a_function_of_scala_is_left_open_where_the_tests_close_it(text: str) -> None:
    source = extract("scala", text, task=Task(OBJECT, SUM, CLOSING)).source
    assert tokens(source, "scala", 2) == tokens(OBJECT + SUM, "scala", 2)
    assert source is not None
    assert not Program(source + CLOSING, spec.get("scala")).faults


def test_a_null_character_is_judged_as_it_was_written() -> None:
    program = extract("python", fenced("def total(xs):\n    x = '\0'\n    return sum(xs)\n", "python"))
    assert program.source is None or "\0" in program.source


def test_what_ends_the_function_of_the_prompt_and_defines_it_again_continues_the_prompt() -> None:
    task = TASKS["emacs_lisp"]
    answer = "  (apply '+ xs)) (defun one () 1)\n\n(defun total (xs)\n  (apply '+ xs))\n"
    assert extract("emacs_lisp", answer).source == task.prompt + answer


LIBRARY = "(require racket/list)\n(define (total xs)\n  (apply + xs))\n"


def test_a_library_before_a_function_of_a_lisp_is_no_end_of_one() -> None:
    assert extract("racket", fenced(LIBRARY, "racket")).source == f"#lang racket\n{LIBRARY}"


MODULE = Task(
    "defmodule Sums do\n# Add up.\n", "def total(xs), do: Enum.sum(xs)\nend\n", "assert Sums.total([1]) == 1\n"
)


@pytest.mark.parametrize("text", [MODULE.body, fenced(MODULE.body, "elixir"), fenced(MODULE.full, "elixir")])
def test_a_function_stands_in_the_module_that_the_prompt_opened(text: str) -> None:
    source = extract("elixir", text, task=MODULE).source
    assert source is not None
    assert source.rstrip() == MODULE.full.rstrip()
