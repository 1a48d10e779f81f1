// The tables of the SQLite store, and how a file of an older version is brought forward.

/** `SLUC` in the header of the file: tells a store from any other SQLite database. */
export const applicationId = 0x534c5543;

const version1 = `
CREATE TABLE scopes (
  service TEXT NOT NULL,
  environment TEXT NOT NULL,
  situation TEXT NOT NULL,
  PRIMARY KEY (service, environment)
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
  service TEXT NOT NULL,
  environment TEXT NOT NULL,
  fence INTEGER NOT NULL,
  held TEXT,
  PRIMARY KEY (service, environment)
) STRICT, WITHOUT ROWID;

CREATE TABLE rollouts (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  service TEXT NOT NULL,
  environment TEXT NOT NULL,
  version INTEGER NOT NULL,
  active INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX rollouts_of_scope ON rollouts (service, environment, number);
CREATE UNIQUE INDEX one_active_rollout ON rollouts (service, environment) WHERE active = 1;

CREATE TABLE records (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  service TEXT NOT NULL,
  environment TEXT NOT NULL,
  deployment TEXT NOT NULL REFERENCES rollouts (id),
  body TEXT NOT NULL
) STRICT;
CREATE INDEX records_of_scope ON records (service, environment, sequence);
CREATE INDEX records_of_deployment ON records (deployment, sequence);

CREATE TABLE outbox (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  service TEXT NOT NULL,
  environment TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX outbox_of_scope ON outbox (service, environment, number);
`;

const version2 = `
CREATE TABLE trials (
  service TEXT NOT NULL,
  environment TEXT NOT NULL,
  deployment TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (service, environment)
) STRICT, WITHOUT ROWID;
`;

/** `migrations[n]` brings a file of version n to version n + 1. Never change one that was released: add another. */
export const migrations: readonly string[] = [version1, version2];
