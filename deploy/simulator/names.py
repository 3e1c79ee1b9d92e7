"""Frequent French names, and towns with their postal code and INSEE code (COG)."""

from typing import Final

WOMEN: Final = (
    "Marie", "Nathalie", "Isabelle", "Sylvie", "Catherine", "Françoise", "Valérie", "Sandrine", "Stéphanie", "Céline",
    "Julie", "Aurélie", "Émilie", "Camille", "Léa", "Manon", "Chloé", "Inès", "Jade", "Louise", "Alice", "Zoé",
    "Anaïs", "Nadia", "Fatima", "Aïcha", "Mélanie", "Hélène", "Monique", "Jacqueline", "Anne-Sophie", "Marie-Claude",
)  # fmt: skip
MEN: Final = (
    "Jean", "Philippe", "Michel", "Alain", "Patrick", "Nicolas", "Christophe", "Pierre", "Laurent", "Frédéric",
    "Julien", "Sébastien", "Thomas", "Alexandre", "Antoine", "Hugo", "Lucas", "Louis", "Gabriel", "Raphaël", "Arthur",
    "Jules", "Adam", "Mehdi", "Karim", "Mamadou", "Noël", "François", "René", "Jean-Pierre", "Jean-Luc", "Loïc",
)  # fmt: skip
FAMILIES: Final = (
    "Martin", "Bernard", "Thomas", "Petit", "Robert", "Richard", "Durand", "Dubois", "Moreau", "Laurent", "Simon",
    "Michel", "Lefebvre", "Leroy", "Roux", "David", "Bertrand", "Morel", "Fournier", "Girard", "Bonnet", "Dupont",
    "Lambert", "Fontaine", "Rousseau", "Vincent", "Müller", "Lefèvre", "Faure", "André", "Mercier", "Blanc", "Guérin",
    "Boyer", "Garnier", "Chevalier", "François", "Legrand", "Gauthier", "Garcia", "Perrin", "Robin", "Clément",
    "Morin", "Nicolas", "Henry", "Roussel", "Mathieu", "Gautier", "Masson", "Marchand", "Duval", "Denis", "Dumont",
    "Marie", "Lemaire", "Noël", "Meyer", "Dufour", "Benali", "Diallo", "Nguyen", "Da Silva", "Le Goff", "De La Tour",
    "D'Angelo", "O'Connor", "Fernández", "N'Diaye", "Lopez",
)  # fmt: skip
STREETS: Final = (
    "RUE DES LILAS",
    "RUE VICTOR HUGO",
    "AVENUE JEAN JAURÈS",
    "PLACE DE LA RÉPUBLIQUE",
    "RUE DE L'ÉGLISE",
    "BOULEVARD GAMBETTA",
    "CHEMIN DES VIGNES",
    "IMPASSE DU MOULIN",
    "ALLÉE DES TILLEULS",
    "QUAI DE LA LOIRE",
    "ROUTE DE LYON",
    "RUE DU 8 MAI 1945",
)
TOWNS: Final = (
    ("69003", "LYON", "69123"),
    ("75012", "PARIS", "75112"),
    ("13006", "MARSEILLE", "13055"),
    ("31000", "TOULOUSE", "31555"),
    ("44000", "NANTES", "44109"),
    ("59000", "LILLE", "59350"),
    ("67000", "STRASBOURG", "67482"),
    ("33000", "BORDEAUX", "33063"),
    ("35000", "RENNES", "35238"),
    ("63000", "CLERMONT-FERRAND", "63113"),
    ("20000", "AJACCIO", "2A004"),
    ("20200", "BASTIA", "2B033"),
    ("87000", "LIMOGES", "87085"),
    ("29200", "BREST", "29019"),
    ("38000", "GRENOBLE", "38185"),
    ("42000", "SAINT-ÉTIENNE", "42218"),
    ("97400", "SAINT-DENIS", "97411"),
    ("61220", "BRIOUZE", "61063"),
)
BORN_ABROAD: Final = ("99352", "99351", "99139", "99134", "99109")
"""Codes of countries, as in the NIR of people born outside France."""
