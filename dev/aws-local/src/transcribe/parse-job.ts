import type { JobRequest } from './job.ts';
import { LANGUAGE_CODES } from './languages.ts';
import { MEDIA_FORMATS, type MediaFormat } from './media.ts';
import {
  asFields,
  badRequest,
  optionalFields,
  optionalInteger,
  optionalText,
  optionalTexts,
  requiredText,
  resourceName,
  type Fields,
} from './read-fields.ts';

const UNSUPPORTED = ['ContentRedaction', 'Subtitles', 'ToxicityDetection', 'IdentifyMultipleLanguages'];
const UNSUPPORTED_SETTINGS = ['ShowSpeakerLabels', 'ChannelIdentification', 'ShowAlternatives', 'VocabularyFilterName'];

/**
 * Reads StartTranscriptionJob.
 * @throws AwsError BadRequestException for what Amazon Transcribe refuses, and for features that are not to be had here
 */
export function parseJob(body: Fields): JobRequest {
  const name = resourceName(body, 'TranscriptionJobName');
  for (const field of UNSUPPORTED) refuseFeature(body, field);
  const media = asFields(body['Media'], 'Media');
  const mediaUri = requiredText(media, 'MediaFileUri', { max: 2000, pattern: /^(?:s3:\/\/|https?:\/\/).+$/ });
  // The rule leaves nothing but the listed formats.
  const mediaFormat = optionalText(body, 'MediaFormat', { oneOf: MEDIA_FORMATS }) as MediaFormat | undefined;
  const mediaSampleRate = optionalInteger(body, 'MediaSampleRateHertz', 8000, 48_000);
  const settings = optionalFields(body['Settings'], 'Settings');
  for (const field of UNSUPPORTED_SETTINGS) if (settings !== undefined) refuseFeature(settings, field);
  const output = parseOutput(body, name);
  const language = parseLanguage(body);
  return {
    name,
    mediaUri,
    ...language,
    ...parseBias(body, settings, language.languageOptions),
    ...(mediaFormat === undefined ? {} : { mediaFormat }),
    ...(mediaSampleRate === undefined ? {} : { mediaSampleRate }),
    ...(output === undefined ? {} : { output }),
    ...(settings === undefined ? {} : { settings }),
  };
}

function refuseFeature(fields: Fields, name: string): void {
  const value = fields[name];
  if (value === undefined || value === null || value === false) return;
  throw badRequest(
    `${name} is not supported by this local Amazon Transcribe. Leave it out and try your request again.`,
  );
}

/** Either the language, or the wish to have it identified. */
function parseLanguage(body: Fields): { languageCode?: string; languageOptions: string[] } {
  const languageCode = optionalText(body, 'LanguageCode', { oneOf: LANGUAGE_CODES });
  const identify = body['IdentifyLanguage'] === true;
  const options = optionalTexts(body, 'LanguageOptions');
  if ((languageCode === undefined) === !identify) {
    throw badRequest(
      'You must provide exactly one of LanguageCode, IdentifyLanguage or IdentifyMultipleLanguages. Check your request and try again.',
    );
  }
  if (options === undefined) return { ...(languageCode === undefined ? {} : { languageCode }), languageOptions: [] };
  if (!identify)
    throw badRequest('LanguageOptions can be used only with IdentifyLanguage. Check your request and try again.');
  if (options.length < 2) throw badRequest('LanguageOptions must name at least two languages.');
  const unknown = options.find((option) => !LANGUAGE_CODES.includes(option));
  if (unknown !== undefined)
    throw badRequest(`The language code that you provided in LanguageOptions is not supported: ${unknown}.`);
  return { languageOptions: options };
}

/**
 * The vocabulary and language model to use: named for the job, or by `LanguageIdSettings` for each language that may be heard. Of those the
 * English ones count, since English is what the local decoder hears; where there are none, the first.
 */
function parseBias(
  body: Fields,
  settings: Fields | undefined,
  languageOptions: readonly string[],
): Pick<JobRequest, 'vocabularyName' | 'languageModelName'> {
  const byLanguage = optionalFields(body['LanguageIdSettings'], 'LanguageIdSettings');
  if (byLanguage === undefined) {
    return readBias(settings ?? {}, optionalFields(body['ModelSettings'], 'ModelSettings') ?? {});
  }
  const codes = Object.keys(byLanguage);
  if (codes.length === 0 || codes.length > 5 || codes.some((code) => !languageOptions.includes(code))) {
    throw badRequest('LanguageIdSettings must hold one to five languages, all of which are in LanguageOptions.');
  }
  const code = codes.find((candidate) => candidate.startsWith('en-')) ?? codes[0] ?? '';
  const chosen = asFields(byLanguage[code], `LanguageIdSettings.${code}`);
  return readBias(chosen, chosen);
}

function readBias(vocabulary: Fields, model: Fields): Pick<JobRequest, 'vocabularyName' | 'languageModelName'> {
  return {
    ...(vocabulary['VocabularyName'] === undefined
      ? {}
      : { vocabularyName: resourceName(vocabulary, 'VocabularyName') }),
    ...(model['LanguageModelName'] === undefined
      ? {}
      : { languageModelName: resourceName(model, 'LanguageModelName') }),
  };
}

/** The key follows OutputKey: a file when it ends in .json, else a folder; without it the job's name at the bucket's root. */
function parseOutput(body: Fields, name: string): { bucket: string; key: string } | undefined {
  const bucket = optionalText(body, 'OutputBucketName', { pattern: /^[a-z0-9][.\-a-z0-9]{1,61}[a-z0-9]$/, max: 64 });
  const key = optionalText(body, 'OutputKey', { pattern: /^[a-zA-Z0-9-_.!*'()/]{1,1024}$/, max: 1024 });
  if (bucket === undefined) {
    if (key !== undefined)
      throw badRequest('OutputKey can be used only with OutputBucketName. Check your request and try again.');
    return undefined;
  }
  if (key === undefined) return { bucket, key: `${name}.json` };
  return { bucket, key: key.endsWith('.json') ? key : `${key.replace(/\/+$/, '')}/${name}.json` };
}
