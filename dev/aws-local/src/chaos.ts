import type { AwsServiceName } from './service.ts';

const serviceNames: readonly AwsServiceName[] = [
  's3',
  'dynamodb',
  'sns',
  'cognito-idp',
  'transcribe',
  'bedrock-runtime',
  'bedrock-agent',
  'bedrock-agent-runtime',
];
const faultKinds = ['throttle', 'error', 'timeout', 'latency', 'reset'] as const;
const fields = ['service', 'operation', 'fault', 'rate', 'count', 'latency_ms', 'after_events'];
const defaultLatencyMs = 1000;
const maxLatencyMs = 15 * 60 * 1000;

export type FaultKind = (typeof faultKinds)[number];

/** A fault that requests meet until it is deleted or its `count` is used up. */
export interface Fault {
  readonly id: string;
  readonly service: AwsServiceName;
  /** Only this operation; every operation of the service when absent. */
  readonly operation?: string;
  readonly fault: FaultKind;
  /** Share of the requests that meet the fault, 0..1. */
  readonly rate: number;
  /** How many requests meet it at most. */
  readonly count?: number;
  /** Wait before the fault (or, with `latency`, before the ordinary answer). */
  readonly latency_ms?: number;
  /** Event streams only: let this many events through and fail after them. */
  readonly after_events?: number;
  /** How many requests have met it. */
  readonly fired: number;
}

/** What is wrong with a fault that somebody tried to add. */
export class InvalidFault extends Error {}

/** The faults in force. */
export class Chaos {
  readonly #faults = new Map<string, Fault>();
  #added = 0;

  /** Validates and adds a fault; throws InvalidFault. */
  add(input: unknown): Fault {
    const fault = parseFault(input, `fault-${++this.#added}`);
    this.#faults.set(fault.id, fault);
    return fault;
  }

  list(): Fault[] {
    return [...this.#faults.values()];
  }

  /** False when there is no such fault. */
  remove(id: string): boolean {
    return this.#faults.delete(id);
  }

  clear(): void {
    this.#faults.clear();
  }

  /** The fault that this request meets, if any; counts it. */
  draw(service: AwsServiceName, operation: string): Fault | undefined {
    for (const fault of this.#faults.values()) {
      if (fault.service !== service || (fault.operation !== undefined && fault.operation !== operation)) continue;
      if (fault.count !== undefined && fault.fired >= fault.count) continue;
      if (Math.random() >= fault.rate) continue;
      this.#faults.set(fault.id, { ...fault, fired: fault.fired + 1 });
      return fault;
    }
    return undefined;
  }
}

function parseFault(input: unknown, id: string): Fault {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw new InvalidFault('the body must be a JSON object');
  const body: Record<string, unknown> = { ...input };
  const unknown = Object.keys(body).filter((key) => !fields.includes(key));
  if (unknown.length > 0) throw new InvalidFault(`unknown field ${unknown.join(', ')}; known are ${fields.join(', ')}`);
  const service = serviceNames.find((name) => name === body['service']);
  if (service === undefined) throw new InvalidFault(`service must be one of ${serviceNames.join(', ')}`);
  const fault = faultKinds.find((kind) => kind === body['fault']);
  if (fault === undefined) throw new InvalidFault(`fault must be one of ${faultKinds.join(', ')}`);
  const operation = body['operation'];
  if (operation !== undefined && (typeof operation !== 'string' || operation === '')) {
    throw new InvalidFault('operation must be the name of an AWS operation, such as GetObject');
  }
  const count = numberField(body, 'count', 1, Number.MAX_SAFE_INTEGER, true);
  const latency =
    numberField(body, 'latency_ms', 0, maxLatencyMs, true) ?? (fault === 'latency' ? defaultLatencyMs : undefined);
  const afterEvents = numberField(body, 'after_events', 0, Number.MAX_SAFE_INTEGER, true);
  return {
    id,
    service,
    ...(operation === undefined ? {} : { operation }),
    fault,
    rate: numberField(body, 'rate', 0, 1, false) ?? 1,
    ...(count === undefined ? {} : { count }),
    ...(latency === undefined ? {} : { latency_ms: latency }),
    ...(afterEvents === undefined ? {} : { after_events: afterEvents }),
    fired: 0,
  };
}

function numberField(
  body: Record<string, unknown>,
  name: string,
  min: number,
  max: number,
  whole: boolean,
): number | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !(value >= min && value <= max) || (whole && !Number.isInteger(value))) {
    throw new InvalidFault(`${name} must be a ${whole ? 'whole ' : ''}number from ${min} to ${max}`);
  }
  return value;
}
