"""Time, CPU time and queries of a block, in a process whose clock may be frozen."""

import contextlib
import cProfile
import pstats
import time

from freezegun.api import real_perf_counter

from odoo import sql_db


@contextlib.contextmanager
def measured(profile=""):
    """Yield a dict that holds the figures once the block is over.

    :param str profile: a file to add a profile of the block to
    """
    spent = {}
    profiler = cProfile.Profile(real_perf_counter) if profile else None
    queries = sql_db.sql_counter
    cpu = time.process_time()
    start = real_perf_counter()
    if profiler:
        profiler.enable()
    try:
        yield spent
    finally:
        if profiler:
            profiler.disable()
        spent["seconds"] = real_perf_counter() - start
        spent["cpu_seconds"] = time.process_time() - cpu
        spent["queries"] = sql_db.sql_counter - queries
        if profiler:
            stats = pstats.Stats(profiler)
            with contextlib.suppress(OSError):
                stats.add(profile)
            stats.dump_stats(profile)
