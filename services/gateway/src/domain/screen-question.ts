import { ManuelError } from '@manuel/contracts';
import type { Caller } from './caller.ts';
import type { Outside } from './outside.ts';

/** What a text looks like. `unseen`: characters that nobody types and nobody sees. */
export type SuspicionKind = 'markup' | 'sql' | 'instructions' | 'unseen';

export interface Suspicion {
  /** 0: nothing; 9 at most. */
  readonly score: number;
  readonly kinds: readonly SuspicionKind[];
}

/** From this score on a question is noted. */
const noted = 3;
const highest = 9;

/** Each bounded, so that none takes longer than the text is long. */
const signs: readonly { readonly kind: SuspicionKind; readonly weight: number; readonly pattern: RegExp }[] = [
  { kind: 'markup', weight: 3, pattern: /<\/?(?:script|iframe|img|svg|object|embed|body|link|meta|style|form)\b/i },
  { kind: 'markup', weight: 3, pattern: /\bon(?:error|load|click|focus|mouseover|toggle)\s{0,5}=/i },
  { kind: 'markup', weight: 3, pattern: /\b(?:javascript|vbscript):/i },
  { kind: 'sql', weight: 3, pattern: /\bunion\s{1,5}(?:all\s{1,5})?select\b/i },
  { kind: 'sql', weight: 3, pattern: /['"]\s{0,5}(?:or|and)\s{1,5}(['"]?)(\w{1,20})\1\s{0,5}=\s{0,5}\1\2/i },
  { kind: 'sql', weight: 3, pattern: /['";]\s{0,5}(?:drop|alter|truncate)\s{1,5}(?:table|database)\b/i },
  {
    kind: 'sql',
    weight: 3,
    pattern:
      /['";]\s{0,5}(?:delete\s{1,5}from|insert\s{1,5}into\s{1,5}\w{1,30}\s{0,5}(?:\(|values\b)|update\s{1,5}\w{1,30}\s{1,5}set)\b/i,
  },
  {
    kind: 'sql',
    weight: 3,
    pattern: /\b(?:sleep|benchmark|pg_sleep)\s{0,5}\(\s{0,5}\d{1,6}\s{0,5}\)|\bxp_cmdshell\b/i,
  },
  { kind: 'sql', weight: 1, pattern: /(?:--|\/\*)\s{0,5}$/ },
  {
    kind: 'instructions',
    weight: 3,
    pattern:
      /\b(?:ignore|disregard|forget|override)\b.{0,20}\b(?:previous|prior|above|earlier|all|your)\b.{0,20}\b(?:instructions?|rules|prompts?|guidelines)\b/i,
  },
  {
    kind: 'instructions',
    weight: 3,
    pattern: /\b(?:your|hidden)\s{1,5}(?:system|developer)\s{1,5}(?:prompt|message)\b/i,
  },
  { kind: 'instructions', weight: 3, pattern: /\byou\s{1,5}are\s{1,5}(?:now|no\s{1,5}longer)\s{1,5}(?:an?|bound)\b/i },
  { kind: 'instructions', weight: 3, pattern: /<\|(?:im_start|im_end|endoftext|system)/i },
];

/** Control characters but tab and line ends, and those that turn the direction of what follows. */
function holdsUnseen(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 32 ? code !== 9 && code !== 10 && code !== 13 : code === 127 || code === 0x202d || code === 0x202e) {
      return true;
    }
  }
  return false;
}

/** How much a question looks like an attack on a page, a database or a model. A few microseconds. */
export function suspicionOf(text: string): Suspicion {
  let score = 0;
  const kinds = new Set<SuspicionKind>();
  for (const { kind, weight, pattern } of signs) {
    if (!pattern.test(text)) continue;
    score += weight;
    kinds.add(kind);
  }
  if (holdsUnseen(text)) {
    score += noted;
    kinds.add('unseen');
  }
  return { score: Math.min(highest, score), kinds: [...kinds] };
}

/**
 * Looks at a question before it is admitted, as `screening.mode` says. `observe`: one that looks like an attack is logged and
 * counted, and answered like any other. There is no SQL here, output is encoded and manuals are data to the model, while
 * patterns of words hit many honest questions; so `block`, too, refuses by structure alone: `validation_failed` for
 * characters that no one types. Identifiers are refused by their schemas in every mode.
 */
export function screenQuestion(
  { settings, logger, metrics }: Pick<Outside, 'settings' | 'logger' | 'metrics'>,
  caller: Caller,
  question: string,
): void {
  const { mode } = settings.screening;
  if (mode === 'off') return;
  const { score, kinds } = suspicionOf(question);
  if (score < noted) return;
  const refused = mode === 'block' && kinds.includes('unseen');
  // Not the text: it is the user's, and may be hostile to whoever reads the log.
  logger.warn('a question looks like an attack', { user_id: caller.userId, score, kinds, refused });
  for (const kind of kinds) {
    metrics.count('suspicious_questions_total', 'Questions that look like an attack', { kind, score });
  }
  if (refused) {
    throw new ManuelError('validation_failed', 'The question holds control characters. Type it anew.', {
      errors: [{ path: 'question', message: 'holds control characters' }],
    });
  }
}
