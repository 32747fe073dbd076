"""What attributes are called in prompts: by slot, names for training and names that only evaluation uses; and yes/no
attributes said in words, for training."""

NAMES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # slot: (training names, evaluation names)
    "name": (
        ("name", "product name", "called", "title", "brand and model", "article", "known as"),
        ("model name", "designation"),
    ),
    "family": (("family", "product family", "series", "belongs to series", "range of models"), ("product line",)),
    "price": (("price", "cost", "retail price", "amount in dollars", "costs", "price tag"), ("selling price",)),
    "pricerange": (("price range", "price class", "cost class", "how expensive", "budget class"), ("price segment",)),
    "priceRange": (
        ("price range", "prices", "price", "cost of a meal", "price category", "how expensive", "cost"),
        ("price level",),
    ),
    "battery": (
        ("battery", "battery life", "battery runtime", "runs on battery for", "hours of battery"),
        ("battery endurance",),
    ),
    "batteryrating": (
        ("battery rating", "rated battery", "battery quality", "battery grade", "how good the battery is"),
        ("battery score",),
    ),
    "weight": (("weight", "mass", "weighs", "kilograms", "weighing", "heaviness"), ("how heavy it is",)),
    "weightrange": (("weight range", "weight class", "how heavy", "weight group"), ("weight category",)),
    "drive": (("drive", "hard drive", "disk size", "storage", "hdd", "disk", "storage capacity"), ("drive capacity",)),
    "driverange": (
        ("drive range", "drive size class", "disk class", "how large the drive is", "storage class"),
        ("drive category",),
    ),
    "memory": (("memory", "ram", "main memory", "working memory", "memory size"), ("amount of ram",)),
    "processor": (("processor", "cpu", "chip", "processor model", "powered by"), ("processor type",)),
    "platform": (("platform", "operating system", "os", "runs", "software platform"), ("system software",)),
    "utility": (("utility", "use", "intended use", "made for", "good for", "usage"), ("purpose",)),
    "design": (("design", "finish", "look", "appearance", "case"), ("styling",)),
    "dimension": (("dimension", "size", "dimensions", "dimensions in inches", "physical size"), ("measurement",)),
    "warranty": (("warranty", "guarantee", "warranty period", "covered by"), ("warranty terms",)),
    "isforbusinesscomputing": (
        (
            "for business computing",
            "business use",
            "is for business",
            "business laptop",
            "office use",
            "meant for companies",
            "business computing",
            "work machine",
        ),
        ("suited to business computing",),
    ),
    "count": (("count", "number of models", "number of results", "how often found", "total", "matches"), ("how many",)),
    "hasusbport": (
        ("usb port", "has usb", "usb", "usb ports available", "usb socket", "usb included", "port for usb sticks"),
        ("usb connection",),
    ),
    "hdmiport": (
        ("hdmi ports", "number of hdmi ports", "hdmi", "hdmi sockets", "count of hdmi inputs"),
        ("hdmi port count",),
    ),
    "screensize": (("screen size", "screen", "diagonal", "inches", "screen diagonal"), ("display size",)),
    "screensizerange": (
        ("screen size range", "screen class", "size class of the screen", "how big the screen is", "screen group"),
        ("screen size category",),
    ),
    "color": (("color", "colour", "colour scheme", "painted", "colours"), ("available colour",)),
    "audio": (("audio", "sound", "audio system", "speakers", "sound system"), ("sound technology",)),
    "accessories": (("accessories", "comes with", "in the box", "included items", "extras"), ("supplied accessories",)),
    "resolution": (
        ("resolution", "picture resolution", "pixels", "image resolution", "picture quality"),
        ("display resolution",),
    ),
    "powerconsumption": (("power consumption", "power use", "consumes", "watts", "energy use"), ("power draw",)),
    "ecorating": (
        ("eco rating", "energy rating", "efficiency class", "ecology class", "environmental rating"),
        ("eco grade",),
    ),
    "customer rating": (
        (
            "customer rating",
            "rating",
            "rated by customers",
            "stars",
            "reviews",
            "what customers think",
            "score",
            "customer reviews",
        ),
        ("guest rating",),
    ),
    "familyFriendly": (
        (
            "family friendly",
            "for families",
            "child friendly",
            "kids welcome",
            "kid friendly",
            "child-friendly",
            "good for children",
            "families",
        ),
        ("suitable for families",),
    ),
    "eatType": (
        ("eat type", "type", "kind of place", "venue type", "establishment", "what it is", "sort of place"),
        ("kind of venue",),
    ),
    "food": (("food", "cuisine", "kitchen", "serves", "type of food", "dishes"), ("style of cooking",)),
    "area": (("area", "location", "part of town", "district", "where", "part of the city"), ("whereabouts",)),
    "near": (
        ("near", "close to", "nearby", "next to", "neighbour", "landmark", "close by"),
        ("in the neighbourhood of",),
    ),
}

STATEMENTS: dict[tuple[str, str], tuple[str, ...]] = {
    # (slot, value): statements, one of "no" in the same words for each of "yes"
    ("isforbusinesscomputing", "yes"): (
        "it is for business computing",
        "it is made for business",
        "it suits business use",
        "businesses can use it",
        "it is meant for work",
        "it belongs in an office",
    ),
    ("isforbusinesscomputing", "no"): (
        "it is not for business computing",
        "it is not made for business",
        "it does not suit business use",
        "businesses cannot use it",
        "it is not meant for work",
        "it does not belong in an office",
    ),
    ("hasusbport", "yes"): (
        "it has a usb port",
        "it has usb",
        "there is a usb port",
        "usb sticks fit",
        "it comes with usb ports",
        "a usb port is on board",
    ),
    ("hasusbport", "no"): (
        "it has no usb port",
        "it has no usb",
        "there is not a usb port",
        "usb sticks do not fit",
        "it comes without usb ports",
        "no usb port is on board",
    ),
    ("familyFriendly", "yes"): (
        "it is family friendly",
        "families are welcome",
        "children may come",
        "it welcomes kids",
        "it is a place for families",
        "bring your children",
        "it is good for kids",
        "child friendly",
    ),
    ("familyFriendly", "no"): (
        "it is not family friendly",
        "families are not welcome",
        "children may not come",
        "it does not welcome kids",
        "it is not a place for families",
        "do not bring your children",
        "it is not good for kids",
        "not child friendly",
    ),
}
