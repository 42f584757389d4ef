"""An HTTPS receiver that notes every webhook; a process of its own.

    python -m system_tests.webhook_receiver FOLDER

Makes its certificates in FOLDER, prints its port, and appends a line for each request
that was read whole to FOLDER/received (path, event id) and to FOLDER/captured (JSON:
headers, body). It answers as the path says:

    /ok...          204
    /slow...        204, after SLOW_S seconds
    /never...       nothing
    /status/N...    N
    /held...        204, once the file FOLDER/go is there

Runs until its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from pathlib import Path

from demo.certificate import make_certificates

SLOW_S = 0.05
LOOK_S = 0.02


class Receiver:
    def __init__(self, folder: Path):
        self.folder = folder
        self.received = (folder / "received").open("a", encoding="utf-8")
        self.captured = (folder / "captured").open("a", encoding="utf-8")

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer one request after the other, until the client hangs up."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
                first, *lines = head.split("\r\n")
                headers = dict(line.split(": ", 1) for line in lines if line)
                headers = {name.lower(): value for name, value in headers.items()}
                body = await reader.readexactly(int(headers["content-length"]))
                path = first.split(" ")[1]
                self.received.write(f"{path} {headers['webhook-id']}\n")
                self.received.flush()
                json.dump({"headers": headers, "body": body.decode()}, self.captured)
                self.captured.write("\n")
                self.captured.flush()
                status = await self.status_of(path)
                if not status:
                    await reader.read()  # until it gives up
                    return
                answer = f"HTTP/1.1 {status} Answer\r\nContent-Length: 0\r\n\r\n"
                writer.write(answer.encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            return
        finally:
            writer.close()

    async def status_of(self, path: str) -> int:
        if path.startswith("/never"):
            return 0
        if path.startswith("/status/"):
            return int(path.split("/")[2])
        if path.startswith("/slow"):
            await asyncio.sleep(SLOW_S)
        if path.startswith("/held"):
            while not (self.folder / "go").exists():
                await asyncio.sleep(LOOK_S)
        return 204


async def main(folder: Path) -> None:
    _ca, certificate = make_certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    receiver = Receiver(folder)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=context)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
