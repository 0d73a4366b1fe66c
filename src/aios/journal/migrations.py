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
    # The calls of durable programs. `place` and `outcome` are NULL until a call is answered;
    # `reported` is what the tool gave whose attempt a call is.
    """
    CREATE TABLE program_calls (
        pid INTEGER NOT NULL,
        number INTEGER NOT NULL,
        kind TEXT NOT NULL,
        digest BLOB NOT NULL,
        seen INTEGER NOT NULL,
        within INTEGER,
        place INTEGER,
        outcome BLOB,
        reported TEXT,
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
_BLOCKS = (
    """
    CREATE TABLE blocks (
        id INTEGER PRIMARY KEY,
        owner TEXT NOT NULL,
        name TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        limit_bytes INTEGER NOT NULL,
        chunks INTEGER NOT NULL,
        UNIQUE (owner, name)
    ) STRICT
    """,
    # A block's bytes in order; a chunk is either here or a blob.
    """
    CREATE TABLE block_chunks (
        block INTEGER NOT NULL,
        place INTEGER NOT NULL,
        data BLOB,
        blob TEXT,
        UNIQUE (block, place),
        CHECK ((data IS NULL) <> (blob IS NULL))
    ) STRICT
    """,
    "CREATE INDEX block_chunks_blobs ON block_chunks (blob) WHERE blob IS NOT NULL",
    """
    CREATE TABLE block_grants (
        block INTEGER NOT NULL,
        agent TEXT NOT NULL,
        access TEXT NOT NULL,
        PRIMARY KEY (block, agent)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX block_grants_by_agent ON block_grants (agent)",
)

# --- histories ---
_HISTORIES = (
    """
    CREATE TABLE histories (
        agent TEXT NOT NULL,
        name TEXT NOT NULL,
        head BLOB,
        length INTEGER NOT NULL,
        PRIMARY KEY (agent, name)
    ) STRICT, WITHOUT ROWID
    """,
    # `uses` counts the children and the heads of a node, and the nodes of a message.
    """
    CREATE TABLE nodes (
        hash BLOB PRIMARY KEY,
        parent BLOB,
        depth INTEGER NOT NULL,
        jump BLOB,
        jump_depth INTEGER NOT NULL,
        message BLOB NOT NULL,
        uses INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX nodes_unused ON nodes (hash) WHERE uses = 0",
    """
    CREATE TABLE messages (
        hash BLOB PRIMARY KEY,
        body BLOB,
        blob TEXT,
        uses INTEGER NOT NULL DEFAULT 0
    ) STRICT
    """,
    "CREATE INDEX messages_blobs ON messages (blob) WHERE blob IS NOT NULL",
    """
    CREATE TRIGGER node_added AFTER INSERT ON nodes BEGIN
        UPDATE nodes SET uses = uses + 1 WHERE hash = NEW.parent;
        UPDATE messages SET uses = uses + 1 WHERE hash = NEW.message;
    END
    """,
    """
    CREATE TRIGGER node_gone AFTER DELETE ON nodes BEGIN
        UPDATE nodes SET uses = uses - 1 WHERE hash = OLD.parent;
        UPDATE messages SET uses = uses - 1 WHERE hash = OLD.message;
        DELETE FROM messages WHERE hash = OLD.message AND uses = 0;
    END
    """,
    """
    CREATE TRIGGER history_added AFTER INSERT ON histories BEGIN
        UPDATE nodes SET uses = uses + 1 WHERE hash = NEW.head;
    END
    """,
    """
    CREATE TRIGGER history_moved AFTER UPDATE OF head ON histories BEGIN
        UPDATE nodes SET uses = uses + 1 WHERE hash = NEW.head;
        UPDATE nodes SET uses = uses - 1 WHERE hash = OLD.head;
    END
    """,
    """
    CREATE TRIGGER history_gone AFTER DELETE ON histories BEGIN
        UPDATE nodes SET uses = uses - 1 WHERE hash = OLD.head;
    END
    """,
)

# --- notes ---
_NOTES = (
    """
    CREATE TABLE notes (
        id TEXT PRIMARY KEY,
        owner TEXT NOT NULL,
        text TEXT NOT NULL,
        keywords TEXT NOT NULL,
        tags TEXT NOT NULL,
        category TEXT NOT NULL,
        source TEXT NOT NULL,
        context TEXT NOT NULL,
        created REAL NOT NULL,
        updated REAL NOT NULL,
        version INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX notes_by_time ON notes (owner, updated DESC, id)",
    """
    CREATE TABLE note_links (
        note TEXT NOT NULL,
        other TEXT NOT NULL,
        PRIMARY KEY (note, other)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX note_links_back ON note_links (other)",
    """
    CREATE TABLE note_grants (
        note TEXT NOT NULL,
        agent TEXT NOT NULL,
        access TEXT NOT NULL,
        PRIMARY KEY (note, agent)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX note_grants_by_agent ON note_grants (agent)",
)

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
_FILES = (
    # `bin` is empty for what is there, else the deletion it went away with.
    """
    CREATE TABLE files (
        agent TEXT NOT NULL,
        bin TEXT NOT NULL,
        path TEXT NOT NULL,
        folder TEXT NOT NULL,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        version INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        modified REAL NOT NULL,
        stamp TEXT NOT NULL,
        PRIMARY KEY (agent, bin, path)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX files_in_folder ON files (agent, bin, folder)",
    """
    CREATE TABLE file_versions (
        file TEXT NOT NULL,
        version INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        time REAL NOT NULL,
        by TEXT NOT NULL,
        PRIMARY KEY (file, version)
    ) STRICT, WITHOUT ROWID
    """,
    # The last version number a path had when its file went away.
    """
    CREATE TABLE file_marks (
        agent TEXT NOT NULL, path TEXT NOT NULL, version INTEGER NOT NULL,
        PRIMARY KEY (agent, path)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE file_bin (
        id TEXT NOT NULL UNIQUE,
        agent TEXT NOT NULL,
        path TEXT NOT NULL,
        time REAL NOT NULL,
        bytes INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX file_bin_of_agent ON file_bin (agent, time)",
    """
    CREATE TABLE file_usage (
        agent TEXT PRIMARY KEY, bytes INTEGER NOT NULL, files INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    # Changes whose last step, on the real files, may be missing.
    """
    CREATE TABLE file_intents (
        id TEXT PRIMARY KEY, agent TEXT NOT NULL, body BLOB NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE file_links (
        key TEXT PRIMARY KEY,
        token TEXT NOT NULL,
        agent TEXT NOT NULL,
        file TEXT NOT NULL,
        expires REAL NOT NULL,
        version INTEGER
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX file_links_of_agent ON file_links (agent, expires)",
    """
    CREATE TABLE file_mounts (
        agent TEXT NOT NULL,
        name TEXT NOT NULL,
        folder TEXT NOT NULL,
        writable INTEGER NOT NULL,
        PRIMARY KEY (agent, name)
    ) STRICT, WITHOUT ROWID
    """,
)

# Sizes of chunks, so that an append knows which to join. Large ones that were there before are
# given the size from which none is joined any more.
_CHUNK_SIZES = (
    "ALTER TABLE block_chunks ADD COLUMN bytes INTEGER NOT NULL DEFAULT 2097152",
    "UPDATE block_chunks SET bytes = length(data) WHERE data IS NOT NULL",
)

# --- rights ---
_RIGHTS = (
    # In the order in which they were given: a derived one comes after what it was derived from.
    """
    CREATE TABLE rights (
        serial INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        holder TEXT NOT NULL,
        verbs TEXT NOT NULL,
        owner TEXT NOT NULL,
        object TEXT NOT NULL,
        expires REAL,
        uses INTEGER,
        delegable INTEGER NOT NULL,
        parent TEXT NOT NULL,
        given_by TEXT NOT NULL
    ) STRICT
    """,
    # The groups that were set for an agent, with spaces between.
    """
    CREATE TABLE agent_groups (agent TEXT PRIMARY KEY, groups TEXT NOT NULL) STRICT, WITHOUT ROWID
    """,
)

# --- approvals, budgets, audit ---
_ACCOUNTS = (
    "CREATE TABLE approvals (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT",
    # `most` is the limit, NULL for none; `since` is from when on seconds pass.
    """
    CREATE TABLE budgets (
        account TEXT NOT NULL,
        resource TEXT NOT NULL,
        most REAL,
        spent REAL NOT NULL,
        since REAL,
        PRIMARY KEY (account, resource)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE audit_pages (
        first INTEGER PRIMARY KEY,
        last INTEGER NOT NULL,
        before BLOB NOT NULL,
        hash BLOB NOT NULL,
        marks BLOB NOT NULL,
        body BLOB NOT NULL,
        seal BLOB NOT NULL
    ) STRICT
    """,
)

# --- tools ---
_TOOLS = (
    """
    CREATE TABLE tool_pins (
        name TEXT PRIMARY KEY, pin TEXT NOT NULL, at REAL NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE TABLE tool_servers (name TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID",
    # Calls whose tool has begun and whose reply nobody has. `place` counts the calls of a batch.
    """
    CREATE TABLE tool_runs (
        pid INTEGER NOT NULL,
        name TEXT NOT NULL,
        place INTEGER NOT NULL,
        digest BLOB NOT NULL,
        at REAL NOT NULL,
        outcome BLOB,
        PRIMARY KEY (pid, name, place)
    ) STRICT, WITHOUT ROWID
    """,
)

# --- labels ---
_LABELS = (
    # Of what there is none for here, everything is trusted and anybody's.
    """
    CREATE TABLE labels (
        kind TEXT NOT NULL,
        owner TEXT NOT NULL,
        name TEXT NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (kind, owner, name)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE TABLE plans (pid INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT",
)

# --- what is long in open approvals ---
_WHOLES = ("CREATE TABLE approval_wholes (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT",)

# --- what a pin was of; empty where nobody has kept it ---
_PINNED = ("ALTER TABLE tool_pins ADD COLUMN body BLOB NOT NULL DEFAULT x''",)

# Step n takes a database from version n - 1 to n; each is SQL in order.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        *_JOURNAL, *_PROCESSES, *_MAIL, *_CALLS, *_GENERATIONS, *_BLOCKS, *_HISTORIES, *_NOTES,
        *_INDEX_OUTBOX, *_FILES,
    ),
    _CHUNK_SIZES,
    _RIGHTS,
    _ACCOUNTS,
    _TOOLS,
    _LABELS,
    _WHOLES,
    _PINNED,
)  # fmt: skip
