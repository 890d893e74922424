"""The users of `deploy/redis-users.acl`, as tests give them to a server, whole or with less."""

import re
from collections.abc import Iterator

from tests.support.processes import ROOT

FILE = ROOT / "deploy" / "redis-users.acl"
PASSWORD = "p@ss/w#rd"
"""With what has to be escaped in a URL."""
LOGIN = "p%40ss%2Fw%23rd"

Rules = list[list[str]]
"""The rights of a user: first those that need no key, then each selector, as words."""


def adapt(text: str, namespace: str) -> str:
    """The file for a deployment with this `NAMESPACE`, as `deploy/redis-users.sh` adapts it."""
    return re.sub(r"[~&]", lambda mark: f"{mark[0]}{namespace}:", text) if namespace else text


def read_rules(user: str, namespace: str = "") -> Rules:
    """What the file gives to a user."""
    for line in adapt(FILE.read_text(), namespace).splitlines():
        if line.startswith(f"user {user} on "):
            rights = line.removeprefix(f"user {user} on ")
            root = re.sub(r"\(.*?\)", "", rights)
            return [part.split() for part in (root, *re.findall(r"\((.*?)\)", rights))]
    raise AssertionError(f"no user {user!r}")


def setting(user: str, rules: Rules, password: str = PASSWORD) -> list[str]:
    """The command that makes the user, with these rights and no others."""
    root, *selectors = rules
    words = [*root, *(f"({' '.join(selector)})" for selector in selectors)]
    return ["ACL", "SETUSER", user, "reset", "on", f">{password}", *words]


def with_less(rules: Rules) -> Iterator[tuple[str, Rules]]:
    """The rules with one right less, for each right, and what is missing."""
    for number, part in enumerate(rules):
        for place, word in enumerate(part):
            for weaker in _weaker(word):
                words = [*part[:place], *weaker, *part[place + 1 :]]
                instead = f" instead of {weaker[0]}" if weaker else ""
                missing = f"{word}{instead} in ({' '.join(part)})"
                yield missing, [*rules[:number], words, *rules[number + 1 :]]


def _weaker(word: str) -> list[list[str]]:
    """Without the right; and what only reads or only writes, where it does both."""
    halves = [[f"%R{word}"], [f"%W{word}"]] if word.startswith("~") else []
    return [[], *halves]
