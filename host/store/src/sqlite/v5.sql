-- What is neither log nor audited: values that end by themselves.
CREATE TABLE note (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    -- From then on it is as if it were not there; absent where it stays.
    expires_ms INTEGER,
    UNIQUE (kind, tenant, name)
) STRICT;
CREATE INDEX note_expiry ON note (expires_ms) WHERE expires_ms IS NOT NULL;

-- When something last happened; absent where nothing has since an erasure. What an
-- older host wrote counts from now on.
ALTER TABLE conversation ADD COLUMN active_ms INTEGER;
-- The minute of that: most turns leave it, and so the index, as it is.
ALTER TABLE conversation ADD COLUMN minute INTEGER;
UPDATE conversation SET active_ms = unixepoch() * 1000, minute = unixepoch() / 60;
CREATE INDEX conversation_minute ON conversation (tenant, channel, minute, id)
    WHERE minute IS NOT NULL;
-- Turns since the beginning or the last erasure.
ALTER TABLE conversation ADD COLUMN turns INTEGER NOT NULL DEFAULT 0;
UPDATE conversation SET turns =
    (SELECT count(*) FROM entry WHERE entry.conversation = conversation.id AND kind = 3);
-- Who may speak, as the newest turn or settlement says; absent until the next turn of
-- what an older host wrote.
ALTER TABLE conversation ADD COLUMN owner TEXT;
-- Entries up to this place are gone, or about to go.
ALTER TABLE conversation ADD COLUMN floor INTEGER NOT NULL DEFAULT 0;
-- Some of them are still there.
ALTER TABLE conversation ADD COLUMN purging INTEGER NOT NULL DEFAULT 0;
CREATE INDEX conversation_purging ON conversation (tenant, id) WHERE purging = 1;
-- The place of the turn that the last erasure left, and when that was.
ALTER TABLE conversation ADD COLUMN erased INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN erased_ms INTEGER;
CREATE INDEX conversation_erased ON conversation (tenant, erased_ms, id)
    WHERE erased_ms IS NOT NULL;

-- Of turns: whose bot, and when. Absent in what an older host wrote.
ALTER TABLE entry ADD COLUMN bot INTEGER;
ALTER TABLE entry ADD COLUMN at_ms INTEGER;
CREATE INDEX entry_bot ON entry (bot, at_ms, id) WHERE bot IS NOT NULL;
