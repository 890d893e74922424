"""Keys and channels: their names are a promise to whoever looks with `redis-cli`."""

import re
from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from shared.ids import SESSION_ID_PATTERN, SessionId
from shared.keys import WORK_GROUP, Keys, SessionKeys
from shared.redis_client import SCRIPTS

ID = SessionId("abc")


def test_the_names_are_those_that_the_design_gives() -> None:
    keys = Keys().session(ID)
    assert keys == SessionKeys(
        channel="session:{abc}",
        log="session:{abc}:log",
        meta="session:{abc}:meta",
        inbox="session:{abc}:inbox",
        accepted="session:{abc}:accepted",
        history="session:{abc}:history",
        lease="session:{abc}:lease",
        cancel="session:{abc}:cancel",
        deleted="session:{abc}:deleted",
        control="session:{abc}:control",
    )
    assert Keys().channel(ID) == keys.channel
    assert Keys().control(ID) == keys.control
    assert Keys().turns() == "turns"
    assert Keys().probe("g1") == "gateway:{g1}:probe"
    assert WORK_GROUP == "agent-workers"


def test_a_namespace_and_a_colon_stand_before_every_name() -> None:
    plain, named = Keys(), Keys("blue")
    for one, other in zip(
        plain.session(ID).in_script_order(), named.session(ID).in_script_order(), strict=True
    ):
        assert other == f"blue:{one}"
    assert named.turns() == "blue:turns"
    assert named.probe("g1") == "blue:gateway:{g1}:probe"


@given(st.from_regex(SESSION_ID_PATTERN, fullmatch=True), st.sampled_from(["", "blue"]))
def test_all_keys_of_a_session_share_one_hash_tag(session_id: str, namespace: str) -> None:
    """On Redis Cluster the text between the first braces decides the slot."""
    names = Keys(namespace).session(SessionId(session_id)).in_script_order()
    assert {re.findall(r"\{(.*?)\}", name)[0] for name in names} == {session_id}
    assert len(set(names)) == len(names)


def test_scripts_take_the_keys_in_the_order_in_which_they_are_given() -> None:
    """`KEYS` is a list: a name of the prelude that moved would be another key."""
    names = re.search(r"^local (.+) = unpack\(KEYS\)$", (SCRIPTS / "prelude.lua").read_text(), re.M)
    assert names is not None
    in_prelude = [name.strip().lower() for name in names[1].split(",")]
    assert in_prelude == [field.name for field in fields(SessionKeys)]
    keys = Keys().session(ID)
    assert keys.in_script_order() == [getattr(keys, name) for name in in_prelude]
