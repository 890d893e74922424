"""Node's `ws` with ioredis."""

from benchmarks.systems.installing import NODE, PEERS, install_node, node_versions
from benchmarks.systems.system import Launch, OnSessionChannels
from dev.node import find_node


def node(program: str, port: int, redis_port: int) -> Launch:
    """A program of `benchmarks/peers/node` in release mode."""
    environment = {
        "NODE_ENV": "production",
        "NODE_PATH": str(NODE / "node_modules"),
        "PORT": str(port),
        "REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
    }
    return Launch([find_node().node, str(PEERS / "node" / program)], environment)


class NodeWs(OnSessionChannels):
    """`benchmarks/peers/node/ws.cjs`."""

    name = "Node ws"
    most_tabs = 10_000

    def missing(self) -> str:
        return install_node()

    def versions(self) -> str:
        return node_versions("ws", "bufferutil", "ioredis")

    def launch(self, port: int, redis_port: int) -> Launch:
        return node("ws.cjs", port, redis_port)
