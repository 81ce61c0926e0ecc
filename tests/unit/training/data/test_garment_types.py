from training.data.archives.photos import LABELS
from training.data.garment_types import JUDGED_LABELS, PHOTO_TYPES, STREET_TYPES

# The table of "type agreement" that the data sets come with.
AGREEING = {
    "T-Shirt": "Tshirts",
    "Polo": "Tshirts",
    "Longsleeve": "Tshirts, Sweatshirts, Sweaters, Tops",
    "Shirt": "Shirts",
    "Blazer": "Blazers, Jackets, Suits, Nehru Jackets, Waistcoat",
    "Hoodie": "Sweatshirts, Jackets, Sweaters",
    "Top": "Tops, Tshirts, Tunics, Camisoles",
    "Blouse": "Tops, Shirts, Tunics",
    "Outwear": "Jackets, Rain Jacket, Sweaters, Blazers, Sweatshirts",
    "Pants": "Trousers, Jeans, Track Pants, Leggings, Jeggings, Capris, Lounge Pants, Tights, Churidar, "
    "Salwar, Patiala",
    "Shorts": "Shorts",
    "Skirt": "Skirts",
}


def test_the_judged_labels_allow_the_types_of_the_table() -> None:
    assert {label: set(PHOTO_TYPES[label]) for label in JUDGED_LABELS} == {
        label: set(types.split(", ")) for label, types in AGREEING.items()
    }


def test_every_label_of_the_nine_categories_has_types() -> None:
    assert set(LABELS) <= set(PHOTO_TYPES)


def test_a_label_names_each_type_once() -> None:
    for table in (PHOTO_TYPES, STREET_TYPES):
        for label, types in table.items():
            assert types and len(set(types)) == len(types), label
