import type { ManualFormat } from '@manuel/contracts';

const maxDisplayCharacters = 255;
const maxKeyCharacters = 100;
/** Controls, and the marks that turn the direction of text around (`fdp.exe` shown as `exe.pdf`). */
const invisible = /(?!\u200d)[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** What of a client's file name is shown: no path, no control or direction characters, at most 255 characters, its extension kept. */
export function displayFilename(name: string): string {
  const base = name.toWellFormed().normalize('NFC').split(/[/\\]/).at(-1) ?? '';
  const clean = base.replace(invisible, '').trim();
  if (clean === '' || clean === '.' || clean === '..') return 'manual';
  const characters = Array.from(clean);
  if (characters.length <= maxDisplayCharacters) return clean;
  const extension = /\.[^.]{1,10}$/u.exec(clean)?.[0] ?? '';
  return characters.slice(0, maxDisplayCharacters - Array.from(extension).length).join('') + extension;
}

/** The same name fit for an S3 key: letters, digits, `.`, `_` and `-`, with the extension of what the bytes really are. */
export function safeFilename(name: string, format: ManualFormat): string {
  const stem = displayFilename(name)
    .replace(/\.[A-Za-z0-9]{1,10}$/, '')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/\.{2,}/g, '.')
    .slice(0, maxKeyCharacters)
    .replace(/^[.-]+|[.-]+$/g, '');
  return `${stem === '' ? 'manual' : stem}.${format}`;
}
