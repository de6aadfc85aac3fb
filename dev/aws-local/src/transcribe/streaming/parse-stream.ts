import type { IncomingHttpHeaders } from 'node:http';
import { LANGUAGE_CODES } from '../languages.ts';
import { badRequest, optionalText, resourceName, type Fields } from '../read-fields.ts';

/** What StartStreamTranscription is asked to do. */
export interface StreamRequest {
  /** Undefined when the language is to be identified. */
  readonly languageCode?: string;
  readonly languageOptions: readonly string[];
  /** Samples a second. */
  readonly sampleRate: number;
  readonly vocabularyName?: string;
  readonly languageModelName?: string;
  readonly sessionId?: string;
}

const PREFIX = 'x-amzn-transcribe-';
/** Members that change what is answered, and that are not to be had here. */
const UNSUPPORTED = [
  'show-speaker-label',
  'enable-channel-identification',
  'content-identification-type',
  'content-redaction-type',
  'identify-multiple-languages',
  'vocabulary-filter-name',
];

/**
 * Reads StartStreamTranscription, all of whose members but the sound are headers.
 * @throws AwsError BadRequestException for what Amazon Transcribe refuses, and for features that are not to be had here
 */
export function parseStream(headers: IncomingHttpHeaders): StreamRequest {
  const fields: Fields = Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith(PREFIX))
      .map(([name, value]) => [name.slice(PREFIX.length), value]),
  );
  for (const name of UNSUPPORTED) {
    if (fields[name] === undefined || fields[name] === 'false') continue;
    throw badRequest(
      `${name} is not supported by this local Amazon Transcribe. Leave it out and try your request again.`,
    );
  }
  const encoding = optionalText(fields, 'media-encoding', { oneOf: ['pcm', 'ogg-opus', 'flac'] });
  if (encoding !== 'pcm') throw badRequest('This local Amazon Transcribe streams the media encoding pcm only.');
  const sampleRate = Number(fields['sample-rate']);
  if (!Number.isInteger(sampleRate) || sampleRate < 8000 || sampleRate > 48_000) {
    throw badRequest('The sample rate must be a whole number from 8000 to 48000. Check your request and try again.');
  }
  const language = parseLanguage(fields);
  const sessionId = optionalText(fields, 'session-id', { pattern: /^[a-fA-F0-9-]{36}$/ });
  const named = (field: string): string | undefined =>
    fields[field] === undefined ? undefined : resourceName(fields, field);
  const vocabularyName = named('vocabulary-name');
  const languageModelName = named('language-model-name');
  if (languageModelName !== undefined && language.languageCode === undefined) {
    throw badRequest('A custom language model can be used only with LanguageCode. Check your request and try again.');
  }
  return {
    ...language,
    sampleRate,
    ...(vocabularyName === undefined ? {} : { vocabularyName }),
    ...(languageModelName === undefined ? {} : { languageModelName }),
    ...(sessionId === undefined ? {} : { sessionId }),
  };
}

/** Either the language, or the wish to have it identified among at least two, one dialect of each. */
function parseLanguage(fields: Fields): Pick<StreamRequest, 'languageCode' | 'languageOptions'> {
  const languageCode = optionalText(fields, 'language-code', { oneOf: LANGUAGE_CODES });
  const identify = fields['identify-language'] === 'true';
  if ((languageCode === undefined) === !identify) {
    throw badRequest('You must provide exactly one of LanguageCode and IdentifyLanguage.');
  }
  if (languageCode !== undefined) return { languageCode, languageOptions: [] };
  const options = (optionalText(fields, 'language-options') ?? '').split(',').map((option) => option.trim());
  const unknown = options.find((option) => !LANGUAGE_CODES.includes(option));
  if (unknown !== undefined) throw badRequest(`LanguageOptions holds a language that is not supported: '${unknown}'.`);
  const languages = new Set(options.map((option) => option.slice(0, option.indexOf('-'))));
  if (options.length < 2 || languages.size < options.length) {
    throw badRequest('LanguageOptions must name at least two languages, and one dialect of each.');
  }
  return { languageOptions: options };
}
