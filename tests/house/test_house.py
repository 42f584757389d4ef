"""The layout of the code: who may call whom, and how large things get.

docs/architecture.md says what each package is for.
"""

import ast
import re
from collections import defaultdict
from pathlib import Path

from odoo.tests import BaseCase, tagged
from odoo.tools import file_path

# From the bottom to the top: a package imports and calls what stands before it.
FLOORS = (
    "base queue webhook service price subscription usage rating audit invoice"
    " accrual portal reconciliation control price_draft api order overview"
).split()
# The same for community/sale_subscription.
SUBSCRIPTION_FLOORS = (
    "base plan dates pricing invoicing notice payment life_cycle portal order"
).split()
# Of Odoo, or of Python: not calls to what a package of ours happens to define, too.
FOREIGN = {"unlink", "write", "create", "copy", "init", "_create_invoices", "_post"}
FOREIGN |= {"_replace"}  # of a NamedTuple
# Packages of tests that follow no package of models/.
MORE_TESTS = {"beside_apps", "browser", "house", "http", "pressing", "security"}
ADDON_CODE = ("models/", "engine/", "controllers/", "wizards/", "community/")
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
    """The rules, for one module: ``folder``, with packages on ``floors``."""

    module = "fusion_centralized_billing"
    floors = FLOORS
    code = ("models", "engine", "controllers", "wizards")
    most_classes = 60

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = Path(file_path(f"{cls.module}/__manifest__.py")).parent
        cls.folders = [cls.root / name for name in cls.code]

    def models(self):
        found = defaultdict(list)
        for path, tree in trees(self.root / "models"):
            package, *rest = path.relative_to(self.root / "models").parts
            if rest:
                found[package].append((rest[-1], tree))
        return found

    def check_floors(self):
        models = self.models()
        self.assertEqual(set(models), set(self.floors))
        self.assertEqual(upward(models, self.floors), [])

    def check_nobody_extends_his_own_model(self):
        classes = classes_of(self.folders)
        self.assertGreater(len(classes), self.most_classes)
        self.assertEqual(twice(classes), {})

    def check_shares(self):
        """A fifth of the addon at most."""
        sizes = defaultdict(int)
        for folder in self.folders:
            for path, _tree in trees(folder):
                parts = path.relative_to(self.root).parts
                package = "/".join(parts[:2]) if parts[0] == "models" else parts[0]
                sizes[package] += len(path.read_text(encoding="utf-8").splitlines())
        total = sum(sizes.values())
        self.assertEqual([p for p, size in sizes.items() if size * 5 > total], [])

    def check_readmes(self, *others):
        packages = [self.root / "models" / package for package in self.floors]
        for package in (*packages, *others):
            with self.subTest(package=package.name):
                text = (package / "README.md").read_text(encoding="utf-8")
                self.assertGreater(len(text.splitlines()), 4)


def classes_of(folders):
    """Which classes each model has (dict: name -> names of files)."""
    classes = defaultdict(list)
    for folder in folders:
        for path, tree in trees(folder):
            for node in tree.body:
                if isinstance(node, ast.ClassDef):
                    name, _bases = names_of(node)
                    if name:
                        classes[name].append(path.name)
    return classes


def twice(classes):
    return {name: files for name, files in classes.items() if len(files) > 1}


@tagged("post_install", "-at_install")
class TestHouse(HouseCase):
    """No package calls one above it, so none calls another in a circle."""

    def test_imports_and_calls_go_down(self):
        self.check_floors()

    def test_a_call_upward_is_found(self):
        low = ast.parse("def first():\n    self.second()\n")
        high = ast.parse("def second():\n    self.first()\n")
        models = {"low": [("a.py", low)], "high": [("b.py", high)]}
        self.assertEqual(upward(models, ["low", "high"]), ["low/a.py:2 high"])
        imports = {"low": [("a.py", ast.parse("from ..high.b import c"))], "high": []}
        self.assertEqual(upward(imports, ["low", "high"]), ["low/a.py:1 high"])

    def test_no_package_is_most_of_it(self):
        self.check_shares()

    def test_nobody_extends_his_own_model(self):
        """Nor Odoo's twice: one class says what happens, in order."""
        self.check_nobody_extends_his_own_model()

    def test_files_and_functions_fit(self):
        """Everything of the project, tests and tools as well."""
        large, count = [], 0
        for path in sorted(self.root.rglob("*.py")):
            name = path.relative_to(self.root).as_posix()
            text = path.read_text(encoding="utf-8")
            lines = len(text.splitlines())
            count += 1
            if lines >= MOST_LINES:
                large.append(f"{name}: {lines} lines")
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    large += self.too_large(name, node)
        self.assertGreater(count, 400)
        self.assertEqual(large, [])

    def test_a_large_function_is_found(self):
        [long] = ast.parse("def long():\n" + "    pass\n" * 70).body
        self.assertEqual([*self.too_large("a.py", long)], ["a.py long: 71 lines"])
        [many] = ast.parse("def many(self, a, b, c, d, e, f, *, g): ...").body
        [told] = self.too_large("models/a.py", many)
        self.assertEqual(told, "models/a.py many: 7 parameters")
        self.assertEqual([*self.too_large("clients/a.py", many)], [])

    def too_large(self, name, node):
        lines = node.end_lineno - node.lineno + 1
        if lines > MOST_LINES_OF_FUNCTION:
            yield f"{name} {node.name}: {lines} lines"
        parameters = [*node.args.posonlyargs, *node.args.args]
        # A client or a tool has options, which whoever calls it gives by their names.
        if name.startswith(ADDON_CODE):
            parameters += node.args.kwonlyargs
        own = [p.arg for p in parameters if p.arg not in ("self", "cls")]
        if len(own) > MOST_PARAMETERS:
            yield f"{name} {node.name}: {len(own)} parameters"

    def test_each_package_says_what_it_is(self):
        """A README of some ten lines: what it owns, and what it does not do."""
        engine = self.root / "engine"
        parts = ("api", "billing", "webhook", "postgres")
        self.check_readmes(*(engine / name for name in parts))

    def test_each_module_has_what_odoo_shows_of_it(self):
        """Without an index.html Odoo shows README.md, in the wrong markup."""
        for manifest in self.root.glob("**/__manifest__.py"):
            folder = manifest.parent
            if folder != self.root and folder.parent.name != "community":
                continue
            shown = folder / "static" / "description"
            for path in (folder / "README.md", shown / "icon.png"):
                self.assertTrue(path.is_file(), path)
            text = (shown / "index.html").read_text(encoding="utf-8")
            pictures = re.findall(r'src="([^"]+)"', text)
            self.assertEqual([p for p in pictures if not (shown / p).is_file()], [])

    def test_links_of_pages_lead_somewhere(self):
        """In all that is written for people, README files included."""
        broken, count = [], 0
        for page in self.root.rglob("*.md"):
            text = page.read_text(encoding="utf-8")
            for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
                if ":" not in link:
                    count += 1
                    if not (page.parent / link).exists():
                        broken.append(f"{page.relative_to(self.root)}: {link}")
        self.assertGreater(count, 80)
        self.assertEqual(broken, [])

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

    def test_tests_follow_their_package(self):
        packages = {p.parent.name for p in (self.root / "tests").glob("*/test_*.py")}
        self.assertEqual(packages - MORE_TESTS - set(FLOORS), set())
        self.assertEqual(set(FLOORS) - packages, set(), "has no tests of its own")

    def test_every_test_is_run(self):
        """Odoo runs what tests/__init__.py imports, and nothing else."""
        folder = self.root / "tests"
        imported = {
            f"{node.module}/{name.name}.py"
            for node in ast.parse((folder / "__init__.py").read_text("utf-8")).body
            for name in node.names
        }
        files = folder.rglob("test_*.py")
        there = {path.relative_to(folder).as_posix() for path in files}
        self.assertGreater(len(there), 80)
        self.assertEqual(there, imported)

    def test_every_decision_is_in_the_index(self):
        folder = self.root / "docs" / "decisions"
        index = (folder / "README.md").read_text(encoding="utf-8")
        pages = {page.name for page in folder.glob("0*.md")}
        self.assertEqual({p for p in pages if f"({p})" not in index}, set())


@tagged("post_install", "-at_install")
class TestHouseOfSubscriptions(HouseCase):
    """The same in community/sale_subscription, and in the modules beside it."""

    module = "sale_subscription"
    floors = SUBSCRIPTION_FLOORS
    code = ("models", "report", "controllers", "wizards")

    def test_imports_and_calls_go_down(self):
        self.check_floors()

    def test_no_package_is_most_of_it(self):
        self.check_shares()

    def test_models_know_nothing_of_what_stands_on_them(self):
        reached = [
            f"{path.name}:{node.lineno} {node.module}"
            for path, tree in trees(self.root / "models")
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            and node.level > len(path.relative_to(self.root / "models").parts)
        ]
        self.assertEqual(reached, [])

    def test_the_public_names_are_where_they_were(self):
        """Only these stand beside the packages: other modules import them."""
        files = {path.name for path in (self.root / "models").glob("*.py")}
        self.assertEqual(files, {"__init__.py", "sale_order.py"})

    def test_nobody_extends_his_own_model(self):
        self.check_nobody_extends_his_own_model()

    def test_orders_are_extended_in_the_file_of_their_name(self):
        classes = classes_of([self.root / "models"])
        for name in ("sale.order", "sale.order.line", "account.move", "res.partner"):
            self.assertEqual(classes[name], [name.replace(".", "_") + ".py"])

    def test_each_package_says_what_it_is(self):
        self.check_readmes()

    def test_the_modules_beside_it(self):
        beside = [path.parent for path in self.root.parent.glob("*/__manifest__.py")]
        self.assertGreater(len(beside), 5)
        for module in beside:
            with self.subTest(module=module.name):
                self.assertEqual(twice(classes_of([module])), {})
