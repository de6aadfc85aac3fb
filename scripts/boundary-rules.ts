import type { ICruiseOptions, IFlattenedRuleSet } from 'dependency-cruiser';

/** The arrows of docs/architecture.md, as rules. Each comment says what to do instead. */
export const forbidden: NonNullable<IFlattenedRuleSet['forbidden']> = [
  {
    name: 'no-cycles',
    comment: 'Two modules need each other: move what both need into a third.',
    severity: 'error',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
  {
    name: 'services-stand-alone',
    comment: 'A service imports another service: put what they share into a lib.',
    severity: 'error',
    from: { path: '^services/([^/]+)/' },
    to: { path: '^services/', pathNot: '^services/$1/' },
  },
  {
    name: 'libs-know-no-service',
    comment: 'A lib imports a service: turn the arrow round, pass what it needs as an argument.',
    severity: 'error',
    from: { path: '^libs/', pathNot: '[.]test[.]ts$|/test-support/' },
    to: { path: '^(services|dev|scripts|tests|bench)/' },
  },
  {
    name: 'contracts-import-zod-only',
    comment: 'libs/contracts is what crosses boundaries: it may import zod and Node, nothing of ours.',
    severity: 'error',
    from: { path: '^libs/contracts/src', pathNot: '[.]test[.]ts$' },
    to: { path: '^(libs/(?!contracts)|node_modules/(?!zod))' },
  },
  {
    name: 'bullmq-in-queues-only',
    comment: 'Use @manuel/queues: it is the one place that knows bullmq (the gateway has one board file).',
    severity: 'error',
    from: { path: '^(libs|services)/', pathNot: '^libs/queues/|board[^/]*[.]ts$|[.]test[.]ts$' },
    to: { path: '^node_modules/(bullmq|@bull-board)/' },
  },
  {
    name: 'aws-sdk-in-aws-and-ledger-only',
    comment: 'Use @manuel/aws or @manuel/ledger: one file an AWS service, with its time limits.',
    severity: 'error',
    from: { path: '^(libs|services)/', pathNot: '^libs/(aws|ledger)/|[.]test[.]ts$' },
    to: { path: '^node_modules/@aws-sdk/' },
  },
  {
    name: 'domain-is-free-of-transport',
    comment: 'The domain speaks its own types: reach queues, Redis, HTTP and AWS through src/adapters.',
    severity: 'error',
    from: { path: '^services/[^/]+/src/domain/', pathNot: '[.]test[.]ts$' },
    to: { path: '^node_modules/(bullmq|ioredis|express|@aws-sdk)/' },
  },
  {
    name: 'testing-from-tests-only',
    comment: '@manuel/testing is for tests, the bench and scripts.',
    severity: 'error',
    from: { path: '^(libs|services|dev)/', pathNot: '^libs/testing/|[.]test[.]ts$|/test-support/|/testing/' },
    to: { path: '^libs/testing/' },
  },
  {
    name: 'dev-does-not-ship',
    comment: 'What ships imports nothing of dev/: services speak AWS over the wire.',
    severity: 'error',
    from: { path: '^(libs|services)/', pathNot: '[.]test[.]ts$|/test-support/|/testing/' },
    to: { path: '^dev/' },
  },
];

export const options: ICruiseOptions = {
  doNotFollow: { path: 'node_modules' },
  // Tests reach where they must, and the parser knows no `using`, which some of them have.
  exclude: { path: '(^|/)node_modules/[.]|[.]test[.]ts$' },
  parser: 'swc',
  tsPreCompilationDeps: true,
  enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
};
