"""The layout of the code: who may call whom, and how large things get.

docs/architecture.md says what each package is for.
"""

import ast
from collections import defaultdict
from pathlib import Path

from odoo.tests import BaseCase, tagged
from odoo.tools import file_path

# From the bottom to the top: a package imports and calls what stands before it.
FLOORS = (
    "base queue webhook service price subscription usage rating audit invoice"
    " reconciliation control price_draft api order"
).split()
# Of Odoo, or of Python: not calls to what a package of ours happens to define, too.
FOREIGN = {"unlink", "write", "create", "copy", "init", "_create_invoices", "_replace"}
MOST_LINES, MOST_LINES_OF_FUNCTION, MOST_PARAMETERS = 400, 70, 6


def trees(folder):
    """Each Python file that is no test, parsed: list of (path, tree)."""
    return [
        (path, ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(folder.rglob("*.py"))
        if "tests" not in path.relative_to(folder).parts
    ]


def upward(models, floors):
    """Imports and calls from a package to one above it (list of str).

    :param dict models: package -> [(file name, tree)]
    :param floors: names of the packages, the lowest first
    """
    rank = {package: number for number, package in enumerate(floors)}
    defined = defaultdict(set)
    for package, files in models.items():
        for _name, tree in files:
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef):
                    defined[node.name].add(rank[package])
    found = []
    for package, files in models.items():
        for name, tree in files:
            for node in ast.walk(tree):
                reached = _reached(node, rank, defined)
                if reached is not None and reached > rank[package]:
                    found.append(f"{package}/{name}:{node.lineno} {floors[reached]}")
    return found


def _reached(node, rank, defined):
    """The lowest package that an import or call can mean, or None."""
    if isinstance(node, ast.ImportFrom) and node.level == 2 and node.module:
        return rank.get(node.module.split(".")[0])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        name = node.func.attr
        if name in defined and name not in FOREIGN:
            return min(defined[name])
    return None


def names_of(node):
    """The ``_name`` of a model class, and what it inherits by name."""
    values = {}
    for statement in node.body:
        if isinstance(statement, ast.Assign):
            target = statement.targets[0]
            if isinstance(target, ast.Name) and target.id in ("_name", "_inherit"):
                values[target.id] = ast.literal_eval(statement.value)
    bases = values.get("_inherit") or []
    bases = [bases] if isinstance(bases, str) else list(bases)
    return values.get("_name") or (bases[0] if len(bases) == 1 else None), bases


class HouseCase(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = Path(file_path("fusion_centralized_billing/__manifest__.py")).parent
        cls.folders = [
            cls.root / name for name in ("models", "engine", "controllers", "wizards")
        ]


@tagged("post_install", "-at_install")
class TestHouse(HouseCase):
    """No package calls one above it, so none calls another in a circle."""

    def models(self):
        found = defaultdict(list)
        for path, tree in trees(self.root / "models"):
            package, *rest = path.relative_to(self.root / "models").parts
            if rest:
                found[package].append((rest[-1], tree))
        return found

    def test_imports_and_calls_go_down(self):
        models = self.models()
        self.assertEqual(set(models), set(FLOORS))
        self.assertEqual(upward(models, FLOORS), [])

    def test_a_call_upward_is_found(self):
        low = ast.parse("def first():\n    self.second()\n")
        high = ast.parse("def second():\n    self.first()\n")
        models = {"low": [("a.py", low)], "high": [("b.py", high)]}
        self.assertEqual(upward(models, ["low", "high"]), ["low/a.py:2 high"])
        imports = {"low": [("a.py", ast.parse("from ..high.b import c"))], "high": []}
        self.assertEqual(upward(imports, ["low", "high"]), ["low/a.py:1 high"])

    def test_no_package_is_most_of_it(self):
        """A fifth of the addon at most."""
        sizes = defaultdict(int)
        for folder in self.folders:
            for path, _tree in trees(folder):
                parts = path.relative_to(self.root).parts
                package = "/".join(parts[:2]) if parts[0] == "models" else parts[0]
                sizes[package] += len(path.read_text(encoding="utf-8").splitlines())
        total = sum(sizes.values())
        self.assertEqual([p for p, size in sizes.items() if size * 5 > total], [])

    def test_nobody_extends_his_own_model(self):
        """Nor Odoo's twice: one class says what happens, in order."""
        classes = defaultdict(list)
        for path, tree in trees(self.root / "models"):
            for node in tree.body:
                if isinstance(node, ast.ClassDef):
                    name, _bases = names_of(node)
                    if name:
                        classes[name].append(path.name)
        twice = {name: files for name, files in classes.items() if len(files) > 1}
        self.assertGreater(len(classes), 60)
        self.assertEqual(twice, {})

    def test_files_and_functions_fit(self):
        large = []
        for folder in self.folders:
            for path, tree in trees(folder):
                name = str(path.relative_to(self.root))
                lines = len(path.read_text(encoding="utf-8").splitlines())
                if lines >= MOST_LINES:
                    large.append(f"{name}: {lines} lines")
                for node in ast.walk(tree):
                    if isinstance(node, ast.FunctionDef):
                        large += self.too_large(name, node)
        self.assertEqual(large, [])

    def too_large(self, name, node):
        lines = node.end_lineno - node.lineno + 1
        if lines > MOST_LINES_OF_FUNCTION:
            yield f"{name} {node.name}: {lines} lines"
        parameters = [a.arg for a in (*node.args.args, *node.args.kwonlyargs)]
        own = [p for p in parameters if p not in ("self", "cls")]
        if len(own) > MOST_PARAMETERS:
            yield f"{name} {node.name}: {len(own)} parameters"

    def test_each_package_says_what_it_is(self):
        """A README of some ten lines: what it owns, and what it does not do."""
        packages = [self.root / "models" / package for package in FLOORS]
        packages += [self.root / "engine" / p for p in ("api", "billing", "webhook")]
        for package in (*packages, self.root / "engine" / "postgres"):
            with self.subTest(package=package.name):
                text = (package / "README.md").read_text(encoding="utf-8")
                self.assertGreater(len(text.splitlines()), 4)

    def test_nothing_is_defined_twice(self):
        """The second would take the place of the first, in silence."""
        twice = []
        for path, tree in trees(self.root):
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    names = [
                        f.name for f in node.body if isinstance(f, ast.FunctionDef)
                    ]
                    twice += [
                        f"{path.name} {node.name}.{name}"
                        for name in {n for n in names if names.count(n) > 1}
                    ]
        self.assertEqual(twice, [])

    def test_every_decision_is_in_the_index(self):
        folder = self.root / "docs" / "decisions"
        index = (folder / "README.md").read_text(encoding="utf-8")
        pages = {page.name for page in folder.glob("0*.md")}
        self.assertEqual({p for p in pages if f"({p})" not in index}, set())
