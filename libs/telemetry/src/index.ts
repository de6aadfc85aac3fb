export * from './health-server.ts';
export * from './log-context.ts';
export * from './logger.ts';
export * from './metrics.ts';
export * from './run-service.ts';
export * from './steady-heap.ts';
