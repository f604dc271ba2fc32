-- Who only reads a resource conflicts with its writers alone: found here without walking past its other readers. All
-- columns, because SQLite would otherwise take the primary key.
CREATE INDEX touch_writer ON touch (resource, writes, root_key, granted);
