"""Runs scheduled actions in order, as the "Run Manually" button does.

`args`: `jobs`, xml ids or ids; optional `ready` and `go`, two paths: the first file is
made when the process is ready, and the jobs begin when the second is there. Optional
`ledger`, a path: the payment provider's books, one line for each time it took money.
Optional `stop`, [one of ../crash_points.py, a path]: when that point is reached, the
file is made, and nothing more is done.
"""

import itertools
import os
import runpy
import time
from pathlib import Path


def keep_ledger(env, path):
    """Note what reaches the payment provider where no rollback can take it back."""
    transactions = env.registry["payment.transaction"]
    original = transactions._send_payment_request

    def send(transaction):
        with open(path, "a", encoding="utf-8") as ledger:
            ledger.write(f"{transaction.invoice_ids.id}\n")
            ledger.flush()
            os.fsync(ledger.fileno())
        return original(transaction)

    transactions._send_payment_request = send


def stop_at(env, point, path):
    """Wait there to be killed."""
    points = runpy.run_path(Path(__file__).parents[1] / "crash_points.py")["POINTS"]
    model, method, when, number = (*points[point], 1)[:4]
    calls = itertools.count(1)
    original = getattr(env.registry[model], method)

    def stop(records, *args, **kwargs):
        is_the_one = next(calls) == number
        if when == "after" or not is_the_one:
            result = original(records, *args, **kwargs)
        if not is_the_one:
            return result
        records.env.flush_all()  # it is about what is written
        Path(path).touch()
        return time.sleep(3600)

    setattr(env.registry[model], method, stop)


def wait(args):
    if args.get("ready"):
        Path(args["ready"]).touch()
        while not Path(args["go"]).exists():
            time.sleep(0.005)


def run(env, job):
    """Run a job to its end: after ten seconds Odoo leaves the rest to another run."""
    progress = env["ir.cron.progress"]
    while True:
        job.method_direct_trigger()
        env.cr.commit()
        last = progress.search([("cron_id", "=", job.id)], order="id desc", limit=1)
        if not last.remaining:
            break


def main(env, args):
    jobs = [
        env.ref(job) if isinstance(job, str) else env["ir.cron"].browse(job)
        for job in args["jobs"]
    ]
    if args.get("ledger"):
        keep_ledger(env, args["ledger"])
    if args.get("stop"):
        stop_at(env, *args["stop"])
    env.cr.commit()  # or what the process knows is from before it began to wait
    wait(args)
    for job in jobs:
        run(env, job)


main(env, args)  # noqa: F821 (both are given by the shell)
