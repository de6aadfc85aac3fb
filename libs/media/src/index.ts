export type { Announced } from './detect-format.ts';
export * from './inspect-manual.ts';
export * from './manual-keys.ts';
export * from './manual-names.ts';
export * from './audio/inspect-audio.ts';
export * from './audio/audio-types.ts';
