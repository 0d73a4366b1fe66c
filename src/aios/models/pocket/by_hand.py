"""Sentences written by hand, after the generator was frozen and never used to change it.

They say how pocket does on wording that no grammar made. Knows nothing of models.
"""

from collections.abc import Mapping, Sequence

from aios.models.pocket import asked
from aios.models.pocket.plan import CANNOT, Request, carry_out
from aios.models.pocket.tasks import Task, Turn
from aios.models.pocket.tools import TOOLS, State

_ALL = tuple(TOOLS)


def by_hand() -> list[Task]:
    """Every hand-written task."""
    return [*_computing(), *_facts(), *_notes(), *_plans(), *_talk(), *_conversations()]


def _computing() -> list[Task]:
    sums = (
        ("What does 48 plus 77 come to?", "48+77"),
        ("I bought four tickets at 35 each, and need to know: 4 * 35?", "4*35"),
        ("Could you quickly multiply 19 by 23 for me?", "19*23"),
        ("My hotel is 89 a night, so what is 89 times 6?", "89*6"),
        ("Add 1250 and 399, please.", "1250+399"),
        ("1024 divided by 8 is how many?", "1024/8"),
        ("Tell me the total of 310 and 45.50", "310+45.50"),
        ("Please work out 12 seats at 240 each", "12*240"),
        ("How much do I pay for 3 nights at 115?", "3*115"),
        ("Subtract 75 from 420 and tell me the outcome", "420-75"),
        ("I'd like to know what half of 930 is", "930/2"),
        ("We are 7 people and the taxi was 84: what is 84 / 7?", "84/7"),
        ("(15 + 9) * 3 = ?", "(15+9)*3"),
        ("what's 20 percent of 360", "360*20/100"),
    )
    return [_task("calc", asked.calc(text, expression)) for text, expression in sums]


def _facts() -> list[Task]:
    facts = (
        ("Please remember that my seat is 14C.", "seat", "14C"),
        ("My passport number is X4471, keep it in mind.", "passport number", "X4471"),
        ("Save 325 as the fare.", "fare", "325"),
        ("Don't forget: the meeting room is Atlantis.", "meeting room", "Atlantis"),
        ("The departure time is 6:45", "departure time", "6:45"),
        ("Can you store that our guide is Marta Lindqvist?", "guide", "Marta Lindqvist"),
        ("From now on the deadline is 3 March.", "deadline", "3 March"),
        ("Hi! Set the platform to 9, thanks", "platform", "9"),
        ("Remember my dentist is Dr Okafor", "dentist", "Dr Okafor"),
        ("My new door code is 8812. Remember it.", "door code", "8812"),
    )
    stored = [_task("remember", asked.remember(*fact)) for fact in facts]
    questions = (
        ("What's my seat again?", "seat", "14C"),
        ("Do you know the wifi password?", "wifi password", "tulip77"),
        ("Remind me, please: what is my booking code?", "booking code", "QX9P2"),
        ("Which hotel name did I give you?", "hotel name", "Albergo Luna"),
        ("I can't recall my locker number, what was it?", "locker number", "417"),
        ("tell me the return date", "return date", "28 June"),
        ("Please look up the gate.", "gate", "B22"),
        ("what did I save as the budget?", "budget", "1500"),
        ("Is there a value for my terminal?", "terminal", "2"),
        ("Look up my cat name for me, will you", "cat name", "Mimi"),
    )
    recalled = [
        _task("recall", asked.recall(text, key), memory={key: v}) for text, key, v in questions
    ]
    unknown = _task("recall", asked.recall("What is my shoe size?", "shoe size"))
    return [*stored, *recalled, unknown]


def _notes() -> list[Task]:
    writing = (
        ("Write the note groceries: bread and two lemons", "groceries", "bread and two lemons"),
        ('Put "call the bank" in the note monday.', "monday", "call the bank"),
        ("Make a note called trip with the text leave at nine", "trip", "leave at nine"),
        ("In the note agenda, write: budget then hiring", "agenda", "budget then hiring"),
        ("Please add pack warm socks to the note packing", "packing", "pack warm socks"),
        ('Save "gate closes 20:15" to the file oslo.txt', "oslo.txt", "gate closes 20:15"),
        ("The note ideas should say paint the garden fence", "ideas", "paint the garden fence"),
        ("create a file todo.md containing renew visa", "todo.md", "renew visa"),
        ("Jot down meet Ingrid at noon in my note calendar", "calendar", "meet Ingrid at noon"),
        ('Could you note "seats 12 and 13" in the file seats?', "seats", "seats 12 and 13"),
    )
    written = [_task("write", asked.write(*note)) for note in writing]
    reading = (
        ("What does the note groceries say?", "groceries", "milk and honey"),
        ("Open the note todo.md and read it to me", "todo.md", "fix the roof"),
        ("Please show me the note itinerary", "itinerary", "Oslo then Bergen by train"),
        ("I want to read the note agenda.", "agenda", "budget"),
        ("what's written in the file fares.txt?", "fares.txt", "Lima 640, Quito 580"),
        ("Can you read out my note diary?", "diary", "rain all day"),
        ("Is there something in the note ideas?", "ideas", "learn chess"),
        ("Give me the contents of the file log7", "log7", "disk full at 3:15"),
    )
    read = [_task("read", asked.read(text, name), notes={name: t}) for text, name, t in reading]
    gone = _task("read", asked.read("Read me the note holidays, please", "holidays"))
    return [*written, *read, gone]


def _plans() -> list[Task]:
    computed = (
        asked.calc_save("Compute 3 * 240 and remember it as fare", "3*240", "fare"),
        asked.calc_save("Add 85 and 17, then save it as total.", "85+17", "total"),
        asked.calc_save("What is 60 / 4? Please store the result as share", "60/4", "share"),
        asked.calc_note("Work out 14 * 12 and write it in the note costs", "14*12", "costs"),
        asked.calc_note(
            "Calculate 900 - 275 and put the result in my note budget", "900-275", "budget"
        ),
    )
    recalled = (
        (asked.recall_calc("Take my fare and multiply it by 3", "fare", "{0}*3"), "240"),
        (asked.recall_calc("What is the budget minus 130?", "budget", "{0}-130"), "900"),
        (asked.recall_calc("Recall the rent and divide it by 2, please", "rent", "{0}/2"), "1180"),
        (asked.recall_note("Look up my gate and write it in the note trip", "gate", "trip"), "C4"),
        (
            asked.recall_note(
                "Put the meeting date into the note calendar.", "meeting date", "calendar"
            ),
            "12 May",
        ),
    )
    read = (
        (asked.read_calc("Read the note costs and add 50", "costs", "{0}+50"), "168"),
        (asked.read_calc("Open the note price, then double it.", "price", "{0}*2"), "77"),
        (
            asked.read_save("Read the note code and remember it as door code", "code", "door code"),
            "4711",
        ),
    )
    sums = (
        asked.sum_recalled("How much are my fare and my hotel together?", "fare", "hotel"),
        asked.sum_recalled("Add the deposit and the tax", "deposit", "tax"),
    )
    costs = {"fare": "240", "hotel": "445", "deposit": "100", "tax": "19"}
    failing = (
        (asked.calc("Please compute 8 + 13.", "8+13"), ("error: timeout",)),
        (
            asked.write("Write the note a1: hello world", "a1", "hello world"),
            ("error: timeout",) * 2,
        ),
        (asked.remember("My age is 41", "age", "41"), ("error: denied",)),
    )
    return [
        *(_task(request.kind, request) for request in computed),
        *(_task(r.kind, r, memory={r.plan[0].arguments["key"]: v}) for r, v in recalled),
        *(_task(r.kind, r, notes={r.plan[0].arguments["name"]: t}) for r, t in read),
        *(_task(request.kind, request, memory=costs) for request in sums),
        *(_task("retry", request, faults=faults) for request, faults in failing),
    ]


def _talk() -> list[Task]:
    beyond = (
        "Book me a flight to Lisbon for Friday",
        "What's the weather going to be in Vienna?",
        "Please send an email to Tomas about the delay",
        "Tell me a joke about pilots",
        "Translate good morning into Japanese",
        "Order two pizzas",
        "Who is the mayor of Chicago?",
        "Play some jazz",
    )
    refused = [_task("cannot", asked.request("cannot", text, (), CANNOT)) for text in beyond]
    lost = (
        (("note_read",), asked.calc("What is 5 times 9?", "5*9")),
        (("calculator",), asked.remember("Remember that my fare is 310", "fare", "310")),
        (("calculator", "memory_set"), asked.recall("What is my gate?", "gate")),
        (
            ("calculator", "memory_set", "memory_get"),
            asked.write("Write the note plan: walk to the harbour", "plan", "walk to the harbour"),
        ),
        (
            ("memory_set", "note_write", "memory_get", "calculator"),
            asked.read("Read the note plan", "plan"),
        ),
        ((), asked.calc("Add 3 and 4", "3+4")),
    )
    missing = [_task("missing", request, listed=listed) for listed, request in lost]
    said = (
        ("repeat", "Repeat: the train leaves at dawn", "the train leaves at dawn"),
        ("repeat", "Please say blue elephant", "blue elephant"),
        ("repeat", "Repeat after me: one fine day 99", "one fine day 99"),
        ("chat", "Hello!", "Hello! How can I help you?"),
        ("chat", "Thank you so much", "You are welcome."),
        ("chat", "What can you do?", "I can compute, remember facts and keep notes."),
        ("chat", "Who are you?", "I am pocket, a small model."),
        ("count", "Count from 12 to 40.", ", ".join(map(str, range(12, 41)))),
        ("count", "Please count from 5 up to 65", ", ".join(map(str, range(5, 66)))),
        ("count", "Count down from 30 to 18", ", ".join(map(str, range(30, 17, -1)))),
        (
            "count",
            "List the numbers from 10 to 90 in steps of 10",
            "10, 20, 30, 40, 50, 60, 70, 80, 90",
        ),
    )
    talk = [_task(kind, asked.request(kind, text, (), answer)) for kind, text, answer in said]
    return [*refused, *missing, *talk]


def _conversations() -> list[Task]:
    agent = "You are the flight agent. Solve the task step by step with the tools."
    return [
        _task(
            "conversation",
            asked.calc("What are 2 seats at 310 each?", "2*310"),
            asked.remember("Good, remember that the fare is 620.", "fare", "620"),
            asked.recall("What is the fare?", "fare"),
            system=agent,
        ),
        _task(
            "conversation",
            asked.remember("Remember that the meeting is Tuesday.", "meeting", "Tuesday"),
            asked.recall_note("Write the meeting into the note calendar", "meeting", "calendar"),
            asked.read("Now read the note calendar", "calendar"),
            system="You are the calendar agent. Be careful.",
        ),
        _task(
            "conversation",
            asked.calc_save("Compute 4 * 85 and save it as hotel", "4*85", "hotel"),
            asked.calc_save("Compute 2 * 190 and save it as flight", "2*190", "flight"),
            asked.sum_recalled("Now add the hotel and the flight", "hotel", "flight"),
            system="Earlier attempt failed: the total was never computed. Try again.",
        ),
        _task(
            "conversation",
            asked.write(
                "Write the note fares: Rome 210 and Nice 180", "fares", "Rome 210 and Nice 180"
            ),
            asked.request("cannot", "Book a flight to Nice", (), CANNOT),
            asked.read("What does the note fares say?", "fares"),
        ),
    ]


def _task(
    kind: str,
    *requests: Request,
    listed: Sequence[str] = _ALL,
    memory: Mapping[str, str] | None = None,
    notes: Mapping[str, str] | None = None,
    faults: tuple[str, ...] = (),
    system: str | None = None,
) -> Task:
    state = State(memory=dict(memory or {}), notes=dict(notes or {}), faults=list(faults))
    turns = []
    for request in requests:
        done = carry_out(request, state, listed)
        turns.append(
            Turn(kind=request.kind, user=request.text, calls=done.calls, answer=done.answer)
        )
    return Task(
        kind=kind,
        system=system,
        tools=tuple(listed),
        turns=tuple(turns),
        memory=memory or {},
        notes=notes or {},
        faults=faults,
    )
