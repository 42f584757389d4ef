"""An HTTPS server that answers webhooks at once, or never; a process of its own.

    python -m benchmarks.support.receiver FOLDER

Makes its certificates in FOLDER and prints its port. Requests to /never are read, and
not answered. Runs until its standard input ends.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from pathlib import Path

from demo.certificate import make_certificates

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
NEVER = b"POST /never"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request after the other, until the client hangs up."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            )
            await reader.readexactly(length)
            if head.startswith(NEVER):
                await reader.read()  # until it gives up
                return
            writer.write(ANSWER)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        return
    finally:
        writer.close()


async def main(folder: Path) -> None:
    _ca, certificate = make_certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
