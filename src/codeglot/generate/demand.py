"""What a problem demands of a program: the shape of its prompt, and what its tests define, use and close."""

from functools import cached_property

from codeglot.generate.preamble import bound_names
from codeglot.generate.syntax import Item, Kind, Program, Step, encode
from codeglot.languages.spec import Language
from codeglot.records import Problem

_INDENT = "    "


class Demand:
    """The shape into which an answer must fit, for a language that has a grammar."""

    def __init__(self, problem: Problem, language: Language) -> None:
        self.language = language
        self.prompt = problem.prompt if problem.prompt_is_code else problem.given
        self._entry_point = problem.entry_point
        self._tests = problem.tests
        self._asked = problem.prompt

    @cached_property
    def head(self) -> Program:
        """The prompt, with what it leaves open closed."""
        closer = self.language.syntax.closer
        open_braces = Program(self.prompt, self.language).depth
        if closer == "}":
            return Program(self.prompt + "\n" + closer * open_braces, self.language)
        if not closer:
            stub = self.language.syntax.stub or f"{self.indent}0"
            return Program(f"{self.prompt.rstrip()}\n{stub}\n", self.language)
        closed = Program(f"{self.prompt}\n{closer}", self.language)
        return Program(self.prompt, self.language) if closed.faults else closed

    @cached_property
    def path(self) -> list[Step]:
        """The way to the function in the prompt; empty where it opens none."""
        at = len(encode(self.prompt if self.language.syntax.closer else self.prompt.rstrip())) + 1
        return self.head.open_at(at) if self.prompt else []

    @cached_property
    def name(self) -> str | None:
        """Function that is asked for: the one that the prompt opens, else the one that the tests are said to call."""
        names = self.path[-1].item.names if self.path else frozenset[str]()
        return min(names) if names and self._entry_point not in names else self._entry_point

    def quotes(self, code: str) -> bool:
        """Whether code is nothing but a part of the prompt, as the program to be mended."""
        return "".join(code.split()) in "".join(self._asked.split())

    @property
    def signature(self) -> str:
        """First line of the function in the prompt; empty where it opens none."""
        item = self.path[-1].item if self.path else None
        return self.head.text(item.node.start_byte, item.node.end_byte).split("\n", 1)[0] if item else ""

    @cached_property
    def containers(self) -> list[Item]:
        """Classes and name spaces around that function, outermost first."""
        return [step.item for step in self.path[:-1]]

    @cached_property
    def headers(self) -> list[str]:
        """Beginning of each of them, with its opening brace."""
        return [
            self.head.text(item.start, body.start_byte + 1)
            for item in self.containers
            if (body := self.head.body(item))
        ]

    @cached_property
    def outer(self) -> list[Item]:
        """What stands before it at the top level: imports, helpers."""
        if self.path:
            return list(self.path[0].items[: self.path[0].position])
        return self.head.items if self.prompt else []

    @cached_property
    def members(self) -> list[Item]:
        """What stands before it in its class."""
        return list(self.path[-1].items[: self.path[-1].position]) if self.containers else []

    @cached_property
    def indent(self) -> str:
        """Indentation of the function's body, where indentation matters."""
        last = next((line for line in reversed(self.prompt.splitlines()) if line.strip()), "")
        own = last[: len(last) - len(last.lstrip())]
        return own + _INDENT if last.rstrip().endswith(":") else own

    @cached_property
    def _closing(self) -> tuple[int, Program, int]:
        """Braces that the tests close, the tests behind what opens these, and where they start in that."""
        firsts = "".join(
            self.head.text(item.start, item.end) + "\n"
            for item in self.head.items
            if item.node.type in self.language.syntax.first
        )
        plain = Program(self._tests, self.language)
        prefixes = ["" if _starts_file(plain) else firsts]
        prefixes += ["".join(self.headers[: n + 1]) + "\n" for n in range(len(self.headers))]
        prefixes += [self.prompt] if self.path and self.language.syntax.closer == "}" else []
        for number, prefix in enumerate(prefixes):
            program = Program(prefix + self._tests, self.language)
            if not program.faults:
                return number, program, len(encode(prefix))
        return max(0, -plain.depth), plain, 0

    @property
    def num_open(self) -> int:
        """Braces that a program must leave open, because the tests close them."""
        return self._closing[0]

    @cached_property
    def test_names(self) -> frozenset[str]:
        """What the tests define at the levels where the program does."""
        _, program, start = self._closing
        names: set[str] = set()
        items = program.items
        while items:
            around = [item for item in items if item.node.start_byte < start < item.node.end_byte]
            for item in items:
                if item not in around and item.node.start_byte >= start:
                    names |= bound_names(program, item.node) if item.kind is Kind.IMPORT else item.names
            body = program.body(around[0]) if around else None
            items = program.parts(body) if body else []
        return frozenset(names) - {self.name or ""}

    @cached_property
    def test_words(self) -> frozenset[str]:
        """What they mention besides."""
        program = self._closing[1]
        return frozenset(program.words(program.root)) - self.test_names

    @cached_property
    def tests_elsewhere(self) -> bool:
        """Whether the tests are a file of their own."""
        return _starts_file(Program(self._tests, self.language))


def _starts_file(program: Program) -> bool:
    return any(item.node.type in program.syntax.first for item in program.items)
