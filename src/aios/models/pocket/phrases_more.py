"""How people ask for notes, plans, counting, repeating, talk, and what pocket cannot do.

The same rules as `phrases`: every eighth alternative of a slot is held out. Data only.
"""

from aios.models.pocket.phrases import slot

# --- notes ------------------------------------------------------------------------------------

NOTE = slot("""
the note|note|my note|the file|the note called|the note named|the memo|the notepad|file|a note|a
note called|a new note|the page|a note named|the document|a jotting called|my notes|the list|the
new note| a file called|our note|the text file|a file named|the sheet
""")
THE_NOTE = slot("""
the note|note|my note|the file|the note called|the note named|the memo|the notepad|file|the
page|the document|my file|the list|our note|the text file|the jotting
""")
WRITE = slot("""
write|put|save|store|add|note|note down|jot down|write
down|enter|record|type|place|log|keep|scribble| set down|insert|file|copy|drop|please
write|leave|pen|stick|make a note of|print|note_write
""")
WRITE_WHOLE = slot("""
{wv} {t} in {note} {n}|{wv} {t} into {note} {n}|{wv} {t} to {note} {n}|{wv} "{t}" in {note}
{n}|{wv} "{t}" into {note} {n}|{wv} "{t}" to {note} {n}|{wv} the text {t} in {note} {n}|{wv} the
sentence {t} in {note} {n}|{wv} the words {t} into {note} {n}|{wv} the line {t} to {note} {n}|{wv}
the following in {note} {n}: {t}|{wv} in {note} {n}: {t}|{wv} into {note} {n}: {t}|{wv} to {note}
{n}: {t}|{wv} to {note} {n} the words {t}|{wv} in {note} {n} this: {t}|{wv} in {note} {n} that
{t}|{wv} to {note} {n} that {t}|write {note} {n} with {t}|write {note} {n} with the text {t}|write
{note} {n}: {t}|write {note} {n} saying {t}|write {note} {n} that says {t}|write {note} {n} which
reads {t}|create {note} {n} with the text {t}|create {note} {n} with {t}|create {note} {n}
containing {t}|create {note} {n} with the content {t}|create {note} {n} saying {t}|make {note} {n}
with {t}|make {note} {n} that says {t}|make {note} {n} read {t}|make {note} {n} saying "{t}"|make
{note} {n}: {t}|start {note} {n} with the text {t}|open {note} {n} and write {t}|open {note} {n}
and put {t}|fill {note} {n} with {t}|fill {note} {n} with the text {t}|give {note} {n} the text
{t}|set {note} {n} to {t}|set the text of {note} {n} to {t}|{note} {n} should say {t}|{note} {n}
should contain {t}|{note} {n} should read {t}|{note} {n} must say {t}|in {note} {n} write {t}|into
{note} {n} goes {t}|in {note} {n} put {t}|in {note} {n}, write {t}|in {note} {n} I want {t}|in
{note} {n} there should be {t}|for {note} {n}: {t}|{note} {n}: {t}|"{t}" goes into {note} {n}|"{t}"
belongs in {note} {n}|"{t}" - {wv} that in {note} {n}|{wv} this in {note} {n}: {t}|{wv} this text
in {note} {n}: {t}|{wv} "{t}" as {note} {n}|{wv} {t} as {note} {n}| {wv} {t} under {note} {n}|{wv}
"{t}" under {note} {n}|{wv} {t} inside {note} {n}|replace {note} {n} with {t}|overwrite {note} {n}
with {t}|change {note} {n} to {t}|update {note} {n} to {t}|update {note} {n} with {t}|put down {t}
in {note} {n}|{wv} {t} on {note} {n}|{wv} {t} at the end of {note} {n}|{wv} {t} onto {note}
{n}|{wv} the phrase {t} in {note} {n}|{wv} the message {t} into {note} {n}|{wv} my text {t} in
{note} {n}|{wv} my words {t} to {note} {n}|{wv} in {note} {n} the line {t}|{wv} into {note} {n} the
text {t}|{wv} in {note} {n} the phrase {t}|{wv} to {note} {n} the following: {t}|{wv} to {note} {n}
this text: {t}|{wv} it into {note} {n}: {t}|{wv} in {note} {n} as follows: {t}|the text of {note}
{n} is {t}|the text of {note} {n} should be {t}|the content of {note} {n} is {t}|the content of
{note} {n} must be {t}|{note} {n} says {t}|{note} {n} is to say {t}|{note} {n} has to say
{t}|{note} {n} needs the text {t}|{note} {n} gets the text {t}|{note} {n} must contain {t}|let
{note} {n} say {t}|{note} {n} will say {t}|let {note} {n} contain {t}|have {note} {n} say {t}|put
in {note} {n} that {t}|add to {note} {n} that {t}|I want {note} {n} to say {t}|I want {t} in {note}
{n}|we need {note} {n} with the text {t}|I need {t} in {note} {n}|start {note} {n} with {t}|begin
{note} {n} with {t}|begin {note} {n} with the words {t}|prepare {note} {n} with {t}|prepare {note}
{n} that says {t}|make {note} {n} contain {t}|create {note} {n} that contains {t}|compose {note}
{n} with the text {t}|create {note} {n}: {t}|create {note} {n} and write {t}|open {note} {n} and
add {t}|open {note} {n} and type "{t}"|to {note} {n} add {t}|into {note} {n} put {t}|into {note}
{n} write "{t}"|to {note} {n} append the line {t}|into {note} {n} {wv} the words {t}|in {note} {n},
{wv} {t}|in {note} {n}, {wv} "{t}"|in {note} {n} {wv} the text {t}|"{t}" has to be in {note}
{n}|"{t}" should stand in {note} {n}|"{t}" is for {note} {n}|under {note} {n} {wv} {t}|"{t}" must
be in {note} {n}|"{t}", {wv} it in {note} {n}|"{t}", put that into {note} {n}|set {note} {n} to say
{t}|save {note} {n} with the text {t}|save {note} {n} with {t}|fill in {note} {n} with {t}|store
{note} {n} with {t}|fill {note} {n} with the words {t}|rewrite {note} {n} to say {t}|rewrite {note}
{n} with {t}|change the text of {note} {n} to {t}|replace the text of {note} {n} with {t}|make
{note} {n} hold {t}|{wv} {t} for {note} {n}|swap the text of {note} {n} for {t}|{wv} "{t}" onto
{note} {n}|in {note} {n} it should say {t}|new text for {note} {n}: {t}|here is the text for {note}
{n}: {t}
""")
READ = slot("""
read|open|show|show me|display|print|what is in|give me the gist of|what's
in|get|load|view|check|look into|look at|peruse|tell me|see|fetch|bring up|list|give me|what does
it say in|pull out|read me|read out|read aloud|find|retrieve|take a look at|have a look at|leaf
through|let me see|I want to see|I want to read|I need|what was in|what stands in|what have I got
in|recite|what did I write in|what did I put in|show the content of|show me the content of|what is
the content of|read the text of|tell me the text of|what are the contents of|what did we write
in|read back|note_read|go through|consult|cat|what is written in|what is noted in|quote|see what is
in|tell me what is in|check what is in
""")
READ_WHOLE = slot("""
what does {note} {n} say|what does {note} {n} contain|tell me what {note} {n} says|what is there in
{note} {n}|{note} {n}, what does it say|{note} {n}, read it|what do we have in {note} {n}|{note}
{n}, let me see it|open {note} {n} and read it|open {note} {n} and tell me what it says|what did I
note in {note} {n}|what stands written in {note} {n}|I forgot what {note} {n} says|show what {note}
{n} says| {note} {n}, show it|can I see {note} {n}|is there anything in {note} {n}|find out what
{note} {n} says| I wonder what {note} {n} says|what was it that {note} {n} says|tell me what is in
{note} {n}|{note} {n}, what is in it|what have we written in {note} {n}|I want to know what {note}
{n} says
""")

# --- plans: one request, several tools ----------------------------------------------------------

COMPUTE_SAVE = slot("""
{c} and remember it as {my} {k}|{c} and save it as {my} {k}|{c} and store it as {k}|{c} and
remember the result as {k}|{c}, then save it as {k}|{c}, then remember the result as {my} {k}|{c}
and keep it as {k}|{c} and hold on to it as {k}|{c} and save the result as {my} {k}|{c} and store
the result under {k}|{c} and set {my} {k} to it|{c} and save the answer as {k}|{c}; remember it as
{k}|{c}. Save it as {my} {k}|{c}. Remember the result as {k}|{c} and make that {my} {k}|{c} and put
the result in memory as {k}|{c} and then store that as {k}|{c} and keep the result in mind as
{k}|remember the result of {e} as {k}|save the result of {e} as {my} {k}|store {e} as {k} once
computed|save the value of {e} under {k}| stash what {e} makes as {k}|set {my} {k} to the result of
{e}|set {my} {k} to {e}, computed|remember that {my} {k} is the result of {e}|compute {my} {k} as
{e} and save it|work out {my} {k}, which is {e}, and remember it|calculate {e} as {my} {k} and
remember it|{c} and keep the answer as {my} {k}|{c} and file it as {my} {k}|{c} and let that be
{my} {k}|{c} and use it as {my} {k}|{c}. That is {my} {k}, remember it|{c}, that will be {my} {k},
save it|{c} and record it as {k}|{c} and record the result under {k}|{c} and memorise it as {k}|{c}
and assign it to {k}|{c} and call it {my} {k}|{c} and save it under {k}|{c}; the result is {my}
{k}, keep it|{c}, save that as {k}|{c}, remember that as {my} {k}|{c}, store the outcome as {my}
{k}|{c} and put it under {k}|{c} and retain the number as {k}|{c} and update {my} {k} with it|{c}
and change {my} {k} to it|{c}; set {my} {k} to the result|{c}, then set {k} to the answer|{c} and
store the number as {k}|{c} and remember what you get as {my} {k}|{c} and save what comes out as
{k}|{c}, and that becomes {my} {k}|{c} and from now on that is {my} {k}|keep the result of {e} as
{my} {k}|remember {e} as {my} {k}|save {e} as {k}|remember what {e} gives as {my} {k}|store what
{e} comes to as {k}|put the value of {e} in memory as {k}|memorize the outcome of {e} as {my}
{k}|{my} {k} is {e}, compute and save it|let {my} {k} be the result of {e}|make {my} {k} the result
of {e}|update {my} {k} to the value of {e}|record the total of {e} under {k}|as {my} {k} save the
result of {e}|{my} {k} should be the result of {e}|log the answer to {e} as {my} {k}|use the result
of {e} as {my} {k}|find {e} and keep it as {my} {k}|take {e} and save the result as {my} {k}
""")
COMPUTE_NOTE = slot("""
{c} and write it in {note} {n}|{c} and write the result into {note} {n}|{c} and put it in {note}
{n}|{c} and save it to {note} {n}|{c}, then write it to {note} {n}|{c} and note the result in
{note} {n}|{c} and put the result in {note} {n}|{c} and log it in {note} {n}|{c} and store the
answer in {note} {n}|{c} and write the answer to {note} {n}|{c}. Write it in {note} {n}|{c}. Put
the result into {note} {n}|{c} and note it in {note} {n}|{c} and save the result in {note} {n}|{c},
then put the result into {note} {n}|{c} and enter it in {note} {n}|write the result of {e} in
{note} {n}|write the result of {e} to {note} {n}| put the result of {e} into {note} {n}|save the
value of {e} in {note} {n}|write what {e} makes into {note} {n}|in {note} {n} write the result of
{e}|create {note} {n} with the result of {e}|{note} {n} should hold the result of {e}
""")
CHANGE = {
    "{x}+{b}": slot("""
add {b}|add {b} to it|plus {b}|add {b} more|increase it by {b}| add another {b}|add {b} to that|put
{b} on top
"""),
    "{x}-{b}": slot("""
subtract {b}|take {b} from it|minus {b}|subtract {b} from it| reduce it by {b}|take away {b}|deduct
{b}|knock off {b}
"""),
    "{x}*{b}": slot("""
multiply it by {b}|times {b}|multiply by {b}|multiply that by {b}| take it times {b}|multiply the
value by {b}|take it {b} times|scale it by {b}
"""),
    "{x}/{b}": slot("""
divide it by {b}|divide by {b}|split it by {b}|split it into {b}| divide that by {b}|share it among
{b}|split it between {b} people|part it in {b}
"""),
    "{x}*2": slot("double it|take it twice|double that|double the value"),
    "{x}/2": slot("halve it|take half of it|cut it in half"),
}
TAKE_THEN = slot("""
{get} and {change}|{get}, then {change}|{get} and then {change}|{get}; {change}|take {what} and
{change}|start from {what} and {change}|{get}. Then {change}|fetch {what}, after that {change}|take
{what}, {change}|with {what}, {change}|{get} and {change} for the total|{get} and {change} for
me|{get}, and {change}|{get}; then {change}|{get}, next {change}|{get}. {change}|{get}, after that
{change}|take {what}, then {change}|use {what} and {change}|get {what}; {change}|begin with {what}
and {change}|with {what} do this: {change}|{get} and afterwards {change}|{get}. Now {change}
""")
DIRECT = {
    "{x}+{b}": slot("""
what is {what} plus {b}|{what} plus {b}|add {b} to {what}|increase {what} by {b}|how much is {what}
plus {b}|compute {what} plus {b}|{what} + {b}|raise {what} by {b}| calculate {what} plus {b}
"""),
    "{x}-{b}": slot("""
what is {what} minus {b}|{what} minus {b}|subtract {b} from {what}|take {b} from {what}|reduce
{what} by {b}|how much is {what} minus {b}|{what} - {b}|lower {what} by {b}| what is left of {what}
after {b}
"""),
    "{x}*{b}": slot("""
what is {what} times {b}|multiply {what} by {b}|{what} times {b}|how much is {what} times
{b}|compute {what} times {b}|{what} * {b}|calculate {what} times {b}|scale {what} by {b}|what do
{b} of {what} cost
"""),
    "{x}/{b}": slot("""
what is {what} divided by {b}|divide {what} by {b}|split {what} between {b}|{what} divided by
{b}|split {what} by {b}|how much is {what} over {b}|{what} / {b}|share {what} among {b}|split
{what} between {b} travellers
"""),
}
SUM_RECALLED = slot("""
add {my} {k} and {my} {j}|what is {my} {k} plus {my} {j}|sum {my} {k} and {my} {j}|recall {my} {k}
and {my} {j} and add them|how much are {my} {k} and {my} {j} together|the total of {my} {k} and
{my} {j}|what is the total of {my} {k} and {my} {j}|tot up {my} {k} and {my} {j}|add up {my} {k}
and {my} {j}|recall {k} and {j}, then add them|{my} {k} plus {my} {j}|compute {my} {k} plus {my}
{j}|what do {my} {k} and {my} {j} cost together|get {my} {k} and {my} {j} and sum them up|the sum
of {my} {k} and {my} {j}|{my} {k} and {my} {j} combined|give me {my} {k} plus {my} {j}|put {my} {k}
and {my} {j} together|what do {my} {k} and {my} {j} make|combine {my} {k} and {my} {j}|how much is
{my} {k} plus {my} {j}|calculate {my} {k} plus {my} {j}|work out {my} {k} and {my} {j}
together|look up {my} {k} and {my} {j} and add them up
""")
READ_SAVE = slot("""
remember what {note} {n} says as {my} {k}|read {note} {n} and remember it as {k}|read {note} {n}
and save it as {my} {k}|save the text of {note} {n} as {k}|read {note} {n} and store the text as
{my} {k}|open {note} {n} and remember the content as {k}|store the content of {note} {n} as
{k}|keep what stands in {note} {n} as {k}|read {note} {n}, then remember it as {k}|set {my} {k} to
what {note} {n} says|read {note} {n} and keep it as {my} {k}|store what {note} {n} says as {my}
{k}|save what is in {note} {n} as {k}|read {note} {n} and put the text in memory as {k}|{my} {k} is
what {note} {n} says, remember it|make the text of {note} {n} {my} {k}|read {note} {n} and set {my}
{k} to it|open {note} {n}, then save it under {k}|use the text of {note} {n} as {my} {k}|remember
as {my} {k} what {note} {n} says|take the content of {note} {n} and keep it as {k}|read {note} {n}
and record it as {k}|copy {note} {n} to memory as {k}|let {my} {k} be what {note} {n} says
""")
RECALL_NOTE = slot("""
write {my} {k} in {note} {n}|put {my} {k} into {note} {n}|recall {my} {k} and write it in {note}
{n}|recall {my} {k} and put it into {note} {n}|look up {my} {k} and write it to {note} {n}|get {my}
{k} and save it in {note} {n}|note {my} {k} in {note} {n}|jot {my} {k} into {note} {n}|recall {my}
{k}, then write it in {note} {n}|fetch {my} {k} and write it into {note} {n}|copy {my} {k} to
{note} {n}|copy {my} {k} from memory into {note} {n}|look up {my} {k} and put it in {note}
{n}|write what {my} {k} is in {note} {n}|recall {my} {k} and store it in {note} {n}|enter {my} {k}
into {note} {n}|save {my} {k} to {note} {n}|find {my} {k} and note it in {note} {n}|take {my} {k}
from memory and write it to {note} {n}|get {my} {k}, then put it in {note} {n}|in {note} {n} write
{my} {k}|write down {my} {k} in {note} {n}|log {my} {k} in {note} {n}|create {note} {n} with {my}
{k} from memory
""")
SAVE_THAT = slot("""
save that as {my} {k}|remember that as {my} {k}|store it as {k}|remember it as {k}|keep it as {my}
{k}| save the result as {k}|remember the result as {my} {k}|hold on to that as {k}|save it under
{k}|store that result as {my} {k}|put it in memory as {k}|set {my} {k} to that|keep that in mind as
{my} {k}|make it {my} {k}|that is {my} {k}, remember it|save the answer under {k}|remember the
number as {k}|record it as {my} {k}|use it as {my} {k}|that will be {my} {k}|call it {my} {k}|set
{k} to the result|let that be {my} {k}|update {my} {k} to that
""")

# --- without tools ----------------------------------------------------------------------------

COUNT = slot("""
count from {a} to {b}|count up from {a} to {b}|list the numbers from {a} to {b}|say the numbers
from {a} to {b}|write the numbers from {a} to {b}|give me the numbers from {a} to {b}|count {a} to
{b}|enumerate from {a} to {b}|list all numbers from {a} to {b}|count from {a} up to {b}|print the
numbers {a} to {b}| start at {a} and count to {b}|numbers from {a} to {b}|count the seats from {a}
to {b}|list the seats {a} to {b}|recite the numbers from {a} to {b}|name the numbers between {a}
and {b}|show the numbers from {a} to {b}|count on from {a} until {b}|begin at {a} and go on to
{b}|count off the rows from {a} to {b}|tell me every number from {a} to {b}|count all the way from
{a} to {b}|go from {a} to {b} one by one
""")
COUNT_DOWN = slot("""
count down from {a} to {b}|count backwards from {a} to {b}|list the numbers down from {a} to
{b}|count from {a} down to {b}|go down from {a} to {b}|count back from {a} to {b}|give me the
numbers from {a} down to {b}|descend from {a} to {b}|do a countdown from {a} to {b}
""")
BY_STEPS = slot("""
by {s}|in steps of {s}|by {s}s|with step {s}|every {s}|in {s}s|{s} at a time|at intervals of {s}
""")
REPEAT = slot("""
repeat|say|repeat after me|say back|echo|repeat this|say this|parrot|say exactly|repeat
exactly|repeat the words|say the words|write back|echo back|repeat the text|mirror this|repeat back
to me|type|speak|say out loud
""")
TALK = {
    "Hello! How can I help you?": slot("""
hello|hi|hey|hello there|hi there|good morning|good evening|howdy|hey there|hi pocket|hello
pocket|hello again|good day|greetings|yo|hiya
"""),
    "You are welcome.": slot("""
thanks|thank you|thanks a lot|many thanks|thank you very much|thanks so much|thank you pocket|much
obliged|great, thanks|ok thanks|perfect, thank you|cheers
"""),
    "I am pocket, a small model.": slot("""
who are you|what are you|what is your name|tell me who you are|what model are you|who am I talking
to|are you a robot|introduce yourself|are you a model| are you human|what should I call you
"""),
    "I can compute, remember facts and keep notes.": slot("""
what can you do|how can you help me|what are you able to do|what are your skills|help|what do you
do|what can I ask you|what are you good for|tell me what you can do|what things can you do
"""),
    "I am fine, thank you.": slot("""
how are you|how are you doing|how do you do|how is it going|are you well|how are you today|how do
you feel|how goes it|how are things
"""),
    "Goodbye.": slot("""
bye|goodbye|good night|see you|see you later|bye bye|that is all|farewell|that's all for today|we
are done|I am done|until tomorrow
"""),
}

# --- out of scope -----------------------------------------------------------------------------

CANNOT = slot("""
book a flight to {p}|book me a hotel in {p}|send an email to {p}|send a message to {p}|call
{p}|phone {p} for me|text {p}|ring up {p}|what is the weather in {p}|what's the weather like in
{p}|will it rain in {p} tomorrow|how warm is it in {p}|what is the capital of {p}|who is the
president of {p}|how many people live in {p}|what time is it in {p}|translate {w} into
French|translate {w} to German|how do you say {w} in Spanish|translate the word {w}|what does {w}
mean in Italian|spell {w} in Greek|play some music|render {w} in Latin|play the song {w}|play a
video about {w}|turn on the lights|switch off the {w} lamp|order a pizza|order {w} online|buy me a
{w}|purchase a {w}|draw a picture of a {w}|paint a {w} for me|make a photo of the {w}|tell me a
joke|tell me a joke about {w}|sing a song|write a poem about {w}|compose a ballad about {w}|write a
story about {w}|who won the match yesterday|what is the news|show me the news|what are the
headlines about {w}|search the web for {w}|google {w}|browse for {w}|find a picture of {w}|open the
browser|open the website {w}.com|download {w}|install {w}|reboot the computer|delete all my
files|wake up the server|write a program that sorts {w}|write python code for {w}|debug my
code|explain {w} to me|who invented the {w}|who wrote the book {w}|why is the {w} blue|how does a
{w} work|what is the meaning of life|reserve a table in {p}|reserve a seat to {p}|cancel my flight
to {p}|rent a car in {p}|find me a flight to {p}|find a cheap hotel in {p}|charter a boat to
{p}|drive me to {p}|show me the way to {p}|how far is it to {p}|how do I get to {p}|give me
directions to {p}|show a map of {p}|take me to {p}|navigate to {p}|set an alarm for {h}|set a timer
for {h}|wake me at {h}|what is the time|which day is it today|what day is it|what is the date
today|tell me the hour|transfer money to {p}|pay {p} back|pay the bill|what is the stock price of
{w}|convert {h} to {p} time|what is the exchange rate|post {w} on my blog|tweet about {w}|print {w}
on paper|invite {p} to the party|make coffee|cook {w} for dinner|give me a recipe for {w}|how do I
cook {w}|recommend a film|suggest a {w}|what should I wear in {p}|is {w} healthy|guess my
age|upgrade my seat to {p}|check me in for the flight to {p}|which airline flies to {p}|when does
the train to {p} leave|when is the next flight to {p}|is my flight to {p} delayed|track my
parcel|hail a cab to {p}|scan my passport|send {p} a postcard|write an email to {p}|reply to
{p}|forward this to {p}|share it with {p}|record a video|take a photo|open the door|lock the
car|feed the {w}|walk the dog|water the plants|clean the {w}|fix my {w}|repair the {w}|teach me to
{w}|summarize the book {w}|recommend a restaurant in {p}|who is {p}|where is {p}|where was {p}
born|tell me about {p}|what is a {w}|describe {p}|iron the {w}|wash the dishes|empty the bin|mow
the lawn|close the window|start the engine|stop the {w}|restart the router|sweep the floor|polish
the {w}|heat up the oven|charge the phone|switch on the heating|turn the {w} off|say what time it
is|tell me what day it is|give me the time|hang up the picture|build a {w} for me|sell my {w}|rent
me a {w}|mail the {w} to {p}|deliver the {w} to {p}|bring me to {p}|meet me in {p}|what is new in
{p}|who lives in {p}|how old is {p}|how tall is the {w}|how much does a {w} weigh|why do people
like {w}|what color is the {w}|sort my photos|check the oil|unlock the {w}|pick up {p} from the
station|wrap the {w}|open the gate of the {w}|knit me a {w}|tune the piano|find my glasses
""")

# --- system sentences ---------------------------------------------------------------------------

SYSTEM = slot("""
You are a helpful assistant.|You are pocket.|Be brief.|Answer in one sentence.|Use the tools when
you need them.|You are the {w} agent.|You are the flight agent.|You are the payments agent.|You are
the calendar agent.|You are the hotel agent.|You are the {w} agent. Solve the task step by step
with the tools.|You are the flight agent. Solve the task step by step with the tools.|Solve the
task step by step with the tools.|Think step by step.|You are an agent that works with tools.|Act
with care.|Answer with the final result only.|Earlier attempt failed: the answer was wrong. Try
again.|Earlier attempt failed: {t}. Try again.|The earlier attempt failed because {t}.|Reflection:
{t}.|Reflection: next time use the {w} first.|You work for {p}.|Lesson: {t}.|You help travellers
from {p}.|Today is {h}.|The user is called {p}.|Never mention {w}.|Your answers are read by a
program.|You are {p}, an assistant.|You are one of many agents.|Stay calm.|Work with the {w} and
the {u}.|You are a planner. {t}.|Do not guess.|If a tool fails, try it once more.|Say so when you
cannot do it.|The task: help the user with {w} and {u}.|Use one tool at a time.|Mind the
{w}.|{t}.|Previous steps: {t}.|Plan: first {w}, then {u}.|Observation follows every action.|Memory
of this agent: {t}.|Reply in plain text.|Finish with the answer.|You run inside an operating
system.|Agent {w}, step 1.|Agent number 7.|Your name is {w}.|You are a careful {w} assistant for
{p}.
""")
