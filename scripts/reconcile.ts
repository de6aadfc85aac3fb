// `npm run reconcile`: lists stored files, manuals and the index against each other; `-- --mend` sets right what differs,
// `-- --adopt USER` gives documents from before, which have no owner, to a user (the `sub` of his token).
import { parseArgs } from 'node:util';
import { loadProcessSettings } from '@manuel/settings';
import { createLogger } from '@manuel/telemetry';
import { createContext } from '../services/ingest-worker/src/context.ts';
import { findingKinds } from '../services/ingest-worker/src/domain/reconcile/compare.ts';
import { reconcile, type ReconcileReport } from '../services/ingest-worker/src/entry/reconcile.ts';
import { environmentOfRunningStack } from './support/stack.ts';

const userPattern = /^[A-Za-z0-9_-]{1,128}$/;

function readArguments() {
  const { values } = parseArgs({
    options: {
      mend: { type: 'boolean', default: false },
      adopt: { type: 'string' },
      json: { type: 'boolean', default: false },
      'grace-s': { type: 'string' },
    },
  });
  if (values.adopt !== undefined && !userPattern.test(values.adopt)) {
    throw new Error('--adopt wants a user’s id: the `sub` of his token, not an e-mail address');
  }
  const grace = values['grace-s'] === undefined ? undefined : Number(values['grace-s']);
  if (grace !== undefined && !(grace >= 0)) throw new Error('--grace-s wants a number of seconds');
  return { ...values, graceMs: grace === undefined ? undefined : grace * 1000 };
}

function print(report: ReconcileReport): void {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(`${report.objects} stored files, ${report.manuals} manuals, ${report.documents} documents in the index`);
  for (const { kind, key, user_id, manual_id, mended } of report.findings) {
    const where = key ?? `${user_id}/${manual_id}`;
    say(`${mended ? 'mended  ' : 'found   '}${kind}  ${where}\n        ${findingKinds[kind]}`);
  }
  for (const { key, manualId, outcome, reason } of report.adopted) {
    say(`adopted ${key} as ${manualId}: ${outcome}${reason === undefined ? '' : ` (${reason})`}`);
  }
  if (report.findings.length === 0) say('All three agree.');
  else if (report.findings.some(({ mended, kind }) => !mended && kind !== 'unowned_document')) {
    say('Nothing was changed. To set it right: npm run reconcile -- --mend');
  }
}

async function main(): Promise<void> {
  const options = readArguments();
  // Against the stack on this machine, unless the environment already says where AWS is.
  const elsewhere =
    process.env['AWS_ENDPOINT_URL'] !== undefined || (process.env['MANUEL_ENV'] ?? 'development') !== 'development';
  if (!elsewhere) Object.assign(process.env, await environmentOfRunningStack());
  const settings = loadProcessSettings();
  const logger = createLogger({ service: 'reconcile', level: 'warn', stream: process.stderr });
  const context = await createContext(settings, { logger });
  try {
    const report = await reconcile(context, {
      mend: options.mend,
      ...(options.adopt === undefined ? {} : { adoptFor: options.adopt }),
      ...(options.graceMs === undefined ? {} : { graceMs: options.graceMs }),
    });
    if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
    else print(report);
  } finally {
    await context.close();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
