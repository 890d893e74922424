"""What the demo model understands of a question, and how it words rows. Pure."""

import re
from dataclasses import dataclass
from typing import Any

CONFESSION = "(Demo model: worked out by rules from the tools' results; no language model ran.)"
HELP = (
    "I can say how many patients there are, find a patient by name, list the conditions, "
    "medications, encounters, observations or allergies of a patient, and find the patients who "
    "have a condition."
)
NOBODY_MEANT = "I do not know whom you mean: please name the patient."

_KINDS = (
    ("medications", r"\b(medic\w+|takes?|taking|drugs?|prescri\w+|pills?)\b"),
    ("conditions", r"\b(conditions?|diagnos\w+|illness\w*|problems?|suffers?)\b"),
    ("encounters", r"\b(encounters?|visits?|visited|appointments?)\b"),
    ("observations", r"\b(observations?|measure\w*|labs?|results?|values?|vitals)\b"),
    ("allergies", r"\b(allerg\w+)\b"),
)
_CONDITION = re.compile(
    r"\b(?:patients?|people|who)\b[^?.]*?\b(?:with|ha(?:ve|s)|having|suffer from)\s+"
    r"(?P<condition>[\w\s-]+?)\s*(?:,|\?|\.|$|\band\b|\bare there\b)",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"\b(his|her|hers|him|she|he|they|their|that patient|this patient)\b", re.I)
_NAME = re.compile(r"\b[A-Z][a-zA-Z]+(?:\s+[A-Z][a-zA-Z]+)*")
_NOT_NAMES = {
    *"And Are Can Do Does Find Give Has Have How I In Is List Look Me Of Patient Patients".split(),
    *"Please Search Show Tell The What When Which Who Whose".split(),
}
_QUANTIFIERS = re.compile(r"^(a|an|the|any|no|some)\s+", re.IGNORECASE)


@dataclass(frozen=True)
class Question:
    """A question, as far as it is understood."""

    count: bool
    condition: str
    name: str
    pronoun: bool
    kinds: list[str]


def read_question(text: str) -> Question:
    """What `text` asks for."""
    kinds = [kind for kind, pattern in _KINDS if re.search(pattern, text, re.IGNORECASE)]
    names = [
        " ".join(word for word in match.split() if word not in _NOT_NAMES)
        for match in _NAME.findall(text)
    ]
    name = next((name for name in names if name), "")
    pronoun = _PRONOUN.search(text) is not None
    match = None if name else _CONDITION.search(text)
    condition = "" if match is None else _QUANTIFIERS.sub("", match["condition"].strip())
    if any(re.fullmatch(pattern, condition, re.IGNORECASE) for _, pattern in _KINDS):
        condition = ""  # "which patients have medications" names none
    return Question(
        count=re.search(r"\bhow many\b", text, re.IGNORECASE) is not None,
        condition=condition,
        name=name,
        pronoun=pronoun and not name,
        kinds=kinds,
    )


def describe_rows(kind: str, rows: list[dict[str, Any]]) -> str:
    """Rows of one kind in a sentence's worth of words."""
    if not rows:
        return f"no {kind}"
    return "; ".join(_describe(kind, row) for row in rows)


def _describe(kind: str, row: dict[str, Any]) -> str:
    match kind:
        case "medications":
            return f"{row['medication']}, {row['dose']}"
        case "conditions":
            return f"{row['condition']} since {row['since']}"
        case "encounters":
            return f"{row['date']}: {row['type']}"
        case "observations":
            return f"{row['observation']} {row['value']} {row['unit']} on {row['date']}"
        case _:
            return str(row["allergy"])
