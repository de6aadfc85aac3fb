import { accessToken } from './session.js';

/** What the API said no with. */
export class Problem extends Error {
  constructor(problem) {
    super(problem.detail ?? problem.title ?? 'Something went wrong.');
    this.code = problem.code;
    this.status = problem.status;
    this.requestId = problem.request_id;
  }
}

/** Calls the API. Throws a Problem. */
export async function api(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: {
      authorization: `Bearer ${await accessToken()}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = response.headers.get('content-type')?.includes('json') ? await response.json() : undefined;
  if (!response.ok) throw new Problem(answer ?? { detail: `The server answered ${response.status}.` });
  return { status: response.status, body: answer };
}

/** The short-lived link to a manual's file. */
export async function contentLink(manualId) {
  const response = await fetch(`/api/manuals/${manualId}/content`, {
    headers: { authorization: `Bearer ${await accessToken()}` },
  });
  // fetch has followed the redirect: its address is the link. The file itself is the new tab's to load.
  await response.body?.cancel();
  if (!response.ok) throw new Problem({ detail: 'The file cannot be opened at the moment.' });
  return response.url;
}
