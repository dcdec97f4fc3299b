"""What a programming language is: one TOML file in `specs/`, read into a `Language`.

Everything the rest of the house knows about a language comes from here; no other file names one.
"""

import re
import tomllib
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from codeglot.config import StrictModel, build
from codeglot.errors import ConfigError, UnknownNameError
from codeglot.records import Verdict


class Recipe(StrictModel):
    """Files and commands that turn a program into a running process.

    In commands, `{source}` is the program's file name. All commands run in the sandbox with the program's
    folder at `/box`: writable while compiling, read-only while running, when the current folder is a private `/work`.
    """

    compile: tuple[str, ...] = ()
    """Command that builds the program in `/box`; empty where nothing is built."""
    run: tuple[str, ...] = ()
    """Command that runs it."""
    warm_compile: tuple[str, ...] = ()
    """What builds it faster, as `[warm]` says: a command, or arguments of the resident compiler; empty: `compile`."""
    warm_run: tuple[str, ...] = ()
    """What runs a program that was built so; empty: `run`."""
    epilogue: str = ""
    """Code put behind the tests, in which `{nonce}` is replaced: prints the nonce when the tests came to their end."""
    files: dict[str, str] = Field(default_factory=dict)
    """Files put beside the program, `{nonce}` replaced in them."""
    tests_file: str | None = None
    """File that holds the tests; None: they are put behind the program, in its own file."""


class TestForm(Recipe):
    """How a program with tests is run, when its tests look like `when`. Empty fields are those of the language."""

    when: str = ""
    """Regular expression searched in the tests; the first form that matches is taken, an empty one always matches."""


class ErrorRule(StrictModel):
    """Refines a failure by what the program printed; the process status has been looked at before."""

    verdict: Verdict
    pattern: str
    """Regular expression searched in stderr, then stdout (multi-line)."""
    step: Literal["compile", "run"] = "run"
    status: int | None = None
    """Only for this exit status; None: any failing one."""


class Packages(StrictModel):
    """What the toolchain and the libraries that benchmarks need are called in package managers."""

    apt: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()
    """With exact versions, as `name@1.2.3`; they are installed for codeglot alone."""
    by_hand: str = ""
    """Command that a person runs for what neither has; where boxes see it, below `/usr`."""


class Prepare(StrictModel):
    """Library code built once per toolchain, in the sandbox, and then mounted read-only at `/prepared`."""

    command: tuple[str, ...]
    """Runs with a writable `/prepared` as current folder."""
    files: dict[str, str] = Field(default_factory=dict)
    """Put into `/prepared` first."""
    timeout_s: float = 120.0


class Warm(StrictModel):
    """What is kept ready between programs. Programs themselves always start in a box of their own."""

    strategy: Literal["prepared", "compile_server", "fork_server"]
    """`prepared`: `warm_compile` uses what `prepare` built, as a precompiled header, or a linker or tools of its own.
    `compile_server`: a resident compiler takes sources and gives files. `fork_server`: an interpreter that has started
    already forks itself for each program."""
    server: tuple[str, ...] = ()
    """Command of the resident compiler; it speaks on its standard input and output, see `execute/warm`."""
    tools: tuple[str, ...] = ()
    """Programs that it needs besides those that it calls by name, as a linker named by an option; where one is not
    there, the language is judged from nothing."""
    preload: tuple[str, ...] = ()
    """Modules that a forking interpreter loads once."""
    memory_mib: int = 1536
    """Data memory of the resident process."""
    num_programs: int = 500
    """Programs after which the resident process is started anew."""


class StepLimits(StrictModel):
    """What a compile step may use, and what the language's runtime needs."""

    compile_cpu_s: float = 30.0
    compile_memory_mib: int = 1536
    run_memory_mib: int | None = None
    """Least data memory with which the runtime starts, and ends a program as it should; None: any will do."""
    num_tasks: int = 1
    """Least number of tasks with which the runtime starts, on machines with many cores too."""
    weight: float = Field(default=1.0, gt=0)
    """Cores that building and running one program keeps busy."""


class Probe(StrictModel):
    """A program whose verdict is known."""

    source: str
    tests: str | None = None
    """Own tests; None: the tests shared by the probes of the language."""


class WrongValue(StrictModel):
    """Code to put around a returned expression, so that a correct program gives another value: a control of harnesses.

    The expression stays and is still evaluated, so that variables stay used and types inferred. Numbers are scaled or
    counted up, never only nudged, because tests compare floats with a tolerance. In the code, `{type}` is the return
    type as the program declares it. Where `before` ends a line, the expression keeps its column in the next one, for
    languages whose layout counts.
    """

    type: str = ""
    """Regular expression of the whole return type; empty: any other type, and programs that declare none."""
    before: str
    after: str


class WrongVariables(StrictModel):
    """How other values are returned where a function leaves its results in variables; for languages without a grammar.

    In patterns, `{name}` is the function.
    """

    results: str
    """Regular expression whose groups hold names of such variables, with commas between."""
    leave: str
    """Regular expression of a line up to the word that leaves the function before its end; its group is what stays."""
    jump: str
    """What is put in that word's place."""
    end: str
    """Regular expression of the line that ends the function."""
    label: str
    """Line before that one, which is jumped to."""
    change: str
    """Line below it for each of the variables, which is `{variable}`."""
    behind: str = ""
    """Code put behind the answer."""


class Equations(StrictModel):
    """Names of nodes where a function is defined by equations, one for each pattern of its arguments."""

    of_functions: tuple[str, ...]
    """Equations; all that have the name of the function define it."""
    signature: str
    """Declares the type of the function."""
    arrow: str
    """In a type: what leads from one argument to the rest."""
    around_types: tuple[str, ...] = ()
    """Stand around a type and say what holds of its variables."""


class Syntax(StrictModel):
    """Names of nodes in the tree-sitter grammar, for taking a program out of a model's answer."""

    definitions: tuple[str, ...] = ()
    """Nodes that name something and do nothing else when a program is run; what stands beside them is a statement."""
    imports: tuple[str, ...] = ()
    """Nodes that bring in libraries or set up the file."""
    import_calls: tuple[str, ...] = ()
    """Functions whose calls do so."""
    import_lists: tuple[str, ...] = ()
    """Nodes that list names inside an import, where importing a name twice is an error."""
    first: tuple[str, ...] = ()
    """Nodes that must stand before all imports."""
    package: tuple[str, ...] = ()
    """Nodes that say which package a file belongs to, which the prompt decides."""
    containers: tuple[str, ...] = ()
    """Nodes whose members a benchmark calls: classes and name spaces, where functions cannot stand alone."""
    attributes: tuple[str, ...] = ()
    """Nodes that belong to the definition behind them."""
    groups: tuple[str, ...] = ()
    """Nodes that only hold parts of the level on which they stand."""
    placeholders: tuple[str, ...] = ()
    """Nodes that do nothing in the body of a function."""
    equations: Equations | None = None
    """Where functions are defined by equations: their names."""
    stub: str = ""
    """What can stand for the body of a function that a prompt opens, where the body is an expression."""
    opening: str = ""
    """What a file must begin with to be a program at all."""
    closer: str = ""
    """What ends the body of a function; empty where indentation does. A round bracket ends all else, too."""
    overloads: bool = False
    """Whether functions of one name and other parameters may stand side by side."""
    redefines: bool = False
    """Whether a second definition of a name replaces the first one, rather than being an error."""
    packages: dict[str, str] = Field(default_factory=dict)
    """Import path by name, of standard packages for which an import is added when used and taken out when not;
    for languages where a continued prompt cannot import them and an unused import is an error."""
    import_form: str = ""
    """How such an import is written, with `{path}`."""
    definition_pattern: str = ""
    """Regular expression of a function's definition, with `{name}`; for languages without a grammar."""
    frame_pattern: str = ""
    """Regular expression of a whole program around the function that a prompt has begun; its group is what is taken
    out of it; for languages without a grammar."""


class Language(Recipe):
    """One programming language."""

    id: str
    """File name of its specification."""
    name: str
    """As people write it."""
    aliases: tuple[str, ...] = ()
    """Spellings in data sets, Markdown fences and requests; lower case; the id and name need no entry."""
    source: str
    """File name of the program."""
    joint: str = "\n"
    """What stands between a program and tests that share its file."""
    comment: str
    """Line comment."""
    stop: tuple[str, ...] = ()
    """What a base model writes once it is done with a function: benchmarks end their answers there. Nothing that
    stands inside a good answer."""
    grammar: str | None = None
    """Module and function of its tree-sitter grammar, as `tree_sitter_python:language`; None: text rules only."""
    version: tuple[str, ...]
    """Command whose first line of output names the toolchain's version."""
    env: dict[str, str] = Field(default_factory=dict)
    """Environment of every step."""
    binds: tuple[str, ...] = ()
    """Host folders its tools need besides /usr, read-only; patterns as in `glob`; what is not there is left out."""
    packages: Packages = Packages()
    prepare: Prepare | None = None
    warm: Warm | None = None
    """How programs are built and run faster than from nothing, with the same verdicts; None: not at all."""
    limits: StepLimits = StepLimits()
    forms: tuple[TestForm, ...] = ()
    """How programs with tests are run, where it is not the plain way."""
    errors: tuple[ErrorRule, ...] = ()
    probe_tests: str
    """Tests shared by the probes."""
    probes: dict[Verdict, Probe]
    """One program per verdict; `pass` and `fail_assert` are the least."""
    wrong_values: tuple[WrongValue, ...] = ()
    """How other values are returned, by type; the first that fits is taken."""
    wrong_result: str = ""
    """Code put behind an answer instead, which defines the function `{name}` anew by its old self, with another result;
    in a language with a grammar, code put first in that function, which does the same. Where there is none of the
    three, the mutated engine refuses the language."""
    wrong_variables: WrongVariables | None = None
    """The same, where a function leaves its results in variables."""
    syntax: Syntax = Syntax()

    def recipe(self, tests: str) -> Recipe:
        """The way to run a program with these tests; the plain way when there are none, or no form fits them."""
        forms = self.forms if tests.strip() else ()
        form = next((form for form in forms if re.search(form.when, tests, re.MULTILINE)), None)
        return Recipe(**{name: getattr(form, name, None) or getattr(self, name) for name in Recipe.model_fields})

    @property
    def spellings(self) -> frozenset[str]:
        """Every word that means this language, in lower case: its id, its name and its aliases."""
        return frozenset({self.id, self.name.lower(), *self.aliases})

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if not self.run:
            raise ValueError("'run' is empty; name the command that runs the program")
        if (self.warm is not None and self.warm.strategy == "compile_server") != bool(self.warm and self.warm.server):
            raise ValueError("'warm.server' is the command of a compile_server, which needs one, and of nothing else")
        if loud := [alias for alias in self.aliases if alias != alias.lower()]:
            raise ValueError(f"aliases are compared in lower case; write {', '.join(loud)} so")
        if missing := {Verdict.PASS, Verdict.FAIL_ASSERT} - self.probes.keys():
            raise ValueError(f"probes lack {', '.join(sorted(missing))}")
        if self.wrong_values and self.wrong_values[-1].type:
            raise ValueError("the last of 'wrong_values' has a type; end with one that has none, for all other types")
        forms, rules, changes, variables = self.forms, self.errors, self.wrong_values, self.wrong_variables
        patterns = [*(f.when for f in forms), *(rule.pattern for rule in rules), *(c.type for c in changes)]
        for pattern in patterns + ([variables.results, variables.leave, variables.end] if variables else []):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"'{pattern}' is no regular expression: {error}") from error
        return self


SPECS = resources.files("codeglot.languages") / "specs"


@cache
def all_languages() -> tuple[Language, ...]:
    """Every language this package knows, in the order of their ids.

    Raises:
        ConfigError: If a specification is malformed, or two languages claim the same spelling.
    """
    return read_languages(SPECS)


def get(name: str) -> Language:
    """The language with this id, name or alias, in any case.

    Raises:
        UnknownNameError: If no language is called so.
    """
    try:
        return _by_spelling()[name.strip().lower()]
    except KeyError:
        raise UnknownNameError("language", name, (language.id for language in all_languages())) from None


def read_languages(folder: Traversable) -> tuple[Language, ...]:
    """Read every TOML file of `folder`; a language's id is its file's name.

    Raises:
        ConfigError: If a specification is malformed, or two languages claim the same spelling.
    """
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    languages = tuple(_read(file) for file in files)
    owners: dict[str, str] = {}
    for language in languages:
        for spelling in sorted(language.spellings):
            if (owner := owners.setdefault(spelling, language.id)) != language.id:
                raise ConfigError(f"'{spelling}' means both {owner} and {language.id} in {folder}; leave it to one.")
    return languages


def _read(file: Traversable) -> Language:
    try:
        tree: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:  # bad TOML or bad UTF-8: both decoders raise subclasses of it
        raise ConfigError(f"{file} is not valid TOML: {error}.") from error
    return build(Language, {"id": file.name.removesuffix(".toml"), **tree}, source=str(file))


@cache
def _by_spelling() -> dict[str, Language]:
    return {spelling: language for language in all_languages() for spelling in language.spellings}
