// What our gateway is measured against: Express, its JSON parser, `queue.add`. No token, no limits, no ledger.
import type { AddressInfo } from 'node:net';
import { Queue } from 'bullmq';
import express from 'express';

const queue = new Queue('bare', { connection: { url: process.env['REDIS_URL'] ?? '' }, prefix: '{bare}' });
const app = express();
app.use(express.json());
app.post('/api/query', async (request, response) => {
  const job = await queue.add('query', request.body as object, { priority: 1, removeOnComplete: true });
  response.status(202).json({ id: job.id, status: 'queued' });
});
const server = app.listen(0, '127.0.0.1', () => {
  // A listening TCP server always has an AddressInfo.
  process.stdout.write(`ready http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
process.on('SIGTERM', () => process.exit(0));
