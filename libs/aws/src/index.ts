export * from './client-options.ts';
