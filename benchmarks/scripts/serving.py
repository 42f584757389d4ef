"""The far end of `benchmarks.support.worker`: does what it is told, one by one."""

import json
import socket
import traceback


def serve(worker, env, args):
    """Call methods of `worker` until whoever tells it what to do hangs up.

    :param args: `address` and `key` of who tells it
    """
    with socket.create_connection(args["address"]) as connection:
        stream = connection.makefile("rw", encoding="utf-8")
        print(args["key"], file=stream, flush=True)
        while line := stream.readline():
            method, arguments = json.loads(line)
            try:
                answer = True, getattr(worker, method)(**arguments)
            except Exception:
                env.cr.rollback()
                answer = False, traceback.format_exc()
            print(json.dumps(answer), file=stream, flush=True)
