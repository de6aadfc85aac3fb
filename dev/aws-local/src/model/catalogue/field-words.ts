import { stemmer } from 'stemmer';
import type { Field } from './read-filter-schema.ts';

/** Everyday words for kinds of fields: how people name them, and how they compare by them. */
interface Concept {
  /** Names under which a schema may have the field. */
  readonly names: RegExp;
  readonly nouns: readonly string[];
  /** "cheap", "cheaper", "cheapest": little of it. */
  readonly low: readonly string[];
  readonly high: readonly string[];
  readonly units: readonly string[];
}

const CONCEPTS: readonly Concept[] = [
  {
    names: /(?:^|_)(?:price|cost|fee|amount)(?:_|$)/i,
    nouns: ['price', 'cost', 'costs', 'costing', 'priced', 'prices', 'fee', 'budget'],
    low: [
      'cheap',
      'cheaper',
      'cheapest',
      'affordable',
      'inexpensive',
      'least expensive',
      'less expensive',
      'lowest priced',
    ],
    high: [
      'dear',
      'dearer',
      'dearest',
      'expensive',
      'more expensive',
      'most expensive',
      'pricey',
      'pricier',
      'priciest',
      'costlier',
      'costliest',
      'highest priced',
    ],
    units: [
      'euro',
      'euros',
      'eur',
      'dollar',
      'dollars',
      'usd',
      'pound',
      'pounds',
      'gbp',
      'bucks',
      'quid',
      '€',
      '$',
      '£',
    ],
  },
  {
    names: /(?:^|_)age(?:_|$)/i,
    nouns: ['age', 'aged', 'ages'],
    low: ['young', 'younger', 'youngest'],
    high: ['old', 'older', 'oldest', 'elderly', 'eldest'],
    units: ['year', 'years', 'yr', 'yrs', 'month', 'months'],
  },
  {
    names: /(?:^|_)(?:year|date|at|on|since|purchased|bought)(?:_|$)/i,
    nouns: ['year', 'date', 'bought', 'purchased', 'made', 'from'],
    low: ['old', 'older', 'oldest', 'earliest', 'before'],
    high: ['new', 'newer', 'newest', 'latest', 'recent', 'most recent', 'after', 'since'],
    units: [],
  },
  {
    names: /(?:^|_)weight(?:_|$)/i,
    nouns: ['weight', 'weighing', 'weighs'],
    low: ['light', 'lighter', 'lightest'],
    high: ['heavy', 'heavier', 'heaviest'],
    units: ['kg', 'kilo', 'kilos', 'gram', 'grams', 'lbs'],
  },
  {
    names: /(?:^|_)(?:size|height|length|capacity|volume)(?:_|$)/i,
    nouns: ['size', 'height', 'tall', 'capacity'],
    low: ['small', 'smaller', 'smallest', 'short', 'shorter', 'shortest'],
    high: ['big', 'bigger', 'biggest', 'large', 'larger', 'largest', 'tall', 'taller', 'tallest'],
    units: ['cm', 'litre', 'litres', 'liter', 'liters', 'inch', 'inches'],
  },
  {
    names: /(?:^|_)(?:rating|score|stars)(?:_|$)/i,
    nouns: ['rating', 'rated', 'score', 'stars'],
    low: ['worst', 'worse', 'lowest rated'],
    high: ['best', 'better', 'top rated', 'highest rated'],
    units: ['stars', 'star'],
  },
];

export type Direction = 'low' | 'high';

/** The words by which people mean fields of one schema. */
export interface FieldWords {
  /** "price", "cost", "age": the field so named. */
  fieldNamed(word: string): Field | undefined;
  /** "cheaper", "oldest": the field compared by, and which end. */
  comparedBy(word: string): { field: Field; direction: Direction } | undefined;
  /** "euros", "years": the field so measured. */
  measuredIn(unit: string): Field | undefined;
  /** Where "under 600" belongs when nothing else tells. */
  readonly defaultNumber: Field | undefined;
  readonly nouns: readonly string[];
  readonly comparisons: readonly string[];
  readonly units: readonly string[];
}

export function fieldWords(fields: readonly Field[]): FieldWords {
  const named = new Map<string, Field>();
  const compared = new Map<string, { field: Field; direction: Direction }>();
  const measured = new Map<string, Field>();
  for (const field of fields) {
    const spoken = field.name.replace(/_/g, ' ').toLowerCase();
    named.set(spoken, field);
    named.set(`${spoken}s`, field);
  }
  for (const concept of CONCEPTS) {
    const field = fields.find((candidate) => concept.names.test(candidate.name));
    if (field === undefined) continue;
    for (const noun of concept.nouns) if (!named.has(noun)) named.set(noun, field);
    for (const direction of ['low', 'high'] as const) {
      for (const word of concept[direction]) if (!compared.has(word)) compared.set(word, { field, direction });
    }
    for (const unit of concept.units) if (!measured.has(unit)) measured.set(unit, field);
  }
  const numeric = fields.filter((field) => field.kind === 'number');
  return {
    fieldNamed: (word) =>
      named.get(word.toLowerCase()) ?? [...named].find(([name]) => stemmer(name) === stemmer(word.toLowerCase()))?.[1],
    comparedBy: (word) => compared.get(word.toLowerCase()),
    measuredIn: (unit) => measured.get(unit.toLowerCase()),
    defaultNumber: measured.get('€') ?? numeric[0],
    nouns: longestFirst(named.keys()),
    comparisons: longestFirst(compared.keys()),
    units: longestFirst(measured.keys()),
  };
}

function longestFirst(keys: Iterable<string>): string[] {
  return [...keys].sort((a, b) => b.length - a.length);
}

/** A regular expression's alternatives that match none when empty. */
export function oneOf(alternatives: readonly string[]): string {
  return alternatives.length === 0
    ? '(?!)'
    : alternatives.map((text) => text.replace(/[$.*+?^(){}|[\]\\]/g, '\\$&')).join('|');
}
