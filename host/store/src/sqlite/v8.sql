-- What tenants take, in bytes of what is written, by table: kept up by triggers, so that
-- whoever wants to know it reads a row. Notes and values of bots have sums of their own.
CREATE TABLE weight (
    tenant TEXT NOT NULL,
    -- entry, record or audit.
    part TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (tenant, part)
) STRICT, WITHOUT ROWID;

INSERT INTO weight SELECT tenant, 'entry', sum(octet_length(value))
    FROM entry JOIN conversation ON conversation.id = entry.conversation GROUP BY tenant;
INSERT INTO weight SELECT tenant, 'record', sum(octet_length(name) + octet_length(value))
    FROM record GROUP BY tenant;
INSERT INTO weight SELECT tenant, 'audit', sum(octet_length(actor) + octet_length(action)
        + octet_length(kind) + octet_length(name) + coalesce(octet_length(digest), 0)
        + octet_length(previous) + octet_length(hash))
    FROM audit GROUP BY tenant;

-- An entry that belongs to no conversation is nobody's.
CREATE TRIGGER entry_comes AFTER INSERT ON entry
BEGIN
    INSERT INTO weight SELECT tenant, 'entry', octet_length(NEW.value)
        FROM conversation WHERE id = NEW.conversation
        ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER entry_changes AFTER UPDATE OF value ON entry
BEGIN
    UPDATE weight SET bytes = bytes + octet_length(NEW.value) - octet_length(OLD.value)
        WHERE tenant = (SELECT tenant FROM conversation WHERE id = OLD.conversation)
            AND part = 'entry';
END;
CREATE TRIGGER entry_goes AFTER DELETE ON entry
BEGIN
    UPDATE weight SET bytes = bytes - octet_length(OLD.value)
        WHERE tenant = (SELECT tenant FROM conversation WHERE id = OLD.conversation)
            AND part = 'entry';
END;

CREATE TRIGGER record_comes AFTER INSERT ON record
BEGIN
    INSERT INTO weight
        VALUES (NEW.tenant, 'record', octet_length(NEW.name) + octet_length(NEW.value))
        ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER record_changes AFTER UPDATE OF value ON record
BEGIN
    UPDATE weight SET bytes = bytes + octet_length(NEW.value) - octet_length(OLD.value)
        WHERE tenant = OLD.tenant AND part = 'record';
END;
CREATE TRIGGER record_goes AFTER DELETE ON record
BEGIN
    UPDATE weight SET bytes = bytes - octet_length(OLD.name) - octet_length(OLD.value)
        WHERE tenant = OLD.tenant AND part = 'record';
END;

-- Rows of the audit only come.
CREATE TRIGGER audit_comes AFTER INSERT ON audit
BEGIN
    INSERT INTO weight VALUES (NEW.tenant, 'audit', octet_length(NEW.actor)
            + octet_length(NEW.action) + octet_length(NEW.kind) + octet_length(NEW.name)
            + coalesce(octet_length(NEW.digest), 0) + octet_length(NEW.previous)
            + octet_length(NEW.hash))
        ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
END;
