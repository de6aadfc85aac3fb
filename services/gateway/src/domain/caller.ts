/** Who a verified token names. */
export interface Identity {
  /** The token's `sub`. */
  readonly userId: string;
  readonly groups: readonly string[];
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/** Who asks, and the request that it belongs to. */
export interface Caller extends Identity {
  readonly requestId: string;
  /** W3C trace context, when the client sent a valid one. */
  readonly traceparent?: string;
}

export const operatorGroup = 'ops';
export const viewerGroup = 'ops-viewer';

export const isOperator = (who: Identity): boolean => who.groups.includes(operatorGroup);
/** Operators see all that viewers see. */
export const isViewer = (who: Identity): boolean => isOperator(who) || who.groups.includes(viewerGroup);
