export * from './aws-errors.ts';
export * from './backoff.ts';
export * from './create-resilience.ts';
export * from './degradation-window.ts';
export * from './redis-connection.ts';
export * from './types.ts';
