"""Every SQL statement there is, named once, a section a room. A room binds values, no more.

A statement's name is its constant's name in small letters; `named` finds them all.
"""

from aios.journal.base import Statement

# --- the journal itself ---
META_GET = Statement("meta_get", "SELECT value FROM meta WHERE name = ?")
META_PUT = Statement("meta_put", "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)")

# --- processes ---

# --- mail ---

# --- calls: idempotency keys, the calls of durable programs ---

# --- generations ---

# --- blocks ---

# --- histories ---

# --- notes ---

# --- index outbox: what the index has yet to see; the row of a thing changed again is a new one ---
OUTBOX_ADD = Statement("outbox_add", "INSERT OR REPLACE INTO index_outbox (kind, id) VALUES (?, ?)")
OUTBOX_OLDEST = Statement(
    "outbox_oldest", "SELECT place, kind, id FROM index_outbox ORDER BY place LIMIT ?"
)
OUTBOX_COUNT = Statement("outbox_count", "SELECT count(*) FROM index_outbox")
# By place, not by thing: a change that came while the thing was being indexed keeps its row.
OUTBOX_DONE = Statement("outbox_done", "DELETE FROM index_outbox WHERE place = ?")

# --- files ---


def named() -> dict[str, Statement]:
    """All statements of this file by the name of their constant."""
    return {name: value for name, value in globals().items() if isinstance(value, Statement)}
