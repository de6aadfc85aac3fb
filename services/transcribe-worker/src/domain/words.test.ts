import { expect, test } from '@jest/globals';
import { explainFailure } from '@manuel/aws';
import * as fc from 'fast-check';
import { cutQuestion } from '@manuel/contracts';
import { readTranscript } from './read-transcript.ts';

test('a question is cut to what can be asked, at a sentence or word, its end kept', () => {
  expect(cutQuestion('  How do I descale it? ')).toBe('How do I descale it?');
  const sentences = `${'It stopped yesterday. '.repeat(150)}What now?`;
  expect(cutQuestion(sentences)).toMatch(/^It stopped.*What now\?$/);
  expect(cutQuestion('word '.repeat(1000))).toMatch(/^word .* word$/);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5000 }), (text) => {
      const cut = cutQuestion(text);
      expect(cut.length).toBeLessThanOrEqual(2000);
      expect(cut.isWellFormed()).toBe(true);
      expect(text.trim().endsWith(cut)).toBe(true);
    }),
  );
});

test('Transcribe’s reasons become what the user can do; packages to install are named, addresses never', () => {
  const decoder =
    'No speech decoder: install the packages pocketsphinx and ffmpeg (apt-get install pocketsphinx pocketsphinx-en-us ffmpeg) or set SPEECH_URL to an OpenAI-compatible server.';
  expect(explainFailure(decoder)).toMatchObject({ code: 'transcription_failed', detail: decoder, retryable: false });
  expect(explainFailure('Unsupported media format.').detail).toMatch(/WAV, MP3/);
  expect(explainFailure('Invalid sample rate for audio file.').detail).toMatch(/16,000 Hz/);
  expect(explainFailure('An internal error occurred. Try your request again.').retryable).toBe(true);
  for (const reason of [undefined, 'install it from s3://secret/x', 'arn:aws:transcribe:eu-west-1:1:job/x broke']) {
    expect(explainFailure(reason).detail).toMatch(/could not be transcribed/);
  }
});

test('a transcript is read as Transcribe writes it, and anything else is refused', () => {
  const item = (content: string, confidence: string) => ({
    type: 'pronunciation',
    start_time: '0.10',
    end_time: '0.50',
    alternatives: [{ content, confidence }],
  });
  const document = {
    results: {
      language_code: 'en-US',
      transcripts: [{ transcript: ' Hello there. ' }],
      items: [
        item('Hello', '0.9'),
        item('there', '0.7'),
        { type: 'punctuation', alternatives: [{ content: '.', confidence: '0.0' }] },
      ],
    },
  };
  expect(readTranscript(Buffer.from(JSON.stringify(document)))).toEqual({
    text: 'Hello there.',
    words: [
      { text: 'Hello', start_s: 0.1, end_s: 0.5, confidence: 0.9 },
      { text: 'there', start_s: 0.1, end_s: 0.5, confidence: 0.7 },
    ],
    confidence: 0.8,
    languageCode: 'en-US',
  });
  for (const text of ['', '{}', '[1', '{"results":{"transcripts":[]}}']) {
    expect(() => readTranscript(Buffer.from(text))).toThrow(/could not be read/);
  }
});
