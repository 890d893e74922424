"""What an expression of PromQL asks for: names, labels, and values of labels.

No parser of the language: the words that it is made of, each of which must be known.
"""

import re
from dataclasses import dataclass, field

FUNCTIONS = {
    "absent", "and", "by", "histogram_quantile", "increase", "max", "min", "or", "rate", "sum",
    "unless", "vector",
}  # fmt: skip
_MATCHERS = re.compile(r"\{([^}]*)\}")
_MATCHER = re.compile(r'(\w+)\s*(=~|=)\s*"([^"]*)"')
_GROUPING = re.compile(r"\bby\s*\(([^)]*)\)")


@dataclass
class Asked:
    """What one expression asks for."""

    names: set[str]
    grouped_by: set[str] | None
    """The labels that are left of a sample; `None`: all of them."""
    values: list[tuple[str, str]] = field(default_factory=lambda: [])
    """Labels that are compared, each with a value."""

    @property
    def labels(self) -> set[str]:
        return {label for label, _ in self.values} | (self.grouped_by or set())


def read_expression(text: str) -> Asked:
    """What `text` asks for. Fails on a word that is neither a function nor looks like a name of
    ours."""
    groupings = _GROUPING.findall(text)
    grouped_by = {name.strip() for names in groupings for name in names.split(",")}
    values = [
        (label, value)
        for matchers in _MATCHERS.findall(text)
        for label, operator, listed in _MATCHER.findall(matchers)
        for value in (listed.split("|") if operator == "=~" else [listed])
    ]
    rest = re.sub(r"\[[^\]]*\]", "", _MATCHERS.sub("", _GROUPING.sub("", text)))
    names = set(re.findall(r"[a-z_]\w*", rest)) - FUNCTIONS
    assert names, f"no name in {text}"
    assert all(name == "up" or name.startswith("fanline_") for name in names), names
    is_aggregated = bool(re.search(r"\b(sum|max|min)\b", rest)) or bool(groupings)
    return Asked(names, grouped_by if is_aggregated else None, values)
