import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

type Labels = Readonly<Record<string, string | number>>;

/**
 * Prometheus metrics of one process. A metric is made at its first use; all names start with `manuel_`, durations are in
 * seconds as Prometheus wants them.
 */
export interface Metrics {
  count(name: string, help: string, labels?: Labels, by?: number): void;
  gauge(name: string, help: string, value: number, labels?: Labels): void;
  /** Observes seconds. */
  time(name: string, help: string, seconds: number, labels?: Labels): void;
  /** A gauge that is read when Prometheus asks. */
  onScrape(read: () => void | Promise<void>): void;
  text(): Promise<string>;
  readonly contentType: string;
}

const buckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry, prefix: 'manuel_process_' });
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  const readers: (() => void | Promise<void>)[] = [];

  function made<T>(known: Map<string, T>, name: string, make: () => T): T {
    const found = known.get(name);
    if (found) return found;
    const fresh = make();
    known.set(name, fresh);
    return fresh;
  }

  return {
    count(name, help, labels = {}, by = 1) {
      made(counters, name, () => {
        return new Counter({ name: `manuel_${name}`, help, labelNames: Object.keys(labels), registers: [registry] });
      }).inc(labels, by);
    },
    gauge(name, help, value, labels = {}) {
      made(gauges, name, () => {
        return new Gauge({ name: `manuel_${name}`, help, labelNames: Object.keys(labels), registers: [registry] });
      }).set(labels, value);
    },
    time(name, help, seconds, labels = {}) {
      made(histograms, name, () => {
        const labelNames = Object.keys(labels);
        return new Histogram({ name: `manuel_${name}`, help, labelNames, buckets, registers: [registry] });
      }).observe(labels, seconds);
    },
    onScrape(read) {
      readers.push(read);
    },
    async text() {
      for (const read of readers) await read();
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}
