"""What a cluster's URL says, and what the scripts are there: no cluster is needed for these."""

import pytest

from dev.embedded_redis import EmbeddedRedis, free_port
from shared.cluster_url import ClusterUrl, parse_cluster_url
from shared.errors import Unavailable
from shared.keys import Keys, retag
from shared.redis_client import SCRIPT_NAMES, Scripts, ask, connect_redis, read_script


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("redis+cluster://a:1", ClusterUrl((("a", 1),))),
        ("redis+cluster://a,b:2/", ClusterUrl((("a", 6379), ("b", 2)))),
        ("redis+cluster://[::1]:7,10.0.0.1/0", ClusterUrl((("::1", 7), ("10.0.0.1", 6379)))),
        (
            "redis+cluster://u%40x:p%2Fw@a",
            ClusterUrl((("a", 6379),), username="u@x", password="p/w"),
        ),
        ("redis+cluster://:secret@a", ClusterUrl((("a", 6379),), password="secret")),
        (
            "rediss+cluster://a?ssl_ca_certs=/ca.pem",
            ClusterUrl((("a", 6379),), is_tls=True, options="ssl_ca_certs=/ca.pem"),
        ),
    ],
)
def test_the_parts_of_a_url(url: str, parts: ClusterUrl) -> None:
    assert parse_cluster_url(url) == parts


@pytest.mark.parametrize(
    ("rest", "sentence"),
    [
        ("", "without a host"),
        ("a,", "without a host"),
        (":1", "without a host"),
        ("a:port", "no number"),
        ("a:70000", "no number"),
        ("a/1", "no database but 0"),
        ("a/main", "no database but 0"),
        ("a?db=1", "no option 'db'"),
        ("a?ssl_ca_certs=/ca.pem", "no option 'ssl_ca_certs'"),
        ("a#1", "after a #"),
    ],
)
def test_a_url_that_is_wrong_is_refused_in_a_sentence_without_its_secret(
    rest: str, sentence: str
) -> None:
    with pytest.raises(ValueError, match=f"REDIS_URL: .*{sentence}") as caught:
        connect_redis(f"redis+cluster://user:secret@{rest}")
    assert "secret" not in str(caught.value)


def test_the_secret_is_in_no_text_of_the_url() -> None:
    assert "secret" not in repr(parse_cluster_url("redis+cluster://user:secret@a"))


async def test_nodes_that_are_not_there_are_unavailable() -> None:
    url = f"redis+cluster://127.0.0.1:{free_port()},127.0.0.1:{free_port()}"
    async with connect_redis(url) as client:
        with pytest.raises(Unavailable, match="no node of the cluster says who has what"):
            await ask(client, lambda: client.get("x"))  # pyright: ignore[reportArgumentType]


async def test_a_server_that_is_no_cluster_is_unavailable_and_told_as_what_it_is(
    redis_server: EmbeddedRedis,
) -> None:
    async with connect_redis(f"redis+cluster://127.0.0.1:{redis_server.port}") as client:
        with pytest.raises(Unavailable, match="cluster support disabled"):
            await ask(client, lambda: client.get("x"))  # pyright: ignore[reportArgumentType]


async def test_scripts_publish_to_their_slot_on_a_cluster_and_to_everybody_elsewhere() -> None:
    """Which is decided by the URL alone, and is another text, so that no call has to look."""
    async with (
        connect_redis(f"redis+cluster://127.0.0.1:{free_port()}") as cluster,
        connect_redis(f"redis://127.0.0.1:{free_port()}") as server,
    ):
        sharded, plain = Scripts(cluster), Scripts(server)
    for name in SCRIPT_NAMES:
        text = read_script("prelude") + read_script(name)
        assert plain.text(name) == text
        assert sharded.text(name).replace("'SPUBLISH'", "'PUBLISH'") == text
        assert "'SPUBLISH'" in sharded.text(name)
        assert "'PUBLISH'" not in sharded.text(name)


async def test_a_transaction_over_a_cluster_is_refused() -> None:
    async with connect_redis(f"redis+cluster://127.0.0.1:{free_port()}") as client:
        with pytest.raises(ValueError, match="no transaction"):
            client.pipeline()


def test_a_probe_has_names_for_other_slots() -> None:
    """The mark is inside the hash tag, which alone decides on the slot."""
    probe = Keys("ns").probe("g")
    assert retag(probe, 0) == probe
    assert retag(probe, 7) == "ns:gateway:{g.7}:probe"
    assert retag("without a tag", 7) == "without a tag.7"
