"""Recorded calls through the kernel, with a recording made up here."""

import json
from pathlib import Path

import pytest

from aios.bench import traffic
from aios.bench.airline import Airline
from aios.bench.table import Options, quiet
from aios.bench.traffic_run import through_kernel
from aios.bench.traffic_worlds import function_cases
from aios.errors import NotFound

NUMBER = {"type": "dict", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
TASKS = 6


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Six tasks of thirty calls each on two machines."""
    folder = tmp_path / "bfcl"
    (folder / "func_doc").mkdir(parents=True)
    for machine, name in (("one", "put"), ("one", "get_sum"), ("two", "push")):
        row = {"name": name, "description": name, "parameters": NUMBER}
        with (folder / "func_doc" / f"{machine}.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")
    turn = [f"{name}(a={at})" for at in range(10) for name in ("put", "get_sum", "push")]
    with (folder / "multi_turn_base.jsonl").open("w") as file:
        file.writelines(
            json.dumps({"id": f"multi_turn_base_{at}", "initial_config": {"at": at}}) + "\n"
            for at in range(TASKS)
        )
    with (folder / "multi_turn_base_ground_truth.jsonl").open("w") as file:
        file.writelines(
            json.dumps({"id": f"multi_turn_base_{at}", "ground_truth": [turn, ["put('x')"]]}) + "\n"
            for at in range(TASKS)
        )
    return folder


def test_calls_in_any_schedule_give_what_direct_calls_give(recording: Path) -> None:
    cases = function_cases(recording)
    found = traffic._compared("made up", cases, range(4))
    assert (found.calls, found.refused) == (TASKS * 31 * 4, TASKS * 4)
    assert (found.different, found.worlds_different) == (0, 0)
    assert found.pauses > 0
    assert found.control_different > 0, "without declared effects the calls must get mixed up"


def test_the_same_seed_gives_the_same_run(recording: Path) -> None:
    cases = function_cases(recording)
    once, again = (through_kernel(cases, 7) for _ in range(2))
    assert (once.results, once.seconds) == (again.results, again.seconds)


def test_without_recordings_it_says_which_variable_names_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(traffic.DATA, raising=False)
    with pytest.raises(NotFound, match="AIOS_DATA"):
        traffic.run(Options(), quiet)


def test_a_booking_is_paid_takes_its_seats_and_is_the_users() -> None:
    day = {"status": "available", "available_seats": {"economy": 2}, "prices": {"economy": 70}}
    ends = {"origin": "JFK", "destination": "SEA"}
    desk = Airline(
        users={"mia": {"payment_methods": {"g": {"source": "gift_card", "amount": 200}},
                       "reservations": []}},
        reservations={},
        flights={"F1": {"flight_number": "F1", "dates": {"d": day}, **ends}},
    )  # fmt: skip
    order = {
        "user_id": "mia", "cabin": "economy", "flights": [{"flight_number": "F1", "date": "d"}],
        "passengers": [{"first_name": "Mia"}], "nonfree_baggages": 0, "insurance": "no",
        "payment_methods": [{"payment_id": "g", "amount": 70}],
    }  # fmt: skip
    booked = desk.book_reservation(**order)
    assert desk.users["mia"]["reservations"] == [booked["reservation_id"]]
    assert desk.users["mia"]["payment_methods"]["g"]["amount"] == 130
    assert day["available_seats"] == {"economy": 1}
    with pytest.raises(ValueError, match="expected payments of 70"):
        desk.book_reservation(**(order | {"payment_methods": []}))
    with pytest.raises(ValueError, match="not enough seats"):
        desk.book_reservation(**(order | {"passengers": [{}, {}]}))
    assert day["available_seats"] == {"economy": 1}
