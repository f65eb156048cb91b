-- Since when a human has the conversation; absent where none has it.
ALTER TABLE conversation ADD COLUMN human_ms INTEGER;
CREATE INDEX conversation_human ON conversation (tenant, channel, human_ms, id)
    WHERE human_ms IS NOT NULL;
