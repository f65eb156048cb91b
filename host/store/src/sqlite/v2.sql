-- What is due, by channel: each channel's share is found without looking past
-- what others wait for.
DROP INDEX conversation_due;
CREATE INDEX conversation_due ON conversation (tenant, channel, due_ms, id)
    WHERE due_ms IS NOT NULL;

-- Rows that settlements gave up and none has revived since. The rows themselves
-- are in the settlements.
CREATE TABLE dead_letter (
    -- Never used again, so that it says how far somebody has read.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    conversation INTEGER NOT NULL,
    part TEXT NOT NULL,
    -- The place of the settlement.
    seq INTEGER NOT NULL,
    UNIQUE (conversation, part)
) STRICT;
CREATE INDEX dead_letter_tenant ON dead_letter (tenant, id);
CREATE INDEX dead_letter_part ON dead_letter (tenant, part);
