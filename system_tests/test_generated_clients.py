"""Clients that public generators make of the OpenAPI document, against the live server.

An app need not be in a language that we have a client for: what it is generated has to
work as it comes out.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from provisioning import clients, python_env
from provisioning.lock import exclusive
from provisioning.process import clean_env
from provisioning.server import HOST
from provisioning.settings import HERE

from .api import PREFIX, ApiCase
from .common import INVOICE_JOB, SCRIPTS

FOLDER = "system_tests/client_generators"
REQUIREMENTS = HERE / "requirements-generators.txt"
GENERATORS = ("python", "java", "typescript-fetch")  # of openapi-generator
TSC = "--noEmit --strict --skipLibCheck --target es2022 --lib es2022,dom"
TSC += " --module nodenext --moduleResolution nodenext"
INVOICE = """
    INSERT INTO ir_attachment
                (name, type, res_model, res_id, res_field, mimetype, db_datas)
    SELECT 'invoice.pdf', 'binary', 'account.move', min(id), 'invoice_pdf_report_file',
           'application/pdf', '%PDF-1.4 sample' FROM account_move;
    SELECT min(id) FROM account_move
"""


class TestGeneratedClients(ApiCase):
    seconds = 60

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_jobs(cls.database, INVOICE_JOB)
        cls.invoice = cls.psql(INVOICE)
        workspace = cls.workspace
        with (
            exclusive(workspace.cache / "lock", workspace.progress, "provisioning"),
            workspace.phase("Generators of clients: packages") as phase,
        ):
            cls.python = python_env.get_venv(
                workspace.settings, REQUIREMENTS, phase, "generators-packages"
            )
            cls.node, cls.folder = clients.get_node(
                workspace.settings, cls.python, FOLDER, "check.ts"
            )
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.document = cls.folder / "openapi.json"
        cls.document.write_bytes(cls.api.call("GET", "/openapi.json").content)
        # Most of the time is theirs, and each has one processor.
        with ThreadPoolExecutor(2) as pool:
            openapi_generator = pool.submit(cls.run_openapi_generator)
            others = pool.submit(cls.run_others)
        cls.openapi_generator, cls.others = openapi_generator.result(), others.result()

    @classmethod
    def run_openapi_generator(cls) -> str:
        """All of its languages in one Java; what it says of the document."""
        wanted = []
        for name in GENERATORS:
            config = cls.folder / f"{name}.json"
            values = {"generatorName": name, "inputSpec": str(cls.document)}
            values["outputDir"] = str(cls.folder / name)
            config.write_text(json.dumps(values), encoding="utf-8")
            wanted.append(config)
        program = cls.python.parent / "openapi-generator-cli"
        return cls.run_program(program, "batch", *wanted)

    @classmethod
    def run_others(cls) -> dict[str, str]:
        """Program -> what it says of the document."""
        config = cls.workspace.repo / FOLDER / "openapi_python_client.json"
        modules = cls.folder / "node_modules"
        return {
            "openapi-python-client": cls.run_program(
                cls.python.parent / "openapi-python-client",
                *("generate", "--path", cls.document, "--config", config),
                *("--meta", "none", "--output-path", cls.folder / "billing_client"),
            ),
            "openapi-typescript": cls.run_program(
                cls.node,
                modules / "openapi-typescript" / "bin" / "cli.js",
                *(cls.document, "-o", cls.folder / "types.ts"),
            ),
            "redocly": cls.run_program(
                cls.node,
                modules / "@redocly" / "cli" / "bin" / "cli.js",
                *("lint", cls.document, "--format=stylish"),
            ),
        }

    @classmethod
    def run_program(cls, *command: str | Path, **env: str) -> str:
        """Run a program to its end; it must succeed. Returns all that it prints."""
        done = subprocess.run(
            list(map(str, command)),
            cwd=cls.folder,
            env=clean_env(
                REDOCLY_TELEMETRY="off", REDOCLY_SUPPRESS_UPDATE_NOTICE="true", **env
            ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        output = f"{done.stdout}\n{done.stderr}"
        if done.returncode:
            raise AssertionError(f"{command}: {output}")
        return output

    def test_nothing_in_the_document_is_passed_over(self):
        """openapi-generator took 88 references for mistakes; openapi-python-client left
        out the webhook events."""
        self.assertIn("3 generators successfully", self.openapi_generator)
        for sign in ("ERROR", "Exception", "Illegal"):
            self.assertNotIn(sign, self.openapi_generator)
        for sign in ("Warning", "WARNING", "Unable to", "Failure"):
            self.assertNotIn(sign, self.others["openapi-python-client"])
        self.assertIn("description is valid", self.others["redocly"])
        for sign in ("warning", "error"):
            self.assertNotIn(sign, self.others["redocly"].lower())

    def check_story(self, name: str, path: Path, prefix: str) -> None:
        """Play an app's day with a generated client."""
        before = self.stored()
        output = self.run_program(
            self.python,
            SCRIPTS / f"{name}_story.py",
            *(f"http://{HOST}:{self.server.port}{PREFIX}", self.api.key, self.invoice),
            PYTHONPATH=str(path),
        )
        found = json.loads(output)
        self.assertIn("invoice.posted", found.pop("types"))
        self.assertEqual(
            found,
            {
                "accepted": 2,
                "refused": "idempotency_conflict",
                "quantities": ["1.25"],
                "starts": [True],
                "pdf": "%PDF",
            },
        )
        self.assertEqual(self.stored(), before + 2)
        where = f"idempotency_key LIKE '{prefix}-%' AND quantity IN (1.25, 2)"
        self.assertEqual(self.stored(where), 2)

    def test_openapi_generator(self):
        self.check_story(
            "openapi_generator", self.folder / "python", "openapi-generator"
        )

    def test_openapi_python_client(self):
        self.check_story("python_client", self.folder, "python-client")

    def test_typescript(self):
        """What it must not say is marked in check.ts, and would be an error if it
        could be said."""
        shutil.copytree(self.folder / "typescript-fetch", self.folder / "fetch")
        tsc = self.folder / "node_modules" / "typescript" / "bin" / "tsc"
        self.run_program(self.node, tsc, *TSC.split(), "check.ts")

    def test_types_in_java(self):
        """A time and a PDF file are what Java has for them; a time was an empty class,
        and the file a text."""
        source = self.folder / "java/src/main/java/org/openapitools/client"
        event = (source / "model/UsageEvent.java").read_text(encoding="utf-8")
        self.assertIn("OffsetDateTime getPeriodStart()", event)
        invoices = (source / "api/InvoicesApi.java").read_text(encoding="utf-8")
        self.assertIn("public File getInvoicePdf(", invoices)
