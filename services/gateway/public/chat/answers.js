import { api } from './api.js';
import { byId, make, notice } from './dom.js';
import { follow, openManual } from './manuals.js';

let conversationId;
let onUsage = () => undefined;

export const newTopic = () => (conversationId = undefined);
export const whenUsageChanges = (listener) => (onUsage = listener);

const degradations = {
  cached: 'From an answer to a similar question; the answering service is busy.',
  simplified: 'Quoted from your manuals; the answering service is busy.',
  template: 'The answering service is not available.',
  error: 'The answering service is not available.',
};

function scrollDown() {
  const log = byId('log');
  log.scrollTop = log.scrollHeight;
}

/** The answer with a mark after each part that a source supports. */
function marked(answer, citations) {
  const marks = citations.map(({ span }, index) => ({ at: span[1], index })).sort((a, b) => a.at - b.at);
  const parts = [];
  let from = 0;
  for (const { at, index } of marks) {
    parts.push(document.createTextNode(answer.slice(from, at)), make('sup', { text: String(index + 1) }));
    from = at;
  }
  parts.push(document.createTextNode(answer.slice(from)));
  return parts;
}

function source(citation, index) {
  const where = citation.page === null ? citation.filename : `${citation.filename}, page ${citation.page}`;
  const open = make('button', {
    className: 'quiet',
    text: citation.page === null ? 'Open the manual' : `Open page ${citation.page}`,
    onclick: () => openManual(citation.manual_id, citation.page),
  });
  return make(
    'li',
    {},
    make(
      'details',
      {},
      make('summary', { text: `${index + 1}. ${where}` }),
      make('blockquote', { text: citation.excerpt }),
      open,
    ),
  );
}

function rating(jobId) {
  const row = make('div', { className: 'rate' });
  const rate = async (value) => {
    try {
      await api('POST', '/api/feedback', { job_id: jobId, rating: value });
      row.replaceChildren(make('span', { className: 'hint', text: 'Thank you.' }));
    } catch (error) {
      notice(error.message);
    }
  };
  row.append(
    make('button', { className: 'quiet', text: 'Helpful', onclick: () => rate('up') }),
    make('button', { className: 'quiet', text: 'Not helpful', onclick: () => rate('down') }),
  );
  return row;
}

function showResult(bubble, text, state, result, jobId) {
  conversationId = result.conversation_id;
  text.replaceChildren(...marked(result.answer, result.citations));
  text.classList.remove('waiting');
  const notes = [degradations[result.degradation], result.from_cache ? 'Answered from memory.' : undefined];
  state.textContent = notes.filter(Boolean).join(' ');
  if (result.citations.length > 0) bubble.append(make('ol', { className: 'sources' }, ...result.citations.map(source)));
  if (jobId) bubble.append(rating(jobId));
  if (result.usage) onUsage(result.usage);
  scrollDown();
}

/** Asks and writes the answer as it comes. */
export async function ask(question, persona, events) {
  const text = make('p', { className: 'text waiting' });
  const state = make('p', { className: 'state', text: 'Asking' });
  const bubble = make('article', { className: 'said answer' }, text, state);
  byId('log').append(make('div', { className: 'said mine' }, make('p', { text: question })), bubble);
  scrollDown();
  // Tokens may come before the answer to our own POST: they are kept until the job's id is known.
  const early = new Map();
  let jobId;
  const write = (piece) => {
    text.append(piece);
    scrollDown();
  };
  const stop = events.listen((message) => {
    if (message.type !== 'token') return;
    if (message.job_id === jobId) write(message.text);
    else if (!jobId) early.set(message.job_id, (early.get(message.job_id) ?? '') + message.text);
  });
  try {
    const body = { question, persona, ...(conversationId ? { conversation_id: conversationId } : {}) };
    const answered = await api('POST', '/api/query', body);
    if (answered.status === 200) {
      showResult(bubble, text, state, answered.body);
      return;
    }
    jobId = answered.body.id;
    if (early.has(jobId)) write(early.get(jobId));
    let ended;
    const last = events.listen((message) => {
      if (message.type === 'job' && message.job.id === jobId && message.job.result) ended = message.job;
    });
    await follow(answered.body, events, ({ step }) => (state.textContent = step === 'done' ? '' : `${step} …`));
    last();
    ended ??= (await api('GET', `/api/jobs/${jobId}`)).body;
    showResult(bubble, text, state, ended.result, jobId);
  } catch (error) {
    text.classList.remove('waiting');
    state.textContent = error.requestId ? `${error.message} (${error.requestId})` : error.message;
    state.classList.add('bad');
  } finally {
    stop();
  }
}
