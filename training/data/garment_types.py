"""The labels of photos and street garments as article types of the archive.

A label allows several article types: a "Longsleeve" may be any of four. Training sums the probabilities of the allowed
types, and the evaluation counts a result as agreeing if its type is among them. The types of the twelve labels in
`JUDGED_LABELS` are those of the table "type agreement" that the data sets come with; the others follow it.
"""

TROUSERS = (
    *("Trousers", "Jeans", "Track Pants", "Leggings", "Jeggings", "Capris", "Lounge Pants", "Tights", "Churidar"),
    *("Salwar", "Patiala"),
)
JACKETS = ("Jackets", "Rain Jacket", "Blazers", "Nehru Jackets")
BLAZERS = ("Blazers", "Jackets", "Suits", "Nehru Jackets", "Waistcoat")
HOODIES = ("Sweatshirts", "Jackets", "Sweaters")
TOPS = ("Tops", "Tshirts", "Tunics", "Camisoles")
BLOUSES = ("Tops", "Shirts", "Tunics")
KNITWEAR = ("Sweaters", "Sweatshirts")
SHOES = ("Casual Shoes", "Sports Shoes", "Formal Shoes", "Heels", "Flats", "Sandals")
HANDBAGS = ("Handbags", "Clutches")
BAGS = (*HANDBAGS, "Backpacks", "Duffel Bag", "Laptop Bag", "Messenger Bag", "Rucksacks", "Waist Pouch")
SCARVES = ("Scarves", "Stoles", "Mufflers")
HATS = ("Caps", "Hat", "Headband")

# People's photos: label of the archive "Clothing dataset" → article types.
PHOTO_TYPES: dict[str, tuple[str, ...]] = {
    "T-Shirt": ("Tshirts",),
    "Polo": ("Tshirts",),
    "Longsleeve": ("Tshirts", "Sweatshirts", "Sweaters", "Tops"),
    "Shirt": ("Shirts",),
    "Blazer": BLAZERS,
    "Hoodie": HOODIES,
    "Top": TOPS,
    "Blouse": BLOUSES,
    "Outwear": ("Jackets", "Rain Jacket", "Sweaters", "Blazers", "Sweatshirts"),
    "Pants": TROUSERS,
    "Shorts": ("Shorts",),
    "Skirt": ("Skirts",),
    "Undershirt": ("Innerwear Vests", "Camisoles"),
    "Shoes": SHOES,
    "Dress": ("Dresses", "Jumpsuit", "Nightdress"),
    "Hat": HATS,
}
# The labels whose type agreement is measured: a shopper who searches with a shoe finds shoes of any type.
JUDGED_LABELS = (
    *("T-Shirt", "Longsleeve", "Shirt", "Polo", "Blazer", "Hoodie", "Top", "Blouse", "Outwear", "Pants"),
    *("Shorts", "Skirt"),
)

# Street garments: label of Clothing Co-Parsing or COCO → article types. A label that is not here says nothing.
STREET_TYPES: dict[str, tuple[str, ...]] = {
    "backpack": ("Backpacks", "Rucksacks", "Laptop Bag"),
    "bag": BAGS,
    "belt": ("Belts",),
    "blazer": BLAZERS,
    "blouse": BLOUSES,
    "boots": ("Casual Shoes", "Formal Shoes", "Heels"),
    "bra": ("Bra",),
    "bracelet": ("Bracelet", "Bangle"),
    "cape": ("Jackets", "Shrug", "Rain Jacket"),
    "cardigan": ("Sweaters", "Sweatshirts", "Shrug", "Jackets"),
    "clogs": ("Casual Shoes", "Flats"),
    "coat": JACKETS,
    "dress": ("Dresses", "Jumpsuit"),
    "earrings": ("Earrings",),
    "flats": ("Flats",),
    "glasses": ("Sunglasses",),
    "gloves": ("Gloves",),
    "handbag": HANDBAGS,
    "hat": HATS,
    "heels": ("Heels",),
    "hoodie": HOODIES,
    "jacket": JACKETS,
    "jeans": ("Jeans", "Jeggings"),
    "jumper": KNITWEAR,
    "leggings": ("Leggings", "Jeggings", "Tights", "Churidar"),
    "loafers": ("Casual Shoes", "Formal Shoes", "Flats"),
    "necklace": ("Necklace and Chains", "Pendant", "Jewellery Set"),
    "panties": ("Briefs",),
    "pants": TROUSERS,
    "pumps": ("Heels",),
    "purse": HANDBAGS,
    "ring": ("Ring",),
    "romper": ("Rompers", "Jumpsuit"),
    "sandals": ("Sandals", "Heels", "Flats"),
    "scarf": SCARVES,
    "shirt": ("Shirts",),
    "shoes": SHOES,
    "shorts": ("Shorts",),
    "skirt": ("Skirts",),
    "sneakers": ("Casual Shoes", "Sports Shoes"),
    "socks": ("Socks",),
    "stockings": ("Stockings", "Tights"),
    "suit": ("Suits", "Blazers"),
    "suitcase": ("Trolley Bag",),
    "sunglasses": ("Sunglasses",),
    "sweater": KNITWEAR,
    "sweatshirt": HOODIES,
    "swimwear": ("Swimwear",),
    "t-shirt": ("Tshirts",),
    "tie": ("Ties",),
    "tights": ("Tights", "Stockings"),
    "top": TOPS,
    "vest": ("Waistcoat", "Tops", "Jackets"),
    "wallet": ("Wallets",),
    "watch": ("Watches",),
    "wedges": ("Heels",),
}

# Rows of the archive outside the nine categories that are nothing to wear or to carry.
NO_CLOTHING_GROUPS = frozenset({"Personal Care", "Free Items", "Sporting Goods", "Home"})  # `masterCategory`
NO_CLOTHING_KINDS = frozenset({"Water Bottle", "Umbrellas", "Perfumes", "Vouchers"})  # `subCategory`
