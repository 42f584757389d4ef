"""HTTPS on this machine, before a receiver that speaks plain HTTP: to try it with Odoo.

    python local_https.py CERTIFICATE KEY 8443 8080

takes connections to https://localhost:8443 and passes them on to port 8080. For tests:
a receiver in production stands behind your web server.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from functools import partial

HOST = "127.0.0.1"


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes until there is no more."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        return
    finally:
        writer.close()


async def forward(
    port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        plain_reader, plain_writer = await asyncio.open_connection(HOST, port)
    except OSError:
        writer.close()
        return
    await asyncio.gather(copy(reader, plain_writer), copy(plain_reader, writer))


async def main(certificate: str, key: str, port: str, plain_port: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(
        partial(forward, int(plain_port)), HOST, int(port), ssl=context
    )
    print(f"listening on port {server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
