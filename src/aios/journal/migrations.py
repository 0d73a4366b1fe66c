"""The tables, as numbered steps from an empty database to today's. Knows no connection.

Once released, a step is never changed: a new table is a new step at the end of `MIGRATIONS`.
"""

# --- the journal itself ---
_JOURNAL = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID",
)  # fmt: skip

# --- processes ---
_PROCESSES = (
    # `token` stands there for durable programs only, which get the very same one when run again.
    """
    CREATE TABLE processes (
        pid INTEGER PRIMARY KEY,
        parent INTEGER NOT NULL,
        name TEXT NOT NULL,
        agent TEXT NOT NULL,
        token_hash BLOB NOT NULL,
        token TEXT,
        priority INTEGER NOT NULL,
        program TEXT,
        argument BLOB,
        code TEXT NOT NULL,
        is_durable INTEGER NOT NULL,
        state TEXT NOT NULL,
        born REAL NOT NULL,
        exited BLOB,
        ended REAL
    ) STRICT
    """,
)

# --- mail ---
_MAIL = (
    """
    CREATE TABLE mail (
        id INTEGER PRIMARY KEY,
        pid INTEGER NOT NULL,
        sender INTEGER NOT NULL,
        body BLOB NOT NULL
    ) STRICT
    """,
    "CREATE INDEX mail_by_pid ON mail (pid)",
)

# --- calls ---
_CALLS = (
    # What calls with an idempotency key came to.
    """
    CREATE TABLE results (
        serial INTEGER PRIMARY KEY,
        pid INTEGER NOT NULL,
        key TEXT NOT NULL,
        digest BLOB NOT NULL,
        at REAL NOT NULL,
        outcome BLOB NOT NULL,
        UNIQUE (pid, key)
    ) STRICT
    """,
    # The calls of durable programs. `place` and `outcome` are NULL until a call is answered.
    """
    CREATE TABLE program_calls (
        pid INTEGER NOT NULL,
        number INTEGER NOT NULL,
        kind TEXT NOT NULL,
        digest BLOB NOT NULL,
        seen INTEGER NOT NULL,
        place INTEGER,
        outcome BLOB,
        PRIMARY KEY (pid, number)
    ) STRICT, WITHOUT ROWID
    """,
)

# --- generations ---
_GENERATIONS = (
    # LLM calls that go on after a crash. Another model may be asked for the same one meanwhile.
    """
    CREATE TABLE generations (
        id TEXT PRIMARY KEY,
        pid INTEGER NOT NULL,
        name TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        accepted REAL NOT NULL,
        body BLOB NOT NULL,
        snapshot BLOB,
        outcome BLOB,
        UNIQUE (pid, name, fingerprint)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE generation_tokens (
        generation TEXT NOT NULL,
        part INTEGER NOT NULL,
        tokens BLOB NOT NULL,
        PRIMARY KEY (generation, part)
    ) STRICT, WITHOUT ROWID
    """,
)

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
