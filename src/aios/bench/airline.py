"""An airline's desk: fourteen tools over a database of users, reservations and flights.

Written from the schemas and the policy of the data folder `tau_airline`; results may differ from
tau-bench's own tools, so no run is a tau-bench score. Knows no kernel: a tool is a method, and
`TOUCHES` says what each reads and writes, which is what decides what may run beside it.
"""

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Row = dict[str, Any]
BAG_PRICE = 50
INSURANCE_PRICE = 30
PAID_FROM = ("gift_card", "certificate")  # These hold an amount that a payment lessens.
ARITHMETIC: Mapping[type[ast.AST], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.USub: operator.neg,
}
# tool -> (resources it reads, resources it writes); `{name}` is an argument of the call
TOUCHES: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "get_user_details": (("users",), ()),
    "get_reservation_details": (("reservation:{reservation_id}",), ()),
    "search_direct_flight": (("seats",), ()),
    "search_onestop_flight": (("seats",), ()),
    "list_all_airports": ((), ()),
    "calculate": ((), ()),
    "think": ((), ()),
    "transfer_to_human_agents": ((), ()),
    "book_reservation": ((), ("users", "seats", "bookings")),
    "cancel_reservation": ((), ("reservation:{reservation_id}",)),
    "update_reservation_baggages": ((), ("reservation:{reservation_id}", "users")),
    "update_reservation_flights": ((), ("reservation:{reservation_id}", "users", "seats")),
    "update_reservation_passengers": ((), ("reservation:{reservation_id}",)),
    "send_certificate": ((), ("users",)),
}


class Airline:
    """The desk over one database, which its tools change in place."""

    def __init__(self, users: Row, reservations: Row, flights: Row) -> None:
        self.users = users
        self.reservations = reservations
        self.flights = flights

    @property
    def state(self) -> Row:
        return {
            "users": self.users,
            "reservations": self.reservations,
            "flights": self.flights,
        }

    def get_user_details(self, user_id: str) -> Row:
        return _known(self.users, "user", user_id)

    def get_reservation_details(self, reservation_id: str) -> Row:
        return _known(self.reservations, "reservation", reservation_id)

    def list_all_airports(self) -> list[str]:
        return sorted({flight[end] for flight in self.flights.values() for end in ENDS})

    def search_direct_flight(self, origin: str, destination: str, date: str) -> list[Row]:
        return [
            _offer(flight, date)
            for flight in self.flights.values()
            if (flight["origin"], flight["destination"]) == (origin, destination)
            and _is_open(flight, date)
        ]

    def search_onestop_flight(self, origin: str, destination: str, date: str) -> list[list[Row]]:
        first = [one for one in self._from(origin, date) if one["destination"] != destination]
        return [
            [_offer(one, date), _offer(other, date)]
            for one in first
            for other in self._from(one["destination"], date)
            if other["destination"] == destination and one[ARRIVAL] <= other[DEPARTURE]
        ]

    def calculate(self, expression: str) -> str:
        return f"{_value(ast.parse(expression, mode='eval').body):.2f}"

    def think(self, thought: str) -> str:
        del thought
        return ""

    def transfer_to_human_agents(self, summary: str) -> str:
        del summary
        return "transferred"

    def book_reservation(self, **order: Any) -> Row:
        user = self.get_user_details(order["user_id"])
        people = len(order["passengers"])
        flights = self._seated(order["flights"], order["cabin"], people)
        price = sum(one["price"] for one in flights) * people
        price += INSURANCE_PRICE * people * (order["insurance"] == "yes")
        price += BAG_PRICE * order["nonfree_baggages"]
        paid = sum(one["amount"] for one in order["payment_methods"])
        if paid != price:
            raise ValueError(f"expected payments of {price}, got {paid}")
        for one in order["payment_methods"]:
            _pay(user, one["payment_id"], one["amount"])
        self._take(flights, order["cabin"], people)
        name = f"NEW{len(self.reservations):03d}"
        booked = order | {"reservation_id": name, "flights": flights}
        booked["payment_history"] = booked.pop("payment_methods")
        self.reservations[name] = booked
        user["reservations"].append(name)
        return booked

    def cancel_reservation(self, reservation_id: str) -> Row:
        booked = self.get_reservation_details(reservation_id)
        back = [one | {"amount": -one["amount"]} for one in booked["payment_history"]]
        booked["payment_history"] += back
        booked["status"] = "cancelled"
        return booked

    def update_reservation_baggages(
        self, reservation_id: str, total_baggages: int, nonfree_baggages: int, payment_id: str
    ) -> Row:
        booked = self.get_reservation_details(reservation_id)
        price = BAG_PRICE * max(0, nonfree_baggages - booked["nonfree_baggages"])
        self._charge(booked, payment_id, price)
        booked |= {"total_baggages": total_baggages, "nonfree_baggages": nonfree_baggages}
        return booked

    def update_reservation_flights(
        self, reservation_id: str, cabin: str, flights: list[Row], payment_id: str
    ) -> Row:
        booked = self.get_reservation_details(reservation_id)
        people = len(booked["passengers"])
        kept = {(one["flight_number"], one["date"]): one for one in booked["flights"]}
        if cabin != booked["cabin"]:
            kept = {}
        new = [one for one in flights if (one["flight_number"], one["date"]) not in kept]
        seated = iter(self._seated(new, cabin, people))
        chosen = [kept.get((one["flight_number"], one["date"])) or next(seated) for one in flights]
        before = sum(one["price"] for one in booked["flights"])
        self._charge(booked, payment_id, (sum(one["price"] for one in chosen) - before) * people)
        self._take([one for one in chosen if one not in booked["flights"]], cabin, people)
        booked |= {"flights": chosen, "cabin": cabin}
        return booked

    def update_reservation_passengers(self, reservation_id: str, passengers: list[Row]) -> Row:
        booked = self.get_reservation_details(reservation_id)
        if len(passengers) != len(booked["passengers"]):
            raise ValueError(f"expected {len(booked['passengers'])} passengers")
        booked["passengers"] = passengers
        return booked

    def send_certificate(self, user_id: str, amount: float) -> str:
        methods = self.get_user_details(user_id)["payment_methods"]
        name = f"certificate_{len(methods):07d}"
        methods[name] = {"source": "certificate", "amount": amount, "id": name}
        return f"certificate {name} of {amount} added to user {user_id}"

    def _from(self, origin: str, date: str) -> list[Row]:
        flights = self.flights.values()
        return [one for one in flights if one["origin"] == origin and _is_open(one, date)]

    def _seated(self, wanted: Sequence[Row], cabin: str, people: int) -> list[Row]:
        """The flights with their ends and prices; each has a place for everybody."""
        seated = []
        for one in wanted:
            flight = _known(self.flights, "flight", one["flight_number"])
            if not _is_open(flight, one["date"]):
                raise ValueError(f"flight {one['flight_number']} cannot be booked on {one['date']}")
            day = flight["dates"][one["date"]]
            if day["available_seats"][cabin] < people:
                raise ValueError(f"flight {one['flight_number']}: not enough seats in {cabin}")
            ends = {end: flight[end] for end in ENDS}
            seated.append({**one, "price": day["prices"][cabin], **ends})
        return seated

    def _take(self, flights: Sequence[Row], cabin: str, people: int) -> None:
        for one in flights:
            day = self.flights[one["flight_number"]]["dates"][one["date"]]
            day["available_seats"][cabin] -= people

    def _charge(self, booked: Row, payment_id: str, price: float) -> None:
        """Pay for a change; one that is cheaper than before is paid back."""
        if not price:
            return
        _pay(self.get_user_details(booked["user_id"]), payment_id, price)
        booked["payment_history"].append({"payment_id": payment_id, "amount": price})


ENDS = ("origin", "destination")
DEPARTURE, ARRIVAL = "scheduled_departure_time_est", "scheduled_arrival_time_est"


def _known(rows: Row, kind: str, name: str) -> Row:
    if name not in rows:
        raise ValueError(f"no {kind} {name!r}")
    row: Row = rows[name]
    return row


def _is_open(flight: Row, date: str) -> bool:
    return bool(flight["dates"].get(date, {}).get("status") == "available")


def _offer(flight: Row, date: str) -> Row:
    rest = {name: value for name, value in flight.items() if name != "dates"}
    day: Row = flight["dates"][date]
    return {**rest, "date": date, **day}


def _pay(user: Row, payment_id: str, amount: float) -> None:
    method = _known(user["payment_methods"], "payment method", payment_id)
    if method["source"] not in PAID_FROM:
        return
    if method["amount"] < amount:
        raise ValueError(f"{payment_id} holds {method['amount']}, which is less than {amount}")
    method["amount"] -= amount


def _value(node: ast.AST) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        return ARITHMETIC[type(node.op)](_value(node.left), _value(node.right))
    if isinstance(node, ast.UnaryOp) and type(node.op) in ARITHMETIC:
        return ARITHMETIC[type(node.op)](_value(node.operand))
    raise ValueError(f"expected numbers and + - * /, got {ast.unparse(node)}")
