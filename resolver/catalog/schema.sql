-- One row a source that was synced. `location` is where it lies, `digest` tells whether it changed.
CREATE TABLE source (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    layout TEXT NOT NULL,
    location TEXT NOT NULL,
    url TEXT NOT NULL,
    signed INTEGER,
    stack TEXT NOT NULL,
    release TEXT NOT NULL,
    digest TEXT NOT NULL,
    records INTEGER NOT NULL,
    synced_at TEXT NOT NULL
);

-- One row a distinct node: a hash that sources state differently has several.
CREATE TABLE record (
    id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL,
    digest BLOB NOT NULL,
    alias TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    os TEXT NOT NULL,
    complete INTEGER NOT NULL,
    node BLOB NOT NULL
);
CREATE UNIQUE INDEX record_by_hash ON record (hash, digest);
CREATE INDEX record_by_name ON record (name, version, os);
CREATE INDEX record_by_alias ON record (alias) WHERE alias <> '';

-- A source states a record. `stacks` are the labels that the source gives to this record alone, parted by blanks.
CREATE TABLE statement (
    record INTEGER NOT NULL,
    source INTEGER NOT NULL,
    in_buildcache INTEGER NOT NULL,
    stacks TEXT NOT NULL,
    release TEXT NOT NULL,
    PRIMARY KEY (record, source)
) WITHOUT ROWID;

-- Which virtuals a package was seen to provide, on the edges of any record.
CREATE TABLE provider (
    virtual TEXT NOT NULL,
    name TEXT NOT NULL,
    source INTEGER NOT NULL,
    PRIMARY KEY (virtual, name, source)
) WITHOUT ROWID;
