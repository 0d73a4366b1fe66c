"""Every SQL statement there is, named once, a section a room. A room binds values, no more.

A statement's name is its constant's name in small letters; `named` finds them all.
"""

from aios.journal.base import Statement

# --- the journal itself ---
META_GET = Statement("meta_get", "SELECT value FROM meta WHERE name = ?")
META_PUT = Statement("meta_put", "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)")

# --- processes ---
PROCESS_ADD = Statement(
    "process_add",
    """
    INSERT INTO processes (pid, parent, name, agent, token_hash, token, priority, program, argument,
                           code, is_durable, state, born)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    """,
)
# A process that has ended stays as it ended: the first end is the one that counts.
PROCESS_MOVE = Statement(
    "process_move", "UPDATE processes SET state = ? WHERE pid = ? AND ended IS NULL"
)
PROCESS_END = Statement(
    "process_end",
    "UPDATE processes SET state = ?, exited = ?, ended = ? WHERE pid = ? AND ended IS NULL",
)
PROCESS_FORGET = Statement("process_forget", "DELETE FROM processes WHERE pid = ?")
PROCESSES_LIVING = Statement(
    "processes_living",
    """
    SELECT pid, parent, name, agent, token_hash, token, priority, program, code, is_durable, state,
           born
    FROM processes WHERE ended IS NULL ORDER BY pid
    """,
)
PROCESSES_ENDED = Statement(
    "processes_ended",
    """
    SELECT pid, parent, name, agent, token_hash, token, priority, program, code, is_durable, state,
           born, exited
    FROM processes WHERE ended IS NOT NULL ORDER BY ended, pid
    """,
)
PROCESS_ARGUMENT = Statement("process_argument", "SELECT argument FROM processes WHERE pid = ?")

# --- mail ---
MAIL_ADD = Statement("mail_add", "INSERT INTO mail (id, pid, sender, body) VALUES (?, ?, ?, ?)")
MAIL_TAKE = Statement("mail_take", "DELETE FROM mail WHERE id = ?")
MAIL_FORGET = Statement("mail_forget", "DELETE FROM mail WHERE pid = ?")
MAIL_ALL = Statement("mail_all", "SELECT id, pid, sender, body FROM mail ORDER BY id")

# --- calls: idempotency keys, the calls of durable programs ---
RESULT_ADD = Statement(
    "result_add",
    """
    INSERT OR REPLACE INTO results (serial, pid, key, digest, at, outcome)
    VALUES (?, ?, ?, ?, ?, ?)
    """,
)
RESULT_GET = Statement("result_get", "SELECT outcome FROM results WHERE pid = ? AND key = ?")
RESULTS_INDEX = Statement(
    "results_index", "SELECT serial, pid, key, digest, at FROM results ORDER BY serial"
)
RESULT_EXPIRE = Statement("result_expire", "DELETE FROM results WHERE serial = ?")
PROGRAM_CALL_PUT = Statement(
    "program_call_put",
    """
    INSERT INTO program_calls (pid, number, kind, digest, seen, within, place, outcome)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET place = excluded.place, outcome = excluded.outcome
    WHERE excluded.outcome IS NOT NULL
    """,
)
PROGRAM_CALL_REPORTED = Statement(
    "program_call_reported", "UPDATE program_calls SET reported = ? WHERE pid = ? AND number = ?"
)
PROGRAM_CALLS_OF = Statement(
    "program_calls_of",
    """
    SELECT number, kind, digest, seen, within, place, outcome, reported FROM program_calls
    WHERE pid = ? ORDER BY number
    """,
)
PROGRAM_CALLS_FORGET = Statement("program_calls_forget", "DELETE FROM program_calls WHERE pid = ?")

# --- generations ---
GENERATION_ADD = Statement(
    "generation_add",
    """
    INSERT OR REPLACE INTO generations (id, pid, name, fingerprint, accepted, body)
    VALUES (?, ?, ?, ?, ?, ?)
    """,
)
GENERATION_TOKENS_ADD = Statement(
    "generation_tokens_add",
    "INSERT OR REPLACE INTO generation_tokens (generation, part, tokens) VALUES (?, ?, ?)",
)
GENERATION_RESTS = Statement("generation_rests", "UPDATE generations SET snapshot = ? WHERE id = ?")
# Its age is its result's from now on.
GENERATION_DONE = Statement(
    "generation_done", "UPDATE generations SET outcome = ?, accepted = ? WHERE id = ?"
)
GENERATION_FORGET = Statement("generation_forget", "DELETE FROM generations WHERE id = ?")
GENERATION_TOKENS_FORGET = Statement(
    "generation_tokens_forget", "DELETE FROM generation_tokens WHERE generation = ?"
)
GENERATION_TOKENS_SWEEP = Statement(
    "generation_tokens_sweep",
    "DELETE FROM generation_tokens WHERE generation NOT IN (SELECT id FROM generations)",
)
GENERATIONS_ALL = Statement(
    "generations_all",
    """
    SELECT id, pid, name, fingerprint, accepted, body, snapshot, outcome
    FROM generations ORDER BY accepted, id
    """,
)
GENERATION_TOKENS_ALL = Statement(
    "generation_tokens_all",
    "SELECT generation, part, tokens FROM generation_tokens ORDER BY generation, part",
)
GENERATION_SNAPSHOTS = Statement(
    "generation_snapshots", "SELECT snapshot FROM generations WHERE snapshot IS NOT NULL"
)

# --- blocks ---
BLOCK_LAST = Statement("block_last", "SELECT coalesce(max(id), 0) FROM blocks")
BLOCKS_OF = Statement(
    "blocks_of", "SELECT id, name, bytes, limit_bytes, chunks FROM blocks WHERE owner = ?"
)
BLOCK_GRANTS_OF = Statement(
    "block_grants_of",
    """
    SELECT block, agent, access FROM block_grants
    WHERE block IN (SELECT id FROM blocks WHERE owner = ?) ORDER BY agent
    """,
)
BLOCKS_SHARED = Statement(
    "blocks_shared",
    """
    SELECT owner, name FROM blocks
    WHERE id IN (SELECT block FROM block_grants WHERE agent = ?) ORDER BY owner, name
    """,
)
BLOCK_PUT = Statement(
    "block_put",
    """
    INSERT INTO blocks (id, owner, name, bytes, limit_bytes, chunks) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes, limit_bytes = excluded.limit_bytes,
                                   chunks = excluded.chunks
    """,
)
BLOCK_FREE = Statement("block_free", "DELETE FROM blocks WHERE id = ?")
BLOCK_GRANT = Statement(
    "block_grant", "INSERT OR REPLACE INTO block_grants (block, agent, access) VALUES (?, ?, ?)"
)
BLOCK_REVOKE = Statement("block_revoke", "DELETE FROM block_grants WHERE block = ? AND agent = ?")
BLOCK_REVOKE_ALL = Statement("block_revoke_all", "DELETE FROM block_grants WHERE block = ?")
CHUNK_ADD = Statement(
    "chunk_add",
    "INSERT INTO block_chunks (block, place, bytes, data, blob) VALUES (?, ?, ?, ?, ?)",
)
CHUNKS_DROP = Statement("chunks_drop", "DELETE FROM block_chunks WHERE block = ? AND place >= ?")
CHUNKS = Statement(
    "chunks",
    "SELECT data, blob FROM block_chunks WHERE block = ? AND place >= ? ORDER BY place",
)
CHUNKS_NEWEST = Statement(
    "chunks_newest", "SELECT bytes FROM block_chunks WHERE block = ? ORDER BY place DESC LIMIT ?"
)
CHUNK_BLOBS = Statement(
    "chunk_blobs", "SELECT DISTINCT blob FROM block_chunks WHERE blob IS NOT NULL"
)

# --- histories ---
HISTORY = Statement("history", "SELECT head, length FROM histories WHERE agent = ? AND name = ?")
HISTORIES_OF = Statement(
    "histories_of", "SELECT name, head, length FROM histories WHERE agent = ? ORDER BY name"
)
HISTORY_COUNT = Statement("history_count", "SELECT count(*) FROM histories WHERE agent = ?")
HISTORY_PUT = Statement(
    "history_put",
    """
    INSERT INTO histories (agent, name, head, length) VALUES (?, ?, ?, ?)
    ON CONFLICT (agent, name) DO UPDATE SET head = excluded.head, length = excluded.length
    """,
)
HISTORY_DROP = Statement("history_drop", "DELETE FROM histories WHERE agent = ? AND name = ?")
MESSAGE_ADD = Statement(
    "message_add", "INSERT OR IGNORE INTO messages (hash, body, blob) VALUES (?, ?, ?)"
)
NODE_ADD = Statement(
    "node_add",
    """
    INSERT OR IGNORE INTO nodes (hash, parent, depth, jump, jump_depth, message)
    VALUES (?, ?, ?, ?, ?, ?)
    """,
)
# A node and where its jumps lead, one after another: O(log length) rows.
NODE_JUMPS = Statement(
    "node_jumps",
    """
    WITH RECURSIVE spine (hash, depth, jump) AS (
        SELECT hash, depth, jump FROM nodes WHERE hash = ?
        UNION ALL
        SELECT nodes.hash, nodes.depth, nodes.jump FROM spine JOIN nodes ON nodes.hash = spine.jump
    )
    SELECT hash, depth FROM spine
    """,
)
# The ancestor at a depth: by jumps while they do not lead past it, by parents otherwise.
NODE_AT = Statement(
    "node_at",
    """
    WITH RECURSIVE seek (hash, parent, depth, jump, jump_depth) AS (
        SELECT hash, parent, depth, jump, jump_depth FROM nodes WHERE hash = ?1
        UNION ALL
        SELECT nodes.hash, nodes.parent, nodes.depth, nodes.jump, nodes.jump_depth
        FROM seek JOIN nodes
        ON nodes.hash = CASE WHEN seek.jump_depth >= ?2 THEN seek.jump ELSE seek.parent END
        WHERE seek.depth > ?2
    )
    SELECT hash FROM seek WHERE depth = ?2
    """,
)
MESSAGES_BACK = Statement(
    "messages_back",
    """
    WITH RECURSIVE back (parent, depth, message) AS (
        SELECT parent, depth, message FROM nodes WHERE hash = ?1
        UNION ALL
        SELECT nodes.parent, nodes.depth, nodes.message
        FROM back JOIN nodes ON nodes.hash = back.parent WHERE back.depth > ?2 + 1
    )
    SELECT body, blob FROM back JOIN messages ON messages.hash = back.message ORDER BY depth
    """,
)
NODES_UNUSED = Statement("nodes_unused", "SELECT count(*) FROM nodes WHERE uses = 0")
# Chains of which nothing else is a part, from their ends backwards.
NODES_COLLECT = Statement(
    "nodes_collect",
    """
    WITH RECURSIVE dead (hash, parent) AS (
        SELECT hash, parent FROM nodes WHERE uses = 0
        UNION ALL
        SELECT nodes.hash, nodes.parent FROM dead JOIN nodes ON nodes.hash = dead.parent
        WHERE nodes.uses = 1
    )
    DELETE FROM nodes WHERE hash IN (SELECT hash FROM dead LIMIT ?)
    """,
)
MESSAGE_BLOBS = Statement("message_blobs", "SELECT blob FROM messages WHERE blob IS NOT NULL")

# --- notes ---
NOTE_PUT = Statement(
    "note_put",
    """
    INSERT OR REPLACE INTO notes (id, owner, text, keywords, tags, category, source, context,
                                  created, updated, version)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    """,
)
NOTE_FORGET = Statement("note_forget", "DELETE FROM notes WHERE id = ?")
# A link is seen by who may see both its ends.
NOTES_BY_ID = Statement(
    "notes_by_id",
    """
    SELECT n.id, n.owner, n.text, n.keywords, n.tags, n.category, n.source, n.context,
           (SELECT json_group_array(l.other) FROM note_links AS l JOIN notes AS o ON o.id = l.other
            WHERE l.note = n.id AND (o.owner = ?2 OR EXISTS (
                SELECT 1 FROM note_grants WHERE note = o.id AND agent = ?2))),
           n.created, n.updated, n.version, g.access
    FROM json_each(?1) AS wanted JOIN notes AS n ON n.id = wanted.value
    LEFT JOIN note_grants AS g ON g.note = n.id AND g.agent = ?2
    WHERE n.owner = ?2 OR g.access IS NOT NULL
    """,
)
NOTE_GRANTS = Statement(
    "note_grants",
    """
    SELECT note, agent, access FROM note_grants
    WHERE note IN (SELECT value FROM json_each(?)) ORDER BY agent
    """,
)
# Ids that pass every filter, newest first: own ones and, where asked for, those shared.
NOTES_FILTERED = Statement(
    "notes_filtered",
    """
    SELECT n.id FROM notes AS n
    WHERE (n.owner = ?1 OR ?2 AND n.id IN (SELECT note FROM note_grants WHERE agent = ?1))
    AND (?3 = '' OR n.category = ?3) AND (?4 = '' OR n.source = ?4)
    AND (?5 IS NULL OR n.updated >= ?5) AND (?6 IS NULL OR n.updated < ?6)
    AND NOT EXISTS (SELECT 1 FROM json_each(?7) AS tag WHERE NOT EXISTS (
        SELECT 1 FROM json_each(n.tags) WHERE value = tag.value))
    ORDER BY n.updated DESC, n.id LIMIT ?8
    """,
)
NOTES_SHARED = Statement("notes_shared", "SELECT note FROM note_grants WHERE agent = ?")
NOTE_DOCUMENTS = Statement(
    "note_documents",
    """
    SELECT id, owner, context, keywords, tags, category, text, updated FROM notes
    WHERE id IN (SELECT value FROM json_each(?))
    """,
)
NOTES_TO_OUTBOX = Statement(
    "notes_to_outbox",
    "INSERT OR REPLACE INTO index_outbox (kind, id) SELECT ?, id FROM notes ORDER BY updated",
)
NOTE_LINK = Statement(
    "note_link", "INSERT OR IGNORE INTO note_links (note, other) VALUES (?1, ?2), (?2, ?1)"
)
NOTE_UNLINK = Statement(
    "note_unlink",
    "DELETE FROM note_links WHERE note = ?1 AND other = ?2 OR note = ?2 AND other = ?1",
)
NOTE_UNLINK_ALL = Statement(
    "note_unlink_all", "DELETE FROM note_links WHERE note = ?1 OR other = ?1"
)
NOTE_GRANT = Statement(
    "note_grant", "INSERT OR REPLACE INTO note_grants (note, agent, access) VALUES (?, ?, ?)"
)
NOTE_REVOKE = Statement("note_revoke", "DELETE FROM note_grants WHERE note = ? AND agent = ?")
NOTE_REVOKE_ALL = Statement("note_revoke_all", "DELETE FROM note_grants WHERE note = ?")

# --- memory of all agents ---
MEMORY_AGENTS = Statement(
    "memory_agents",
    "SELECT agent, sum(blocks), sum(bytes), sum(histories), sum(notes) FROM"
    " (SELECT owner AS agent, count(*) AS blocks, sum(bytes) AS bytes, 0 AS histories,"
    " 0 AS notes FROM blocks GROUP BY owner"
    " UNION ALL SELECT agent, 0, 0, count(*), 0 FROM histories GROUP BY agent"
    " UNION ALL SELECT owner, 0, 0, 0, count(*) FROM notes GROUP BY owner)"
    " GROUP BY agent ORDER BY agent",
)

# --- index outbox: what the index has yet to see; the row of a thing changed again is a new one ---
OUTBOX_ADD = Statement("outbox_add", "INSERT OR REPLACE INTO index_outbox (kind, id) VALUES (?, ?)")
OUTBOX_OLDEST = Statement(
    "outbox_oldest", "SELECT place, id FROM index_outbox WHERE kind = ? ORDER BY place LIMIT ?"
)
OUTBOX_COUNT = Statement("outbox_count", "SELECT count(*) FROM index_outbox WHERE kind = ?")
# By place, not by thing: a change that came while the thing was being indexed keeps its row.
OUTBOX_DONE = Statement("outbox_done", "DELETE FROM index_outbox WHERE place = ?")

# --- files ---
_FILE = "id, bin, path, kind, version, sha256, bytes, modified, stamp"
FILE_GET = Statement(
    "file_get",
    f"SELECT {_FILE} FROM files WHERE agent = ? AND bin = '' AND path IN"
    " (SELECT value FROM json_each(?))",
)
FILES_BELOW = Statement(
    "files_below",
    f"SELECT {_FILE} FROM files WHERE agent = ? AND bin = ? AND path > ? AND path < ?"
    " ORDER BY path LIMIT ?",
)
FILES_IN = Statement(
    "files_in",
    f"SELECT {_FILE} FROM files WHERE agent = ? AND bin = '' AND folder = ? ORDER BY path LIMIT ?",
)
FILES_CHANGED = Statement(
    "files_changed",
    "SELECT id FROM files WHERE agent = ? AND bin = '' AND kind = 'file'"
    " AND path > ? AND path < ? AND modified >= ? AND modified < ?",
)
FILES_BY_ID = Statement(
    "files_by_id",
    f"SELECT {_FILE}, agent FROM files WHERE id IN (SELECT value FROM json_each(?))",
)
FILES_TO_OUTBOX = Statement(
    "files_to_outbox",
    "INSERT OR REPLACE INTO index_outbox (kind, id)"
    " SELECT ?, id FROM files WHERE kind = 'file' AND bin = '' ORDER BY modified",
)
FILE_AGENTS = Statement("file_agents", "SELECT agent FROM file_usage ORDER BY agent")
FILE_PUT = Statement(
    "file_put",
    "INSERT INTO files (agent, folder, id, bin, path, kind, version, sha256, bytes, modified,"
    " stamp) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
)
FILE_DROP = Statement("file_drop", "DELETE FROM files WHERE id = ?")
FILE_STAMP = Statement("file_stamp", "UPDATE files SET stamp = ? WHERE id = ? AND sha256 = ?")
FILE_VERSIONS = Statement(
    "file_versions",
    "SELECT version, sha256, bytes, time, by FROM file_versions WHERE file = ?"
    " ORDER BY version DESC",
)
FILE_VERSION_PUT = Statement(
    "file_version_put",
    "INSERT INTO file_versions (file, version, sha256, bytes, time, by) VALUES (?, ?, ?, ?, ?, ?)",
)
FILE_VERSION_DROP = Statement(
    "file_version_drop", "DELETE FROM file_versions WHERE file = ? AND version = ?"
)
FILE_VERSIONS_DROP = Statement("file_versions_drop", "DELETE FROM file_versions WHERE file = ?")
FILE_BLOBS = Statement("file_blobs", "SELECT DISTINCT sha256 FROM file_versions")
FILE_MARKS_GET = Statement(
    "file_marks_get",
    "SELECT path, version FROM file_marks WHERE agent = ? AND path IN"
    " (SELECT value FROM json_each(?))",
)
FILE_MARK_PUT = Statement(
    "file_mark_put",
    "INSERT INTO file_marks (agent, path, version) VALUES (?, ?, ?)"
    " ON CONFLICT DO UPDATE SET version = max(version, excluded.version)",
)
FILE_BIN_LIST = Statement(
    "file_bin_list",
    "SELECT id, path, time, bytes FROM file_bin WHERE agent = ? ORDER BY time DESC, rowid DESC",
)
FILE_BIN_PUT = Statement(
    "file_bin_put", "INSERT INTO file_bin (id, agent, path, time, bytes) VALUES (?, ?, ?, ?, ?)"
)
FILE_BIN_DROP = Statement("file_bin_drop", "DELETE FROM file_bin WHERE id = ?")
FILE_USAGE_GET = Statement("file_usage_get", "SELECT bytes, files FROM file_usage WHERE agent = ?")
FILE_USAGE_ADD = Statement(
    "file_usage_add",
    "INSERT INTO file_usage (agent, bytes, files) VALUES (?, ?, ?)"
    " ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes, files = files + excluded.files",
)
FILE_INTENTS = Statement("file_intents", "SELECT id, agent, body FROM file_intents")
FILE_INTENT_PUT = Statement(
    "file_intent_put", "INSERT INTO file_intents (id, agent, body) VALUES (?, ?, ?)"
)
FILE_INTENT_DROP = Statement("file_intent_drop", "DELETE FROM file_intents WHERE id = ?")
FILE_LINK_GET = Statement(
    "file_link_get", "SELECT token, agent, file, expires, version FROM file_links WHERE key = ?"
)
FILE_LINK_PUT = Statement(
    "file_link_put",
    "INSERT INTO file_links (key, token, agent, file, expires, version) VALUES (?, ?, ?, ?, ?, ?)",
)
FILE_LINK_DROP = Statement("file_link_drop", "DELETE FROM file_links WHERE key = ?")
FILE_LINKS_DROP = Statement(
    "file_links_drop", "DELETE FROM file_links WHERE agent = ? AND expires <= ?"
)
FILE_LINKS_OF = Statement(
    "file_links_of",
    "SELECT token, agent, file, expires, version FROM file_links"
    " WHERE agent = ? AND expires > ? ORDER BY expires, key",
)
FILE_MOUNTS = Statement(
    "file_mounts", "SELECT agent, name, folder, writable FROM file_mounts ORDER BY agent, name"
)
FILE_MOUNT_PUT = Statement(
    "file_mount_put", "INSERT INTO file_mounts (agent, name, folder, writable) VALUES (?, ?, ?, ?)"
)
FILE_MOUNT_DROP = Statement(
    "file_mount_drop", "DELETE FROM file_mounts WHERE agent = ? AND name = ?"
)

# --- rights: capabilities, and the groups of agents ---
_RIGHT = "id, holder, verbs, owner, object, expires, uses, delegable, parent, given_by"
RIGHTS_ALL = Statement("rights_all", f"SELECT {_RIGHT} FROM rights ORDER BY serial")
RIGHT_ADD = Statement(
    "right_add", f"INSERT INTO rights ({_RIGHT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
RIGHT_DROP = Statement("right_drop", "DELETE FROM rights WHERE id = ?")
RIGHT_USED = Statement("right_used", "UPDATE rights SET uses = uses - 1 WHERE id = ?")
AGENT_GROUPS_ALL = Statement("agent_groups_all", "SELECT agent, groups FROM agent_groups")
AGENT_GROUPS_PUT = Statement(
    "agent_groups_put", "INSERT OR REPLACE INTO agent_groups (agent, groups) VALUES (?, ?)"
)
# --- approvals, budgets, audit ---
APPROVAL_PUT = Statement(
    "approval_put", "INSERT OR REPLACE INTO approvals (id, body) VALUES (?, ?)"
)
APPROVAL_FORGET = Statement("approval_forget", "DELETE FROM approvals WHERE id = ?")
APPROVALS_ALL = Statement("approvals_all", "SELECT body FROM approvals ORDER BY id")
APPROVAL_WHOLE_PUT = Statement(
    "approval_whole_put", "INSERT OR REPLACE INTO approval_wholes (id, body) VALUES (?, ?)"
)
APPROVAL_WHOLE_DROP = Statement("approval_whole_drop", "DELETE FROM approval_wholes WHERE id = ?")
APPROVAL_WHOLE = Statement("approval_whole", "SELECT body FROM approval_wholes WHERE id = ?")
# A limit and what is spent change apart: neither takes the other back.
BUDGET_LIMIT = Statement(
    "budget_limit",
    "INSERT INTO budgets (account, resource, most, spent) VALUES (?, ?, ?, 0)"
    " ON CONFLICT DO UPDATE SET most = excluded.most",
)
BUDGET_TOP_UP = Statement(
    "budget_top_up", "UPDATE budgets SET most = most + ? WHERE account = ? AND resource = ?"
)
BUDGET_SPENT = Statement(
    "budget_spent", "UPDATE budgets SET spent = ?, since = ? WHERE account = ? AND resource = ?"
)
BUDGETS_ALL = Statement("budgets_all", "SELECT account, resource, most, spent, since FROM budgets")
_PAGE = "first, last, before, hash, marks, body, seal"
AUDIT_PAGE_ADD = Statement(
    "audit_page_add", f"INSERT INTO audit_pages ({_PAGE}) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
# The page that holds a record, found by `first` alone, and those after it; or those before, back.
AUDIT_PAGES_FROM = Statement(
    "audit_pages_from",
    f"SELECT {_PAGE} FROM audit_pages"
    " WHERE first >= coalesce((SELECT max(first) FROM audit_pages WHERE first <= ?1), 0)"
    " AND last >= ?1 ORDER BY first LIMIT ?2",
)
AUDIT_PAGES_BACK = Statement(
    "audit_pages_back",
    f"SELECT {_PAGE} FROM audit_pages WHERE first <= ? ORDER BY first DESC LIMIT ?",
)
AUDIT_PAGES_FORGET = Statement("audit_pages_forget", "DELETE FROM audit_pages WHERE last <= ?")

# --- tools: accepted definitions, added servers, calls that have begun ---
TOOL_PINS = Statement("tool_pins", "SELECT name, pin FROM tool_pins")
TOOL_PIN = Statement("tool_pin", "SELECT body FROM tool_pins WHERE name = ? AND pin = ?")
TOOL_PIN_PUT = Statement(
    "tool_pin_put", "INSERT OR REPLACE INTO tool_pins (name, pin, at, body) VALUES (?, ?, ?, ?)"
)
TOOL_SERVERS = Statement("tool_servers", "SELECT body FROM tool_servers ORDER BY name")
TOOL_SERVER_PUT = Statement(
    "tool_server_put", "INSERT OR REPLACE INTO tool_servers (name, body) VALUES (?, ?)"
)
TOOL_SERVER_DROP = Statement("tool_server_drop", "DELETE FROM tool_servers WHERE name = ?")
TOOL_RUNS = Statement(
    "tool_runs", "SELECT pid, name, place, digest, outcome FROM tool_runs ORDER BY at"
)
TOOL_RUN_BEGIN = Statement(
    "tool_run_begin",
    "INSERT OR REPLACE INTO tool_runs (pid, name, place, digest, at) VALUES (?, ?, ?, ?, ?)",
)
TOOL_RUN_DONE = Statement(
    "tool_run_done", "UPDATE tool_runs SET outcome = ? WHERE pid = ? AND name = ? AND place = ?"
)
TOOL_RUNS_DROP = Statement("tool_runs_drop", "DELETE FROM tool_runs WHERE pid = ? AND name = ?")
# Of processes that have ended nobody asks any more.
TOOL_RUNS_SWEEP = Statement(
    "tool_runs_sweep",
    "DELETE FROM tool_runs WHERE pid NOT IN (SELECT pid FROM processes WHERE ended IS NULL)",
)

# --- labels, and what processes declared ---
LABELS_ALL = Statement("labels_all", "SELECT kind, owner, name, body FROM labels")
LABEL_PUT = Statement(
    "label_put", "INSERT OR REPLACE INTO labels (kind, owner, name, body) VALUES (?, ?, ?, ?)"
)
LABEL_DROP = Statement("label_drop", "DELETE FROM labels WHERE kind = ? AND owner = ? AND name = ?")
# Of what is not there any more: nobody can hear of it.
LABELS_SWEEP = Statement(
    "labels_sweep",
    """
    DELETE FROM labels WHERE
        kind IN ('process', 'mail', 'beside')
            AND CAST(name AS INTEGER) NOT IN (SELECT pid FROM processes)
        OR kind = 'bin' AND name NOT IN (SELECT id FROM file_bin) AND name <> '*'
        OR kind = 'note' AND name NOT IN (SELECT id FROM notes)
    """,
)
PLANS_ALL = Statement("plans_all", "SELECT pid, body FROM plans")
PLAN_PUT = Statement("plan_put", "INSERT OR REPLACE INTO plans (pid, body) VALUES (?, ?)")
PLAN_DROP = Statement("plan_drop", "DELETE FROM plans WHERE pid = ?")
PLANS_SWEEP = Statement(
    "plans_sweep",
    "DELETE FROM plans WHERE pid NOT IN (SELECT pid FROM processes WHERE ended IS NULL)",
)


def named() -> dict[str, Statement]:
    """All statements of this file by the name of their constant."""
    return {name: value for name, value in globals().items() if isinstance(value, Statement)}
