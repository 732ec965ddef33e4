"""How Python 3.6 reads the runtime, which is written for 3.7: without annotations and their future import.

Nothing of it is used by newer versions.
"""

import ast
import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from typing import Any, Optional


class Finder:
    """Finds the runtime's own modules."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> Optional[ModuleSpec]:
        """See ``importlib.abc.MetaPathFinder``."""
        if not name.startswith(__name__.partition(".")[0] + "."):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = Loader(spec.loader.name, spec.loader.path)
        return spec


class Loader(SourceFileLoader):
    """Compiles source without its annotations; the bytecode is cached like any other."""

    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> Any:  # type: ignore[override]
        """See ``importlib.abc.InspectLoader``."""
        tree = ast.fix_missing_locations(_Stripped().visit(ast.parse(data, path)))
        return compile(tree, path, "exec", dont_inherit=True, optimize=_optimize)


class _Stripped(ast.NodeTransformer):
    """A module without annotations, but for those that a ``NamedTuple`` is made of."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Optional[ast.AST]:
        return None if node.module == "__future__" else node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        if any(isinstance(base, ast.Name) and base.id == "NamedTuple" for base in node.bases):
            return node
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        assigned = ast.Assign(targets=[node.target], value=self.visit(node.value))
        return ast.copy_location(assigned, node)


sys.meta_path.insert(0, Finder)  # type: ignore[arg-type, unused-ignore]
