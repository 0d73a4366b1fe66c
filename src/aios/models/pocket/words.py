"""The open vocabulary: names, keys, values and numbers, mostly never the same twice.

Whole English words alone would be learnt by heart and then copied badly, so that half of the
material is invented. This module knows nothing of tasks or phrasings.
"""

import random
import string

_COMMON = """
able acid aged also area army away baby back ball band bank base bath bear beat bell belt best bill
bird blow blue boat body bomb bond bone book boom born boss bowl bread brick bridge bright broken
brown brush bucket build butter button cable cake camera candle canvas carbon carpet castle cattle
center chain chair chalk cheese cherry chess child circle city clean clear climb clock cloud coach
coal coast coat coffee cold color comb cook copper corn cotton cousin cover cream crisp crowd crown
curtain dance dark daughter dawn deep deer desert desk diamond dinner doctor dog door double dragon
dream dress drum duck dust eagle early earth east edge eight elbow empty engine even event exact
fabric face fair fall family farm fast father feather fence fever field finger fire fish flag flame
flat flour flower foggy forest fork fresh friend frog fruit garden garlic gentle giant ginger girl
glass glove gold good grape grass gray green guitar hammer hand happy harbor hard harvest hazel
head heart heavy helmet hidden high hill holiday honey horse house hungry ice idea iron island
ivory jacket jasmine jelly jewel juice jungle keen kettle key kind king kitchen kite knee ladder
lake lamp large laser late laugh lawn leaf lemon letter light lily lion little lizard long loud
lucky lunch machine magic mango maple marble market master meadow melon metal middle milk mint
mirror monkey moon morning mother mountain mouse movie muddy music narrow navy needle nest nice
night noble noise north nurse oak ocean office olive onion open orange orbit order oven owl oyster
paint palace panda paper park party pasta peach pearl pencil pepper perfect phone piano picnic
picture pillow pilot pine pink planet plastic plate plum poem pony potato powder prince proud
puddle pumpkin puppy purple puzzle quick quiet rabbit radio rain ranch raven ready red ribbon rice
ring river road robin rocket roof room rope rose rough round royal ruby rural sail salad salt sand
school sea second secret seed seven shadow sharp sheep shelf shell ship shirt shoe short silent
silver simple sister six sketch sky slow small smart smoke snow soap sock soft soup south spice
spider spoon spring square stable star steel stone storm story strong sugar summer sunny sweet
table tall tea tent thick thin tiger timber tiny toast tomato torch tower town toy train tree truck
tulip tunnel turtle umbrella uncle valley vanilla velvet village violin warm water wave west wheat
wheel whisper white wide wild window winter wise wolf wonder wood wool yellow young zebra call buy
clean fix pack send water paint bring wash meet feed visit check order return collect print sign
pay cancel confirm passport ticket luggage invoice receipt charger sunscreen boots jacket camera
medicine adapter visa insurance deposit report slides agenda contract budget parcel keys flowers
dentist plumber landlord teacher manager team client
"""
_FUNCTION = "the a and of for in with at before after from our her his some two new old by near"
_PLACES = """
Paris Oslo Lima Cairo Tokyo Rome Berlin Madrid Vienna Prague Dublin Lisbon Athens Boston Denver
Seattle Austin Dallas Miami Chicago Toronto Sydney Perth Delhi Mumbai Seoul Osaka Kyoto Hanoi
Bangkok Jakarta Manila Nairobi Accra Lagos Tunis Rabat Quito Bogota Havana Geneva Zurich Munich
Milan Turin Naples Porto Seville Warsaw Krakow Riga Tallinn Helsinki Stockholm Bergen Reykjavik
Kyiv Zürich Málaga Córdoba Istanbul Ankara Doha Dubai
"""
_PEOPLE = """
Ada Grace Alan Linus Ken Dennis Barbara Donald Edsger Tim Anna Ben Carla David Emma Felix Greta
Hugo Ines Jonas Karl Lena Mia Nils Olga Paul Rosa Sam Tina Uma Vera Walt Xenia Yara Zoe Omar Priya
Chen Kofi Amara Diego Lucia Pedro Sven Ingrid Fatima Hassan Leila Ravi Mei Yuki Kenji André José
Chloé
"""
_KEYS = """
fare|ticket price|hotel price|hotel|hotel name|room number|flight|flight number|gate|seat|seat
number|departure|departure time|arrival|arrival time|return date|travel date|booking code|booking
number|passport number|visa number|airline|airport|terminal|platform|train number|destination|stop
over|layover|luggage weight|baggage fee|meal choice|budget|trip budget|deposit|total|total
fare|taxi fare|bus number|car rental|check in time|checkout date|meeting|meeting time|meeting
room|meeting date|deadline|appointment|birthday|anniversary|calendar color|favorite color|favourite
food|favorite city|name|first name|last name|nickname|age|email|phone number|address|street|zip
code|wifi password|password|pin|door code|locker number|shoe size|dog|cat|cat name|car|car
color|team|boss| manager|doctor|dentist|bank|account number|order number|invoice
number|project|project name|code word|lucky
number|username|rent|salary|weight|height|score|floor|guide|contact|agent|price|balance|
rate|discount|tax|tip|cost per night|fare per seat|travellers|number of seats|number of nights
"""
_NOTE_NAMES = """
trip travel plan plans notes ideas todo list packing itinerary calendar budget fares flights hotel
meeting agenda summary report journal diary log draft memo shopping groceries recipe contacts
schedule reminder reminders rooms seats bookings expenses costs work home school birthday party
holiday weekend monday project paris oslo rome visa tickets tasks reading books music
"""
_SUFFIXES = (".md", ".txt", ".log", "2", "_2026", "-1", "_final", "-old", ".note", "7", "_a")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = """
January February March April May June July August September October November December
"""
_UNITS = "euros dollars nights seats kg pounds minutes hours days people tickets bags km"

COMMON = tuple(sorted(set(_COMMON.split())))
FUNCTION = tuple(_FUNCTION.split())
PLACES = tuple(_PLACES.split())
PEOPLE = tuple(_PEOPLE.split())
KEYS = tuple(" ".join(key.split()) for key in _KEYS.split("|"))
NOTE_NAMES = tuple(_NOTE_NAMES.split())
MONTHS = tuple(_MONTHS.split())
UNITS = tuple(_UNITS.split())

_VOWELS = "aeiou"
_CONSONANTS = "bcdfghjklmnprstvwz"


class Words:
    """Draws material from one random source."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def invented(self) -> str:
        """A word that is in no list: random letters, syllables, or pieces of real words."""
        rng = self.rng
        way = rng.random()
        if way < 0.2:
            return "".join(rng.choices(string.ascii_lowercase, k=rng.randint(3, 7)))
        if way < 0.5:
            return "".join(self._syllable() for _ in range(rng.randint(2, 4)))[: rng.randint(4, 10)]
        return "".join(self._piece() for _ in range(rng.randint(2, 3)))

    def word(self) -> str:
        return self.rng.choice(COMMON) if self.rng.random() < 0.5 else self.invented()

    def name(self) -> str:
        """A proper name, real or invented."""
        way = self.rng.random()
        if way < 0.35:
            return self.rng.choice(PEOPLE)
        if way < 0.7:
            return self.rng.choice(PLACES)
        return self.invented().capitalize()

    def key(self) -> str:
        """What a fact is remembered under: one to three words, lower case mostly."""
        way = self.rng.random()
        if way < 0.5:
            return self.rng.choice(KEYS)
        if way < 0.75:
            return self.word()
        return f"{self.word()} {self.rng.choice(KEYS).split()[-1] if way < 0.85 else self.word()}"

    def note(self) -> str:
        """A note's name: one word, sometimes with an ending or joined to another."""
        rng = self.rng
        stem = rng.choice(NOTE_NAMES) if rng.random() < 0.4 else self.word()
        way = rng.random()
        if way < 0.25:
            return stem + rng.choice(_SUFFIXES)
        if way < 0.4:
            return f"{stem}{rng.choice('-_')}{self.word()}"
        return stem

    def number(self, *, digits_max: int = 5) -> str:
        digits = self.rng.choices(range(1, 7), (3, 6, 6, 3, 1, 0.5))[0]
        digits = min(digits, digits_max)
        low = 0 if digits == 1 else 10 ** (digits - 1)
        return str(self.rng.randint(max(low, 1), 10**digits - 1))

    def amount(self) -> str:
        """A number as it stands in a calculation; one in ten has decimals."""
        if self.rng.random() < 0.1:
            return (
                f"{self.number(digits_max=3)}.{self.rng.choice(('5', '25', '50', '75', '99', '1'))}"
            )
        return self.number()

    def code(self) -> str:
        rng = self.rng
        letters = "".join(rng.choices(string.ascii_uppercase, k=rng.randint(1, 3)))
        digits = "".join(rng.choices(string.digits, k=rng.randint(1, 4)))
        return rng.choice((letters + digits, f"{letters}-{digits}", digits + letters))

    def moment(self) -> str:
        """A date or a time of day."""
        rng = self.rng
        day, month = rng.randint(1, 31), rng.choice(MONTHS)
        hour = f"{rng.randint(0, 23)}:{rng.choice(('00', '15', '30', '45', '05', '50'))}"
        dates = (
            f"{day} {month}",
            f"{month} {day}",
            f"2026-{rng.randint(1, 12):02d}-{day:02d}",
            rng.choice(_DAYS),
            hour,
            f"{rng.choice(_DAYS)} {hour}",
            f"{rng.choice(_DAYS)} at {rng.randint(1, 12)}",
        )
        return rng.choice(dates)

    def value(self) -> str:
        """The value of a fact: anything from a number to a few words."""
        way = self.rng.random()
        if way < 0.24:
            return self.number()
        if way < 0.30:
            return f"{self.number(digits_max=3)} {self.rng.choice(UNITS)}"
        if way < 0.42:
            return self.moment()
        if way < 0.52:
            return self.code()
        if way < 0.64:
            return self.name()
        if way < 0.70:
            return f"{self.name()} {self.name()}"
        if way < 0.86:
            return self.word()
        return f"{self.word()} {self.word()}"

    def text(self) -> str:
        """The text of a note: one to eight words, some of them numbers, dates or names."""
        count = self.rng.choices((1, 2, 3, 4, 5, 6, 8, 12), (2, 4, 5, 4, 3, 2, 1, 0.4))[0]
        words = [self._text_word(first=index == 0) for index in range(count)]
        if count > 2 and self.rng.random() < 0.1:
            # The same word again: copying must not lose its place.
            words[self.rng.randrange(1, count)] = self.rng.choice(words)
        return (", " if self.rng.random() < 0.1 else " ").join(words)

    def _text_word(self, *, first: bool) -> str:
        way = self.rng.random()
        if way < 0.12 and not first:
            return self.rng.choice(FUNCTION)
        if way < 0.20:
            return self.number(digits_max=4)
        if way < 0.28:
            return self.name()
        if way < 0.32:
            return self.moment()
        return self.word()

    def _syllable(self) -> str:
        return self.rng.choice(_CONSONANTS) + self.rng.choice(_VOWELS)

    def _piece(self) -> str:
        word = self.rng.choice(COMMON)
        length = self.rng.randint(2, min(5, len(word)))
        start = self.rng.randint(0, len(word) - length)
        return word[start : start + length]
