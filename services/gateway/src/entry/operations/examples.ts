/** One made-up user's day, used by every example of the API's description. */
export const exampleTime = '2026-03-14T09:26:53.589Z';
export const exampleJobId = 'query_01KFA8Y6Z4M3T9V2R7B5C1D0EX';
export const exampleManualId = 'man_01KFA8VQ2S8N4J6H0G3F5E7D9C';

export const exampleUsage = { daily_used: 3, daily_limit: 50, monthly_used: 41, monthly_limit: 1000 };

export const exampleAnswer = {
  answer: 'Fill the tank with descaling solution and hold the steam button for five seconds.',
  citations: [
    {
      manual_id: exampleManualId,
      filename: 'espresso-machine.pdf',
      page: 42,
      excerpt: 'To descale, fill the tank with descaling solution and hold the steam button for five seconds.',
      score: 0.87,
      span: [0, 81],
    },
  ],
  context_used: true,
  model: 'anthropic.claude-3-5-sonnet-20241022-v2:0',
  degradation: 'none',
  from_cache: false,
  conversation_id: 'cnv_01KFA8Y70QK2M4N6P8R0S2T4V6',
  usage: exampleUsage,
};

export const exampleTranscription = {
  transcription: 'How do I descale the machine?',
  confidence: 0.94,
  duration_s: 2.6,
  language_code: 'en-US',
  from_cache: false,
  usage: exampleUsage,
};

export const exampleIngest = {
  manual_id: exampleManualId,
  filename: 'espresso-machine.pdf',
  pages: 112,
  bytes: 4_194_304,
  status: 'ready',
};

const links = (id: string) => ({ self: `/api/jobs/${id}`, events: `/api/jobs/${id}/events` });

export const exampleJob = {
  id: exampleJobId,
  operation: 'query',
  status: 'queued',
  priority: 'normal',
  created_at: exampleTime,
  started_at: null,
  finished_at: null,
  attempts: 0,
  progress: { step: 'queued', percent: 0 },
  result: null,
  error: null,
  links: links(exampleJobId),
};

/** The same job as another operation's. */
export const exampleJobOf = (operation: 'transcribe' | 'voice' | 'ingest' | 'delete') => {
  const id = exampleJobId.replace('query', operation);
  return { ...exampleJob, id, operation, links: links(id) };
};

export const exampleManual = {
  manual_id: exampleManualId,
  filename: 'espresso-machine.pdf',
  content_type: 'application/pdf',
  bytes: 4_194_304,
  pages: 112,
  status: 'ready',
  created_at: exampleTime,
  updated_at: exampleTime,
};
