"""How tests come to their end, where a language has a way of its own to end them early, or unseen."""

from collections.abc import Callable

import pytest

from codeglot.execute.cold import ColdSandbox
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.records import Verdict

BASH = "double() {\n  echo $((2 * $1))\n}\n"
WRONG_BASH = "double() { echo 1; }\n"
BASH_TEST = "[[ $(double 2) = 4 ]]"
R = "double <- function(n) 2 * n\n"
WRONG_R = "double <- function(n) 1\n"
R_TEST = "stopifnot(double(2) == 4)"
HASKELL = "double :: Int -> Int\ndouble n = 2 * n\n"
HASKELL_TEST = 'main :: IO ()\nmain = if double 2 == 4 then pure () else error "assertion failed"\n'
OCAML = "let double n = 2 * n\n"
OCAML_TEST = "let () = assert (double 2 = 4)\n"
D = "int twice(int n) { return 2 * n; }\n"
D_TEST = "unittest\n{\n    assert(twice(2) == 4);\n}\nvoid main() {}\n"
D_MAIN = "void main() { assert(twice(2) == 4); }\n"
FORTRAN_TEST = """program main
  call check(double(2) == 4)
contains
  subroutine check(is_right)
    logical, intent(in) :: is_right
    if (.not. is_right) then
      print *, 'Assertion failed!'
      stop
    end if
  end subroutine
  include 'main.f90'
end program main
"""
TCL = "proc double {n} { return [expr {2 * $n}] }\n"
TCL_TEST = 'if {[double 2] != 4} { error "Assertion failed" }'


def fortran(body: str) -> str:
    return f"integer function double(n)\n  integer, intent(in) :: n\n  double = {body}\nend function\n"


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("language_id", "source", "tests", "verdict"),
    [
        ("bash", BASH, BASH_TEST, Verdict.PASS),
        ("bash", WRONG_BASH, BASH_TEST, Verdict.FAIL_ASSERT),
        ("bash", f"{BASH}printf() {{ :; }}\nexit() {{ :; }}\n", BASH_TEST, Verdict.PASS),
        ("bash", f"{WRONG_BASH}trap 'exit 0' EXIT ERR\n", f"set -e\n{BASH_TEST}", Verdict.EARLY_EXIT),
        ("bash", "exec true\n", BASH_TEST, Verdict.EARLY_EXIT),
        ("bash", f"{BASH}cat <<END\n", BASH_TEST, Verdict.EARLY_EXIT),
        ("bash", f"{BASH}}}\n", BASH_TEST, Verdict.COMPILE_ERROR),
        ("bash", "eval 'if'\n", BASH_TEST, Verdict.RUNTIME_ERROR),
        ("ruby", "puts DATA.read\n__END__\n", "raise 'no' if true", Verdict.EARLY_EXIT),
        ("perl", "print <DATA>;\n__DATA__\n", "die 'no';", Verdict.EARLY_EXIT),
        ("r", f"cat <- writeLines <- function(...) 1\n{R}", R_TEST, Verdict.PASS),
        ("r", f"options(error = expression(NULL))\n{WRONG_R}", R_TEST, Verdict.EARLY_EXIT),
        ("r", ".Last <- function() cat('x')\nq('no')\n", R_TEST, Verdict.EARLY_EXIT),
        ("haskell", f"module Main (main) where\nimport Data.List\n{HASKELL}", HASKELL_TEST, Verdict.PASS),
        ("haskell", f"import Prelude hiding (putStr)\nputStr = 1\n{HASKELL}", HASKELL_TEST, Verdict.PASS),
        ("ocaml", f"let print_string x = ()\nmodule Stdlib = struct end\n{OCAML}", OCAML_TEST, Verdict.PASS),
        ("ocaml", f"{OCAML}let () = Unix._exit 0\n", OCAML_TEST, Verdict.EARLY_EXIT),
        ("ocaml", f"{OCAML}(*\n", OCAML_TEST, Verdict.COMPILE_ERROR),
        ("d", D, D_MAIN, Verdict.PASS),
        ("d", D.replace("2 * n", "n"), D_MAIN, Verdict.FAIL_ASSERT),
        ("d", f"import core.stdc.stdlib;\n{D.replace('return', 'exit(0); return')}", D_MAIN, Verdict.EARLY_EXIT),
        ("d", f"{D}void main() {{}}\n__EOF__\n", D_TEST, Verdict.EARLY_EXIT),
        ("fortran", fortran("2 * n"), FORTRAN_TEST, Verdict.PASS),
        ("fortran", fortran("n"), FORTRAN_TEST, Verdict.FAIL_ASSERT),
        ("fortran", fortran("n\n  stop"), FORTRAN_TEST, Verdict.EARLY_EXIT),
        ("tcl", f"rename exit leave\nproc exit {{args}} {{}}\n{TCL}", TCL_TEST, Verdict.PASS),
        ("tcl", "exec true\nexit\n", TCL_TEST, Verdict.EARLY_EXIT),
        ("c", "#include <unistd.h>\nint f(void) { _exit(0); }\n", "int main() { f(); }", Verdict.EARLY_EXIT),
    ],
)
def test_only_tests_that_came_to_their_end_pass(
    sandbox: ColdSandbox,
    need_toolchain: Callable[[str], None],
    language_id: str,
    source: str,
    tests: str,
    verdict: Verdict,
) -> None:
    need_toolchain(language_id)
    execution = sandbox.run(ExecutionRequest(source=source, tests=tests, language_id=language_id))
    assert execution.verdict == verdict, f"{execution.detail}\n{execution.stdout}\n{execution.stderr}"
