"""The tables, as numbered steps from an empty database to today's. Knows no connection.

Once released, a step is never changed: a new table is a new step at the end of `MIGRATIONS`.
"""

# --- the journal itself ---
_JOURNAL = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID",
)  # fmt: skip

# --- processes ---
_PROCESSES: tuple[str, ...] = ()

# --- mail ---
_MAIL: tuple[str, ...] = ()

# --- calls ---
_CALLS: tuple[str, ...] = ()

# --- generations ---
_GENERATIONS: tuple[str, ...] = ()

# --- blocks ---
_BLOCKS: tuple[str, ...] = ()

# --- histories ---
_HISTORIES: tuple[str, ...] = ()

# --- notes ---
_NOTES: tuple[str, ...] = ()

# --- index outbox ---
_INDEX_OUTBOX = (
    # AUTOINCREMENT: a place is never given twice, so a deletion by place hits no later change.
    """
    CREATE TABLE index_outbox (
        place INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        UNIQUE (kind, id)
    ) STRICT
    """,
)

# --- files ---
_FILES: tuple[str, ...] = ()

# Step n takes a database from version n - 1 to n; each is SQL in order.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        *_JOURNAL, *_PROCESSES, *_MAIL, *_CALLS, *_GENERATIONS, *_BLOCKS, *_HISTORIES, *_NOTES,
        *_INDEX_OUTBOX, *_FILES,
    ),
)  # fmt: skip
