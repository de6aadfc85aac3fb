export * from './answers.ts';
export type { AskedQuestion, AskedQuestions } from './asked-questions.ts';
export * from './create-cache.ts';
export { type CacheKey, type CacheType, cacheTypes, digestOf, normaliseQuestion } from './keys.ts';
export { similarity } from './similarity.ts';
export type { SimilarQuestions } from './similar-questions.ts';
export type { Flight, SingleFlight } from './single-flight.ts';
export type { CacheOutcome, CacheStats, CacheTypeStats } from './stats.ts';
