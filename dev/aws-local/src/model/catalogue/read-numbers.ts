import { oneOf, type FieldWords } from './field-words.ts';
import type { Field, FilterSchema } from './read-filter-schema.ts';
import { take, type Reading } from './reading.ts';

type Op = 'lt' | 'lte' | 'gt' | 'gte' | 'eq' | 'ne';

/** Comparing words; for each, the operator they mean. The longest come first, so that "no more than" is not read as "more than". */
const COMPARATORS: readonly (readonly [pattern: string, op: Op])[] = [
  [
    'no (?:more|higher|older|dearer|heavier) than|not (?:over|above|more than)|at (?:the )?most|up to|maximum(?: of)?|max|<=|≤|not exceeding|within',
    'lte',
  ],
  [
    'no (?:less|fewer|lower|younger|cheaper) than|not (?:under|below|less than)|at (?:the )?least|minimum(?: of)?|min|>=|≥|starting (?:at|from)|from',
    'gte',
  ],
  ['under|below|beneath|less than|fewer than|lower than|smaller than|<|before', 'lt'],
  ['over|above|more than|greater than|higher than|exceeding|>|after|since', 'gt'],
  ['exactly|equal to|equals?|=|of|is|at|for', 'eq'],
];
const NUMBER = '(?:[€$£]\\s*)?\\d{1,3}(?:[,  ]\\d{3})+(?:\\.\\d+)?k?|(?:[€$£]\\s*)?\\d+(?:\\.\\d+)?k?';

/** Understands comparisons with numbers: "under 600", "between 2 and 5 years", "older than 3", "price at least 100", "4 years old". */
export function readNumbers(reading: Reading, schema: FilterSchema, words: FieldWords): void {
  const units = `(?:\\s*(${oneOf(words.units)})(?:\\s+(?:old|of age))?(?![\\p{L}]))?`;
  const nouns = `(?:\\b(${oneOf(words.nouns)})\\s+(?:(?:is|are|of|must be|should be|has to be)\\s+)?)?`;
  const add = (field: Field | undefined, op: Op, raw: string | undefined): boolean => {
    const value = parseNumber(raw);
    if (field === undefined || value === undefined || field.kind === 'text' || !schema.ops.has(op)) return false;
    reading.filters.push({ field: field.name, op, value: schema.numericValues ? value : String(value) });
    return true;
  };
  const fieldOf = (noun: string | undefined, unit: string | undefined, raw: string | undefined): Field | undefined =>
    (noun === undefined ? undefined : words.fieldNamed(noun)) ??
    (unit === undefined ? undefined : words.measuredIn(unit)) ??
    currency(raw, words);

  take(
    reading,
    `${nouns}\\b(?:between|from)\\s+(${NUMBER})${units}\\s*(?:and|to|-|–)\\s*(${NUMBER})${units}`,
    ([, noun, low, unitLow, high, unitHigh]) => {
      const field = fieldOf(noun, unitHigh ?? unitLow, low) ?? words.defaultNumber;
      return add(field, 'gte', low) && add(field, 'lte', high);
    },
  );
  take(
    reading,
    `${nouns}(?<![\\p{L}\\d.])(${NUMBER})\\s*(?:-|–)\\s*(${NUMBER})${units}`,
    ([, noun, low, high, unit]) => {
      const field = fieldOf(noun, unit, low) ?? words.defaultNumber;
      return add(field, 'gte', low) && add(field, 'lte', high);
    },
  );
  // "older than 3", "not older than 3", "cheaper than 600"
  take(reading, `\\b(not |no )?(${oneOf(words.comparisons)}) than\\s+(${NUMBER})${units}`, ([, not, word, raw]) => {
    const compared = words.comparedBy(word ?? '');
    if (compared === undefined) return false;
    const op = compared.direction === 'low' ? (not === undefined ? 'lt' : 'gte') : not === undefined ? 'gt' : 'lte';
    return add(compared.field, op, raw);
  });
  take(
    reading,
    `${nouns}(?<![\\p{L}\\d.])(${NUMBER})${units}\\s*(?:or|and)\\s+(less|under|below|fewer|cheaper|younger|more|over|above|older|up|newer)\\b`,
    ([, noun, raw, unit, word]) => {
      const said = words.comparedBy(word ?? '')?.field;
      const op = /^(?:less|under|below|fewer|cheaper|younger)$/i.test(word ?? '') ? 'lte' : 'gte';
      return add(fieldOf(noun, unit, raw) ?? said ?? words.defaultNumber, op, raw);
    },
  );
  for (const [pattern, op] of COMPARATORS) {
    if (op === 'eq') continue;
    take(
      reading,
      `${nouns}(?<![\\p{L}])(?:${pattern})\\s*(?:the (?:age|price) of\\s+)?(${NUMBER})${units}`,
      ([, noun, raw, unit]) => add(fieldOf(noun, unit, raw) ?? words.defaultNumber, op, raw),
    );
  }
  // An exact number needs a field's name or a unit: "age 3", "4 years old", "costs exactly 500"
  take(
    reading,
    `\\b(${oneOf(words.nouns)})\\s+(?:(?:exactly|equal to|equals|=|of|is|are|at)\\s+)*(${NUMBER})${units}`,
    ([, noun, raw]) => add(words.fieldNamed(noun ?? ''), 'eq', raw),
  );
  take(
    reading,
    `(?<![\\p{L}\\d.])(${NUMBER})[\\s-]*(${oneOf(words.units)})(?:[\\s-]+(?:old|of age))?(?![\\p{L}])`,
    ([, raw, unit]) => add(words.measuredIn(unit ?? ''), 'eq', raw),
  );
}

function currency(raw: string | undefined, words: FieldWords): Field | undefined {
  const symbol = /[€$£]/.exec(raw ?? '')?.[0];
  return symbol === undefined ? undefined : words.measuredIn(symbol);
}

function parseNumber(raw: string | undefined): number | undefined {
  if (raw === undefined) return undefined;
  const digits = raw.replace(/[€$£,\s ]/g, '').toLowerCase();
  const value = digits.endsWith('k') ? Number(digits.slice(0, -1)) * 1000 : Number(digits);
  return Number.isFinite(value) ? value : undefined;
}
