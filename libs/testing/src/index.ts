export * from './free-port.ts';
export * from './redis.ts';
export * from './wait-for.ts';
export * from './make-pdf.ts';
export * from './speech-server.ts';
