"""The screen of `aios top`. Asks a client, shows a `View`; decides nothing about agents."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, ClassVar

import msgspec
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import DataTable, Footer, Input, Static

from aios.cli.remote import plain
from aios.cli.top_view import MOMENTS, SORTS, Row, View
from aios.errors import AiosError
from aios.sdk.client import Client
from aios.syscalls import ModelList, Pid

COLUMNS = (
    "PID", "NAME", "STATE", "CALLS", "OPEN", "TOKENS IN", "TOKENS OUT", "TOK/S", "LANES",
    "ON LANES", "WAITS FOR",
)  # fmt: skip
STATES = {"running": "green", "paused": "yellow", "failed": "red", "killed": "red"}
Events = Callable[[], AsyncIterator[bytes]]
Act = Callable[[Pid], Awaitable[Any]]


class Detail(ModalScreen[None]):
    """One agent in full; any of its keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, "dismiss", show=False) for key in ("escape", "enter", "q")
    ]
    CSS = (
        "Detail {align: center middle} Detail Static {width: 76; border: round $accent; padding: 1}"
    )

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        yield Static(self._text, markup=False)


class Top(App[None]):
    """Refreshes each `every_s` seconds, and tells in its first line when it could not."""

    CSS = (  # The head grows where it wraps: its last line is the only word before a kill.
        "#head {height: auto; min-height: 2; padding: 0 1} #filter {display: none} "
        "DataTable {height: 1fr}"
    )
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("p", "steer('pause')", "Pause"),
        Binding("r", "steer('resume')", "Resume"),
        Binding("k", "kill", "Kill"),
        Binding("s", "sort", "Sort"),
        Binding("t", "tree", "Tree"),
        Binding("slash", "filter", "Filter", key_display="/"),
    ]

    def __init__(self, client: Client, events: Events, *, every_s: float = 1.0) -> None:
        super().__init__()
        self._client = client
        self._events = events
        self._every_s = every_s
        self._view = View()
        self._models = ModelList(models=())
        self._order = "pid"
        self._words = ""
        self._is_tree = False
        self._doomed: Pid | None = None  # `k` was pressed on it once
        self._note = ""
        # Held, not looked up: an answer may come when the screen is being taken down, or a detail
        # lies over it.
        self._top_line = Static(id="head", markup=False)
        self._filter = Input(placeholder="part of a name or a state", id="filter")
        self._table = DataTable[Any](cursor_type="row", zebra_stripes=True)

    def compose(self) -> ComposeResult:
        yield self._top_line
        yield self._filter
        yield self._table
        yield Footer()

    async def on_mount(self) -> None:
        table = self._table
        table.add_columns(*COLUMNS)
        table.focus()
        self.run_worker(self._listen(), exit_on_error=False)
        await self._refresh()
        self.set_interval(self._every_s, self._refresh)

    async def action_steer(self, verb: str) -> None:
        acts: dict[str, Act] = {"pause": self._client.pause, "resume": self._client.resume}
        await self._do(verb, acts[verb])

    async def action_kill(self) -> None:
        """Kills on the second press on the same agent."""
        pid = self._chosen
        if pid is not None and pid != self._doomed:
            self._doomed, self._note = pid, f"press k again to kill pid {pid}"
            self._paint()
            return
        self._doomed = None
        await self._do("kill", self._client.kill)

    def action_sort(self) -> None:
        orders = list(SORTS)
        self._order = orders[(orders.index(self._order) + 1) % len(orders)]
        self._table.move_cursor(row=0)
        self._paint()

    def action_tree(self) -> None:
        self._is_tree = not self._is_tree
        self._paint()

    def action_filter(self) -> None:
        self._filter.styles.display = "block"
        self._filter.focus()

    def on_input_changed(self, changed: Input.Changed) -> None:
        self._words = changed.value
        self._paint()

    def on_input_submitted(self) -> None:
        self._filter.styles.display = "block" if self._filter.value else "none"
        self._table.focus()

    async def on_data_table_row_selected(self) -> None:
        await self._do("inspect", self._inspect)

    async def _inspect(self, pid: Pid) -> None:
        fields = msgspec.structs.asdict(await self._client.inspect(pid))
        self.push_screen(Detail("\n".join(f"{name:<18} {_told(fields[name])}" for name in fields)))

    async def _do(self, verb: str, act: Act) -> None:
        """An act on the agent under the cursor; what is wrong with it stands in the first line."""
        if (pid := self._chosen) is None:
            return
        try:
            await act(pid)
        except AiosError as error:
            self._note = f"{verb} {pid}: {error}"
        else:
            self._note = "" if verb == "inspect" else f"{verb} {pid}: done"
        await self._refresh()

    async def _refresh(self) -> None:
        try:
            if not self._models.models:
                self._models = await self._client.models()
            listed = await self._client.list()
        except AiosError as error:
            self._note = f"{error.code}: {error}"
        else:
            self._view.refresh(listed.processes, asyncio.get_running_loop().time())
        self._paint()

    async def _listen(self) -> None:
        """Follow the events for as long as the screen lasts; a kernel that went may come back."""
        while True:
            try:
                async for data in self._events():
                    self._view.heard(msgspec.json.decode(data))
            except AiosError:
                pass  # The refresh tells it.
            await asyncio.sleep(self._every_s)

    def _paint(self) -> None:
        if not self._table.is_attached:
            return
        shown = self._view.shown(self._order, self._words, tree=self._is_tree)
        self._top_line.update(self._head(len(shown)))
        table, kept = self._table, self._chosen if self._table.cursor_row else None
        table.clear()
        for depth, row in shown:
            table.add_row(*_cells(depth, row), key=str(row.info.pid))
        pids = [row.info.pid for _, row in shown]
        if kept in pids:
            table.move_cursor(row=pids.index(kept), animate=False)

    def _head(self, shown: int) -> str:
        rows = self._view.rows
        models = ", ".join(
            f"{one.name} ({one.lanes} lanes, KV {one.kv_tokens:,} tokens)"
            for one in self._models.models
        )
        rate = sum(row.tokens_per_s for row in rows)
        return (
            f"{len(rows)} agents, {shown} shown by {self._order}   on lanes {self._view.lanes}   "
            f"{rate:,.0f} tok/s   {self._view.switches} switches   {models}\n{plain(self._note)}"
        )

    @property
    def _chosen(self) -> Pid | None:
        table = self._table
        if not table.row_count:
            return None
        key = table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value
        return int(key) if key else None


def _told(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else plain(str(value))


def _cells(depth: int, row: Row) -> tuple[Any, ...]:
    from rich.text import Text

    info = row.info
    right = (info.calls, info.live_calls, info.prompt_tokens, info.completion_tokens)
    return (
        Text(str(info.pid), justify="right"),
        f"{'  ' * depth}{plain(info.name)}",
        Text(info.state, style=STATES.get(info.state, "")),
        *(Text(f"{one:,}", justify="right") for one in right),
        Text(f"{row.tokens_per_s:,.0f}", justify="right"),
        Text(str(row.lanes or ""), justify="right"),
        Text(row.trail.rjust(MOMENTS), style="cyan"),
        plain(info.waiting_for),
    )
