"""What the synthetic patients can have: conditions, with the medicines and measurements of each.

Codes are SNOMED CT (conditions, allergies), RxNorm (medicines), LOINC (measurements). Data only.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Medicine:
    code: str
    name: str
    dose: str


@dataclass(frozen=True)
class Measurement:
    code: str
    name: str
    unit: str
    low: float
    high: float
    category: str
    """A code of HL7's observation categories."""


@dataclass(frozen=True)
class Illness:
    code: str
    name: str
    youngest: int
    """Nobody gets it before this age, in years."""
    share: float
    """Of those old enough, how many have it."""
    medicines: tuple[Medicine, ...]
    measurements: tuple[Measurement, ...]
    visit: str


ILLNESSES = (
    Illness(
        "44054006",
        "Type 2 diabetes mellitus",
        40,
        0.22,
        (
            Medicine("861007", "Metformin 500 MG Oral Tablet", "500 mg twice a day"),
            Medicine("311041", "Insulin glargine 100 UNT/ML", "18 units at night"),
            Medicine("665038", "Sitagliptin 25 MG Oral Tablet", "25 mg once a day"),
        ),
        (Measurement("4548-4", "Hemoglobin A1c", "%", 6.6, 9.8, "laboratory"),),
        "Diabetes follow-up",
    ),
    Illness(
        "38341003",
        "Hypertension",
        35,
        0.35,
        (
            Medicine("314076", "Lisinopril 10 MG Oral Tablet", "10 mg once a day"),
            Medicine("197361", "Amlodipine 5 MG Oral Tablet", "5 mg once a day"),
        ),
        (Measurement("8480-6", "Systolic blood pressure", "mm[Hg]", 138, 172, "vital-signs"),),
        "Blood pressure check",
    ),
    Illness(
        "195967001",
        "Asthma",
        5,
        0.14,
        (
            Medicine("745679", "Albuterol 0.09 MG/ACTUAT inhaler", "2 puffs as needed"),
            Medicine("966529", "Budesonide 0.18 MG/ACTUAT inhaler", "1 puff twice a day"),
        ),
        (Measurement("33452-4", "Peak expiratory flow", "L/min", 210, 430, "exam"),),
        "Asthma review",
    ),
    Illness(
        "55822004",
        "Hyperlipidemia",
        40,
        0.28,
        (Medicine("617310", "Atorvastatin 20 MG Oral Tablet", "20 mg at night"),),
        (Measurement("13457-7", "LDL cholesterol", "mg/dL", 132, 205, "laboratory"),),
        "Lipid clinic",
    ),
    Illness(
        "35489007",
        "Depression",
        16,
        0.12,
        (Medicine("312941", "Sertraline 50 MG Oral Tablet", "50 mg once a day"),),
        (Measurement("44261-6", "PHQ-9 total score", "{score}", 10, 21, "survey"),),
        "Mental health review",
    ),
    Illness(
        "396275006",
        "Osteoarthritis",
        50,
        0.25,
        (Medicine("310965", "Ibuprofen 200 MG Oral Tablet", "200 mg as needed"),),
        (Measurement("72514-3", "Pain severity score", "{score}", 3, 8, "survey"),),
        "Joint pain visit",
    ),
    Illness(
        "49436004",
        "Atrial fibrillation",
        60,
        0.15,
        (Medicine("1364445", "Apixaban 5 MG Oral Tablet", "5 mg twice a day"),),
        (Measurement("8867-4", "Heart rate", "/min", 84, 128, "vital-signs"),),
        "Cardiology visit",
    ),
)

ALLERGIES = (
    ("91936005", "Allergy to penicillin", "medication"),
    ("91935009", "Allergy to peanuts", "food"),
    ("232347008", "Allergy to dander", "environment"),
    ("300913006", "Allergy to shellfish", "food"),
)
