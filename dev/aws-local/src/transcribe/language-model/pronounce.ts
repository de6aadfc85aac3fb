/** The names of the letters, in the decoder's phonemes. */
const LETTERS: Readonly<Record<string, string>> = {
  a: 'EY',
  b: 'B IY',
  c: 'S IY',
  d: 'D IY',
  e: 'IY',
  f: 'EH F',
  g: 'JH IY',
  h: 'EY CH',
  i: 'AY',
  j: 'JH EY',
  k: 'K EY',
  l: 'EH L',
  m: 'EH M',
  n: 'EH N',
  o: 'OW',
  p: 'P IY',
  q: 'K Y UW',
  r: 'AA R',
  s: 'EH S',
  t: 'T IY',
  u: 'Y UW',
  v: 'V IY',
  w: 'D AH B AH L Y UW',
  x: 'EH K S',
  y: 'W AY',
  z: 'Z IY',
};

const LONG = '(?=[bcdfgklmnprstvz]e[sd]?$)';

/** Spellings, as regular expressions, and the sounds they usually have in English. At each place of a word the first that fits is taken. */
const TABLE = `
tion SH AH N; sion ZH AH N; ture CH ER; ough AO; augh AO; eigh EY; igh AY; tch CH; sch SH; dge JH; que$ K; air EH R; ear IH R; eer IH R; our AW R; ore$ AO R;
ch CH; sh SH; th TH; ph F; wh W; ^gh G; gh; ck K; ng$ NG; ng NG G; qu K W; ^kn N; ^wr R; ^ps S; mb$ M;
ee IY; ea IY; oo UW; ou AW; ow OW; oi OY; oy OY; ai EY; ay EY; au AO; aw AO; ie IY; ei EY; ey IY; eu UW; ew UW; ue UW; ui UW; oa OW;
ar AA R; er ER; ir ER; or AO R; ur ER; (?<=[^aeiouy])le$ AH L;
(?<=[sxz]|ch|sh)es$ IH Z; (?<=[td])ed$ IH D; (?<=[^aeiou])ed$ D; a${LONG} EY; e${LONG} IY; i${LONG} AY; o${LONG} OW; u${LONG} UW;
(?<=[^aeiouy])e(?=s?$); (?<=^[^aeiou]+)y$ AY; (?<=.)y$ IY; ^y Y; y IH; c(?=[eiy]) S; g(?=[ey]) JH; ^x Z; x K S; (?<=[aeioubdgmnlrv])s$ Z;
bb B; cc K; dd D; ff F; gg G; ll L; mm M; nn N; pp P; rr R; ss S; tt T; zz Z; a$ AH; o$ OW; i$ IY;
a AE; b B; c K; d D; e EH; f F; g G; h HH; i IH; j JH; k K; l L; m M; n N; o AA; p P; r R; s S; t T; u AH; v V; w W; z Z`;

const RULES = TABLE.split(';').map((entry) => {
  const [spelling = '', ...sounds] = entry.trim().split(' ');
  return { spelling: new RegExp(spelling, 'y'), sounds: sounds.join(' ') };
});

/**
 * How a word that the dictionary lacks is probably spoken: letter by letter and perhaps as a word when the text writes it in capitals or it
 * has no vowel, as two known words when it is a compound, else by the rules of English spelling. Empty when nothing can be said of it.
 */
export function pronounce(
  word: string,
  isAbbreviation: boolean,
  dictionary: ReadonlyMap<string, readonly string[]>,
): string[] {
  if (!/^[a-z']+$/.test(word)) return [];
  const letters = word.replaceAll("'", '');
  const named = letters
    .split('')
    .map((letter) => LETTERS[letter])
    .join(' ');
  if (letters.length < 2 || !/[aeiouy]/.test(letters)) return [named];
  const whole =
    possessive(word, dictionary) ?? derived(letters, dictionary) ?? compound(letters, dictionary) ?? spell(letters);
  return [...(isAbbreviation ? [named] : []), ...(whole === undefined ? [] : [whole])];
}

function possessive(word: string, dictionary: ReadonlyMap<string, readonly string[]>): string | undefined {
  const stem = /^(.+?)(?:'s|s)$/.exec(word)?.[1];
  const known = stem === undefined ? undefined : dictionary.get(stem)?.[0];
  if (known === undefined) return undefined;
  if (/(?:S|Z|SH|ZH|CH|JH)$/.test(known)) return `${known} IH Z`;
  return `${known} ${/(?:P|T|K|F|TH)$/.test(known) ? 'S' : 'Z'}`;
}

const PREFIXES: Readonly<Record<string, string>> = {
  un: 'AH N',
  re: 'R IY',
  de: 'D IY',
  dis: 'D IH S',
  pre: 'P R IY',
  non: 'N AA N',
  mis: 'M IH S',
  over: 'OW V ER',
  under: 'AH N D ER',
  out: 'AW T',
  auto: 'AO T OW',
  multi: 'M AH L T IY',
  anti: 'AE N T IY',
  micro: 'M AY K R OW',
};
const SUFFIXES: Readonly<Record<string, string>> = {
  able: 'AH B AH L',
  less: 'L AH S',
  ness: 'N AH S',
  ly: 'L IY',
  er: 'ER',
  ing: 'IH NG',
  ers: 'ER Z',
  ment: 'M AH N T',
  ful: 'F AH L',
};

/** A known word with a prefix or a suffix: "de-scale", "rinse-able". Dropped letters ("resizing", "resetting") are put back. */
function derived(word: string, dictionary: ReadonlyMap<string, readonly string[]>): string | undefined {
  for (const [prefix, sounds] of Object.entries(PREFIXES)) {
    const rest = word.startsWith(prefix) ? dictionary.get(word.slice(prefix.length))?.[0] : undefined;
    if (rest !== undefined && word.length - prefix.length >= 3) return `${sounds} ${rest}`;
  }
  for (const [suffix, sounds] of Object.entries(SUFFIXES)) {
    if (!word.endsWith(suffix) || word.length - suffix.length < 3) continue;
    const stem = word.slice(0, -suffix.length);
    const known =
      dictionary.get(stem) ??
      dictionary.get(`${stem}e`) ??
      (stem.at(-1) === stem.at(-2) ? dictionary.get(stem.slice(0, -1)) : undefined);
    if (known?.[0] !== undefined) return `${known[0]} ${sounds}`;
  }
  return undefined;
}

/** Of all ways to cut a compound into two known words, the most even one: "slide show", not "slides how". */
function compound(word: string, dictionary: ReadonlyMap<string, readonly string[]>): string | undefined {
  const middle = Math.floor(word.length / 2);
  for (let step = 0; step <= middle - 3; step += 1) {
    for (const at of [middle + step, middle - step]) {
      const head = dictionary.get(word.slice(0, at))?.[0];
      const tail = word.length - at < 3 ? undefined : dictionary.get(word.slice(at))?.[0];
      if (head !== undefined && tail !== undefined) return `${head} ${tail}`;
    }
  }
  return undefined;
}

function spell(word: string): string | undefined {
  const sounds: string[] = [];
  for (let at = 0; at < word.length;) {
    let length = 0;
    for (const rule of RULES) {
      rule.spelling.lastIndex = at;
      length = rule.spelling.exec(word)?.[0].length ?? 0;
      if (length === 0) continue;
      if (rule.sounds !== '') sounds.push(rule.sounds);
      break;
    }
    if (length === 0) return undefined;
    at += length;
  }
  return sounds.length === 0 ? undefined : sounds.join(' ');
}
