import type { AwsServiceName } from './service.ts';

/** Counts every call that reached a service, those that a fault then refused included. */
export class CallCounter {
  readonly #counts = new Map<AwsServiceName, Map<string, number>>();

  count(service: AwsServiceName, operation: string): void {
    const operations = this.#counts.get(service) ?? new Map<string, number>();
    operations.set(operation, (operations.get(operation) ?? 0) + 1);
    this.#counts.set(service, operations);
  }

  /** `{service: {operation: n}}` */
  snapshot(): Record<string, Record<string, number>> {
    return Object.fromEntries([...this.#counts].map(([service, counts]) => [service, Object.fromEntries(counts)]));
  }

  reset(): void {
    this.#counts.clear();
  }
}
