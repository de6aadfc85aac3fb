/** Units by the kind of what they measure, in words and signs; those that are common words too ("in", "a") are left out. */
const UNITS = `
#weight kg g mg lb lbs oz kilogram kilograms gram grams pound pounds ounce ounces
#length mm cm m km ft inch inches millimetre millimetres millimeter millimeters centimetre centimetres centimeter centimeters metre metres meter meters feet
#volume ml cl l litre litres liter liters millilitre millilitres milliliter milliliters gallon gallons cup cups
#power w kw watt watts kilowatt kilowatts
#voltage v vac vdc volt volts
#frequency hz khz mhz ghz
#noise db dba decibel decibels
#temperature c f degree degrees celsius fahrenheit
#speed mbps gbps kbps mbit gbit rpm kmh mph
#data kb mb gb tb megabytes gigabytes
#pressure pa kpa psi bar bars
#time s sec second seconds min minute minutes h hr hrs hour hours day days week weeks month months year years
`;

const KINDS: ReadonlyMap<string, string> = new Map(
  UNITS.trim()
    .split('\n')
    .flatMap((line) => {
      const [kind = '', ...units] = line.split(' ');
      return units.map((unit) => [unit, kind] as const);
    }),
);

const NUMBER_WORDS: ReadonlySet<string> = new Set(
  'half one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty hundred'.split(
    ' ',
  ),
);

export const isNumber = (word: string): boolean => /^\d+$/.test(word) || NUMBER_WORDS.has(word);

/** `#weight` for "kg" after a number, and for "5kg"; undefined for what is no measure. */
export function kindOfMeasure(word: string, afterNumber: boolean): string | undefined {
  const unit = afterNumber ? word : /^\d+([a-z]+)$/.exec(word)?.[1];
  return unit === undefined ? undefined : KINDS.get(unit);
}

export const isKindOfMeasure = (word: string): boolean => word.startsWith('#');
