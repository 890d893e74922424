"""What the synthetic patients can be called. Data only."""

# fmt: off
FEMALE_NAMES = (
    "Agnes", "Alma", "Berit", "Clara", "Dorothea", "Elin", "Frida", "Greta", "Hanna", "Ida",
    "Johanna", "Karin", "Lena", "Maja", "Nora", "Olga", "Paula", "Rosa", "Sofia", "Tilda", "Ulla",
    "Vera", "Wilma", "Ylva", "Zoe",
)
MALE_NAMES = (
    "Anton", "Bengt", "Carl", "David", "Emil", "Felix", "Gustav", "Hugo", "Ivar", "Jakob", "Knut",
    "Lars", "Magnus", "Nils", "Otto", "Per", "Rolf", "Sven", "Theo", "Ulrik", "Viktor", "Walter",
    "Yngve", "Zacharias", "Oskar",
)
FAMILY_NAMES = (
    "Abel", "Berg", "Craft", "Dahl", "Ek", "Falk", "Gran", "Holm", "Ibsen", "Jansen", "Kling",
    "Lind", "Moe", "Nyberg", "Ost", "Palm", "Quist", "Ravn", "Strand", "Thorn", "Ulven", "Vik",
    "Wik", "Ytter", "Zander", "Aas", "Brandt", "Corell", "Dreyer", "Elden",
)
# fmt: on
