// The arrows between libs and services (boundary-rules.ts). Fails when it looked at too few modules to mean anything.
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { forbidden, options } from './boundary-rules.ts';
import { root } from './support/child.ts';

process.chdir(root);
const { output } = await cruise(['libs', 'services', 'dev'], {
  ...options,
  ruleSet: { forbidden },
  validate: true,
});
// Without an output type the cruise answers its result object.
const { modules, summary } = output as ICruiseResult;

const own = modules.filter((module) => /^(libs|services|dev)\//.test(module.source));
const edges = own.reduce((sum, module) => sum + module.dependencies.length, 0);
for (const { rule, from, to } of summary.violations) {
  const comment = forbidden.find((known) => known.name === rule.name)?.comment ?? '';
  process.stdout.write(`${from} -> ${to}\n  ${rule.name}: ${comment}\n`);
}
process.stdout.write(`${own.length} modules, ${edges} dependencies, ${summary.violations.length} violations\n`);
if (own.length < 50 || edges < own.length) {
  process.stdout.write('That is too few to be true: the tool did not read the sources.\n');
  process.exitCode = 1;
}
if (summary.violations.some(({ rule }) => rule.severity === 'error')) process.exitCode = 1;
