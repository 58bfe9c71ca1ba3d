-- A verdict may be on its way to the PLC. Only the CHECK grows; every row there is keeps to it, so the
-- table need not be written anew (SQLite, "ALTER TABLE", section 7).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(sql, '''taken'', ''failed''', '''taken'', ''queued'', ''failed''')
WHERE type = 'table' AND name = 'part';
PRAGMA writable_schema = RESET;
