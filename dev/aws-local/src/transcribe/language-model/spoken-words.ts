const ONES =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const MAX_SENTENCE_WORDS = 60;

/** A text as it would be read aloud: sentences of lower-case words, numbers spelled out, marks gone. */
export function spokenSentences(text: string): string[][] {
  return text
    .split(/[.!?;:•▪●|()[\]"“”\n]+(?:\s+|$)|\n+|\s[-–—>→/]\s/)
    .map((sentence) => spokenWords(sentence))
    .filter((words) => words.length > 0)
    .flatMap((words) => inPieces(words));
}

/** The words of one sentence. */
export function spokenWords(sentence: string): string[] {
  return (sentence.normalize('NFKD').match(/[\p{L}\p{N}][\p{L}\p{N}\p{M}’'-]*/gu) ?? []).flatMap(speakWord);
}

function speakWord(written: string): string[] {
  const word = written
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/’/g, "'")
    .replace(/^wi-fi$/, 'wifi')
    .replace(/'+$/, '');
  return word.split('-').flatMap((part) => {
    if (/^\d+$/.test(part)) return speakNumber(part);
    // "4k", "mp3", "x2": letters and digits are spoken apart
    if (/\d/.test(part))
      return (part.match(/\d+|[^\d]+/g) ?? []).flatMap((piece) => (/^\d/.test(piece) ? speakNumber(piece) : [piece]));
    return part === '' || !/^[a-z']+$/.test(part) ? [] : [part];
  });
}

function speakNumber(digits: string): string[] {
  const value = Number(digits);
  if (digits.length > 6 || (digits.length > 1 && digits.startsWith('0')))
    return digits.split('').map((digit) => ONES[Number(digit)] ?? digit);
  if (value < 20) return [ONES[value] ?? digits];
  if (value < 100)
    return [TENS[Math.floor(value / 10) - 2] ?? '', ...(value % 10 === 0 ? [] : speakNumber(String(value % 10)))];
  if (value < 1000)
    return [
      ...speakNumber(String(Math.floor(value / 100))),
      'hundred',
      ...(value % 100 === 0 ? [] : speakNumber(String(value % 100))),
    ];
  return [
    ...speakNumber(String(Math.floor(value / 1000))),
    'thousand',
    ...(value % 1000 === 0 ? [] : speakNumber(String(value % 1000))),
  ];
}

function inPieces(words: string[]): string[][] {
  const pieces: string[][] = [];
  for (let at = 0; at < words.length; at += MAX_SENTENCE_WORDS) pieces.push(words.slice(at, at + MAX_SENTENCE_WORDS));
  return pieces;
}
