"""What the demo model understands of a question, and how it words what tools returned. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

CONFESSION = "(Demo model: worked out by rules from the tools' results; no language model ran.)"
HELP = (
    "I did not understand that. I can say how many patients there are, find a patient by name, "
    "list the conditions, medications, encounters, observations or allergies of a patient, and "
    "find the patients who have a condition, with what they take."
)
NOBODY_MEANT = "I do not know whom you mean: please name the patient."
ONE_AT_A_TIME = "Please ask about one condition at a time."
NO_TOOLS = "I cannot answer here: the tools that I know are those of the embedded FHIR server."

_KINDS = (
    ("medications", r"\b(medic(?:ation|ine)s?|takes?|taking|drugs?|prescri\w+|pills?)\b"),
    ("conditions", r"\b(conditions?|diagnos\w+|illness\w*|diseases?|problems?|suffers?)\b"),
    ("encounters", r"\b(encounters?|visits?|visited|appointments?|seen)\b"),
    ("observations", r"\b(observations?|measure\w*|labs?|results?|values?|vitals)\b"),
    ("allergies", r"\b(allerg\w+)\b"),
)
_HOW_MANY = re.compile(r"\b(?:how many|number of|count)\b", re.IGNORECASE)
_HAS = re.compile(r"\b(?:has|have)\b", re.IGNORECASE)
_COUNT = re.compile(
    r"\b(?:how many|number of|count(?: of)?(?: the| all)*)\s+patients\b"
    r"(?:\s+(?:are|there|do|does|you|we|have|know|exist|is|in|the|all|total|system|data|database|"
    r"records?|altogether|and|of))*\s*[?.!]*\s*$",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"\b(?:patients?|people|everyone|everybody|anyone|who)\b[^?.,]*?\b"
    r"(?:(?:has |have )?(?:been |are |is |were )?diagnosed with|suffer(?:s|ing)? from|with|has|"
    r"have|having)\s+(?P<condition>[\w' /-]+?)\s*"
    r"(?:[,;?.!:]|$|\b(?:are|is|do|does|has|have|take|takes|taking|use|on|currently|there|that|"
    r"(?:and|or) (?:what|which|how|when|who|list|show|tell|their|his|her|the))\b)",
    re.IGNORECASE,
)
_BEFORE_CONDITION = re.compile(
    r"^(?:(?:a|an|any|some|the|(?:conditions?|diagnos[ei]s|history)(?: of)?)\s+)+", re.IGNORECASE
)
_NO_CONDITION = re.compile(r"(?:no|which|what|most|more|in|conditions?)\b", re.IGNORECASE)
_PLURAL = re.compile(r"\b(?:they|them|their|theirs|these patients|those patients)\b", re.I)
_SINGULAR = re.compile(
    r"\b(?:his|her|hers|him|she|he|(?:that|this|the same) (?:patient|person|man|woman))\b", re.I
)
_NAME = re.compile(r"\b[^\W\d_a-z][\w-]*(?:\s+[^\W\d_a-z][\w-]*)*")
_CALLED = re.compile(
    r"\b(?:named|called|find|look up|search for|look for)\s+(?:(?:the|a|all|any)\s+)?"
    r"(?:patients?\s+)?(?:(?:named|called)\s+)?(?P<name>[\w-]+(?:\s+[\w-]+)?)\s*[?.!]*\s*$",
    re.IGNORECASE,
)
_TAKES = re.compile(r"\b(?:takes?|taking|on|prescribed|using|uses?)\s+$", re.IGNORECASE)
_NOT_A_NAME = re.compile(
    r"an?|all|also|and|any|are|at|can|count|could|describe|did|display|do|does|everybody|fhir|find|"
    r"for|from|get|give|ha[sd]|have|hello|hers?|hey|hi|he|him|his|how|i|in|is|it|list|look|me|mrs?|"
    r"ms|my|named|called|no|now|of|ok|on|patients?|people|please|provide|search|she|show|"
    r"summari[sz]e|tell|thanks?|that|the|their|them|then|there|these|they|this|those|to|was|were|"
    r"whats?|when|where|which|who|whom|whose|why|with|would|yes|you",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Question:
    """A question, as far as it is understood."""

    count: bool = False
    """How many patients there are, or have the condition."""
    condition: str = ""
    """The patients who have it are meant."""
    name: str = ""
    singular: bool = False
    """The patient whom the conversation is about is meant."""
    plural: bool = False
    """As `singular`, or the patients whom it is about."""
    kinds: Sequence[str] = ()
    """What is asked of the patients."""


def read_question(text: str) -> Question:
    """What `text` asks for; a `Question()` when that is not understood."""
    if _COUNT.search(text):
        return Question(count=True)
    kinds = [kind for kind, pattern in _KINDS if re.search(pattern, text, re.IGNORECASE)]
    match = _CONDITION.search(text)
    condition = "" if match is None else _BEFORE_CONDITION.sub("", match["condition"])
    if match is None or _NO_CONDITION.match(condition) or _names_kind(condition):
        condition, where = "", range(0)
    else:
        where = range(*match.span("condition"))
    name = _read_name(text, where)
    if name:
        has_what = ["conditions"] if _HAS.search(text) else []
        return Question(name=name, kinds=kinds or has_what)
    if condition:
        kinds = [kind for kind in kinds if kind != "conditions"]
        count = _HOW_MANY.search(text) is not None
        return Question(count=count, condition=condition, kinds=kinds)
    if _SINGULAR.search(text):
        return Question(singular=True, kinds=kinds)
    if _PLURAL.search(text):
        return Question(plural=True, kinds=kinds)
    return Question()


def _read_name(text: str, condition: range) -> str:
    """The first name of a person in `text`, outside the words of a condition."""
    for match in _NAME.finditer(text):
        words = [word for word in match[0].split() if _can_be_name(word)]
        if words and match.start() not in condition and not _TAKES.search(text[: match.start()]):
            return " ".join(words)
    match = None if condition else _CALLED.search(text)
    words = [] if match is None else match["name"].split()
    return " ".join(words) if all(_can_be_name(word) for word in words) else ""


def _can_be_name(word: str) -> bool:
    return _NOT_A_NAME.fullmatch(word) is None and not _names_kind(word)


def _names_kind(text: str) -> bool:
    return any(re.fullmatch(pattern, text, re.IGNORECASE) for _, pattern in _KINDS)


def describe_rows(kind: str, rows: Sequence[dict[str, Any]]) -> str:
    """Rows of one kind in a sentence's worth of words."""
    return "; ".join(_describe(kind, row) for row in rows) if rows else f"no {kind}"


def describe_patient(row: dict[str, Any]) -> str:
    """A patient, so that people of one name can be told apart."""
    born = row["birth_date"]
    return _join(row["name"], row["gender"], f"born {born}" if born else None)


def _describe(kind: str, row: dict[str, Any]) -> str:
    match kind:
        case "medications":
            return _join(row["medication"], row["dose"], _unless(row["status"], "active"))
        case "conditions":
            since = f"since {row['since']}" if row["since"] else None
            return _join(row["condition"], since, _unless(row["status"], "active"))
        case "encounters":
            return _join(row["date"], row["type"], _unless(row["status"], "finished"))
        case "observations":
            value = " ".join(str(said) for said in (row["value"], row["unit"]) if said is not None)
            return _join(row["observation"], value or None, row["date"])
        case _:
            return _join(row["allergy"], _unless(row["status"], "active"))


def _unless(status: str | None, usual: str) -> str | None:
    return None if status == usual else status


def _join(*said: object) -> str:
    return ", ".join(str(one) for one in said if one is not None)
