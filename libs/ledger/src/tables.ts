/**
 * The tables, in one place: `createTables` makes them locally, deploy/aws derives its stack from the same list.
 * Every key attribute is a string; billing is on demand; rows go when `ttl` (epoch seconds) is past.
 */
export interface IndexDefinition {
  readonly name: string;
  readonly partition: string;
  readonly sort: string;
  /** Attributes beside the keys; undefined: all of the row. */
  readonly include?: readonly string[];
}

export interface TableDefinition {
  readonly partition: string;
  readonly sort?: string;
  readonly indexes?: readonly IndexDefinition[];
  /** True when rows carry `ttl`. */
  readonly expires: boolean;
}

export const tableKeys = ['jobs', 'usage', 'manuals', 'conversations', 'uploads', 'feedback', 'dead-letters'] as const;
export type TableKey = (typeof tableKeys)[number];

export const ttlAttribute = 'ttl';

export const tableDefinitions: Readonly<Record<TableKey, TableDefinition>> = {
  jobs: {
    partition: 'user_id',
    sort: 'job_id',
    expires: true,
    indexes: [
      // Small projections keep a result of several KB from being written twice; rows are then read by key.
      { name: 'by-created', partition: 'user_id', sort: 'created_key', include: ['status', 'operation'] },
      // Sparse: a row is in it only while its job is not terminal.
      { name: 'open', partition: 'open', sort: 'created_key', include: [] },
    ],
  },
  usage: { partition: 'user_id', sort: 'day', expires: true },
  manuals: { partition: 'user_id', sort: 'manual_id', expires: false },
  conversations: { partition: 'user_id', sort: 'conversation_id', expires: true },
  uploads: { partition: 'user_id', sort: 'upload_id', expires: true },
  feedback: {
    partition: 'user_id',
    sort: 'job_id',
    expires: false,
    indexes: [{ name: 'by-rating', partition: 'rating', sort: 'created_key' }],
  },
  'dead-letters': {
    partition: 'id',
    expires: true,
    indexes: [
      { name: 'by-severity', partition: 'severity', sort: 'failed_key' },
      { name: 'by-fingerprint', partition: 'fingerprint', sort: 'failed_key' },
    ],
  },
};

export const tableName = (prefix: string, table: TableKey): string => `${prefix}-${table}`;

/** Sorts by time and is unique: 15 digits of milliseconds, then the row's own id. */
export const timeKey = (ms: number, id: string): string => `${String(ms).padStart(15, '0')}#${id}`;

/** `ttl` of a row that may go `days` after `ms`. */
export const expiryOf = (ms: number, days: number): number => Math.ceil(ms / 1000) + days * 86_400;
