-- How many notes there are of a kind of a tenant's, and their bytes, kept up by triggers:
-- whoever wants to know it looks at no note.
CREATE TABLE note_sum (
    kind TEXT NOT NULL,
    tenant TEXT NOT NULL,
    notes INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (kind, tenant)
) STRICT, WITHOUT ROWID;
INSERT INTO note_sum SELECT kind, tenant, count(*), sum(octet_length(value))
    FROM note GROUP BY kind, tenant;

CREATE TRIGGER note_comes AFTER INSERT ON note
BEGIN
    INSERT INTO note_sum VALUES (NEW.kind, NEW.tenant, 1, octet_length(NEW.value))
        ON CONFLICT DO UPDATE SET notes = notes + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER note_changes AFTER UPDATE OF value ON note
BEGIN
    UPDATE note_sum SET bytes = bytes + octet_length(NEW.value) - octet_length(OLD.value)
        WHERE kind = OLD.kind AND tenant = OLD.tenant;
END;
CREATE TRIGGER note_goes AFTER DELETE ON note
BEGIN
    UPDATE note_sum SET notes = notes - 1, bytes = bytes - octet_length(OLD.value)
        WHERE kind = OLD.kind AND tenant = OLD.tenant;
    DELETE FROM note_sum WHERE kind = OLD.kind AND tenant = OLD.tenant AND notes = 0;
END;

-- Which of them ends first.
CREATE INDEX note_end ON note (kind, tenant, expires_ms) WHERE expires_ms IS NOT NULL;
