"""What Odoo really sends is verified by the public libraries, and by our examples."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from datetime import datetime
from pathlib import Path

from engine.webhook.signing import delivery_headers
from provisioning import clients
from provisioning.lock import exclusive
from provisioning.process import clean_env
from provisioning.server import Server

from .api import PREFIX
from .webhook_case import WebhookCase

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="  # of make_webhooks.py
VERIFIERS = "system_tests/webhook_verifiers"
EXAMPLES = "examples/webhooks"
STORY = datetime(2026, 2, 1, 8)
AGAIN = """
    UPDATE fusion_billing_webhook
       SET state = 'pending', next_attempt_at = now() AT TIME ZONE 'UTC'
"""


class VerifyingCase(WebhookCase):
    @classmethod
    def get_programs(cls) -> None:
        workspace = cls.workspace
        with (
            exclusive(workspace.cache / "lock", workspace.progress, "provisioning"),
            workspace.phase("Webhook verifiers: packages") as phase,
        ):
            cls.python = clients.get_python(workspace.settings, phase)
            cls.node, cls.verifier = clients.get_node(
                workspace.settings, cls.python, VERIFIERS, "verify.mjs"
            )

    def verified(self, *requests: dict, secrets: list[str]) -> list[list[bool]]:
        """Of each request, which secrets verify it: all four libraries agree."""
        found = {}
        repo = self.workspace.repo
        for language, command in {
            "Python": [self.python, repo / VERIFIERS / "verify.py"],
            "JavaScript": [self.node, self.verifier / "verify.mjs"],
        }.items():
            done = subprocess.run(
                command,
                input=json.dumps({"requests": requests, "secrets": secrets}),
                env=clean_env(),
                capture_output=True,
                text=True,
                check=False,
            )
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for library, answers in json.loads(done.stdout).items():
                found[language, library] = answers
        self.assertEqual(len(found), 4)
        [*answers] = found.values()
        self.assertEqual(answers, answers[:1] * 4, found)
        return answers[0]


class TestWebhookLibraries(VerifyingCase):
    """standardwebhooks and svix, for Python and for JavaScript."""

    seconds = 45
    paths = {"app": "/ok"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.get_programs()

    def send(self, overlap: int | None) -> tuple[str, dict]:
        """Have a test event sent; (the new secret, the request)."""
        secret = self.script(
            self.database,
            "replace_webhook_secret.py",
            {"service": "app", "overlap": overlap},
        )
        self.deliver()
        return secret, self.captured()[-1]

    def test_they_verify_what_is_sent(self):
        self.script(self.database, "webhook_story.py", {"service": "app"}, at=STORY)
        self.deliver()
        requests = self.captured()
        self.assertEqual(len(requests), 14)
        self.assertEqual(self.verified(*requests, secrets=[SECRET]), [[True]] * 14)

        good = requests[0]
        body = good["body"].encode()
        event_id = good["headers"]["webhook-id"]
        old = delivery_headers(event_id, "t", body, [SECRET], int(time.time()) - 600)
        bad = [
            {**good, "body": good["body"].replace("acc-1", "acc-2")},
            {**good, "headers": {**good["headers"], "webhook-id": "evt_other"}},
            {**good, "headers": {name.lower(): text for name, text in old.items()}},
        ]
        self.assertEqual(self.verified(*bad, secrets=[SECRET]), [[False]] * 3)

        # while the secret is replaced, and after it
        new, during = self.send(overlap=24)
        self.value(
            self.database,
            "UPDATE fusion_billing_webhook_endpoint"
            " SET webhook_previous_until = '2026-01-01'",
        )
        _none, after = self.send(overlap=None)
        self.assertEqual(
            self.verified(good, during, after, secrets=[SECRET, new]),
            [[True, False], [True, True], [False, True]],
        )


class TestWebhookExamples(VerifyingCase):
    """The receivers of examples/webhooks, behind HTTPS as their README says."""

    seconds = 35
    paths = {"python": "", "node": ""}

    @classmethod
    def start_receivers(cls) -> None:
        cls.start_receiver()  # which makes the certificate
        cls.get_programs()
        workspace = cls.workspace
        with exclusive(workspace.cache / "lock", workspace.progress, "provisioning"):
            node, folder = clients.get_node_receiver(workspace.settings, cls.python)
        cls.lines = {"python": [], "node": []}
        examples = workspace.repo / EXAMPLES
        plain = {
            "python": cls.start(
                "python", cls.python, examples / "python" / "receiver.py"
            ),
            "node": cls.start("node", node, folder / "receiver.mjs"),
        }
        certificate = cls.folder / "server.pem"  # the key is in it, too
        cls.public = {
            code: cls.start(
                None,
                cls.python,
                *(examples / "local_https.py", certificate, certificate, "0", port),
            )
            for code, port in plain.items()
        }

    @classmethod
    def start(cls, code: str | None, *command: str | Path) -> str:
        """Start a program that says on which port it listens; returns the port."""
        process = subprocess.Popen(
            command,
            env={
                **os.environ,
                "WEBHOOK_SECRET": SECRET,
                "PORT": "0",
                "INBOX": str(cls.folder / f"inbox-{code}"),
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        port = process.stdout.readline().removeprefix("listening on port ").strip()
        if code:
            reader = threading.Thread(
                target=lambda: cls.lines[code].extend(map(str.strip, process.stdout))
            )
            reader.start()
            cls.addClassCleanup(reader.join)
        else:
            cls.addClassCleanup(process.stdout.close)
        cls.addClassCleanup(process.wait)
        cls.addClassCleanup(process.kill)
        return port

    @classmethod
    def ports(cls) -> list[int]:
        return [cls.port, *map(int, cls.public.values())]

    def setUp(self):
        super().setUp()
        self.before = {code: len(lines) for code, lines in self.lines.items()}

    def handled(self, code: str) -> list[str]:
        """What a receiver says it has handled in this test: event id and type."""
        return self.lines[code][self.before[code] :]

    def catch_up(self, server: Server, key: str) -> str:
        examples = self.workspace.repo / EXAMPLES
        return subprocess.run(
            [self.python, examples / "python" / "catch_up.py"],
            env=clean_env(
                FCB=f"{server.url}{PREFIX}",
                KEY=key,
                INBOX=str(self.folder / "inbox-python"),
            ),
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def test_what_was_missed_is_fetched(self):
        """The receiver was not reachable; what it has already is not handled again."""
        service = {"service": self.services["python"]}
        key = self.script(self.database, "rotate_key.py", service)["key"]
        server = self.workspace.start_server(
            self.database, name=f"system-{type(self).__name__}-server"
        )
        self.addCleanup(server.stop)
        self.value(
            self.database,
            "UPDATE fusion_billing_webhook_endpoint SET webhook_url = NULL",
        )
        self.script(
            self.database,
            "replace_webhook_secret.py",
            {"service": "python", "overlap": None},
        )
        self.assertEqual(self.catch_up(server, key), "1 events")
        self.assertEqual(self.catch_up(server, key), "0 events")
        self.wait_for(lambda: self.handled("python"), [])
        [event] = self.rows(
            self.database, "SELECT event_id FROM fusion_billing_webhook"
        )
        self.assertEqual(self.handled("python"), [f"{event[0]} webhook.test"])

    def test_each_event_is_handled_once(self):
        for code, port in self.public.items():
            self.value(
                self.database,
                "UPDATE fusion_billing_webhook_endpoint"
                f" SET webhook_url = 'https://localhost:{port}' WHERE id ="
                f" (SELECT webhook_endpoint_id FROM fusion_billing_service"
                f" WHERE code = '{code}')",
            )
            self.enqueue(code, 20)
        self.deliver()
        self.assertEqual(self.states(), [("sent", "1", "40")])
        self.value(self.database, AGAIN)  # as when the note of the first time was lost
        self.deliver()
        self.assertEqual(self.states(), [("sent", "2", "40")])
        for code, service in self.services.items():
            with self.subTest(code):
                self.wait_for(lambda code=code: len(self.handled(code)) >= 20, [])
                written = self.rows(
                    self.database,
                    "SELECT event_id FROM fusion_billing_webhook"
                    f" WHERE service_id = {service}",
                )
                self.assertEqual(
                    sorted(line.split()[0] for line in self.handled(code)),
                    sorted(event for [event] in written),
                )
