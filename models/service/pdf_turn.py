import os

from odoo import api, models
from odoo.tools import SQL, config

# An app that was told to ask again keeps its place for so many seconds. It is told to
# ask again after one.
CLAIM_SECONDS = 5


class FusionBillingPdfTurn(models.AbstractModel):
    """Which app may have an invoice made into a PDF file next.

    Each app has at most one in the making. Of the apps that wait, the one goes first
    whose last file is the longest ago.

    The program that makes the files asks this server for styles and pictures. If all
    workers made PDF files, nobody would be left to answer, until the time limit.
    """

    _name = "fusion.billing.pdf.turn"
    _description = "Queue for Creating PDF Files"

    def init(self):
        # A table without a model, as nobody looks at it. Unlogged: after a crash it is
        # empty, and every app counts as one that never had a file.
        self.env.cr.execute(
            """
            CREATE UNLOGGED TABLE IF NOT EXISTS fusion_billing_pdf_claim (
                service_id integer PRIMARY KEY
                    REFERENCES fusion_billing_service ON DELETE CASCADE,
                asked_at timestamptz NOT NULL,
                served_at timestamptz NOT NULL DEFAULT '-infinity'
            )
            """
        )

    @api.model
    def _places(self):
        """How many are made at once for a database (int): half of the workers, so that
        others are left, and no more than there are processors."""
        return max(min(config["workers"] // 2 or os.cpu_count(), os.cpu_count()), 1)

    @api.model
    def _take(self, service):
        """Take the turn, and keep it until the transaction ends.

        To be called at READ COMMITTED, in a transaction that is committed also when
        there is none: the others then know that this app waits.

        :param service: the ``fusion.billing.service`` that asks
        :return: whether it may have a PDF file made now
        """
        [[alone]] = self.env.execute_query(
            SQL(
                "SELECT pg_try_advisory_xact_lock(hashtext('fcb_pdf_app'), %s)",
                service.id,
            )
        )
        if not alone:
            return False
        places = self._places()
        ahead, taken = self._standing(service)
        # one statement, which stops at the first place that is free
        return ahead + taken < places and bool(
            self.env.execute_query(
                SQL(
                    """
                    UPDATE fusion_billing_pdf_claim
                       SET asked_at = '-infinity', served_at = clock_timestamp()
                     WHERE service_id = %s AND EXISTS (
                           SELECT FROM generate_series(1, %s) place
                            WHERE pg_try_advisory_xact_lock(
                                      hashtext('fcb_pdf_place'), place))
                 RETURNING service_id
                    """,
                    service.id,
                    places,
                )
            )
        )

    @api.model
    def _standing(self, service):
        """Note that an app asks; tell what is before it.

        :return: (how many others wait and come first, how many places are taken)
        """
        [row] = self.env.execute_query(
            SQL(
                """
                WITH asking AS (
                    INSERT INTO fusion_billing_pdf_claim AS c (service_id, asked_at)
                    VALUES (%(service)s, clock_timestamp())
                        ON CONFLICT (service_id)
                        DO UPDATE SET asked_at = excluded.asked_at
                    RETURNING service_id, served_at
                ), held AS (
                    SELECT classid::bigint AS kind, objid::bigint AS number
                      FROM pg_locks
                     WHERE locktype = 'advisory' AND objsubid = 2 AND granted
                       AND pid <> pg_backend_pid()
                       AND database = (SELECT oid FROM pg_database
                                        WHERE datname = current_database())
                )
                SELECT (SELECT count(*)
                          FROM fusion_billing_pdf_claim other, asking
                         WHERE other.service_id <> asking.service_id
                           AND other.served_at < asking.served_at
                           AND other.asked_at
                               > clock_timestamp() - %(seconds)s * interval '1 second'
                           AND NOT EXISTS (
                               SELECT FROM held
                                WHERE kind = hashtext('fcb_pdf_app')::bigint & %(oid)s
                                  AND number = other.service_id)),
                       (SELECT count(*) FROM held
                         WHERE kind = hashtext('fcb_pdf_place')::bigint & %(oid)s)
                """,
                service=service.id,
                seconds=CLAIM_SECONDS,
                oid=2**32 - 1,  # a key is signed, pg_locks shows it unsigned
            )
        )
        return row
