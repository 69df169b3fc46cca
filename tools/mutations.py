"""The small wrong turns that `make mutants` takes: every way we know to break a line of the core.

Owns reading a module and naming its mutants; ``mutants.py`` runs the tests against them. Refuses
what a type checker or a reader would refuse first: annotations, decorators, docstrings, sentences
for people, and asserts that only tell the type checker that something is not None.

A mutant is named by where it stands and what it changes, never by a line number, so that an
explanation written for it stays true while lines move.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

Path_ = tuple[tuple[str, int | None], ...]
Change = tuple[str, ast.AST]  # what it says, what stands there instead

LONGEST = 100  # letters of a change's name
WORDLESS = {"vocabulary", "replies"}  # the modules in which a text with a space in it is a table
COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
REACKONED: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.FloorDiv,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
    ast.BitAnd: (ast.BitOr,),
}
SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any"}
UNREAD = {"annotation", "returns", "decorator_list", "bases", "type_params", "ctx", "msg", "op"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change. ``where`` is module.function, ``path`` leads from the tree's root to the place,
    ``function`` is None outside any function, ``lines`` are those a test must run to notice."""

    module: str
    where: str
    change: str
    function: str | None
    lines: range
    path: Path_
    instead: ast.AST


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where the walk stands."""

    names: tuple[str, ...]  # of the classes and functions around
    function: str | None
    names_kept: frozenset[str]  # of this function: arguments, and what is assigned twice
    first_line: int  # of the statement around


def mutants_of(path: Path, members: dict[str, list[str]]) -> list[Mutant]:
    """Every mutant of a module, in order. ``members`` are the names in each enumeration."""
    walk = _Walk(path.stem, members)
    found = list(walk.inside(ast.parse(path.read_text()), (), _Spot((), None, frozenset(), 1)))
    seen: dict[tuple[str, str], int] = {}
    named = []
    for each in found:
        no = seen[each.where, each.change] = seen.get((each.where, each.change), 0) + 1
        change = each.change if no == 1 else f"{each.change} ({no})"
        named.append(
            Mutant(
                each.module, each.where, change, each.function, each.lines, each.path, each.instead
            )
        )
    return named


def members_in(*paths: Path) -> dict[str, list[str]]:
    """The names in every enumeration of these modules."""
    found = {}
    for path in paths:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and any(
                isinstance(base, ast.Name) and base.id.endswith("Enum") for base in node.bases
            ):
                names = [n.targets[0] for n in node.body if isinstance(n, ast.Assign)]
                found[node.name] = [name.id for name in names if isinstance(name, ast.Name)]
    return found


def build(source: str, mutant: Mutant, filename: str) -> CodeType:
    """The whole module with this one change, compiled."""
    tree = ast.parse(source)
    _change(tree, mutant.path, mutant.instead)
    return _compiled(tree, filename)


def build_function(tree: ast.Module, mutant: Mutant, filename: str) -> CodeType:
    """Only the class or function at the top of the module that the change is in, compiled."""
    (_, top), *rest = mutant.path
    assert top is not None
    part = copy.deepcopy(tree.body[top])
    _change(part, tuple(rest), mutant.instead)
    future = [node for node in tree.body if isinstance(node, ast.ImportFrom)][:1]
    return _compiled(ast.Module([*future, part], []), filename)


def _change(node: ast.AST, path: Path_, instead: ast.AST) -> None:
    for field, index in path[:-1]:
        node = getattr(node, field) if index is None else getattr(node, field)[index]
    field, index = path[-1]
    if index is None:
        setattr(node, field, instead)
    else:
        getattr(node, field)[index] = instead


def _compiled(tree: ast.Module, filename: str) -> CodeType:
    code: CodeType = compile(ast.fix_missing_locations(tree), filename, "exec")
    return code


class _Walk:
    """Finds the mutants of one module."""

    def __init__(self, module: str, members: dict[str, list[str]]) -> None:
        self.module = module
        self.members = members

    def inside(self, node: ast.AST, path: Path_, spot: _Spot) -> Iterator[Mutant]:
        """The mutants of everything that stands below ``node``."""
        for field, value in ast.iter_fields(node):
            if field in UNREAD:
                continue
            several = isinstance(value, list)
            for index, child in enumerate(value if several else [value]):
                if isinstance(child, ast.AST):
                    step = (field, index if several else None)
                    yield from self._at(child, (*path, step), spot)

    def _at(self, node: ast.AST, path: Path_, spot: _Spot) -> Iterator[Mutant]:
        if _is_unread(node):
            return
        if isinstance(node, ast.stmt):
            spot = _Spot(spot.names, spot.function, spot.names_kept, node.lineno)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            if _is_vocabulary(node):
                return
            spot = _entered(node, spot)
        elif isinstance(node, ast.arguments):  # defaults are made when the function is
            spot = _Spot(spot.names, None, spot.names_kept, spot.first_line)
        elif spot.function is None and (name := _assigned(node)):
            spot = _Spot((*spot.names, name), None, spot.names_kept, spot.first_line)
        for says, instead in self._changes(node, path, spot):
            ast.copy_location(instead, node)
            where = ".".join((self.module, *spot.names))
            last = getattr(node, "end_lineno", None) or spot.first_line
            yield Mutant(
                self.module,
                where,
                says if len(says) <= LONGEST else f"{says[: LONGEST - 3]}...",
                spot.function,
                range(spot.first_line, last + 1),
                path,
                instead,
            )
        yield from self.inside(node, path, spot)

    def _changes(self, node: ast.AST, path: Path_, spot: _Spot) -> Iterator[Change]:
        match node:
            case ast.Constant():
                yield from self._constant(node)
            case ast.Attribute(ast.Name(enum) | ast.Attribute(attr=enum), attr) if (
                attr in self.members.get(enum, [])
            ):
                names = self.members[enum]
                other = names[(names.index(attr) + 1) % len(names)]
                yield _turn(node, ast.Attribute(node.value, other, ast.Load()))
            case ast.expr():
                yield from _of_an_expression(node)
            case ast.If():
                yield f"if {ast.unparse(node.test)}: always", _if(node, True)
                yield f"if {ast.unparse(node.test)}: never", _if(node, False)
            case ast.comprehension():
                yield from _filtered(node)
            case ast.match_case() if not isinstance(node.body[0], ast.Pass):
                says = f"case {ast.unparse(node.pattern)}: nothing"
                yield says, ast.match_case(node.pattern, node.guard, [ast.Pass()])
            case ast.stmt() if _may_go(node, path, spot):
                yield f"no {ast.unparse(node).splitlines()[0]}", ast.Pass()

    def _constant(self, node: ast.Constant) -> Iterator[Change]:
        value = node.value
        if isinstance(value, bool):
            yield _turn(node, ast.Constant(not value))
        elif isinstance(value, int):
            yield _turn(node, ast.Constant(value + 1))
            yield _turn(node, ast.Constant(value - 1))
        elif isinstance(value, str) and (self.module in WORDLESS or " " not in value):
            yield _turn(node, ast.Constant("" if value else "x"))


def _of_an_expression(node: ast.expr) -> Iterator[Change]:
    match node:
        case ast.Compare():
            yield from _compared(node)
        case ast.BoolOp():
            yield from _joined(node)
        case ast.UnaryOp(ast.Not(), operand):
            yield _turn(node, operand)
        case ast.BinOp():
            yield from _reckoned(node)
        case ast.Call():
            yield from _called(node)
        case ast.IfExp():
            yield f"always {ast.unparse(node.body)}: {ast.unparse(node)}", node.body
            yield f"always {ast.unparse(node.orelse)}: {ast.unparse(node)}", node.orelse
        case ast.Dict() | ast.Tuple() | ast.List() | ast.Set():
            yield from _thinned(node)


def _turn(node: ast.AST, instead: ast.AST) -> Change:
    return f"{ast.unparse(node)} -> {ast.unparse(instead)}", instead


def _is_unread(node: ast.AST) -> bool:
    """What no mutant is made of."""
    match node:
        case ast.Expr(ast.Constant(str())) | ast.Import() | ast.ImportFrom() | ast.JoinedStr():
            return True
        case ast.Assign([ast.Name("__all__")]) | ast.Assign(value=ast.Subscript()):
            return True  # what is exported, and names for types
        case ast.Assert(ast.Compare(ops=[ast.IsNot()], comparators=[ast.Constant(None)])):
            return True  # for the type checker
        case ast.Assert(ast.Call(ast.Name("isinstance"))):
            return True
        case _:
            return False


def _is_vocabulary(node: ast.AST) -> bool:
    """An enumeration of texts: any other text would do as well, as long as all are different."""
    return isinstance(node, ast.ClassDef) and any(
        isinstance(base, ast.Name) and base.id == "StrEnum" for base in node.bases
    )


def _assigned(node: ast.AST) -> str | None:
    """The name that a line outside any function gives a value to."""
    match node:
        case ast.Assign([ast.Name(name)]) | ast.AnnAssign(ast.Name(name)):
            return name
        case _:
            return None


def _entered(node: ast.FunctionDef | ast.ClassDef, spot: _Spot) -> _Spot:
    names = (*spot.names, node.name)
    if isinstance(node, ast.ClassDef) or spot.function is not None:
        return _Spot(names, spot.function, spot.names_kept, node.lineno)
    arguments = [a.arg for a in (*node.args.args, *node.args.kwonlyargs)]
    stored = [
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ]
    twice = {name for name in stored if stored.count(name) > 1}
    return _Spot(names, ".".join(names), frozenset({*arguments, *twice}), node.lineno)


def _compared(node: ast.Compare) -> Iterator[Change]:
    for at, op in enumerate(node.ops):
        for other in COMPARED[type(op)]:
            ops = [*node.ops[:at], other(), *node.ops[at + 1 :]]
            yield _turn(node, ast.Compare(node.left, ops, node.comparators))


def _joined(node: ast.BoolOp) -> Iterator[Change]:
    yield _turn(
        node, ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
    )
    for at, value in enumerate(node.values):
        rest = [*node.values[:at], *node.values[at + 1 :]]
        says = f"without {ast.unparse(value)}: {ast.unparse(node)}"
        yield says, rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _reckoned(node: ast.BinOp) -> Iterator[Change]:
    for other in REACKONED.get(type(node.op), ()):
        yield _turn(node, ast.BinOp(node.left, other(), node.right))
    if isinstance(node.op, ast.BitOr):
        yield _turn(node, node.left)
        yield _turn(node, node.right)


def _called(node: ast.Call) -> Iterator[Change]:
    func = ast.unparse(node.func)
    if func in SWAPPED:
        yield _turn(node, ast.Call(ast.Name(SWAPPED[func], ast.Load()), node.args, node.keywords))
    for at, keyword in enumerate(node.keywords):
        rest = [*node.keywords[:at], *node.keywords[at + 1 :]]
        says = f"without {ast.unparse(keyword)}: {ast.unparse(node)}"
        yield says, ast.Call(node.func, node.args, rest)


def _if(node: ast.If, answer: bool) -> ast.If:
    return ast.If(ast.Constant(answer), node.body, node.orelse)


def _filtered(node: ast.comprehension) -> Iterator[Change]:
    for at, test in enumerate(node.ifs):
        for answer in (True, False):
            ifs = [*node.ifs[:at], ast.Constant(answer), *node.ifs[at + 1 :]]
            says = f"for {ast.unparse(node.target)} if {ast.unparse(test)}: if {answer}"
            yield says, ast.comprehension(node.target, node.iter, ifs, node.is_async)


def _thinned(node: ast.Dict | ast.Tuple | ast.List | ast.Set) -> Iterator[Change]:
    """A table without one of its rows."""
    if isinstance(node, ast.Dict):
        for at, key in enumerate(node.keys):
            keys = [*node.keys[:at], *node.keys[at + 1 :]]
            values = [*node.values[:at], *node.values[at + 1 :]]
            says = ast.unparse(key) if key is not None else f"**{ast.unparse(node.values[at])}"
            yield f"without {says}", ast.Dict(keys, values)
        return
    if len(node.elts) < 2 or isinstance(getattr(node, "ctx", None), ast.Store):
        return
    for at, each in enumerate(node.elts):
        rest = [*node.elts[:at], *node.elts[at + 1 :]]
        says = f"without {ast.unparse(each)} in {ast.unparse(node)}"
        if isinstance(node, ast.Set):
            yield says, ast.Set(rest)
        else:
            yield says, type(node)(rest, ast.Load())


def _may_go(node: ast.stmt, path: Path_, spot: _Spot) -> bool:
    """Whether a statement can be left out without the type checker seeing it."""
    if spot.function is None:
        return False
    nested = sum(index is not None for _, index in path) > len(spot.names) + 1
    match node:
        case ast.Expr() | ast.AugAssign() | ast.Assert() | ast.Raise():
            return True
        case ast.Return() | ast.Break() | ast.Continue():
            return nested
        case ast.Assign(targets=[ast.Name(name)]):
            return name in spot.names_kept
        case _:
            return False
