-- How many entries of each kind an archived segment has: the books are kept without opening its file.
CREATE TABLE audit_archived (
    segment     bigint      NOT NULL,              -- as in audit_archive
    exchange    text        NOT NULL,
    station     text        NOT NULL,
    outcome     text        NOT NULL,
    entries     bigint      NOT NULL,
    PRIMARY KEY (segment, exchange, station, outcome)
);
