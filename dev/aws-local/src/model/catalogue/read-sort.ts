import { oneOf, type FieldWords } from './field-words.ts';
import type { FilterSchema } from './read-filter-schema.ts';
import { take, type Reading } from './reading.ts';

const NUMBER_WORDS = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
const COUNT = `\\d{1,3}|${NUMBER_WORDS.join('|')}`;

/** Understands how many are wanted and in what order: "the three cheapest", "dearest first", "sorted by age descending". */
export function readSort(reading: Reading, schema: FilterSchema, words: FieldWords): void {
  const superlatives = oneOf(
    words.comparisons.filter(
      (word) => /(?:est|most .+|least .+|best|worst)$/.test(word) || /^(?:most|least|top|highest|lowest) /.test(word),
    ),
  );
  const comparisons = oneOf(words.comparisons);
  const nouns = oneOf(words.nouns);
  const sortBy = (name: string | undefined, order: 'asc' | 'desc') => {
    if (name === undefined || !schema.sortable.has(name) || reading.sort.some((key) => key.field === name)) return;
    reading.sort.push({ field: name, order });
  };
  const setLimit = (count: string | undefined) => {
    if (count === undefined || !schema.hasLimit) return;
    const value = /\d/.test(count) ? Number(count) : NUMBER_WORDS.indexOf(count.toLowerCase()) + 1;
    if (value > 0) reading.limit = value;
  };
  const compare = (word: string | undefined): boolean => {
    const found = words.comparedBy(word ?? '');
    if (found === undefined) return false;
    sortBy(found.field.name, found.direction === 'low' ? 'asc' : 'desc');
    return true;
  };
  const descending = (word: string | undefined) => /^(?:desc|high|large|big|most|down|z)/i.test(word ?? '');

  // "sorted by age, oldest first", "by price descending", "highest price first"
  take(
    reading,
    `\\b(?:sort(?:ed)?|order(?:ed)?|rank(?:ed)?|arranged?)?\\s*\\bby (${nouns})\\b(?:,?\\s*(?:in )?(asc(?:ending)?|desc(?:ending)?|high(?:est)?(?: to low(?:est)?| first)|low(?:est)?(?: to high(?:est)?| first)|(?:${comparisons})(?: first| to \\w+)))?`,
    (match) => {
      const field = words.fieldNamed(match[1] ?? '');
      const said = words.comparedBy((match[2] ?? '').replace(/ (?:first|to \w+)$/i, ''));
      sortBy(
        field?.name,
        said === undefined ? (descending(match[2]) ? 'desc' : 'asc') : said.direction === 'low' ? 'asc' : 'desc',
      );
      return field !== undefined;
    },
  );
  take(reading, `\\b(highest|lowest|most|least) (${nouns})\\b(?: first)?`, (match) => {
    const field = words.fieldNamed(match[2] ?? '');
    sortBy(field?.name, /^(?:highest|most)/i.test(match[1] ?? '') ? 'desc' : 'asc');
    return field !== undefined;
  });
  take(reading, `\\b(?:the )?(?:top|first) (${COUNT})\\b(?!\\s*(?:${oneOf(words.units)})\\b)`, (match) => {
    setLimit(match[1]);
    return true;
  });
  take(
    reading,
    `\\b(?:the )?(?:(${COUNT}) )?(${superlatives})(?: (${COUNT}))?(?: first| to (?:${comparisons})| ones?)?\\b`,
    (match) => {
      if (!compare(match[2])) return false;
      setLimit(match[1] ?? match[3]);
      return true;
    },
  );
  take(reading, `\\b(${comparisons})(?: ones)? (?:first|to (?:${comparisons}))\\b`, (match) => compare(match[1]));
  take(
    reading,
    `\\b(?:limit(?:ed)? to|limit|only|at most|max(?:imum)?(?: of)?) (${COUNT}) (?:results?|items?|of them|entries|hits)\\b`,
    (match) => {
      setLimit(match[1]);
      return true;
    },
  );
}
