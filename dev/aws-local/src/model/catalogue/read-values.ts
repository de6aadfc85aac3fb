import { stemmer } from 'stemmer';
import { terms } from '../extractive/terms.ts';
import { oneOf, type FieldWords } from './field-words.ts';
import type { Field, FilterSchema } from './read-filter-schema.ts';
import { take, type Reading } from './reading.ts';

/** Everyday words for common values; used only where the value is in the schema, or the schema lists none. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  dog: ['dog', 'puppy', 'puppies', 'pup', 'hound', 'doggy'],
  cat: ['cat', 'kitten', 'kitty', 'feline'],
  bird: ['bird', 'parrot', 'budgie', 'canary', 'parakeet', 'cockatiel'],
  rabbit: ['rabbit', 'bunny', 'bunnies'],
  fish: ['fish', 'goldfish'],
  hamster: ['hamster'],
  horse: ['horse', 'pony', 'ponies'],
  reptile: ['reptile', 'lizard', 'snake', 'turtle', 'tortoise', 'gecko'],
  fridge: ['fridge', 'refrigerator'],
  tv: ['tv', 'television', 'telly'],
  washer: ['washer', 'washing machine'],
  vacuum: ['vacuum', 'hoover', 'vacuum cleaner'],
  oven: ['oven', 'cooker', 'stove'],
};

const NOT =
  '(?:\\b(not|no|non|without|except(?: for)?|excluding|but not|other than|apart from|anything but)\\s+(?:an? |any |the )?)?';
const FILLER =
  /^(?:show|list|find|get|give|me|us|all|any|every|everything|the|a|an|of|for|with|that|which|who|are|is|be|and|or|in|to|my|our|i|want|need|would|like|looking|search|please|pets?|animals?|products?|items?|appliances?|things?|ones?|some|have|has|do|you|we|what|first|then|them|by|from|on|at|can|results?|cheap|expensive|available|there|only|just|also|sale|costs?|costing|priced?|named|called|how|many|sort(?:ed)?|order(?:ed)?|than|hello|hi|hey|thanks?)$/i;

/** Understands words that are values: "dogs", "not cats", "cats or rabbits", "named Rex", "breed is beagle", and what is left over. */
export function readValues(reading: Reading, schema: FilterSchema, words: FieldWords): void {
  readListedValues(reading, schema);
  readNamedFields(reading, schema, words);
  readLeftovers(reading, schema);
}

/** Values that the schema lists, in singular or plural or by an everyday word. */
function readListedValues(reading: Reading, schema: FilterSchema): void {
  for (const field of schema.fields) {
    const values = field.values.length > 0 ? field.values : isKindField(field) ? Object.keys(KINDS) : [];
    const wanted = new Set<string>();
    const unwanted = new Set<string>();
    for (const value of values) {
      const spoken = [...new Set([value.toLowerCase().replace(/_/g, ' '), ...(KINDS[value.toLowerCase()] ?? [])])];
      take(reading, `${NOT}(?<![\\p{L}\\d])(?:${oneOf(spoken.flatMap(plurals))})(?![\\p{L}\\d])`, ([, not]) => {
        (not === undefined ? wanted : unwanted).add(value);
        return true;
      });
    }
    const [first] = wanted;
    if (wanted.size > 1 && schema.ops.has('in'))
      reading.filters.push({ field: field.name, op: 'in', value: [...wanted] });
    else if (first !== undefined) reading.filters.push({ field: field.name, op: 'eq', value: first });
    if (schema.ops.has('ne'))
      for (const value of unwanted) reading.filters.push({ field: field.name, op: 'ne', value });
  }
}

/** "named Rex", "breed is beagle", "brand Bosch", "made by Bosch". */
function readNamedFields(reading: Reading, schema: FilterSchema, words: FieldWords): void {
  const text = schema.fields.filter((field) => field.kind !== 'number' && field.values.length === 0);
  const add = (field: Field | undefined, raw: string | undefined, contains = false): boolean => {
    const value = raw?.replace(/^["'“]|["'”]$/g, '').trim() ?? '';
    const op = contains || !schema.ops.has('eq') ? 'contains' : 'eq';
    if (field === undefined || value === '' || !text.includes(field) || !schema.ops.has(op)) return false;
    reading.filters.push({ field: field.name, op, value });
    return true;
  };
  const value = '("[^"]+"|“[^”]+”|[\\p{L}\\d][\\p{L}\\d’\'.-]*)';
  const name = text.find((field) => /(?:^|_)(?:name|title)$/i.test(field.name));
  const maker = text.find((field) => /brand|maker|manufacturer|vendor/i.test(field.name));
  take(reading, `\\b(?:named|called|with the name(?: of)?)\\s+${value}`, ([, raw]) => add(name, raw));
  take(reading, `\\b(?:made by|manufactured by|by|from)\\s+${value}`, ([, raw]) => add(maker, raw));
  const nouns = oneOf(words.nouns.filter((noun) => text.some((field) => words.fieldNamed(noun) === field)));
  take(reading, `\\b(${nouns})\\s+(contains|containing|includes|including|like)\\s+${value}`, ([, noun, , raw]) =>
    add(words.fieldNamed(noun ?? ''), raw, true),
  );
  take(
    reading,
    `\\b(${nouns})\\s*(?:is|=|:|of)?\\s*${value}`,
    ([, noun, raw]) => !FILLER.test(raw ?? '') && add(words.fieldNamed(noun ?? ''), raw),
  );
}

/** Words nobody has claimed: a breed, a brand, a model. They go where free text belongs, as `contains`. */
function readLeftovers(reading: Reading, schema: FilterSchema): void {
  const free = ['breed', 'brand', 'model', 'name', 'title', 'description'];
  const field = free
    .map((wanted) =>
      schema.fields.find((candidate) => candidate.name.toLowerCase() === wanted && candidate.values.length === 0),
    )
    .find((found) => found !== undefined);
  if (field === undefined || !schema.ops.has('contains')) return;
  for (const chunk of reading.rest.split(/[;,.!?]/)) {
    const kept = (chunk.match(/[\p{L}][\p{L}’'-]+/gu) ?? []).filter(
      (word) => !FILLER.test(word) && terms(word).length > 0,
    );
    if (kept.length === 0 || kept.length > 3) continue;
    reading.filters.push({ field: field.name, op: 'contains', value: kept.map(singular).join(' ').toLowerCase() });
    return;
  }
}

function isKindField(field: Field): boolean {
  return /^(?:type|kind|category|species|animal)$/i.test(field.name) && field.kind !== 'number';
}

function plurals(word: string): string[] {
  return [word, `${word}s`, `${word}es`, word.endsWith('y') ? `${word.slice(0, -1)}ies` : word];
}

function singular(word: string): string {
  if (/ies$/i.test(word)) return `${word.slice(0, -3)}y`;
  if (/(?:ss|us|is)$/i.test(word) || !/s$/i.test(word)) return word;
  // "boxes", "dishes": the stemmer drops the whole ending where English adds "es"
  return /(?:x|ch|sh|ss)es$/i.test(word)
    ? word.slice(0, -2)
    : stemmer(word).length < word.length
      ? word.slice(0, -1)
      : word;
}
