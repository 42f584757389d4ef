"""Copies a scheduled action, each copy for a user of its own.

`args`: `job` (xml id), `count`. Prints the ids of the copies.
"""

import json
import uuid


def main(env, args):
    job = env.ref(args["job"])
    admin = env.ref("base.user_admin")
    copies = [
        job.copy({"user_id": admin.copy({"login": f"runner-{uuid.uuid4()}"}).id})
        for _ in range(args["count"])
    ]
    env.cr.commit()
    print(json.dumps([copy.id for copy in copies]))


main(env, args)  # noqa: F821 (both are given by the shell)
