-- A conversation with what its entries add up to, so that no verb has to look
-- at more entries than it answers.
CREATE TABLE conversation (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    channel TEXT NOT NULL,
    vendor_key TEXT NOT NULL,
    -- Places: of the newest entry, the newest accepted one, the last turn.
    last INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    -- Of the last turn.
    turn_id TEXT,
    base INTEGER NOT NULL,
    watermark INTEGER NOT NULL,
    due_ms INTEGER,
    UNIQUE (tenant, channel, vendor_key)
) STRICT;
CREATE INDEX conversation_due ON conversation (due_ms, id) WHERE due_ms IS NOT NULL;

CREATE TABLE entry (
    id INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL,
    -- 1 accepted, 2 called, 3 turn, 4 settled.
    kind INTEGER NOT NULL,
    -- The place in the conversation's log, from 1.
    seq INTEGER NOT NULL,
    value BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX entry_place ON entry (conversation, kind, seq);

CREATE TABLE bot (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Of all its keys and values.
    bytes INTEGER NOT NULL,
    UNIQUE (tenant, name)
) STRICT;
CREATE TABLE bot_value (
    id INTEGER PRIMARY KEY,
    bot INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (bot, key)
) STRICT;

CREATE TABLE record (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (kind, tenant, name)
) STRICT;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL,
    UNIQUE (tenant, seq)
) STRICT;
-- Rows of the audit are appended, never changed.
CREATE TRIGGER audit_keeps_rows BEFORE UPDATE ON audit
BEGIN
    SELECT raise(ABORT, 'rows of the audit are never changed');
END;
