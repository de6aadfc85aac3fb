export * from './free-port.ts';
export * from './redis.ts';
export * from './wait-for.ts';
