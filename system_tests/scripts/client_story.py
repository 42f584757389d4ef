"""An app that bills with the Python client, from its first customer to the end of a
subscription. Runs in an environment that has the client, and not in Odoo's.

Arguments: address, API key, how many events, a product that is sold. Prints one JSON
object for each step; goes on after the first when it is sent a line.
"""

import json
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from fusion_billing import (
    Client,
    CredentialsError,
    NotFoundError,
    OrderLine,
    RequestError,
    RetryPolicy,
    UsageBuffer,
    UsageEvent,
    VoidRefusedError,
    by_id,
)

THREADS = 4
QUANTITY = Decimal("0.1")  # no float adds up to what it must
BAD_EVERY = 100
SECONDS = 8.0  # how long the events take to arise: the server is killed meanwhile
SUBSCRIPTION = "story/1"  # ids may hold what must be encoded in a path


def say(step, **values):
    print(json.dumps({"step": step, **values}, default=str), flush=True)


def begin(client, key):
    """A customer and a subscription; each made twice is there once."""
    try:
        Client(client._base_url, "fcb_wrong").catalog()
    except CredentialsError as error:
        say("wrong key", code=error.code)
    links = [client.upsert_customer("story", "Story", key) for _ in range(2)]
    catalog = client.catalog()
    [charge] = [c for c in catalog.charges if c.metric == "calls"]
    day = (datetime.now(timezone.utc) - timedelta(days=10)).date()
    made = [
        client.create_subscription(
            *("story", charge.plan_id, [OrderLine(int(sys.argv[4]), 2)]),
            external_id=SUBSCRIPTION,
            start_date=day,
        )
        for _ in range(2)
    ]
    found = client.subscription(SUBSCRIPTION)
    say(
        "begun",
        partners=len({link.partner_id for link in links}),
        customer=client.customer("story").email,
        subscriptions=len({one.subscription_id for one in made}),
        same=found == client.subscription(by_id(found.subscription_id)),
        start_date=found.start_date == day,
        lines=[[line.product_id, line.quantity] for line in found.lines],
    )


def use(client, count):
    """Events arise in several threads, and are sent whatever the server does."""
    refused = []
    troubles = []
    buffer = UsageBuffer(
        client,
        lambda refusal: refused.append(refusal.code),
        max_events=100,
        max_age=0.1,
        max_queue=500,
        retry=RetryPolicy(first=0.1, longest=0.5),
        on_trouble=lambda error: troubles.append(type(error).__name__),
    )
    start = datetime.now(timezone.utc) - timedelta(hours=2)

    def add(part):
        for number in range(part, count, THREADS):
            bad = number % BAD_EVERY == 0
            buffer.add(
                UsageEvent(
                    *(SUBSCRIPTION, "no-such-metric" if bad else "calls", QUANTITY),
                    *(start, start + timedelta(hours=1)),
                )
            )
            time.sleep(SECONDS * THREADS / count)

    threads = [threading.Thread(target=add, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    buffer.close(120)
    stats = buffer.stats
    say(
        "used",
        taken=stats.accepted + stats.duplicates,
        refused=len(refused),
        codes=sorted({*refused}),
        troubles=sorted({*troubles}),
    )


def current(client):
    usage = client.subscription_usage(SUBSCRIPTION)
    [charge] = [c for c in usage.current.charges if c.metric_code == "calls"]
    return charge


def read_and_void(client):
    listed = list(client.iter_usage(subscription=SUBSCRIPTION, metric="calls"))
    say(
        "listed",
        events=len(listed),
        keys=len({one.idempotency_key for one in listed}),
        quantity=sum(one.quantity for one in listed),
        charge=current(client).quantity,
        amount=current(client).amount,
    )
    keys = [one.key for one in listed[:3]]
    first = client.void_usage("counted twice", keys)
    again = client.void_usage("counted twice", keys)
    code = None
    try:
        unknown = type(keys[0])(SUBSCRIPTION, "calls", "never sent")
        client.void_usage("counted twice", [unknown])
    except VoidRefusedError as error:
        code = error.result.results[0].code
    say(
        "voided",
        voided=first.voided,
        already_voided=again.already_voided,
        unknown=code,
        charge=current(client).quantity,
        listed=len(list(client.iter_usage(subscription=SUBSCRIPTION, state="voided"))),
    )


def end(client):
    subscription = client.subscription(SUBSCRIPTION)
    window = subscription.window
    quantity = current(client).quantity
    check = client.reconcile(
        *(SUBSCRIPTION, "calls", window.start, window.end, quantity), complete=True
    )
    codes = []
    for call in (
        client.send_test_webhook,
        lambda: client.replay_event("evt_unknown"),
        lambda: client.invoice(2**30),
        lambda: client.customer("nobody"),
    ):
        try:
            call()
        except RequestError as error:
            codes.append([error.code, isinstance(error, NotFoundError)])
    cancelled = client.cancel_subscription(SUBSCRIPTION, "period_end", "moved away")
    ours = str(subscription.subscription_id)
    types = [
        event.event_type
        for event in client.iter_events()
        if event.payload["data"].get("external_id") == "story"
        or str(event.payload["data"].get("subscription_id")) == ours
    ]
    say(
        "ended",
        reconciliation=check.state,
        complete=check.complete,
        codes=codes,
        ends=cancelled.end_date == subscription.next_invoice_date,
        invoices=[
            [line.amount for line in client.invoice(one.invoice_id).lines]
            for one in client.iter_invoices(subscription=SUBSCRIPTION)
        ],
        types=types,
    )


def main():
    client = Client(sys.argv[1], sys.argv[2], retry=RetryPolicy(first=0.1))
    client.health()
    begin(client, "story@example.com")
    sys.stdin.readline()
    use(client, int(sys.argv[3]))
    read_and_void(client)
    end(client)


if __name__ == "__main__":
    main()
