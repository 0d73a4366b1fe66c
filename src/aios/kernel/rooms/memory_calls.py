"""Which handler of the memory rooms answers which syscall. Computes nothing."""

from aios.kernel.dispatch import Kind, RoomHandler
from aios.memory.blocks import BlockRoom
from aios.memory.histories import HistoryRoom
from aios.memory.notes import NoteRoom
from aios.syscalls import history, llm, memory, note

# Answered in the caller's own task: nothing is committed, nothing torn by a caller that leaves.
READ_ONLY: frozenset[Kind] = frozenset(
    {llm.Embed, memory.Read, memory.Blocks, history.Turns, history.Histories, note.Get, note.Search}
)


def memory_handlers(
    blocks: BlockRoom, histories: HistoryRoom, notes: NoteRoom
) -> dict[Kind, RoomHandler]:
    """The handlers of the families memory, history and note."""
    return {
        memory.Alloc: blocks.alloc,
        memory.Read: blocks.read,
        memory.Write: blocks.write,
        memory.Append: blocks.append,
        memory.Clear: blocks.clear,
        memory.Free: blocks.free,
        memory.Blocks: blocks.list,
        memory.Share: blocks.share,
        history.Extend: histories.extend,
        history.Turns: histories.read,
        history.Fork: histories.fork,
        history.Rollback: histories.rollback,
        history.Drop: histories.drop,
        history.Histories: histories.list,
        history.Assemble: histories.assemble,
        note.Add: notes.add,
        note.Get: notes.get,
        note.Update: notes.update,
        note.Remove: notes.remove,
        note.Link: notes.link,
        note.ShareNote: notes.share,
        note.Search: notes.search,
    }
