import type { OpsHealth } from '@manuel/contracts';
import type { Settings } from '@manuel/settings';

/** What health is judged from; what could not be asked is missing. */
export type HealthFacts = Omit<OpsHealth, 'overall'>;

/**
 * `unhealthy`: a threshold of the settings is critical, or something could not even be asked. `degraded`: something is less
 * than it should be: an open breaker, lesser answers, a paused or long queue.
 */
export function judgeHealth(settings: Pick<Settings, 'alerts'>, facts: HealthFacts): OpsHealth['overall'] {
  const { queue_depth, error_rate, response_time_ms } = settings.alerts;
  const { performance, degradation, queues, breakers, missing } = facts;
  const waiting = Math.max(0, ...queues.map((queue) => queue.waiting));
  const beyond = (level: 'warning' | 'critical'): boolean =>
    waiting >= queue_depth[level] ||
    (performance.error_rate ?? 0) >= error_rate[level] ||
    (performance.p95_ms ?? 0) >= response_time_ms[level];
  if (missing.length > 0 || beyond('critical')) return 'unhealthy';
  const lesser =
    degradation.degraded || breakers.some(({ state }) => state !== 'closed') || queues.some(({ paused }) => paused);
  return lesser || beyond('warning') ? 'degraded' : 'healthy';
}
