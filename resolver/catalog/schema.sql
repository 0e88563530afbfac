-- One row a source that was synced. `location` is where it lies. `digest` is of the bytes read and `tag` what its place is asked with
-- whether they changed. `keys` are fingerprints, parted by blanks.
CREATE TABLE source (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    layout TEXT NOT NULL,
    view TEXT NOT NULL,
    location TEXT NOT NULL,
    url TEXT NOT NULL,
    signed INTEGER,
    stack TEXT NOT NULL,
    release TEXT NOT NULL,
    digest TEXT NOT NULL,
    tag TEXT NOT NULL,
    records INTEGER NOT NULL,
    synced_at TEXT NOT NULL,
    keys TEXT NOT NULL
);

-- Nodes as JSON, up to sixteen of them one behind the other, compressed together. `live` counts those that a record still refers to.
CREATE TABLE page (
    id INTEGER PRIMARY KEY,
    live INTEGER NOT NULL,
    size INTEGER NOT NULL,
    nodes BLOB NOT NULL
);

-- One row a distinct node: a hash that sources state differently has several. `start` and `length` are the node's place in its page,
-- `packages` and `hosts` what its closure reaches, `variants` the set of its variants' values, `composition` what its closure is made of, each
-- 0 where that is not known.
CREATE TABLE record (
    id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL,
    alias TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    platform TEXT NOT NULL,
    os TEXT NOT NULL,
    target TEXT NOT NULL,
    complete INTEGER NOT NULL,
    page INTEGER NOT NULL,
    start INTEGER NOT NULL,
    length INTEGER NOT NULL,
    packages INTEGER NOT NULL,
    hosts INTEGER NOT NULL,
    variants INTEGER NOT NULL,
    composition INTEGER NOT NULL
);
CREATE INDEX record_by_hash ON record (hash);
CREATE INDEX record_by_name ON record (name, version, platform, target);
CREATE INDEX record_by_alias ON record (alias) WHERE alias <> '';

-- What closures reach, in halves (`packages` or `hosts`): the facts of a half, each as JSON, and the sets of facts that occur, in which bit
-- `place` of a little-endian number stands for a fact.
CREATE TABLE fact (
    half TEXT NOT NULL,
    place INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (half, place)
) WITHOUT ROWID;
CREATE TABLE reach (
    half TEXT NOT NULL,
    id INTEGER NOT NULL,
    facts BLOB NOT NULL,
    PRIMARY KEY (half, id)
) WITHOUT ROWID;

-- The sets of values that records of a package chose for its variants, as JSON. `records` have it, and `unusual` of its values are not those
-- that most records of the package have.
CREATE TABLE variants (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    chosen TEXT NOT NULL,
    records INTEGER NOT NULL,
    unusual INTEGER NOT NULL
);
CREATE INDEX variants_by_name ON variants (name);

-- Packages as records have them, apart from hash, OS and target: `variants` is the set of their variants' values and `traits` a JSON list,
-- whether external, whether compiled without stating a libc, used virtuals with their providers, virtuals of other edges, compilers, and
-- provided virtuals.
CREATE TABLE kind (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    variants INTEGER NOT NULL,
    traits TEXT NOT NULL
);

-- The kinds that the nodes of a closure have, where all are for one platform, OS and target: their numbers, little-endian in four bytes each.
CREATE TABLE composition (
    id INTEGER PRIMARY KEY,
    kinds BLOB NOT NULL
);

-- A source states a record. `stacks` are the labels that the source gives to this record alone, parted by blanks. `archive` is the
-- sha256 of the archive and `size` its bytes, empty and 0 where the source does not say. `sound` is whether the source has binaries of all of
-- the closure but externals and gcc's runtime, as far as is known.
CREATE TABLE statement (
    record INTEGER NOT NULL,
    source INTEGER NOT NULL,
    in_buildcache INTEGER NOT NULL,
    stacks TEXT NOT NULL,
    release TEXT NOT NULL,
    archive TEXT NOT NULL,
    size INTEGER NOT NULL,
    sound INTEGER NOT NULL,
    PRIMARY KEY (record, source)
) WITHOUT ROWID;

-- What a source's records have among them, so that no question needs to look at all of them. By `kind`: version (of the package `name`),
-- os, provider (of the virtual `name`), lacking (compilers without whose runtime there is the package `name`), stack (packages with a binary
-- by the label `name`, where that is empty all packages with a binary).
CREATE TABLE summary (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    source INTEGER NOT NULL,
    PRIMARY KEY (kind, name, value, source)
) WITHOUT ROWID;

-- The versions that records of a package have, in Spack's order: `place` counts from the newest, 0.
CREATE TABLE version (
    name TEXT NOT NULL,
    place INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name, place)
) WITHOUT ROWID;
