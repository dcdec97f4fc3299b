"""A correct answer with other values returned: the control that a harness must fail.

Every `return` of the function under test is changed, since the first one alone may be a guard that no test
reaches. Where the function calls itself, returns that only pass on what the call gave are kept, so that a change is not
undone on the way up.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tree_sitter import Node

from codeglot.errors import EngineError
from codeglot.generate.syntax import Program, decode, encode
from codeglot.languages.spec import Equations, Language, WrongVariables
from codeglot.records import Problem


class Mutation(NamedTuple):
    """A changed answer."""

    text: str
    """What stands in the place of the completion."""
    how: str
    """What was changed, for a person."""


_FUNCTIONS = frozenset(
    {
        *("function_definition", "function_declaration", "function_expression", "function_item", "arrow_function"),
        *("generator_function", "generator_function_declaration", "local_function_statement", "anonymous_function"),
        *("method", "method_definition", "method_declaration", "singleton_method", "constructor_declaration"),
        *(
            "let_binding",
            "lambda",
            "lambda_expression",
            "anonymous_method_expression",
            "func_literal",
            "closure_expression",
        ),
    }
)
"""Nodes that have returns of their own, in all grammars."""
_RETURNS = frozenset({"return_statement", "return_expression", "return"})
_NO_VALUE = frozenset(
    {
        *("expression_statement", "let_declaration", "while_expression", "for_expression"),
        *("loop_expression", "while", "for", "until", "function_item", "method"),
    }
)
"""Last statements whose value is not the function's."""
_BRANCHES = frozenset({"if", "unless", "elsif", "else", "then", "case", "when", "begin"})
"""Statements whose value is that of the branch taken."""
_CHOICE = re.compile(rb"\?|\bif\b")
"""In an expression with a recursive call: it may also hold a base case."""
_LEFT_OUT = "the answer left out: no returned value found"


class _Value(NamedTuple):
    """Place of a returned expression, in bytes of the program."""

    start: int
    end: int
    is_last: bool = False
    """Whether it is returned for being the last expression, so that it may be a statement."""


def mutate(problem: Problem, language: Language) -> Mutation:
    """Change what the canonical solution of `problem` returns; one that returns nothing is left out.

    Raises:
        EngineError: If the language has no wrong values.
    """
    if language.wrong_result and problem.entry_point and problem.canonical_solution:
        return _with_changed_result(problem, language, problem.canonical_solution)
    if language.wrong_variables:
        return _with_changed_variables(problem, language, language.wrong_variables)
    if not language.wrong_values and not language.wrong_result:
        raise EngineError(
            f"How {language.name} returns wrong values is not known, so {problem.benchmark} cannot be answered with "
            "mutated solutions in it. Leave the language out, or add [[wrong_values]], 'wrong_result' or "
            f"[wrong_variables] to its {language.id}.toml."
        )
    solution = encode(problem.canonical_solution or "")
    prompt = encode(problem.prompt) if problem.prompt_is_code else b""
    values, return_type = _returned(problem, language, prompt, solution)
    if not values or not language.wrong_values:
        return Mutation("", _LEFT_OUT)
    before, after = _around(language, " ".join(return_type.split()))
    edits = []
    for value in values:
        opening, closing = "(" * value.is_last, ")" * value.is_last
        if before.endswith("\n"):
            opening = _padding(prompt + solution[: value.start]) + opening
        edits += [(value.start, 1, encode(before + opening)), (value.end, 0, encode(closing + after))]
    for position, _is_start, text in sorted(edits, reverse=True):
        solution = solution[:position] + text + solution[position:]
    kind = f" of type {return_type}" if return_type else ""
    return Mutation(decode(solution), f"{len(values)} returned value(s){kind} changed")


def _with_changed_result(problem: Problem, language: Language, solution: str) -> Mutation:
    """Change the result from behind the answer, or from within the function where extraction may leave out the rest."""
    name = problem.entry_point or ""
    code = language.wrong_result.replace("{name}", name)
    if language.grammar is None:
        return Mutation(f"{solution}\n{code}", "the result changed")
    prompt = encode(problem.prompt) if problem.prompt_is_code else b""
    program = Program(prompt + encode(solution), language)
    path = program.find(name)
    body = path[-1].item.node.child_by_field_name("body") if path else None
    if body is None:
        return Mutation("", _LEFT_OUT)
    at = max(body.start_byte + 1, len(prompt))
    text = decode(program.data[len(prompt) : at]) + f"\n{code}" + decode(program.data[at:])
    return Mutation(text, "the result changed")


def _with_changed_variables(problem: Problem, language: Language, rule: WrongVariables) -> Mutation:
    """Change the variables that hold the results, at the end of the function, which is where it is left then."""
    name, solution = re.escape(problem.entry_point or ""), problem.canonical_solution or ""
    before = problem.prompt if problem.prompt_is_code else ""
    text = before + solution
    head = re.search(language.syntax.definition_pattern.replace("{name}", name), text)
    end = head and re.compile(rule.end.replace("{name}", name)).search(text, max(head.end(), len(before)))
    if not head or not end:
        return Mutation("", _LEFT_OUT)
    function, begin = text[head.start() : end.start()], max(head.start(), len(before))
    found = [group for match in re.finditer(rule.results.replace("{name}", name), function) for group in match.groups()]
    variables = re.findall(r"\w+", re.sub(r"\([^()]*\)", "", ",".join(filter(None, found))))
    if not variables:
        return Mutation("", _LEFT_OUT)
    body = re.sub(rule.leave, lambda match: match[1] + rule.jump, text[begin : end.start()])
    changes = [rule.label, *(rule.change.replace("{variable}", variable) for variable in variables)]
    lines = "".join(f"{line}\n" for line in changes)
    answer = text[len(before) : begin] + body + lines + text[end.start() :]
    return Mutation(f"{answer}\n{rule.behind}", f"{len(variables)} variable(s) changed")


def _around(language: Language, return_type: str) -> tuple[str, str]:
    """Code before and after an expression of this type."""
    rule = next(rule for rule in language.wrong_values if not rule.type or re.fullmatch(rule.type, return_type))
    return rule.before.replace("{type}", return_type), rule.after.replace("{type}", return_type)


def _padding(before: bytes) -> str:
    """White space as wide as what stands in the line so far."""
    return re.sub(r"[^\t]", " ", decode(before).rpartition("\n")[2])


def _returned(problem: Problem, language: Language, prompt: bytes, solution: bytes) -> tuple[list[_Value], str]:
    """Returned expressions, by their places in the solution, and the declared type."""
    if language.grammar is None:
        return _returned_by_text(solution), ""
    # The tests may close what the prompt opened.
    program = Program(prompt + solution + b"\n" + encode(problem.tests), language)
    begin, end = len(prompt), len(prompt + solution)
    nodes = language.syntax.equations
    if nodes and (equations := _equations(program, nodes, problem.entry_point, begin, end)):
        call, returned = rb"\b%s\b", [value for equation in equations for value in _results(equation)]
        name, return_type = _name(equations[0]), _type_of_result(program.root, equations[0], nodes)
    elif function := _function(program.root, problem.entry_point, begin, end):
        call, returned = rb"\b%s\s*\(", list(_values(function))
        name, return_type = problem.entry_point or _name(function), _return_type(function)
    else:
        return [], ""
    values = [value for value in returned if begin <= value.start and value.end <= end]
    calls_itself = re.compile(call % re.escape(encode(name)))
    base = [
        value
        for value in values
        if not calls_itself.search(program.data, value.start, value.end)
        or _CHOICE.search(program.data, value.start, value.end)
    ]
    return [value._replace(start=value.start - begin, end=value.end - begin) for value in base or values], return_type


def _returned_by_text(solution: bytes) -> list[_Value]:
    """By text alone: up to a semicolon, or to the end of the line in languages that have none."""
    found = list(re.finditer(rb"\breturn\b\s*([^;\s][^;]*?)\s*(?=;|\s(?:if|unless)\b)", solution))
    lines = re.finditer(rb"^\s*return[ \t]+(\S.*?)[ \t]*$", solution, re.MULTILINE)
    return [_Value(*match.span(1)) for match in found or lines if match[1].count(b"(") == match[1].count(b")")]


def _function(root: Node, entry_point: str | None, begin: int, end: int) -> Node | None:
    """The function that the answer completes, else the last one in it that has the name under test."""
    functions = [node for node in _walk(root) if node.type in _FUNCTIONS]
    open_there = [node for node in functions if node.start_byte < begin < node.end_byte]
    if open_there:
        return max(open_there, key=lambda node: node.start_byte)
    inside = [node for node in functions if begin <= node.start_byte < end]
    named = [node for node in inside if not entry_point or _name(node) == entry_point]
    return named[-1] if named else None


def _equations(program: Program, nodes: Equations, entry_point: str | None, begin: int, end: int) -> list[Node]:
    """All that define the function under test."""
    equations = [item.node for item in program.items if item.node.type in nodes.of_functions]
    names = [_name(node) for node in equations if begin < node.end_byte and node.start_byte < end]
    return [node for node in equations if names and _name(node) == (entry_point or names[-1])]


def _results(equation: Node) -> Iterator[_Value]:
    """Its right-hand side, or those of its guards."""
    for match in equation.children_by_field_name("match"):
        if expression := match.child_by_field_name("expression"):
            yield _Value(expression.start_byte, expression.end_byte)


def _type_of_result(root: Node, equation: Node, nodes: Equations) -> str:
    """What is left of the type of a function behind those of the arguments that an equation takes."""
    declared = [node for node in _walk(root) if node.type == nodes.signature and _name(node) == _name(equation)]
    node = declared[0].child_by_field_name("type") if declared else None
    patterns = equation.child_by_field_name("patterns")
    num_left = len(patterns.named_children) if patterns else 0
    while node is not None and (node.type in nodes.around_types or num_left > 0):
        num_left -= node.type == nodes.arrow
        node = node.child_by_field_name("result" if node.type == nodes.arrow else "type")
    return decode(node.text) if node is not None and node.text else ""


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.named_children:
        yield from _walk(child)


def _name(function: Node) -> str:
    """Name of a function; that of the variable for one without its own."""
    fields = ("name", "declarator", "pattern")
    node = next((child for field in fields if (child := function.child_by_field_name(field))), None)
    if node is None and function.parent is not None:
        node = function.parent.child_by_field_name("name") or function.parent.child_by_field_name("left")
    while node is not None and (inner := node.child_by_field_name("declarator")) is not None:
        node = inner
    return decode(node.text) if node is not None and node.text else ""


def _return_type(function: Node) -> str:
    for field in ("return_type", "returns", "result", "type"):
        if (node := function.child_by_field_name(field)) is not None and node.text:
            return decode(node.text).removeprefix(":").strip()
    types = (child for child in function.named_children if child.type.endswith("_type") and child.text)
    return next((decode(node.text) for node in types if node.text), "")


def _values(function: Node) -> Iterator[_Value]:
    """The expressions that `function` itself returns."""
    body = function.child_by_field_name("body") or function
    if function.type in {"arrow_function", "lambda", "let_binding"} and body.type != "statement_block":
        yield _Value(body.start_byte, body.end_byte, is_last=True)
        return
    if function.type == "function_item":
        yield from _last_of_block(body)
    elif any(child.type == "=" for child in function.children):
        yield from _last_of_expression(body)
    elif function.type in {"method", "singleton_method"}:
        yield from _last_of_branches(body)
    yield from _return_values(body)


def _return_values(node: Node) -> Iterator[_Value]:
    for child in node.named_children:
        if child.type in _FUNCTIONS:
            continue
        if _is_return(child) and (parts := _parts(child)):
            yield _Value(parts[0].start_byte, parts[-1].end_byte)
        yield from _return_values(child)


def _is_return(node: Node) -> bool:
    return node.type in _RETURNS or (node.type == "control_transfer_statement" and node.children[0].type == "return")


def _parts(node: Node) -> list[Node]:
    return [part for part in node.named_children if "comment" not in part.type]


def _last_of_block(block: Node) -> Iterator[_Value]:
    """The expression without semicolon that ends a block."""
    last = (_parts(block) or [block])[-1]
    if last.type == "expression_statement" and not (last.text or b"").endswith(b";"):
        last = last.named_children[0]
    if last != block and last.type not in _NO_VALUE | _RETURNS:
        yield _Value(last.start_byte, last.end_byte, is_last=True)


def _last_of_expression(body: Node) -> Iterator[_Value]:
    """The body of a function behind its equals sign, or the last expression in its braces."""
    last = (_parts(body) or [body])[-1] if body.type == "block" else body
    if last.type not in _NO_VALUE | _RETURNS and not any(_return_values(last)):
        yield _Value(last.start_byte, last.end_byte, is_last=True)


def _last_of_branches(node: Node) -> Iterator[_Value]:
    """The last expression of a body, or those of its branches."""
    parts = _parts(node)
    if node.type in {"if", "unless", "elsif", "case", "when"}:
        for branch in parts:
            if branch.type in _BRANCHES:
                yield from _last_of_branches(branch)
        return
    last = parts[-1] if parts else None
    if last is None or last.type in _NO_VALUE | _RETURNS:
        return
    if last.type in _BRANCHES:
        yield from _last_of_branches(last)
    elif not any(_return_values(last)):
        yield _Value(last.start_byte, last.end_byte, is_last=True)
