"""`./fcb demo`: the main job, end to end, with every figure checked.

Three apps post a month of usage over HTTP; the month closes; Odoo rates, invoices and
posts; webhooks go to an HTTPS receiver. What came out is compared with figures computed
apart from the addon. Needs nothing but `provisioning` and the standard library.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from provisioning.commands import SERVE_RECORD
from provisioning.errors import ProvisioningError
from provisioning.lock import exclusive
from provisioning.server import remembered
from provisioning.workspace import DEMO_DATABASE

from . import (
    compare,
    compare_control,
    compare_invoices,
    compare_webhooks,
    expected,
)
from .catalog import ACCOUNTS, APPS, as_json
from .make_usage import read_rows
from .month import Month
from .receiver_process import Receiver, running_receiver
from .simulator import ApiError, SourceApp, batches
from .tables import heading

SCRIPTS = Path(__file__).with_name("scripts")
RATE = "fusion_centralized_billing.cron_rate_usage"
DELIVER = "fusion_centralized_billing.cron_deliver_webhooks"
INVOICE = "sale_subscription.ir_cron_recurring_invoice"
MODULES = ("fusion_centralized_billing",)
BAD_LINE = re.compile(r"\S+ \S+ \d+ (WARNING|ERROR|CRITICAL) ")


def main(workspace, argv: list[str]) -> int:
    """Run the demo. Returns 0 when every figure is right, else 1."""
    options = parse(argv)
    workspace.ensure()
    with alone(workspace):
        demo = Demo(workspace, options.month)
        try:
            demo.run()
        except ApiError as error:
            raise ProvisioningError(
                f"The billing API did not do as it should: {error}",
                "Its log may say why.",
                workspace.logs / f"{DEMO_DATABASE}-server.log",
            ) from error
        return demo.report()


@contextmanager
def alone(workspace) -> Iterator[None]:
    """Nobody else uses the demo's database: there is one."""
    with exclusive(workspace.cache / "demo.lock", workspace.progress, "the demo"):
        served = remembered(workspace.run_dir / SERVE_RECORD)
        if served and served.database == DEMO_DATABASE:
            raise ProvisioningError(
                f"Odoo is up at {served.url} on the demo database.",
                "Stop it first: ./fcb stop",
            )
        yield


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./fcb demo", description=__doc__)
    parser.add_argument(
        "--month",
        type=past_month,
        default=Month.before(today()),
        metavar="YYYY-MM",
        help="the month to bill; the one before this month unless given",
    )
    return parser.parse_args(argv)


def today() -> date:
    return datetime.now(timezone.utc).date()


def past_month(text: str) -> Month:
    """A month that is over; raises ArgumentTypeError for another one."""
    try:
        month = Month.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if month.end > today():
        raise argparse.ArgumentTypeError(f"{text} is not over yet")
    return month


class Demo:
    """One run: its parts in order, and what they brought."""

    def __init__(self, workspace, month: Month, database: str = DEMO_DATABASE) -> None:
        self.workspace = workspace
        self.month = month
        self.database = database
        self.folder = workspace.run_dir / database
        self.rows = {app.code: [] for app in APPS}
        self.found = {app.code: [] for app in APPS}
        self.books = [expected.AppBooks(app, month) for app in APPS]
        self.world: dict = {}
        self.actual: dict = {}
        self.arrivals: list[dict] = []
        self.logs: list[Path] = []
        self.problems: list[str] = []

    # -------------------------------------------------------------------------- running

    def run(self) -> None:
        workspace = self.workspace
        self.folder.mkdir(mode=0o700, exist_ok=True)
        for row in read_rows():
            self.rows[row["app"]].append(row)
        workspace.fresh_database(self.database, MODULES)
        with ExitStack() as stack:
            webhook_secrets = make_secrets()
            with workspace.phase("Webhook receiver: certificate and HTTPS server"):
                receiver = stack.enter_context(
                    running_receiver(workspace, self.folder, webhook_secrets)
                )
            # the one place where an address that is not public can be allowed
            sections = {
                "fusion_centralized_billing": {
                    "webhook_allow": f"localhost:{receiver.port}",
                    "webhook_ca_file": receiver.ca,
                }
            }
            self.conf = workspace.write_conf(self.database, sections=sections)
            with workspace.phase("Sample services, prices and plans"):
                self.world = self.set_up(receiver, webhook_secrets)
            self.trade(receiver, sections)

    def trade(self, receiver: Receiver, sections: dict) -> None:
        """The month itself, from the first customer to the last webhook."""
        phase, month = self.workspace.phase, self.month
        with self.apps_on(month.start, sections) as apps:
            with phase("Apps create customers and subscriptions over HTTP"):
                self.subscribe(apps)
        with phase(f"Clock at {month.start}: first invoices, the base fee in advance"):
            self.run_crons("open", INVOICE, day=month.start)
        with self.apps_on(month.end, sections) as apps:
            with phase("Apps post a month of usage over HTTP") as timed:
                self.post_usage(apps)
                posted = sum(len(verdicts) for verdicts in self.found.values())
                timed.note(f"{posted:,} events")
            with phase(f"Clock at {month.end}: the month is rated and invoiced"):
                self.run_crons("close", RATE, INVOICE, RATE, day=month.end)
            with phase("Apps declare their totals of the month"):
                self.declare(apps)
        with phase("One customer of each app pays; what was not invoiced is accrued"):
            books = {
                "customers": expected.PAYERS,
                "paid": str(month.start),
                "until": str(month.last),
                "account": ACCOUNTS["accrued"],
            }
            at = self.clock(month.end)
            self.script("keep_books.py", books, name="books", at=at)
        with phase("Webhooks are delivered") as timed:
            self.run_crons("deliver", DELIVER)
            timed.note(f"{len(receiver.arrivals())} requests")
        with phase("The webhook answered with 503 is sent again"):
            # minutes of waiting are skipped: its next attempt is set to now
            self.script("retry_now.py", name="retry")
        with phase("What Odoo made of it is read"):
            output = self.folder / "actual.json"
            args = {
                "output": str(output),
                "start": str(month.start),
                "end": str(month.last),
                "accounts": ACCOUNTS,
            }
            self.script("collect.py", args, name="collect")
            self.actual = json.loads(output.read_text(encoding="utf-8"))
        self.arrivals = receiver.arrivals()

    def script(
        self, script: str, args: object = None, *, name: str, at: datetime | None = None
    ) -> None:
        """Run one of `scripts/` in an `odoo shell`.

        :param name: names its logs
        :param at: naive UTC time at which that Odoo believes to start
        """
        name = f"{self.database}-{name}"
        self.logs.append(self.workspace.logs / f"{name}-odoo.log")
        self.workspace.run_script(
            self.database, SCRIPTS / script, args, at=at, conf=self.conf, name=name
        )

    def set_up(self, receiver: Receiver, webhook_secrets: dict) -> dict:
        """Make the sample world; returns keys and ids."""
        keys_file = self.folder / "keys.json"
        args = {
            "apps": as_json(),
            "accounts": ACCOUNTS,
            "receiver": receiver.url,
            "secrets": webhook_secrets,
            "keys_file": str(keys_file),
        }
        self.script("setup_data.py", args, name="setup")
        return json.loads(keys_file.read_text(encoding="utf-8"))

    @contextmanager
    def apps_on(self, day: date, sections: dict) -> Iterator[list[SourceApp]]:
        """The apps, and an Odoo that answers them, whose clock is on a day.

        What they make is dated by it: no order is younger than its first invoice.
        """
        name = f"{self.database}-server"
        with self.workspace.phase(f"Odoo: start, clock at {day}"):
            server = self.workspace.start_server(
                self.database, sections=sections, at=self.clock(day), name=name
            )
        with server:
            where = urlsplit(server.url)
            yield [
                SourceApp(
                    app=app,
                    key=self.world["apps"][app.code]["key"],
                    host=where.hostname,
                    port=where.port,
                )
                for app in APPS
            ]
        self.problems += log_problems([server.log])  # the next one writes it anew

    def subscribe(self, apps: list[SourceApp]) -> None:
        for source in apps:
            ids = self.world["apps"][source.app.code]
            source.create_customers()
            source.subscribe(ids["plan_id"], ids["product_id"], self.month)

    def post_usage(self, apps: list[SourceApp]) -> None:
        """All apps post at the same time, each its own events in order."""

        def post(source: SourceApp, book: expected.AppBooks) -> None:
            for batch in batches(self.rows[source.app.code]):
                book.post(batch.rows)
                found = source.post_usage(batch, self.month)
                self.found[source.app.code] += found

        with ThreadPoolExecutor(len(apps)) as pool:
            list(pool.map(post, apps, self.books))

    def declare(self, apps: list[SourceApp]) -> None:
        """Each app says what it has sent, by its own books."""
        for source, book in zip(apps, self.books, strict=True):
            used, _following = expected.figures([book], self.month)
            for (customer, metric), figure in sorted(used.items()):
                quantity = format(figure.quantity, "f")
                source.declare(customer, metric, quantity, self.month)

    def run_crons(self, name: str, *xmlids: str, day: date | None = None) -> None:
        """Run scheduled actions; with `day`, in an Odoo whose clock is on that day."""
        at = self.clock(day) if day else None
        self.script("run_crons.py", {"crons": xmlids}, name=name, at=at)

    @staticmethod
    def clock(day: date, when: time = time(0, 5)) -> datetime:
        """A time of a day, in UTC; on the very day, not ahead of real time."""
        now = datetime.now(timezone.utc).replace(tzinfo=None)
        return min(datetime.combine(day, when), now - timedelta(seconds=1))

    # -------------------------------------------------------------------------- telling

    def report(self) -> int:
        """Print the report; returns 1 when a figure differs, else 0."""
        comparison = compare.Comparison()
        actual, month = self.actual, self.month
        used, following = expected.figures(self.books, month)
        rated = compare.read_figures(actual["ratings"], str(month.start))
        ahead = compare.read_figures(actual["ratings"], str(month.end))
        invoices = expected.invoices(month, used, Decimal(self.world["tax_percent"]))
        print(heading(f"Sample month {month} (UTC), in {self.world['currency']}"))
        print("Customers, prices and usage are sample data.\n")
        print(compare.price_table())
        print(heading("1. Usage the apps posted"))
        print(compare.usage_table(comparison, self.found, self.books, actual["stored"]))
        print()
        print(compare.refusals_table(comparison, self.found, self.books))
        print(heading("2. The month, rated"))
        print(compare.charge_table(comparison, rated, used))
        print()
        print(compare.customer_table(comparison, "month", rated, used))
        print(heading("3. Usage of the next month: counted, not billed yet"))
        print(compare.customer_table(comparison, "next month", ahead, following))
        print(heading("4. Invoices"))
        print(compare_invoices.invoice_table(comparison, actual["invoices"], invoices))
        print()
        print(compare_invoices.example(actual["invoices"]))
        print(heading("5. Control totals: declared = accepted = rated = journal"))
        print(compare_control.control_table(comparison, actual["control"], used))
        print(heading("6. Webhooks"))
        outbox, types = actual["webhooks"], expected.webhooks(used)
        print(compare_webhooks.webhook_table(comparison, outbox, self.arrivals, types))
        print(compare_webhooks.retries(comparison, outbox, self.arrivals))
        self.problems += log_problems(self.logs)
        for problem in [*actual["problems"], *self.problems]:
            comparison.check(f"problem in Odoo: {problem}", "there", "absent")
        return conclude(comparison, self.folder)


def log_problems(logs: list[Path]) -> list[str]:
    """Lines of Odoo's logs that are warnings or worse."""
    return [
        f"{log.name}: {line}"
        for log in logs
        if log.exists()
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
        if BAD_LINE.match(line)
    ]


def conclude(comparison: compare.Comparison, folder: Path) -> int:
    """Print the result and where to look; returns the exit code.

    :param folder: where the run left its files
    """
    differences = comparison.differences
    if differences:
        shown = 40
        print(heading(f"DIFFERENT: {len(differences)} of {comparison.compared:,}"))
        print("\n".join(f"  - {text}" for text in differences[:shown]))
        if len(differences) > shown:
            print(f"  ... and {len(differences) - shown} more")
        code = 1
    else:
        print(heading(f"ALL RIGHT: {comparison.compared:,} figures compared"))
        print("Every one is the same in Odoo as computed apart from it.")
        code = 0
    print(heading("See it in the browser"))
    # the times are told on the other stream, after this
    print(WHERE.format(database=DEMO_DATABASE, folder=folder), flush=True)
    return code


WHERE = """\
  ./fcb serve       then open the address it prints; log in as admin, password admin
  Fusion Billing    Usage > Usage Events: every event the apps posted
                    Usage > Ratings: the arithmetic behind each amount
                    Usage > Control Totals: from what the apps declared to the journal
                    API: what the webhooks said, when, and the answer
                    Configuration > Services, Metrics, Charges: the apps and the prices
  Invoicing         Customers > Invoices: base fee and usage lines
  ./fcb stop        when done

Time was moved by running Odoo under another clock (freezegun); the server of the demo
ran no scheduled actions by itself. The wait before the second attempt of the webhook
was skipped. That server and the receiver have been stopped: webhooks caused from now on
have nowhere to go. The apps' API keys are in {folder}/keys.json,
readable by you alone. Database: {database}; another ./fcb demo makes it anew."""


def make_secrets() -> dict[str, str]:
    """A webhook secret for each app, in both spellings receivers use."""
    made = {app.code: secrets.token_urlsafe(32) for app in APPS}
    last = APPS[-1].code
    made[last] = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    return made
