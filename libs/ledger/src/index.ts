export { createLedger } from './ledger.ts';
export * from './tables.ts';
export type * from './types.ts';
