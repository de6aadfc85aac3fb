import type { JobRecord, Recognition } from './job.ts';

/** The transcript as Amazon Transcribe writes it: numbers as strings, one item a word. */
export function transcriptDocument(job: JobRecord, recognition: Recognition, accountId: string): object {
  const identified = job.languageCode === undefined;
  return {
    jobName: job.name,
    accountId,
    status: 'COMPLETED',
    results: {
      ...(identified ? { language_code: recognition.languageCode } : {}),
      transcripts: [{ transcript: recognition.text }],
      items: recognition.words.map((word, id) => ({
        id,
        type: 'pronunciation',
        start_time: word.start.toFixed(3),
        end_time: word.end.toFixed(3),
        alternatives: [{ confidence: word.confidence.toFixed(4), content: word.text }],
      })),
    },
  };
}
