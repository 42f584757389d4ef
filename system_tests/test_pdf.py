"""Invoices as PDF files, over HTTP, made by the real program."""

from __future__ import annotations

import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from provisioning.server import HOST

from .api import Answer, Api, ApiCase, now
from .common import INVOICE_JOB

READ = """
import sys, pypdf
print("\\n".join(page.extract_text() for page in pypdf.PdfReader(sys.argv[1]).pages))
"""
FILES = "SELECT count(*) FROM ir_attachment WHERE res_model = 'account.move'"


class TestPdf(ApiCase):
    seconds = 40
    quiet = False  # the program leaves connections open, which Odoo notes

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A month's usage on an invoice, as the customer gets it.
        cls.run_jobs(cls.database, INVOICE_JOB)
        case = cls("test_without_the_program")
        event = case.event(quantity="1234.5", subscription_external_id="sub-1")
        assert cls.api.usage([event]).status == 200
        cls.run_jobs(cls.database, INVOICE_JOB, at=now() + timedelta(days=32))
        invoices = cls.api.call("GET", "/invoices?subscription=sub-1").body["invoices"]
        cls.invoice = cls.api.call(
            "GET", f"/invoices/{invoices[-1]['invoice_id']}"
        ).body
        cls.path = cls.invoice["pdf_path"]

    def text_of(self, content: bytes) -> str:
        with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
            file.write(content)
            file.flush()
            done = subprocess.run(
                [self.workspace.python, "-c", READ, file.name],
                capture_output=True,
                text=True,
                check=True,
            )
        return done.stdout

    def fetch(self) -> Answer:
        """Ask as an app does: again, when it is told to."""
        while (answer := self.api.call("GET", self.path)).status == 503:
            self.check_refused(answer, 503, "busy")
            time.sleep(int(answer.headers["retry-after"]))
        return answer

    def test_it_says_what_was_used(self):
        """Also when two ask at once; nothing is kept."""
        # where the program gets styles and pictures from: what Odoo learns at a login
        self.psql(
            "INSERT INTO ir_config_parameter (key, value)"
            f" VALUES ('report.url', 'http://{HOST}:{self.server.port}')"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        )
        files = self.psql(FILES)
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda _n: self.fetch(), range(2)))
        for answer in answers:
            self.assertEqual(answer.status, 200, answer.content[:300])
            self.assertEqual(answer.headers["content-type"], "application/pdf")
            self.assertEqual(answer.content[:4], b"%PDF")
        text = self.text_of(answers[0].content)
        self.assertIn(self.invoice["number"], text)
        self.assertIn("1,234.5", text)
        self.assertIn("1,244.50", text)  # 1,234.5 at 1.00, and the fee of 10.00
        self.assertEqual(self.psql(FILES), files)

    def test_without_the_program(self):
        """Nothing but the PDF is missing, and that is said in JSON."""
        bare = self.start_server(self.database, "bare", bin_path="")
        answer = Api(bare.port, self.api.key).call("GET", self.path)
        self.check_refused(answer, 503, "pdf_unavailable")
        self.assertEqual(answer.headers.get("retry-after"), None)
