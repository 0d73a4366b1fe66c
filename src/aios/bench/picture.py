"""Lanes over time as an SVG: one row for each lane, one box for each stay on it. Pure text.

Boxes are coloured by the kind of agent, each agent in a shade of its own. All panels share one
time axis, so that lengths can be compared between them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from aios.bench.records import Ending, Span

WIDTH = 1200
_LEFT, _RIGHT, _TOP = 108, 24, 92
_ROW, _GAP = 11, 2  # a lane's height, and the space below it
_HEAD, _FOOT = 40, 40  # of a panel, above and below its lanes
_LANES_MIN = 4
_TICKS_MAX = 12
_INK, _QUIET, _GRID, _ALARM = "#1b1f24", "#5b6470", "#e4e7eb", "#b3001b"
_COLOURS = ("#d9722e", "#2f6fb5", "#2e9e78", "#a05fa8", "#8a8f2a", "#5c6b7a")
_HEADLINE = f'font-size="20" font-weight="bold" fill="{_INK}"'
_TITLE = f'font-size="15" font-weight="bold" fill="{_INK}"'
_FACTS = f'font-size="13" text-anchor="end" fill="{_QUIET}"'
_KEY = f'font-size="13" fill="{_INK}"'
_LANE = f'font-size="11" text-anchor="end" fill="{_QUIET}"'
_SECOND = f'font-size="11" text-anchor="middle" fill="{_QUIET}"'
_WARNING = f'font-size="11" text-anchor="end" fill="{_ALARM}"'
_SHADES = 5  # steps from the full colour towards white
_SHADE_MOST = 0.45


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One way to run the same work. `alarms` are moments at which memory ran out."""

    title: str
    facts: str
    spans: tuple[Span, ...]
    seconds: float
    alarms: tuple[float, ...] = ()

    @property
    def lanes(self) -> int:
        return max([_LANES_MIN, *(span.lane + 1 for span in self.spans)])

    @property
    def height(self) -> int:
        strip = _ROW + 6 if self.alarms else 0
        return _HEAD + self.lanes * (_ROW + _GAP) + strip + _FOOT


def family_of(agent: str) -> str:
    """`flight-3` is of the family `flight`."""
    return agent.rpartition("-")[0] or agent


def draw(title: str, panels: Sequence[Panel]) -> str:
    """The whole picture. Times in spans and alarms are seconds since their panel's start."""
    spans = sorted((one for panel in panels for one in panel.spans), key=lambda one: one.start)
    families = list(dict.fromkeys(family_of(span.agent) for span in spans))
    scale = _Scale(max([1.0, *(panel.seconds for panel in panels)]))
    height = _TOP + sum(panel.height for panel in panels)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" font-family="Helvetica, Arial, sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(_LEFT, 34, title, _HEADLINE),
        *_legend(families, switches=_has(panels, Ending.SWITCHED), alarms=_alarms(panels)),
    ]
    top = _TOP
    for panel in panels:
        parts += _panel(panel, top, scale, families)
        top += panel.height
    return "\n".join([*parts, "</svg>\n"])


class _Scale:
    """Seconds to places along the picture's width."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._per_second = (WIDTH - _LEFT - _RIGHT) / seconds

    def x(self, second: float) -> float:
        return _LEFT + min(max(second, 0.0), self.seconds) * self._per_second

    def ticks(self) -> list[float]:
        """Round moments, not too many of them."""
        steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
        step = next((one for one in steps if self.seconds / one <= _TICKS_MAX), self.seconds)
        return [index * step for index in range(int(self.seconds / step + 1e-9) + 1)]


def _panel(panel: Panel, top: int, scale: _Scale, families: Sequence[str]) -> list[str]:
    lanes_top = top + _HEAD
    bottom = lanes_top + panel.lanes * (_ROW + _GAP)
    alarms_bottom = bottom + (_ROW + 6 if panel.alarms else 0)
    parts = [
        _text(_LEFT, top + 18, panel.title, _TITLE),
        _text(WIDTH - _RIGHT, top + 18, panel.facts, _FACTS),
        *_axis(scale, lanes_top - 6, alarms_bottom + 4),
        _text(_LEFT - 12, lanes_top + 9, "lane 1", _LANE),
        _text(_LEFT - 12, bottom - 4, f"lane {panel.lanes}", _LANE),
    ]
    # Marks lie above all boxes, or the next box would hide them.
    parts += [_box(span, lanes_top, scale, families) for span in panel.spans]
    parts += [mark for span in panel.spans for mark in _mark(span, lanes_top, scale)]
    if panel.alarms:
        parts.append(_text(_LEFT - 12, alarms_bottom - 1, "out of memory", _WARNING))
        parts += _ticks_of_alarm(panel.alarms, alarms_bottom, scale)
    return parts


def _axis(scale: _Scale, top: int, bottom: int) -> list[str]:
    parts = []
    for second in scale.ticks():
        x = scale.x(second)
        parts.append(_line(x, top, x, bottom, _GRID))
        label = f"{second:g} s"
        parts.append(_text(x, bottom + 14, label, _SECOND))
    parts.append(_line(_LEFT, bottom, WIDTH - _RIGHT, bottom, _QUIET))
    return parts


def _box(span: Span, lanes_top: int, scale: _Scale, families: Sequence[str]) -> str:
    left, right = scale.x(span.start), scale.x(span.end)
    y = lanes_top + span.lane * (_ROW + _GAP)
    lost = span.ending is Ending.OUT_OF_MEMORY
    fill = "#f3c6cc" if lost else _colour(span.agent, families)
    told = f"{span.agent}, {span.start:.2f} to {span.end:.2f} s, {span.ending}"
    return (
        f'<rect x="{left:.1f}" y="{y}" width="{max(right - left, 0.8):.1f}" height="{_ROW}" '
        f'fill="{fill}"><title>{escape(told)}</title></rect>'
    )


def _mark(span: Span, lanes_top: int, scale: _Scale) -> list[str]:
    """A black wedge where a call was switched off its lane, a red bar where its work was lost."""
    x = scale.x(span.end)
    y = lanes_top + span.lane * (_ROW + _GAP)
    if span.ending is Ending.SWITCHED:
        return [_wedge(x, y)]
    if span.ending is Ending.OUT_OF_MEMORY:
        return [_line(x, y, x, y + _ROW, _ALARM, width=2)]
    return []


def _ticks_of_alarm(alarms: Iterable[float], bottom: int, scale: _Scale) -> list[str]:
    return [
        _line(scale.x(at), bottom - _ROW, scale.x(at), bottom, _ALARM, width=1.2) for at in alarms
    ]


def _legend(families: Sequence[str], *, switches: bool, alarms: bool) -> list[str]:
    parts, x, y = [], float(_LEFT), 62
    for family in families:
        parts.append(
            f'<rect x="{x}" y="{y - 10}" width="22" height="{_ROW}" '
            f'fill="{_colour(family, families)}"/>'
        )
        parts.append(_text(x + 28, y, f"{family} agents", _KEY))
        x += 28 + 8 * len(f"{family} agents") + 18
    if switches:
        parts += [_wedge(x + 6, y - 10), _text(x + 16, y, "context switch", _KEY)]
        x += 16 + 8 * len("context switch") + 18
    if alarms:
        parts.append(_line(x + 6, y - 10, x + 6, y + 1, _ALARM, width=2))
        parts.append(_text(x + 14, y, "out of memory: freed, to be tried again", _KEY))
    return parts


def _has(panels: Sequence[Panel], ending: Ending) -> bool:
    return any(span.ending is ending for panel in panels for span in panel.spans)


def _alarms(panels: Sequence[Panel]) -> bool:
    return any(panel.alarms for panel in panels) or _has(panels, Ending.OUT_OF_MEMORY)


def _colour(agent: str, families: Sequence[str]) -> str:
    """The family's colour, lighter by the agent's number."""
    family = family_of(agent) if family_of(agent) in families else agent
    base = _COLOURS[families.index(family) % len(_COLOURS)]
    number = agent.rpartition("-")[2]
    shade = (int(number) - 1) % _SHADES / (_SHADES - 1) if number.isdigit() else 0.0
    channels = (int(base[at : at + 2], 16) for at in (1, 3, 5))
    light = [round(one + (255 - one) * shade * _SHADE_MOST) for one in channels]
    return "#" + "".join(f"{one:02x}" for one in light)


def _wedge(x: float, y: float) -> str:
    points = f"{x - 2.4:.1f},{y} {x + 2.4:.1f},{y} {x:.1f},{y + _ROW:.1f}"
    return f'<polygon points="{points}" fill="{_INK}"/>'


def _text(x: float, y: float, said: str, style: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(said)}</text>'


def _line(x: float, y: float, to_x: float, to_y: float, ink: str, *, width: float = 1) -> str:
    return (
        f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{ink}" '
        f'stroke-width="{width}"/>'
    )
