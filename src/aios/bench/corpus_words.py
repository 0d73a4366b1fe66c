"""What generated files are about: two stocks of words that share no topic. Pure data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """A thing: as files name it, the same word written apart, and a word that means as much."""

    name: str
    apart: str = ""
    synonym: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """What happens to a topic: as a verb of the past, and as a noun."""

    past: str
    noun: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """All words of one kind of files. Templates name what they take in braces."""

    topics: tuple[Topic, ...]
    deeds: tuple[Deed, ...]
    first_names: tuple[str, ...]
    name_parts: tuple[tuple[str, ...], ...]  # a last name has one of each
    body_parts: tuple[tuple[str, ...], ...]  # so has an organisation's name
    places: tuple[str, ...]
    folders: tuple[str, ...]
    facts: tuple[
        str, ...
    ]  # sentences of `person`, `past`, `noun`, `topic`, `body`, `place`, `date`, `amount`
    questions: tuple[str, ...]


OFFICE = Stock(
    topics=(
        Topic("database", "data base"), Topic("timetable", "time table", "schedule"),
        Topic("warehouse", "ware house", "depot"), Topic("spreadsheet", "spread sheet"),
        Topic("newsletter", "news letter", "bulletin"), Topic("roadmap", "road map"),
        Topic("handbook", "hand book", "manual"), Topic("payroll", "pay roll", "wages"),
        Topic("greenhouse", "green house"), Topic("firewall", "fire wall"),
        Topic("workshop", "work shop", "seminar"), Topic("waterworks", "water works"),
        Topic("checklist", "check list"), Topic("homepage", "home page", "website"),
        Topic("courtyard", "court yard"), Topic("playground", "play ground"),
        Topic("lighthouse", "light house"), Topic("benchmark", "bench mark"),
        Topic("invoice", "", "bill"), Topic("contract", "", "agreement"),
        Topic("vehicle", "", "car"), Topic("budget", "", "funding"), Topic("insurance"),
        Topic("licence", "", "permit"), Topic("elevator", "", "lift"), Topic("survey", "", "poll"),
        Topic("generator"), Topic("brochure", "", "leaflet"), Topic("archive"), Topic("catalogue"),
        Topic("kitchen"), Topic("heating"), Topic("curriculum"), Topic("festival"),
        Topic("translation"), Topic("prototype"), Topic("antenna"), Topic("pension"),
        Topic("laboratory"), Topic("scholarship", "scholar ship", "bursary"),
    ),
    deeds=(
        Deed("approved", "approval"), Deed("delivered", "delivery"),
        Deed("inspected", "inspection"),
        Deed("cancelled", "cancellation"), Deed("negotiated", "negotiation"),
        Deed("reviewed", "review"), Deed("installed", "installation"),
        Deed("rejected", "rejection"),
        Deed("postponed", "postponement"), Deed("announced", "announcement"),
        Deed("purchased", "purchase"), Deed("certified", "certification"),
        Deed("renewed", "renewal"), Deed("analysed", "analysis"), Deed("sold", "sale"),
        Deed("described", "description"), Deed("decided on", "decision on"),
        Deed("maintained", "maintenance"),
    ),
    first_names=(
        "Anna", "Boris", "Clara", "David", "Elena", "Farid", "Greta", "Hugo", "Ines", "Jonas",
        "Katja", "Liam", "Mara", "Nils", "Olga", "Pavel", "Rosa", "Samir", "Tessa", "Viktor",
    ),
    name_parts=(
        ("Hal", "Ber", "Kel", "Mor", "Sten", "Vis", "Lin", "Dor", "Gra", "Thal", "Fen", "Wei"),
        ("ber", "man", "der", "kow", "stra", "gen", "lin", "mar", "ten", "bro"),
        ("sen", "ger", "ski", "feld", "ton", "ini", "berg", "quist"),
    ),
    body_parts=(
        ("Northern", "Eastern", "United", "Central", "Royal", "Global", "Coastal", "Alpine"),
        ("River", "Harbour", "Textile", "Energy", "Railway", "Timber", "Orchard", "Granite",
         "Dairy", "Optics", "Housing", "Glass"),
        ("Trust", "Company", "Society", "Council", "Bank", "Institute", "Union"),
    ),
    places=(
        "Lisbon", "Graz", "Tampere", "Leeds", "Porto", "Bergen", "Turin", "Lyon", "Ghent", "Malmo",
        "Krakow", "Split", "Cork", "Aarhus", "Basel", "Brno",
    ),
    folders=("minutes", "projects/current", "projects/closed", "letters", "reports", "finance"),
    facts=(
        "{person} {past} the {topic} of the {body} on {date}.",
        "On {date} the {topic} in {place} was {past} by {person} for {amount}.",
        "After a talk with the {body}, {person} {past} the {topic}, which costs {amount}.",
        "The {noun} of the {topic} by {person} took place in {place} on {date}.",
        "For {amount} the {body} got the {topic} that {person} had {past} in {place}.",
    ),
    questions=(
        "who {past} the {topic} of the {body}, was it {person}?",
        "{topic} {past} by {person} for the {body}",
        "find the file where {person} and the {body} {past} the {topic}",
        "what did {person} say about the {topic} in {place}",
        "was the {topic} really {past} by {person}",
        "how much was the {topic} that {person} {past}, {amount}?",
    ),
)  # fmt: skip

VOYAGE = Stock(
    topics=(
        Topic("snowstorm", "snow storm", "blizzard"), Topic("shipwreck", "ship wreck"),
        Topic("footprint", "foot print"), Topic("waterfall", "water fall", "cascade"),
        Topic("campfire", "camp fire"), Topic("lifeboat", "life boat"),
        Topic("driftwood", "drift wood"), Topic("rainforest", "rain forest", "jungle"),
        Topic("seashell", "sea shell"), Topic("earthquake", "earth quake", "tremor"),
        Topic("sandbank", "sand bank", "shoal"), Topic("birdsong", "bird song"),
        Topic("glacier"), Topic("volcano"), Topic("caravan"), Topic("monastery", "", "abbey"),
        Topic("manuscript"), Topic("compass"), Topic("orchid"), Topic("meteorite"),
        Topic("telescope"), Topic("canyon", "", "gorge"), Topic("herbarium"), Topic("reptile"),
        Topic("barometer"), Topic("lagoon"), Topic("mosaic"), Topic("sledge", "", "sleigh"),
        Topic("antelope"), Topic("peninsula"), Topic("fossil"), Topic("harvest", "", "crop"),
    ),
    deeds=(
        Deed("discovered", "discovery"), Deed("sketched", "sketch"),
        Deed("measured", "measurement"),
        Deed("photographed", "photograph"), Deed("explored", "exploration"),
        Deed("observed", "observation"), Deed("rescued", "rescue"), Deed("buried", "burial"),
        Deed("collected", "collection"), Deed("destroyed", "destruction"),
        Deed("restored", "restoration"), Deed("identified", "identification"),
        Deed("crossed", "crossing"), Deed("preserved", "preservation"),
    ),
    first_names=(
        "Amara", "Bashir", "Celeste", "Dmitri", "Eluned", "Fumiko", "Gaspard", "Halima", "Isidro",
        "Jorunn", "Kwame", "Leocadia", "Matteo", "Nkechi", "Oskar", "Paloma", "Quentin", "Ruth",
    ),
    name_parts=(
        ("Oka", "Bra", "Cas", "Du", "Esh", "Fro", "Iva", "Jar", "Mbe", "Nor", "Pra", "Zal"),
        ("ndo", "vel", "ris", "tal", "mi", "chu", "lo", "pper", "sha"),
        ("ku", "tti", "nova", "mond", "ley", "gaard", "res", "wick", "da"),
    ),
    body_parts=(
        ("Imperial", "Arctic", "Oriental", "Colonial", "Maritime", "Andean", "Saharan"),
        ("Survey", "Whaling", "Botanical", "Geographic", "Pearl", "Mission", "Telegraph", "Museum",
         "Spice", "Cartographic"),
        ("Fellowship", "League", "Commission", "Guild", "Expedition", "Academy"),
    ),
    places=(
        "Zanzibar", "Tromso", "Valparaiso", "Samarkand", "Goa", "Timbuktu", "Nuuk", "Hobart",
        "Manaus", "Aden", "Macau", "Reykjavik", "Cuzco", "Lhasa",
    ),
    folders=("logbook", "letters/home", "specimens", "maps/notes", "diary"),
    facts=(
        "Near {place}, {person} {past} a {topic}; the {body} heard of it on {date}.",
        "{date}: {noun} of the {topic} close to {place}, by {person}.",
        "The {body} paid {amount} to {person}, who had {past} the {topic}.",
        "It was {person} of the {body} who {past} the {topic} at {place}.",
        "We owe the {noun} of the {topic} to {person} and to {amount} from the {body}.",
    ),
    questions=(
        "the {topic} that {person} of the {body} {past}",
        "did {person} write to the {body} how the {topic} was {past}?",
        "where is the {topic} {past} by {person}",
        "notes on {person} and the {topic} {past} near {place}",
        "{person} and {amount} for the {topic}",
    ),
)  # fmt: skip
