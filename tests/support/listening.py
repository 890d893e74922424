"""Whether somebody listens at a port, for tests that wait for a server to come up."""

import asyncio


async def is_listening(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a connection to the port is taken."""
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
