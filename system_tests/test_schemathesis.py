"""The OpenAPI document against the live server: schemathesis, with all its checks."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from provisioning.process import clean_env
from provisioning.server import HOST

from .api import PREFIX, ApiCase
from .common import INVOICE_JOB
from .openapi_env import get_bin

CONFIG = Path(__file__).with_name("schemathesis.toml")
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")
SEED = 20260101
EXAMPLES = 25  # of each operation, beside those of the document and of the coverage
CASES = 1000  # fewer were no test; there are some 1,800
SUCCESSES = 10  # of each operation
METHODS = {"get", "patch", "post"}
DONE = """
    SELECT method || ' ' || route, count(*) FROM fusion_billing_api_log
     WHERE status = 200 GROUP BY 1
"""
# The names that the document's examples use, so that these meet something.
NAMES = """
    UPDATE fusion_billing_account_link SET external_id = 'acc-1'
     WHERE external_id = 'customer-0';
    UPDATE fusion_billing_metric SET code = 'api_calls' WHERE code = 'calls';
    UPDATE fusion_billing_webhook_endpoint e
       SET webhook_url = 'https://hooks.example.com/billing'
      FROM fusion_billing_service s
     WHERE s.webhook_endpoint_id = e.id AND s.code = 'app';
    INSERT INTO ir_attachment
                (name, type, res_model, res_id, res_field, mimetype, db_datas)
    SELECT 'invoice.pdf', 'binary', 'account.move', min(id), 'invoice_pdf_report_file',
           'application/pdf', '%PDF-1.4 sample' FROM account_move;
    SELECT min(id) FROM account_move
"""


class TestSchemathesis(ApiCase):
    seconds = 70

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bin = get_bin(cls.workspace)
        cls.run_jobs(cls.database, INVOICE_JOB)
        cls.invoice = cls.psql(NAMES)

    def run_program(self, *command: str | Path, **env: str) -> str:
        """Run one of the packages' programs to its end; it must succeed."""
        folder = tempfile.TemporaryDirectory(dir=self.workspace.run_dir)
        self.addCleanup(folder.cleanup)
        done = subprocess.run(
            [self.bin / command[0], *command[1:]],
            cwd=folder.name,  # where it leaves what it has tried
            env=clean_env(**env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, f"{done.stdout}\n{done.stderr}")
        return done.stdout

    def test_the_document_is_openapi(self):
        document = self.api.call("GET", "/openapi.json").content
        with tempfile.NamedTemporaryFile(suffix=".json") as file:
            file.write(document)
            file.flush()
            self.run_program("openapi-spec-validator", file.name)

    def test_the_server_does_what_the_document_says(self):
        document = self.api.call("GET", "/openapi.json").body
        operations = sum(
            method in METHODS for path in document["paths"].values() for method in path
        )
        output = self.run_program(
            *("schemathesis", "--no-color", f"--config-file={CONFIG}", "run"),
            f"http://{HOST}:{self.server.port}{PREFIX}/openapi.json",
            *("--checks=all", "--continue-on-failure", f"--seed={SEED}"),
            *(f"--max-examples={EXAMPLES}", "--request-timeout=60"),
            SCHEMATHESIS_HOOKS=str(HOOKS),
            FCB_KEY=self.api.key,
            FCB_DATABASE=self.database,
            FCB_IDS=f"invoice_id={self.invoice} plan_id={self.world['plan']}"
            f" product_id={self.world['fee']}",
        )
        self.assertIn(f"Tested: {operations - 1}", output)  # all but openapi.json
        [cases] = re.findall(r"(\d+) generated, \d+ passed", output)
        self.assertGreater(int(cases), CASES, output)
        for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
            self.assertIn(f"✅ {phase}", output)
        # Each was not only called: it did its work.
        done = dict(self.rows(self.database, DONE))
        for path, item in document["paths"].items():
            for method in {*item} & METHODS:
                if item[method]["security"]:
                    label = f"{method.upper()} {path}"
                    self.assertGreaterEqual(int(done.get(label, 0)), SUCCESSES, label)
        self.check_quiet()
        self.assertEqual(self.api.call("GET", "/health").body, {"status": "ok"})
