"""How the code reads, in figures: `python -m bench.reading [FOLDER …]`, by default this project.

Counted: the Python of the product, without tests, migrations, benchmarks and the code of other projects. The figures
are compared in docs/performance.md; none of them is a target.
"""

import ast
import io
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

LEFT_OUT = frozenset({"tests", "migrations", "bench", "node_modules", "vendor", "conftest.py"})
HEADER = (
    "| | files | lines | function median / p90 / longest | called from one place | comments per 100 lines "
    "| docstrings |"
)
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Reading:
    files: int
    lines: int
    function_lines: Sequence[int]
    called_once: float
    """Share of the functions and methods that are called from one place of the tree.

    Calls are counted by name: of a name that is defined three times and called three times, each counts.
    """
    comments: int
    """Lines with a comment, without those that only speak to tools."""
    documented: float
    """Share of the functions that have a docstring."""

    def row(self, name: str) -> str:
        ordered = sorted(self.function_lines)
        lengths = f"{median(ordered):.0f} / {ordered[int(0.9 * (len(ordered) - 1))]} / {ordered[-1]}"
        comments = 100 * self.comments / self.lines
        return (
            f"| {name} | {self.files} | {self.lines:,} | {lengths} | {self.called_once:.0%} "
            f"| {comments:.1f} | {self.documented:.0%} |"
        )


def read(paths: Sequence[Path]) -> Reading:
    sources = [path.read_text(encoding="utf-8") for path in paths]
    trees = [ast.parse(source) for source in sources]
    functions = [node for tree in trees for node in ast.walk(tree) if isinstance(node, FunctionNode)]
    definitions = Counter(node.name for node in functions)
    calls = Counter(name for tree in trees for name in called_names(tree))
    return Reading(
        files=len(paths),
        lines=sum(len(source.splitlines()) for source in sources),
        function_lines=[(node.end_lineno or node.lineno) - node.lineno + 1 for node in functions],
        called_once=sum(0 < calls[node.name] <= definitions[node.name] for node in functions) / len(functions),
        comments=sum(comment_lines(source) for source in sources),
        documented=sum(ast.get_docstring(node) is not None for node in functions) / len(functions),
    )


def called_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    yield name


def comment_lines(source: str) -> int:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = (token.string for token in tokens if token.type == tokenize.COMMENT)
    return sum(not comment.lstrip("# ").startswith(("type:", "noqa", "fmt:", "!")) for comment in comments)


def product_files(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*.py"))
        if not any(part in LEFT_OUT or part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def main() -> None:
    print(HEADER, "|---" * 7 + "|", sep="\n")
    for folder in map(Path, sys.argv[1:] or ["."]):
        paths = product_files(folder)
        rooms = {path.relative_to(folder).parts[0] for path in paths if len(path.relative_to(folder).parts) > 1}
        print(read(paths).row(folder.resolve().name))
        for room in sorted(rooms):
            print(read([path for path in paths if path.relative_to(folder).parts[0] == room]).row(f"… {room}/"))


if __name__ == "__main__":
    main()
