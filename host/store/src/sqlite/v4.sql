-- The person's address of e-mail as the last turn left it, in lower case; absent
-- where none is known, and until the next turn of what an older host wrote.
ALTER TABLE conversation ADD COLUMN email TEXT;
CREATE INDEX conversation_email ON conversation (tenant, channel, email, id)
    WHERE email IS NOT NULL;
