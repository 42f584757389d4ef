"""Invoices as PDF files, over HTTP, made by the real program."""

from __future__ import annotations

import hashlib
import re
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from provisioning.pdf import PROGRAM

from .api import Answer, Api, ApiCase, now
from .common import INVOICE_JOB
from .crowd import Crowd

READ = """
import sys, pypdf
print("\\n".join(page.extract_text() for page in pypdf.PdfReader(sys.argv[1]).pages))
"""
DAY = re.compile(r"\d{2}/\d{2}/\d{4}")
FILES = "SELECT count(*) FROM ir_attachment WHERE res_model = 'account.move'"


class TestPdf(ApiCase):
    seconds = 40
    quiet = False  # the program leaves connections open, which Odoo notes

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.name_server()
        # A month's usage on an invoice, as the customer gets it.
        cls.run_jobs(cls.database, INVOICE_JOB)
        case = cls("test_without_the_program")
        event = case.event(quantity="1234.5", subscription_external_id="sub-1")
        assert cls.api.usage([event]).status == 200
        cls.run_jobs(cls.database, INVOICE_JOB, at=now() + timedelta(days=32))
        invoices = cls.api.call("GET", "/invoices?subscription=sub-1").body["invoices"]
        cls.invoice, cls.earlier = (
            cls.api.call("GET", f"/invoices/{invoices[n]['invoice_id']}").body
            for n in (-1, 0)
        )

    def setUp(self):
        super().setUp()
        # elsewhere Odoo has no program to make them with
        self.possible = (self.workspace.python.parent / PROGRAM).exists()

    def text_of(self, content: bytes) -> str:
        """The words of a PDF file, one space between each."""
        with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
            file.write(content)
            file.flush()
            done = subprocess.run(
                [self.workspace.python, "-c", READ, file.name],
                capture_output=True,
                text=True,
                check=True,
            )
        return " ".join(done.stdout.split())

    def fetch(self, invoice: dict) -> Answer:
        """Ask as an app does: again, when it is told to."""
        path = invoice["pdf_path"]
        while (answer := self.api.call("GET", path)).status == 503:
            self.check_refused(answer, 503, "busy")
            time.sleep(int(answer.headers["retry-after"]))
        self.assertEqual(answer.status, 200, answer.content[:300])
        self.assertEqual(answer.headers["content-type"], "application/pdf")
        self.assertEqual(answer.content[:4], b"%PDF")
        return answer

    def fetch_twice(self, invoice: dict) -> list[bytes]:
        """Ask for it twice at once."""
        with ThreadPoolExecutor(2) as pool:
            return [a.content for a in pool.map(self.fetch, [invoice] * 2)]

    def test_it_says_what_was_used(self):
        """Before it was sent: made for each who asks; reading leaves nothing behind."""
        if not self.possible:
            return
        files = self.psql(FILES)
        for content in self.fetch_twice(self.invoice):
            text = self.text_of(content)
            self.assertIn(self.invoice["number"], text)
            self.assertIn("1,244.50", text)  # 1,234.5 at 1.00, and the fee of 10.00
            [line] = [line for line in self.invoice["lines"] if line["usage"]]
            self.assertIn("1,234.5", line["name"])
            # the window: from when to when
            self.assertGreaterEqual(len(DAY.findall(line["name"])), 2, line["name"])
            self.assertIn(" ".join(line["name"].split()), text)
        self.assertEqual(self.psql(FILES), files)

    def test_it_is_the_file_that_was_sent(self):
        if not self.possible:
            return
        files = int(self.psql(FILES))
        arguments = {"invoice": self.earlier["invoice_id"]}
        self.script(self.database, "send_invoice.py", arguments)
        self.assertEqual(int(self.psql(FILES)), files + 1)
        first, second = self.fetch_twice(self.earlier)
        self.assertEqual(first, second)
        self.assertEqual(
            hashlib.sha1(first).hexdigest(),
            self.psql(
                "SELECT checksum FROM ir_attachment"
                " WHERE res_field = 'invoice_pdf_report_file'"
            ),
        )
        self.assertEqual(int(self.psql(FILES)), files + 1)

    def test_an_app_that_polls_in_three_threads_locks_nobody_out(self):
        """25 of 25 requests of the other one were refused."""
        if not self.possible:
            return
        other = Api(self.server.port, self.world["keys"]["other"])
        path = other.call("GET", "/invoices").body["invoices"][-1]["pdf_path"]
        crowd = Crowd(self.api, "ask", 3, self.invoice["pdf_path"])
        try:
            time.sleep(2)
            refused = []
            for _number in range(3):
                began = time.monotonic()
                while (answer := other.call("GET", path)).status == 503:
                    self.check_refused(answer, 503, "busy")
                    refused.append(time.monotonic() - began)
                    time.sleep(int(answer.headers["retry-after"]))
                self.assertEqual(answer.status, 200, answer.content[:300])
                self.assertEqual(answer.content[:4], b"%PDF")
        finally:
            statuses = crowd.end()
        # it takes turns: the other one's is over when the one in the making is
        self.assertLess(max(refused, default=0), 30)
        self.assertLessEqual({*statuses}, {"200", "503"})
        self.assertGreaterEqual(statuses.get("200", 0), 1)

    def test_without_the_program(self):
        """Nothing but the PDF is missing, and that is said in JSON."""
        bare = self.start_server(self.database, "bare", bin_path="")
        answer = Api(bare.port, self.api.key).call("GET", self.invoice["pdf_path"])
        self.check_refused(answer, 503, "pdf_unavailable")
        self.assertEqual(answer.headers.get("retry-after"), None)
