"""Runs tests/house/test_conformance_*.py in an `odoo shell`, where it is fed to.

`./fcb test` does that before anything else: the addon itself need not be installed, as
on a `sale_subscription` that differs too much it cannot be. That one is installed here
where it is not yet. `env` is the shell's; FCB_CONFORMANCE holds the paths of the
tests.
"""

import importlib.util
import logging
import os
import sys
from pathlib import Path

from odoo.tests.loader import get_module_test_cases, run_suite
from odoo.tests.suite import OdooSuite
from odoo.tools import config

MODULE = "sale_subscription"
PACKAGE = "odoo.addons.fusion_centralized_billing.tests.house"


def installed(env):
    """Record of the module, installed now if it was not."""
    modules = env["ir.module.module"]
    modules.update_list()
    module = modules.search([("name", "=", MODULE)])
    if module.state == "installed":
        env.cr.rollback()
    else:
        module.button_immediate_install()
    return module


def load_tests(path):
    """Import the file under its usual name, but nothing of the addon around it."""
    name = f"{PACKAGE}.{Path(path).stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def main(env, paths):
    database = env.cr.dbname
    module = installed(env)
    print(f"FCB_VERSION {module.latest_version}", flush=True)
    config["test_enable"] = True  # what modules ask before they commit
    tests = [test for path in paths for test in get_module_test_cases(load_tests(path))]
    tests.sort(key=lambda test: test.test_sequence)
    result = run_suite(OdooSuite(tests))
    logging.getLogger("odoo.tests.result").info(
        "%s when loading database %r", result, database
    )
    (folder,) = importlib.import_module(f"odoo.addons.{MODULE}").__path__
    print(f"FCB_FOLDER {folder}", flush=True)


main(env, os.environ["FCB_CONFORMANCE"].split(os.pathsep))  # noqa: F821 (given by the shell)
