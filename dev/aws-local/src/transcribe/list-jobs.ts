import { summarise } from './describe-job.ts';
import type { JobRecord } from './job.ts';
import { badRequest, optionalInteger, optionalText, type Fields } from './read-fields.ts';

const DEFAULT_PAGE = 5;
const STATUSES = ['QUEUED', 'IN_PROGRESS', 'FAILED', 'COMPLETED'];

/** ListTranscriptionJobs over jobs given newest first. The token says where the next page begins. */
export function listJobs(jobs: readonly JobRecord[], body: Fields): object {
  const status = optionalText(body, 'Status', { oneOf: STATUSES });
  const contains = optionalText(body, 'JobNameContains', { max: 200, pattern: /^[0-9a-zA-Z._-]+$/ })?.toLowerCase();
  const matching = jobs.filter(
    (job) =>
      (status === undefined || job.status === status) &&
      (contains === undefined || job.name.toLowerCase().includes(contains)),
  );
  const { page, next } = paginate(matching, body, DEFAULT_PAGE);
  return {
    ...(status === undefined ? {} : { Status: status }),
    ...next,
    TranscriptionJobSummaries: page.map((job) => summarise(job)),
  };
}

/** One page of a list, and the token of the next. */
export function paginate<Item>(
  items: readonly Item[],
  body: Fields,
  defaultSize: number,
): { page: Item[]; next: { NextToken?: string } } {
  const size = optionalInteger(body, 'MaxResults', 1, 100) ?? defaultSize;
  const token = optionalText(body, 'NextToken', { max: 8192 });
  const start = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString('utf8'));
  if (!Number.isInteger(start) || start < 0)
    throw badRequest('The NextToken that you provided is not valid. Check the token and try your request again.');
  const end = start + size;
  return {
    page: items.slice(start, end),
    next: end < items.length ? { NextToken: Buffer.from(String(end)).toString('base64url') } : {},
  };
}
