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
RESULTS_EXPIRE = Statement("results_expire", "DELETE FROM results WHERE serial <= ?")
PROGRAM_CALL_PUT = Statement(
    "program_call_put",
    """
    INSERT OR REPLACE INTO program_calls (pid, number, kind, digest, seen, place, outcome)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    """,
)
PROGRAM_CALLS_OF = Statement(
    "program_calls_of",
    """
    SELECT number, kind, digest, seen, place, outcome FROM program_calls
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
GENERATION_DONE = Statement("generation_done", "UPDATE generations SET outcome = ? WHERE id = ?")
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
    "SELECT id, pid, name, fingerprint, accepted, body, snapshot, outcome FROM generations",
)
GENERATION_TOKENS_ALL = Statement(
    "generation_tokens_all",
    "SELECT generation, part, tokens FROM generation_tokens ORDER BY generation, part",
)
GENERATION_SNAPSHOTS = Statement(
    "generation_snapshots", "SELECT snapshot FROM generations WHERE snapshot IS NOT NULL"
)

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
