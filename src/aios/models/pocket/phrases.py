"""What people say around a request, and how they ask for arithmetic and for facts.

Every slot is a tuple of alternatives; every eighth is held out of training (see `voice`).
Braces name what a request fills in. This module is data only.
"""


def slot(text: str) -> tuple[str, ...]:
    """The alternatives of one slot, written with bars between them."""
    return tuple(" ".join(phrase.split()) for phrase in text.split("|"))


OPENER = slot("""
hey|hi|ok|okay|so|well|now|listen|right|alright|hello|um|hmm|oh|great|howdy|good|fine|yo|dear
assistant|hi there|good morning|one more thing|greetings|next|also|then|by the way|hello
again|assistant|pocket|heads up|fyi|a question|a small thing|quick question|sorry|excuse
me|morning|one last thing|evening|good evening|cool|perfect|sure|look|alright then|very well|ok
now|ah|btw|last one|another one|first|finally|to begin|meanwhile|for the trip|for our
journey|travel desk|about the trip|about my travel plans|for the customer|moving on|here is the
task|task|step one|new request|your turn|let me see|thanks|here we go|wow|yes|no
problem|super|ahoy| for the calendar|for the meeting|for the flight|before I forget|I have a
request
""")

ASK = slot("""
please|can you|could you|would you|will you|can you please|could you please|be so good and|would
you please|I want you to|I need you to|I would like you to|you should|you must|kindly|I'd ask you
to|go and|just|now|help me and|be so kind and|try to|do me a favor and|might you|let us|let's|I'd
like you to|you need to|it is time to|make sure to|your task is to|you are asked to|your job is
to|go ahead and|may I ask you to|I ask you to|it would help to|we need to|we have to|we ought to|I
have to|I want to|I'd love to|I must|I need to|I'd like to|you may|won't you|are you able to|please
do|quickly|time to|we should|next please|do|it would be nice to
""")

CLOSER = slot("""
please|thanks|thank you|for me|now|right now|if you can|if you don't mind|would you|quickly|today|
asap|when you can|at once|my friend|without delay|thanks a lot|many thanks|if possible|ok|cheers|in
a moment|as soon as you can|much appreciated|for my trip|for us|before we leave|will you|if you
please|real quick|thanks so much|there's a good one|for the customer|for the meeting|right away|
this time|again|for the report|I am in a hurry|that would be lovely|pretty please
""")

MY = slot("my|the|our|my|the|my|my|this|your")

# --- arithmetic -------------------------------------------------------------------------------

COMPUTE = slot("""
compute|calculate|work out|figure out|evaluate|solve|find|ascertain|determine|get|tell me|give me|
give me the value of|tell me the value of|I need|sum up|I want to know|show me|find out|let me
know| reckon|crunch|run|tot up|the answer to|the result of|the value of|say what is|use the
calculator for|use the calculator on|ask the calculator for|put into the calculator|calculator|do
the math for|do the sum|do the calculation|work through|resolve|check|establish|answer|tell me the
result of| give me the result of|report|I would like to know|fetch me the value of|estimate
exactly|process|do| try|quickly do|take|please do|math|compute for me|simplify|count
up|return|deliver
""")

HOW_MUCH = slot("""
what is|what's|how much is|what does {e} make|what do you get for|what do we get with|how much does
{e} come to|what would {e} come to|what is the result of|what is the value of|what's the answer
to|how much would {e} be|what does {e} equal|how much makes|do you know what {e} is|what comes out
of| can you tell me what {e} is|what will {e} be|what are|how many are|{e} equals what|{e} is how
much|{e} makes|any idea what {e} is|{e} =|{e} = ?|tell me what {e} is|I wonder what {e} is|find out
what {e} is|work out what {e} is|what do I get from|what is the total of|how much do I get for|what
number is|{e}|{e} is|what would be|so {e} is what number
""")

PLUS = slot("plus|plus|and|added to|increased by|together with|plus|with an extra")
MINUS = slot("minus|minus|less|reduced by|minus|lowered by|minus|decreased by")
TIMES = slot("times|times|multiplied by|x|times|by|times|lots of")
OVER = slot("divided by|divided by|over|split by|divided by|through|divided by|shared by")

ADD = slot("""
add {a} and {b}|add {a} to {b}|sum {a} and {b}|add up {a} and {b}|put {a} and {b} together|add
together {a} and {b}|add {a} plus {b}|combine {a} and {b}|the sum of {a} and {b}|total {a} and {b}|
the total of {a} and {b}|count {a} and {b} together|increase {a} by {b}|raise {a} by {b}|find the
sum of {a} and {b}|join {a} with {b}|get the sum of {a} and {b}|add {a} with {b}
""")
SUBTRACT = slot("""
subtract {b} from {a}|take {b} from {a}|take {b} away from {a}|deduct {b} from {a}|remove {b} from
{a}|reduce {a} by {b}|lower {a} by {b}|strike {b} off {a}|the difference of {a} and {b}|the
difference between {a} and {b}|decrease {a} by {b}|{a} take away {b}|withdraw {b} from {a}|cut {a}
by {b}|find the difference between {a} and {b}|knock {b} off {a}|pay {b} out of {a}
""")
MULTIPLY = slot("""
multiply {a} by {b}|multiply {a} and {b}|multiply {a} with {b}|the product of {a} and {b}|take {a}
times {b}|find the product of {a} and {b}|scale {a} by {b}|work out the product of {a} and {b}|
times {a} by {b}|repeat {a} for {b} times and sum it|multiply {a} times {b}|get {a} multiplied by
{b}
""")
DIVIDE = slot("""
divide {a} by {b}|split {a} into {b}|split {a} by {b}|divide {a} into {b} parts|the quotient of {a}
and {b}|share {a} among {b}|split {a} between {b}|part {a} into {b} equal shares|share {a} between
{b} people|divide {a} over {b}|split {a} evenly into {b}|distribute {a} over {b}
""")
ONE_NUMBER = {
    "{a}*2": slot("double {a}|twice {a}|the double of {a}|double of {a}|two times {a}"),
    "{a}*3": slot("triple {a}|the triple of {a}|three times {a}"),
    "{a}/2": slot("halve {a}|half of {a}|the half of {a}|one half of {a}|divide {a} in half"),
    "{a}*{a}": slot("square {a}|{a} squared|the square of {a}|{a} times itself"),
    "{b}*{a}/100": slot("""
{a} percent of {b}|{a}% of {b}|take {a} percent of {b}| {a} per cent of {b}|the {a} percent share
of {b}
"""),
}

TRAVEL_SUMS = {
    "{a}*{b}": slot("""
{a} seats at {b} each|{a} tickets at {b} each|{a} nights at {b}|{a} nights at {b} per night|{a}
seats for {b} each|{a} tickets costing {b} each|the total fare for {a} seats at {b} each|{a} rooms
at {b} apiece|the fare of {a} travellers at {b} each|{a} people paying {b} each|{a} bags at {b} per
bag|{a} flights at {b} each|the price of {a} tickets at {b}|the cost of {a} nights at {b} each|the
fare for {a} passengers at {b} each|{a} return fares of {b}|{a} days at {b} a day|the hotel cost
for {a} nights at {b}|a group of {a} paying {b} each|the total for {a} meals at {b} each
"""),
    "{a}+{b}": slot("""
a fare of {a} plus a fee of {b}|a flight for {a} and a hotel for {b}|the fare {a} plus the tax
{b}|flight {a} plus hotel {b}|a ticket at {a} and a bag at {b}|the total of the fare {a} and the
hotel {b}|outbound {a} and return {b}|a {a} fare with {b} extra for luggage|{a} for the flight and
{b} for the hotel|fare {a} and taxes {b}|a train at {a} and a taxi at {b}
"""),
    "{a}-{b}": slot("""
a fare of {a} less a discount of {b}|a budget of {a} minus {b} for the flight|the difference
between the fares {a} and {b}|what is left of {a} after paying {b}|a {a} ticket with {b} off|what
remains of {a} after spending {b}|the budget {a} less the hotel {b}|a price of {a} with a rebate of
{b}|{a} seats of which {b} are taken|the fare {a} minus the discount {b}
"""),
    "{a}/{b}": slot("""
a fare of {a} shared by {b} people|{a} split between {b} travellers|the bill of {a} split by {b}
people|a taxi of {a} divided by {b} passengers|{a} for {b} nights, per night|the price per seat if
{b} seats cost {a}|a room of {a} shared by {b}|a bill of {a} spread over {b} friends
"""),
    "{a}*{b}+{c}": slot("""
{a} seats at {b} each plus a fee of {c}|{a} nights at {b} plus {c} for the flight|{a} tickets at
{b} and {c} for luggage|{a} tickets of {b} plus a tax of {c}|{a} fares of {b} and a taxi for
{c}|{a} seats at {b} plus {c}|{a} nights at {b} and a flight at {c}|{a} rooms of {b} with {c} on
top
"""),
}

# --- facts ------------------------------------------------------------------------------------

REMEMBER = slot("""
remember|keep in mind|memorise|memorize|store|save|don't forget|bear in mind|know|learn|put in
memory|keep|record|retain|register|take into account|store in memory|save in memory|save to memory|
keep in memory|hold on to the fact|please remember|never forget|commit to memory|be aware|log|take
in|understand|put into your memory|memory set|try to remember|hold in mind|remember for later|keep
for later|save the fact|remember the fact|store the fact|mark down|you should know|make a record
""")
REMEMBER_THAT = slot("""
{rv} that {my} {k} is {v}|{rv} that {my} {k} is {v}|{rv} {my} {k} is {v}|{rv}: {my} {k} is {v}|{rv}
this: {my} {k} is {v}|{my} {k} is {v}, {rv} it|{my} {k} is {v}, {rv} that|{rv} it well, {my} {k} is
{v}|{my} {k} is {v}. {rv} it|{rv} {k}: {v}|{rv} {k} = {v}|{rv} {k} is {v}|{rv} {v} as {my} {k}|{rv}
{v} as {k}|{rv} {v} for {my} {k}|{rv} {v} to be {my} {k}|{rv} the value {v} for {k}|{rv} {v} under
{k}|{rv} {v} under the key {k}|{rv} {v} under the name {k}|{rv} {my} {k} as {v}|{rv} that {my} {k}
is now {v}|{rv} {my} {k} which is {v}|{rv} {my} {k}, it happens to be {v}|{rv} {my} {k}, it is {v}|
{rv} that {my} {k} equals {v}|{rv} {my} {k} with the value {v}|{rv} that {my} {k} was changed to
{v}| {rv} that {v} is {my} {k}|{rv} my new {k} is {v}|{rv} that the new {k} is {v}|{rv} {my} {k},
namely {v}|{my} {k} = {v}, {rv} it|{k}: {v}, {rv} it|{rv} that {my} {k} will be {v}|{rv} that {my}
{k} has become {v}|{rv} {my} {k}. It is {v}|{rv} {v}, that is {my} {k}|{rv} {my} {k}, that is
{v}|{rv} {my} {k}, which will be {v}|{rv} that {my} {k} must be {v}|{rv} {my} {k} ({v})|{rv} that
we have {v} as {my} {k}|here is {my} {k}: {v}. {rv} it|{v} is {my} {k}, {rv} that|{rv} this about
{my} {k}: it is {v}|{rv} {v}; it is {my} {k}|{rv} that {my} {k} stays {v}|for {my} {k} {rv} {v}|as
{my} {k} {rv} {v}|under {k} {rv} {v}|{rv} {my} {k} equals {v}|{rv} the fact that {my} {k} is {v}|I
was told that {my} {k} is {v}, so {rv} it|{my} {k} has changed, {rv} {v}|they told me {my} {k} is
{v}, {rv} it|{rv} {my} latest {k}, it is {v}|{rv} what {my} {k} is: {v}
""")
STATE = slot("""
{my} {k} is {v}|{my} {k} is now {v}|{my} new {k} is {v}|set {my} {k} to {v}|set {k} to {v}|change
{my} {k} to {v}|update {my} {k} to {v}|switch {my} {k} to {v}|{my} {k} has changed to {v}|{my} {k}
equals {v}|set {k} = {v}|let {my} {k} be {v}|from now on {my} {k} is {v}|the value of {k} is
{v}|{my} {k} will be {v}|{v} shall be {my} {k}|{v} is {my} {k}|{my} {k} should be {v}|for {k} use
{v}|use {v} as {my} {k}|{k} = {v}|{k} is {v}|make {my} {k} {v}|{my} {k} turned into {v}|define {k}
as {v}|put {v} under {k}|put {v} as {my} {k}|enter {v} as {my} {k}|{my} {k} changed, it is
{v}|assign {v} to {k}|{my} {k} became {v}|{my} {k} stays {v}|{v} is the new {k}|{v} will be {my}
{k}|{v} should be {my} {k}|{my} {k} has to be {v}|{my} {k} must be {v}|{my} {k} was set to {v}|{my}
{k} moved to {v}|I changed {my} {k} to {v}|they changed {my} {k} to {v}|{my} {k} got changed to
{v}|{my} {k} is going to be {v}|{my} {k} has become {v}|{v} became {my} {k}|{v} is now {my} {k}|I
have {v} as {my} {k}|as of today {my} {k} is {v}|the right {k} is {v}|{my} {k} has been moved to
{v}|we agreed that {my} {k} is {v}|{my} {k} went up to {v}|I chose {v} as {my} {k}|I picked {v} for
{my} {k}|you can use {v} as {my} {k}|{v} can be {my} {k}|treat {v} as {my} {k}|it seems {my} {k} is
{v}|they gave me {v} as {my} {k}|{my} {k} comes to {v}|move {my} {k} to {v}|I want {my} {k} to be
{v}|fix {my} {k} at {v}|correct {my} {k} to {v}|{my} {k} ought to be {v}|rename {my} {k} to {v}|we
have {v} for {my} {k}|{my} {k} dropped to {v}|my latest {k} is {v}
""")

RECALL = slot("""
recall|tell me|give me|look up|retrieve|fetch|remind me of|bring up|what is|what was|what's|do you
remember|do you know|do you recall|can you recall|have you got|get|get me|show me|I forgot|I need|I
can't remember|I have forgotten|I lost track of|check|find|read back|bring back|tell me again|look
for|memory get|pull up|get from memory|recall from memory|what again is|do you still know|do you
still have|can you remember|I want to know|name|let me hear|let me know|could you tell me|what have
I got as|look into your memory for|search your memory for|what do you have for|dig up|what did you
store for|what did I save as|what did I give as|remind me what|quick,|please recall|I'd like to
know|what would be
""")
RECALL_WHOLE = slot("""
what did I tell you about {my} {k}|what did I say {my} {k} was|which {k} did I give you|what {k}
did I tell you|what do you know about {my} {k}|remind me what {my} {k} is|tell me what {my} {k}
is|say again what {my} {k} is|do you know what {my} {k} is|what value did I store for {k}|what is
stored under {k}|what is saved under {k}|what did you remember for {k}|{my} {k} was what again|I
forgot what {my} {k} is|under {k}, what is kept|what is the value of {my} {k}|what is in memory for
{k}|find out what {my} {k} is|{my} {k}, what was it|{my} {k}?|which one is {my} {k}|what have I
told you about {my} {k}|{k}, if you remember|do you remember what {my} {k} was|can you tell me {my}
{k}|what was {my} {k} again|the value of {k}|what is {my} {k} again|what {k} do I have|which {k} do
I have|look up what I called {my} {k}|I need to know {my} {k}|check what {my} {k} is|where did I
put {my} {k}|what did we say {my} {k} was|tell me again what {my} {k} was|what have you got for
{my} {k}|what do you have as {my} {k}|I need to hear what {my} {k} is|{my} {k}, please tell me|what
did I call {my} {k}|what is kept as {my} {k}|give me the value of {my} {k}|what was the value of
{k}|is there something under {k}|say what {my} {k} is|about {my} {k}, what did I say|in memory,
what is {my} {k}|do you have {my} {k}|what is {my} {k} now|show me what {my} {k} is|I want to hear
{my} {k}|what {k} was it|{my} {k} is what|let me know what {my} {k} is
""")
