"""Runs scheduled actions in order, as the "Run Manually" button does.

`args`: `jobs`, xml ids or ids; optional `ready` and `go`, two paths: the first file is
made when the process is ready, and the jobs begin when the second is there.
"""

import time
from pathlib import Path


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
    env.cr.commit()  # or what the process knows is from before it began to wait
    wait(args)
    for job in jobs:
        run(env, job)


main(env, args)  # noqa: F821 (both are given by the shell)
