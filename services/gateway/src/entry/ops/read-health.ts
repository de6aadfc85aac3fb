import type { OpsHealth } from '@manuel/contracts';
import type { Gateway } from '../../context.ts';
import { type HealthFacts, judgeHealth } from '../../domain/show-health.ts';

/** The system's state. Answers also while something is away, for then it is looked at most. */
export async function readHealth(gateway: Gateway): Promise<OpsHealth> {
  const missing: string[] = [];
  const orElse = async <T>(what: string, work: Promise<T>, instead: T): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      gateway.logger.warn('health could not be read whole', { what, error });
      missing.push(`${what} cannot be reached`);
      return instead;
    }
  };
  const [queues, cache, degradation, breakers] = await Promise.all([
    orElse('the queues', gateway.inspector.states(), []),
    orElse<HealthFacts['cache']>('the cache', copied(gateway.cache.stats()), { hit_rate: null }),
    orElse<HealthFacts['degradation']>('the answers’ degradation', copied(gateway.degradation.read()), noneKnown),
    orElse('the breakers', gateway.resilience.breakers(), []),
    orElse('the ledger', gateway.ledger.ping(), undefined),
  ]);
  const facts: HealthFacts = {
    performance: gateway.performance.read(),
    queues,
    cache,
    degradation,
    breakers,
    missing,
  };
  return { overall: judgeHealth(gateway.settings, facts), ...facts };
}

const noneKnown = { degraded: false, failure_rate: null };

/** An interface as a plain record, which is what an open schema takes. */
const copied = async <T extends object>(facts: Promise<T>): Promise<{ [K in keyof T]: T[K] }> => ({ ...(await facts) });
