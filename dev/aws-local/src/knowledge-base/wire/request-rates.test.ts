import { expect, test } from '@jest/globals';
import { RequestRates } from './request-rates.ts';

test('grants what AWS grants and throttles the rest until time has passed', () => {
  let now = 0;
  const rates = new RequestRates(() => now);
  const take = (operation: string): (() => void) => {
    return () => rates.take(operation);
  };
  for (let request = 0; request < 5; request += 1) take('IngestKnowledgeBaseDocuments')();
  expect(take('IngestKnowledgeBaseDocuments')).toThrow(
    expect.objectContaining({ code: 'ThrottlingException', status: 429 }),
  );
  now = 200;
  expect(take('IngestKnowledgeBaseDocuments')).not.toThrow();
  take('StartIngestionJob')();
  now = 9_000;
  expect(take('StartIngestionJob')).toThrow('Too many StartIngestionJob requests');
  now = 11_000;
  expect(take('StartIngestionJob')).not.toThrow();
  expect(take('GetKnowledgeBase')).not.toThrow();
});
