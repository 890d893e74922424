"""Names on our pages: settings, metrics, fields, targets of `make`. All are in the code.

What the tables of the reference pages say of them is compared elsewhere, one by one; here it is
that no page names what there is not, or not any more.
"""

import re
from functools import cache
from typing import get_args

import pytest

from gateway.access import Reason
from shared.ids import SessionId
from shared.keys import Keys
from tests.docs.blocks import all_pages
from tests.docs.markdown import ROOT, read_page, without_code

PAGES = all_pages()
SOURCES = (
    "agent_worker", "benchmarks", "clients", "deploy", "dev", "docker-compose.yml", "examples",
    ".env.example", "frontend/src", "frontend/vite.config.ts", "gateway", "Makefile", "shared",
    "tests",
)  # fmt: skip
CODE = {".py", ".lua", ".ts", ".tsx", ".yml", ".yaml", ".sh", ".conf", ".acl", ".c", ".toml"}
ELSEWHERE = {
    "operation_name", "start_time", "end_time", "error_message", "trace_count",  # what was before
    "ip_local_port_range", "tcp_max_syn_backlog", "nf_conntrack_max", "overcommit_memory",  # Linux
    "limit_conn",  # nginx
    "fresh_token",  # the reader's own
}  # fmt: skip


@cache
def words_of_the_code() -> set[str]:
    """Every word of every source; the tests of our pages, which repeat them, are none."""
    texts: list[str] = []
    for name in SOURCES:
        path = ROOT / name
        files = [path] if path.is_file() else [p for p in path.rglob("*") if p.suffix in CODE]
        texts += [file.read_text() for file in files if file.parent != ROOT / "tests/docs"]
    return set(re.findall(r"\w+", " ".join(texts)))


def spans_of(page: str) -> str:
    """What the page has in backticks, but for paths; its blocks are run or checked otherwise."""
    spans = re.findall(r"`([^`\n]+)`", without_code(read_page(page)))
    return "\n".join(re.sub(r"[\w.-]+/[\w./-]+", "", span) for span in spans)


@pytest.mark.parametrize("page", PAGES)
def test_every_variable_that_the_page_names_is_read_somewhere(page: str) -> None:
    """`MAX_*` is a beginning of some."""
    words = words_of_the_code()
    for name in re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]*\*?", spans_of(page)):
        if name.endswith(("_", "*")):
            assert any(word.startswith(name.rstrip("*")) for word in words), f"{page}: {name}"
        else:
            assert name in words, f"{page}: {name}"


@pytest.mark.parametrize("page", PAGES)
def test_every_name_with_an_underscore_that_the_page_gives_is_in_the_code(page: str) -> None:
    """Fields, frames, codes, functions, metrics."""
    words = words_of_the_code()
    for name in re.findall(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b", spans_of(page)):
        known = name in words or name.removesuffix("_total") in words or name in ELSEWHERE
        assert known, f"{page}: {name}"


@pytest.mark.parametrize("page", PAGES)
def test_every_target_that_the_page_names_is_one_of_make(page: str) -> None:
    targets = set(re.findall(r"^([\w-]+):", read_page("Makefile"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z][\w-]*)", spans_of(page))) <= targets


def test_every_reason_of_a_refusal_is_explained_and_no_other() -> None:
    """The values of one label of `fanline_refusals_total`."""
    page = read_page("docs/security.md")
    (told,) = re.findall(r"^`reason` is one of: (.*?)\.\n", page, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`(\w+)`", told)) == set(get_args(Reason))


@pytest.mark.parametrize("page", PAGES)
def test_keys_and_channels_are_named_as_they_are(page: str) -> None:
    """Those of a session called `demo`, in recipes for `redis-cli`."""
    keys = vars(Keys().session(SessionId("demo"))).values()
    for name in re.findall(r"'(session:\{demo\}[\w:]*)'", read_page(page)):
        assert name in keys, f"{page}: {name}"
