/**
 * The tables of the embedded broker (events, wakes, cursors) and the embedded state (the rest).
 * Keys that grow with time keep inserts at the end of each tree, so that a large store is as fast as an empty one.
 */
const tables = `
CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  stored_at INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_name ON events (name, seq);

CREATE TABLE wakes (seq INTEGER PRIMARY KEY, run_id TEXT NOT NULL) STRICT;
CREATE TABLE cursors (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  function_id TEXT NOT NULL,
  function_version TEXT NOT NULL,
  event_id TEXT NOT NULL,
  event_name TEXT NOT NULL,
  user_id TEXT,
  created_at INTEGER NOT NULL,
  status TEXT NOT NULL,
  length INTEGER NOT NULL,
  wake_at INTEGER,
  finished_at INTEGER
) STRICT;
CREATE INDEX runs_by_function ON runs (function_id, seq);
CREATE INDEX runs_by_event ON runs (event_id);
CREATE INDEX runs_by_user ON runs (user_id, seq) WHERE user_id IS NOT NULL;
CREATE INDEX runs_by_status ON runs (status, seq) WHERE status <> 'completed';
CREATE INDEX runs_by_timer ON runs (wake_at) WHERE wake_at IS NOT NULL;

CREATE TABLE history (
  run INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  entries TEXT NOT NULL,
  PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE versions (
  function_id TEXT NOT NULL,
  version TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (function_id, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE active_versions (function_id TEXT PRIMARY KEY, version TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE artifacts (sha256 TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
`;

/** Hosts, and revisions in place of lengths: an append without entries is one too. */
const revisions = `
ALTER TABLE runs RENAME COLUMN length TO revision;
ALTER TABLE runs ADD COLUMN host TEXT;
CREATE TABLE event_schemas (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Values of functions; a revision is never given out twice. */
const keyValues = `
CREATE TABLE key_values (
  revision INTEGER PRIMARY KEY AUTOINCREMENT,
  function_id TEXT NOT NULL,
  key TEXT NOT NULL,
  value BLOB NOT NULL,
  UNIQUE (function_id, key)
) STRICT;
`;

/** Since when a version is active: its schedules hold from then on. */
const activations = `
ALTER TABLE active_versions ADD COLUMN activated_at INTEGER;
`;

/** Armed waits by key, and by which paths of events they are found. */
const waits = `
CREATE TABLE waits (
  key INTEGER NOT NULL,
  run BLOB NOT NULL,
  wait TEXT NOT NULL,
  PRIMARY KEY (key, run, wait)
) STRICT, WITHOUT ROWID;
CREATE TABLE wait_paths (event TEXT NOT NULL, path TEXT NOT NULL, PRIMARY KEY (event, path)) STRICT, WITHOUT ROWID;
`;

/** Documents of flow control; a revision is never given out twice. */
const gates = `
CREATE TABLE gates (
  revision INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  value TEXT NOT NULL,
  goes_at INTEGER
) STRICT;
CREATE INDEX gates_by_end ON gates (goes_at) WHERE goes_at IS NOT NULL;
`;

/** Runs that wait for their turn. */
const queues = `
CREATE TABLE queued (
  place INTEGER PRIMARY KEY AUTOINCREMENT,
  queue TEXT NOT NULL,
  run_id TEXT NOT NULL
) STRICT;
CREATE INDEX queued_by_queue ON queued (queue, place);
`;

/** Into which runs events go that have none of their own. */
const assignments = `
CREATE TABLE assignments (
  event TEXT NOT NULL,
  function_id TEXT NOT NULL,
  function_version TEXT NOT NULL,
  run TEXT NOT NULL,
  PRIMARY KEY (event, function_id)
) STRICT, WITHOUT ROWID;
`;

/** What parked runs wait for, in words, as lists show it. */
const reasons = `
ALTER TABLE runs ADD COLUMN waits_for TEXT;
`;

/** What brings a file from each layout to the next; its place in the list is the number of the layout. */
export const migrations: readonly string[] = [
  tables,
  revisions,
  keyValues,
  activations,
  waits,
  gates,
  queues,
  assignments,
  reasons,
];
