"""Programs that attack while they are compiled: compilers read, write and compute on their behalf."""

from collections.abc import Callable

import pytest

from codeglot.execute.cold import ColdSandbox
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.execute.step import Level
from codeglot.languages import spec
from codeglot.languages.spec import Language
from codeglot.records import Verdict
from tests.execute.hostile.conftest import Host
from tests.execute.hostile.row import ISOLATED

COMPILE_CPU_S = 2.0
STOPPED = {
    *(Verdict.COMPILE_ERROR, Verdict.TIMEOUT_CPU, Verdict.TIMEOUT_WALL),
    *(Verdict.MEMORY, Verdict.RESOURCE_DENIED, Verdict.OUTPUT_LIMIT),
}

READING = {
    "a header that is a secret": ("c", '#include "@SECRET@"\nint main(void) {}'),
    "a secret put into the program": (
        "c",
        """
#include <stdio.h>
__asm__(".global text\\ntext: .incbin \\"@SECRET@\\"\\n.byte 0");
extern char text[];
int main(void) { puts(text); }
""",
    ),
    "a plug-in of the compiler": ("c", '#pragma GCC plugin "@SECRET@"\n#include "@PUBLIC@/secret"\nint main(void) {}'),
    "a secret as a constant": ("rust", 'fn main() { println!("{}", include_str!("@SECRET@")); }'),
    "a secret as bytes": ("rust", 'fn main() { println!("{:?}", include_bytes!("/etc/shadow")); }'),
    "a secret as a module": ("rust", '#[path = "@SECRET@"] mod secret;\nfn main() {}'),
    "a secret as a type": ("typescript", '/// <reference path="@SECRET@" />\nimport * as secret from "@SECRET@"\n'),
    "a secret that is embedded": (
        "go",
        'package main\n\nimport _ "embed"\n\n//go:embed @SECRET@\nvar text string\n\nfunc main() { println(text) }\n',
    ),
    "code that runs in the compiler": (
        "d",
        'import std.stdio;\nenum text = import("@SECRET@");\nvoid main() { writeln(text); }\n',
    ),
}
COMPUTING = {
    "an endless file": ("c", '#include "/dev/zero"\nint main(void) {}'),
    "a file that includes itself": ("c", "#include __FILE__\n#include __FILE__\nint main(void) {}"),
    "macros that double 40 times": (
        "c",
        "#define A0 1 +\n" + "".join(f"#define A{n} A{n - 1} A{n - 1}\n" for n in range(1, 41)) + "int x = A40 0;",
    ),
    "templates without end": (
        "cpp",
        (
            "template <int N, int M> struct A { static const int v = A<N - 1, M>::v + A<N - 1, M + (1 << N)>::v; };\n"
            "template <int M> struct A<0, M> { static const int v = 1; };\nint main() { return A<28, 0>::v; }"
        ),
    ),
    "a loop that the compiler evaluates": (
        "cpp",
        (
            "constexpr int f(int n) { int s = 0; for (long i = 0; i < 1L << 60; ++i) s += n; return s; }\n"
            "int main() { constexpr int x = f(3); return x; }"
        ),
    ),
    "a program that is one gigabyte": ("c", "char hog[1 << 30] = {1};\nint main(void) { return hog[0]; }"),
    "a source of 8 MiB": ("c", "int main(void) {" + "if (1) {" * 2**20 + "}" * 2**20 + "}"),
    "macros that call themselves": (
        "rust",
        (
            '#![recursion_limit = "100000"]\n'
            "macro_rules! m { ($($t:tt)*) => { m!($($t)* $($t)* x) } }\nfn main() { m!(x) }"
        ),
    ),
    "a constant that doubles": (
        "java",
        'class Main {\n    static final String A0 = "0123456789abcdef";\n'
        + "".join(f"    static final String A{n} = A{n - 1} + A{n - 1};\n" for n in range(1, 40))
        + "}",
    ),
}
CHEAP = {"c"}


def _cases(attacks: dict[str, tuple[str, str]]) -> list[object]:
    marks = {name: [] if language in CHEAP else [pytest.mark.slow] for name, (language, _) in attacks.items()}
    return [pytest.param(*attack, id=name, marks=marks[name]) for name, attack in attacks.items()]


def _sandbox(level: Level) -> Callable[[str], ColdSandbox]:
    """A sandbox whose compilers may compute for a short time only; skips where the language is missing."""

    def impatient(language_id: str) -> Language:
        language = spec.get(language_id)
        return language.model_copy(
            update={"limits": language.limits.model_copy(update={"compile_cpu_s": COMPILE_CPU_S})}
        )

    def make(language_id: str) -> ColdSandbox:
        sandbox = ColdSandbox(level, impatient)
        if problem := sandbox.toolchain(spec.get(language_id)).problem:
            pytest.skip(problem)
        return sandbox

    return make


@pytest.mark.toolchain
@pytest.mark.parametrize(("language_id", "source"), _cases(READING))
@pytest.mark.parametrize("name", ISOLATED)
def test_a_compiler_reads_nothing_for_a_program(
    name: str, language_id: str, source: str, open_level: Callable[[str], Level], host: Host
) -> None:
    sandbox = _sandbox(open_level(name))(language_id)
    execution = sandbox.run(ExecutionRequest(source=host.fill(source), language_id=language_id))
    assert execution.verdict is Verdict.COMPILE_ERROR, execution.stdout
    assert "hunter2" not in execution.stdout + execution.stderr
    assert "root:" not in execution.stdout + execution.stderr


@pytest.mark.toolchain
@pytest.mark.parametrize(("language_id", "source"), _cases(COMPUTING))
@pytest.mark.parametrize("name", ISOLATED)
def test_a_compiler_that_computes_without_end_is_stopped(
    name: str, language_id: str, source: str, open_level: Callable[[str], Level]
) -> None:
    sandbox = _sandbox(open_level(name))(language_id)
    execution = sandbox.run(ExecutionRequest(source=source, language_id=language_id))
    assert execution.verdict in STOPPED, execution.detail
    assert execution.cpu_s < 2 * COMPILE_CPU_S
