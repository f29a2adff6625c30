-- E18: what at most one organisation is to a person at a time, such as the coordinating service.
CREATE TABLE single_holder (
    exchange    text        NOT NULL,
    subject     bytea       NOT NULL,
    holder      text        NOT NULL,              -- organisation number
    PRIMARY KEY (exchange, subject)
);
