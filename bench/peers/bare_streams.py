"""Streams of a model read by nothing but asyncio, and a page that says that it lives. The floor for many runs at once.

Run as `python -m bench.peers.bare_streams`; told by PEER_* variables.
"""

import asyncio
import json
import sys
from urllib.parse import urlsplit

from services.kit.settings import variable


async def main() -> None:
    """Until all are read, and until it is ended."""
    model, streams = variable("PEER_MODEL") or "", int(variable("PEER_STREAMS") or "1")
    place = urlsplit(model)
    server = await asyncio.start_server(_page, "127.0.0.1", 0)
    sys.stdout.write(f"serves http://127.0.0.1:{server.sockets[0].getsockname()[1]} \n")
    sys.stdout.flush()
    await asyncio.gather(*(_read(place.hostname or "", place.port or 0, number) for number in range(streams)))
    await server.serve_forever()


async def _read(host: str, port: int, number: int) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    said = [{"role": "user", "content": f"run-9{number:06d}: what is up?"}]
    body = json.dumps({"model": "bench", "stream": True, "messages": said}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    while await reader.read(1 << 16):
        pass
    writer.close()


async def _page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while (await reader.readline()).strip():
        pass
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
    await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(main())
