import { derivedId } from './ids.ts';

/** Raised whenever the same manuals would make another model. */
const version = '1';
const mark = 'manuel.';

/** All models of ours hold this in their names. */
export const anySpeechModel = mark;

/**
 * The name of the model that is made of these manuals. It follows from them, so that another set of manuals has another
 * model, and holds its owner, so that a model whose manuals are gone is known as such.
 */
export const speechModelName = (userId: string, language: string, manualIds: readonly string[]): string =>
  `${mark}${userId}.${language}.${derivedId(version, language, ...manualIds.toSorted())}`;

/**
 * Redis set of the models that live speakers lacked. The gateway, which cannot make one, adds; the transcribe worker takes
 * and makes. Nothing is lost with it: who speaks again wants again.
 */
export const wantedSpeechModels = (prefix: string): string => `${prefix}:transcribe:wanted-models`;
export interface WantedSpeechModel {
  readonly userId: string;
  readonly language: string;
}
export const wantedEntry = ({ userId, language }: WantedSpeechModel): string => `${language}|${userId}`;
/** Undefined: of another version. */
export function readWantedEntry(entry: string): WantedSpeechModel | undefined {
  const [, language, userId] = /^([a-z]{2,3}-[A-Z]{2})\|([A-Za-z0-9_-]{1,128})$/.exec(entry) ?? [];
  return userId === undefined || language === undefined ? undefined : { userId, language };
}

/** Undefined: the model is not one of ours. */
export function readSpeechModelName(name: string): { readonly userId: string; readonly language: string } | undefined {
  const [, userId, language] = /^manuel\.([A-Za-z0-9_-]{1,128})\.([a-z]{2,3}-[A-Z]{2})\.[0-9A-Z]{26}$/.exec(name) ?? [];
  return userId === undefined || language === undefined ? undefined : { userId, language };
}
