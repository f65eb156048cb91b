-- Rows of the audit are appended, never taken away.
CREATE TRIGGER audit_loses_no_rows BEFORE DELETE ON audit
BEGIN
    SELECT raise(ABORT, 'rows of the audit are never taken away');
END;
