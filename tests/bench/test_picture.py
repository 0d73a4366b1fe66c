"""The picture: well-formed, one box a stay, one time axis for all panels."""

from xml.etree import ElementTree

from aios.bench.picture import Panel, draw, family_of
from aios.bench.records import Ending, Span

SVG = "{http://www.w3.org/2000/svg}"


def span(agent: str, lane: int, start: float, end: float, ending: Ending = Ending.DONE) -> Span:
    return Span(lane=lane, agent=agent, start=start, end=end, ending=ending)


def panel(*spans: Span, seconds: float = 4.0, alarms: tuple[float, ...] = ()) -> Panel:
    return Panel(title="A <way>", facts="f & g", spans=spans, seconds=seconds, alarms=alarms)


def boxes(svg: str) -> list[ElementTree.Element]:
    """The rectangles that are stays on a lane: those that say what they are."""
    root = ElementTree.fromstring(svg)
    return [box for box in root.iter(f"{SVG}rect") if box.find(f"{SVG}title") is not None]


def marks(svg: str) -> int:
    return len(list(ElementTree.fromstring(svg).iter(f"{SVG}polygon")))


def test_every_stay_on_a_lane_is_a_box_of_its_length() -> None:
    found = boxes(draw("t", [panel(span("flight-1", 0, 0, 2), span("hotel-1", 1, 1, 2))]))
    wide, narrow = (float(box.attrib["width"]) for box in found)
    assert abs(wide - 2 * narrow) < 0.2
    assert found[0].attrib["y"] != found[1].attrib["y"]


def test_a_second_is_as_long_in_every_panel() -> None:
    long = panel(span("flight-1", 0, 0, 8), seconds=8.0)
    short = panel(span("flight-1", 0, 0, 2), seconds=2.0)
    eight, two = (float(box.attrib["width"]) for box in boxes(draw("t", [long, short])))
    assert abs(eight - 4 * two) < 0.5


def test_agents_of_a_family_share_a_colour_in_shades_and_families_differ() -> None:
    spans = [span(name, 0, at, at + 1) for at, name in enumerate(("a-1", "a-2", "b-1"))]
    fills = [box.attrib["fill"] for box in boxes(draw("t", [panel(*spans)]))]
    assert len(set(fills)) == 3
    assert family_of("hotel-12") == "hotel"


def test_a_context_switch_is_marked_and_an_end_is_not() -> None:
    ended = draw("t", [panel(span("a-1", 0, 0, 1))])
    switched = draw("t", [panel(span("a-1", 0, 0, 1, Ending.SWITCHED))])
    assert marks(ended) == 0
    assert marks(switched) == 2  # on the lane and in the legend


def test_running_out_of_memory_has_a_strip_of_its_own() -> None:
    quiet = draw("t", [panel(span("a-1", 0, 0, 1))])
    loud = draw("t", [panel(span("a-1", 0, 0, 1), alarms=(0.5, 0.7))])
    assert "out of memory" not in quiet
    assert "out of memory" in loud


def test_titles_are_text_whatever_they_hold() -> None:
    texts = [one.text for one in ElementTree.fromstring(draw("<&>", [panel()])).iter(f"{SVG}text")]
    assert {"<&>", "A <way>", "f & g"} <= set(texts)
