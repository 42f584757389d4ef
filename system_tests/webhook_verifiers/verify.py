"""Verifies captured webhooks with the public libraries for Python.

Reads JSON: `requests`, each with `headers` and `body`; `secrets`. Prints JSON: library
-> for each request, which secrets verify it.
"""

import json
import sys

import standardwebhooks
import svix.webhooks

LIBRARIES = {
    "standardwebhooks": (
        standardwebhooks.Webhook,
        standardwebhooks.WebhookVerificationError,
    ),
    "svix": (svix.webhooks.Webhook, svix.webhooks.WebhookVerificationError),
}


def verifies(library, secret, request):
    verifier, refusal = LIBRARIES[library]
    try:
        verifier(secret).verify(request["body"].encode(), request["headers"])
    except refusal:
        return False
    return True


def main():
    given = json.load(sys.stdin)
    found = {
        library: [
            [verifies(library, secret, request) for secret in given["secrets"]]
            for request in given["requests"]
        ]
        for library in LIBRARIES
    }
    sys.stdout.write(json.dumps(found))


main()
