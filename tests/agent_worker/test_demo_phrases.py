"""What the demo model reads in a question, and how it words rows."""

import pytest

from agent_worker.demo_phrases import Question, describe_patient, describe_rows, read_question

COUNT = Question(count=True)


@pytest.mark.parametrize(
    "text",
    [
        "How many patients are there?",
        "how many patients",
        "How many patients do you have in the system?",
        "Number of patients?",
        "Count the patients.",
    ],
)
def test_patients_are_to_be_counted(text: str) -> None:
    """All of them."""
    assert read_question(text) == COUNT


@pytest.mark.parametrize(
    ("text", "name", "kinds"),
    [
        ("Find Agnes Berg", "Agnes Berg", []),
        ("find agnes berg", "agnes berg", []),
        ("Is there a patient named Berg?", "Berg", []),
        ("Search for patients called ida", "ida", []),
        ("How many patients are named Ida?", "Ida", []),
        ("Tell me about Agnes Berg.", "Agnes Berg", []),
        ("What conditions does Agnes Berg have?", "Agnes Berg", ["conditions"]),
        ("Does the patient Agnes Berg have diabetes?", "Agnes Berg", ["conditions"]),
        ("What are Agnes Berg's medications?", "Agnes Berg", ["medications"]),
        ("Medications of Agnes Berg", "Agnes Berg", ["medications"]),
        ("What does Agnes Berg take?", "Agnes Berg", ["medications"]),
        ("List the encounters of Agnes Berg.", "Agnes Berg", ["encounters"]),
        ("When was Agnes Berg last seen?", "Agnes Berg", ["encounters"]),
        ("Show José Núñez's visits", "José Núñez", ["encounters"]),
        ("What allergies does Abe604 Frami345 have?", "Abe604 Frami345", ["allergies"]),
        ("Find Zoe Quist and list her medications", "Zoe Quist", ["medications"]),
        ("Which conditions and medicines has Bo Ek?", "Bo Ek", ["medications", "conditions"]),
    ],
)
def test_a_patient_is_named(text: str, name: str, kinds: list[str]) -> None:
    """With what is asked about the patient; nothing means who it is."""
    assert read_question(text) == Question(name=name, kinds=kinds)


@pytest.mark.parametrize(
    ("text", "condition", "kinds"),
    [
        ("Which patients have diabetes, and what do they take?", "diabetes", ["medications"]),
        ("Which patients have diabetes and what do they take?", "diabetes", ["medications"]),
        ("Which medications do patients with diabetes take?", "diabetes", ["medications"]),
        ("What medications are the patients with diabetes on?", "diabetes", ["medications"]),
        ("Which patients have diabetes?", "diabetes", []),
        ("Who has asthma?", "asthma", []),
        ("Who are the patients with Asthma?", "Asthma", []),
        ("Do any patients have asthma?", "asthma", []),
        ("Find patients with asthma", "asthma", []),
        ("Patients with osteoarthritis", "osteoarthritis", []),
        ("Which patients suffer from depression?", "depression", []),
        ("Which patients have been diagnosed with asthma?", "asthma", []),
        ("Which patients have a diagnosis of asthma?", "asthma", []),
        ("List all people with Type 2 diabetes mellitus.", "Type 2 diabetes mellitus", []),
        ("Show patients with asthma and their visits", "asthma", ["encounters"]),
        ("Which patients have asthma and depression?", "asthma and depression", []),
    ],
)
def test_the_patients_with_a_condition_are_meant(
    text: str, condition: str, kinds: list[str]
) -> None:
    """A condition is no name, also with a capital letter."""
    assert read_question(text) == Question(condition=condition, kinds=kinds)


def test_the_patients_with_a_condition_are_to_be_counted() -> None:
    """Not all patients."""
    expected = Question(count=True, condition="asthma", kinds=[])
    assert read_question("How many patients have asthma?") == expected


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("What are his conditions?", ["conditions"]),
        ("What is she taking?", ["medications"]),
        ("And her visits?", ["encounters"]),
        ("What about that patient's encounters?", ["encounters"]),
        ("Does that patient have any allergies?", ["allergies"]),
        ("Show the observations of this patient", ["observations"]),
        ("Tell me about him", []),
    ],
)
def test_the_patient_whom_the_conversation_is_about_is_meant(text: str, kinds: list[str]) -> None:
    """His, her, that patient."""
    assert read_question(text) == Question(singular=True, kinds=kinds)


def test_they_may_be_one_or_many() -> None:
    """The conversation says which."""
    assert read_question("What do they take?") == Question(plural=True, kinds=["medications"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello",
        "What can you do?",
        "How many patients are women?",
        "How many patients over 60 are there?",
        "Which patients take Metformin?",
        "Which conditions do patients have?",
    ],
)
def test_what_is_not_understood_is_nothing_else(text: str) -> None:
    """No guess: half a question answered is a wrong answer."""
    assert read_question(text) == Question()


def test_rows_are_worded_with_what_they_say() -> None:
    """What is missing is left out, what is usual is not said."""
    metformin = {"medication": "Metformin", "dose": "500 mg", "status": "active", "since": None}
    stopped = {"medication": "Aspirin", "dose": None, "status": "stopped", "since": None}
    assert (
        describe_rows("medications", [metformin, stopped]) == "Metformin, 500 mg; Aspirin, stopped"
    )
    asthma = {"condition": "Asthma", "since": "2020-01-01", "status": "active"}
    assert describe_rows("conditions", [asthma]) == "Asthma, since 2020-01-01"
    visit = {"date": "2024-05-06", "type": "Check-up", "status": "finished"}
    assert describe_rows("encounters", [visit]) == "2024-05-06, Check-up"
    weight = {"observation": "Weight", "value": 0, "unit": "kg", "date": "2024-05-06"}
    assert describe_rows("observations", [weight]) == "Weight, 0 kg, 2024-05-06"
    assert describe_rows("allergies", [{"allergy": "Nuts", "status": "active"}]) == "Nuts"
    assert describe_rows("allergies", []) == "no allergies"


def test_a_patient_is_worded_so_that_namesakes_differ() -> None:
    """By the birth date."""
    row = {"name": "Ida Ek", "gender": "female", "birth_date": "1990-01-02"}
    assert describe_patient(row) == "Ida Ek, female, born 1990-01-02"
    unknown = {"name": "Ida Ek", "gender": None, "birth_date": None}
    assert describe_patient(unknown) == "Ida Ek"
