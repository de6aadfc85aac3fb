import { manualTypes } from '@manuel/contracts';
import type { ManualFormat } from '@manuel/contracts';
import { DocumentError } from './extraction/extracted.ts';

/** What the sender says the bytes are. */
export interface Announced {
  readonly filename?: string | undefined;
  readonly contentType?: string | undefined;
}

/** Bytes at the start of a file that `detectFormat` wants to see. */
export const headBytes = 64 * 1024;

const supported = 'Supported are PDF, DOCX, HTML, TXT, Markdown and CSV.';
const extensions: Readonly<Record<string, ManualFormat>> = {
  pdf: 'pdf',
  docx: 'docx',
  html: 'html',
  htm: 'html',
  xhtml: 'html',
  txt: 'txt',
  text: 'txt',
  md: 'md',
  markdown: 'md',
  csv: 'csv',
};
/** Types that say nothing. */
const vague = new Set(['', 'application/octet-stream', 'binary/octet-stream']);

const binaries: readonly (readonly [name: string, magic: string])[] = [
  ['a PNG image', '\x89PNG'],
  ['a JPEG image', '\xff\xd8\xff'],
  ['a GIF image', 'GIF8'],
  ['a TIFF image', 'II*\0'],
  ['a TIFF image', 'MM\0*'],
  ['a RAR archive', 'Rar!'],
  ['a 7-Zip archive', '7z\xbc\xaf'],
  ['a compressed file', '\x1f\x8b'],
  ['a Windows program', 'MZ'],
  ['a program', '\x7fELF'],
  ['an RTF document', '{\\rtf'],
  ['a PostScript file', '%!PS'],
];

/**
 * The format that the bytes have, judged by magic numbers and structure; name and type announced only settle which kind of
 * text a text is. Throws DocumentError: unsupported_media_type, document_unreadable, document_encrypted.
 */
export function detectFormat(head: Uint8Array, announced: Announced): ManualFormat {
  const start = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  const text = start.toString('latin1');
  if (start.length === 0) throw new DocumentError('document_unreadable', 'The file is empty. Upload it again.');
  // Readers of PDF accept junk before the header, within the first kilobyte.
  if (text.slice(0, 1024).includes('%PDF-')) return 'pdf';
  if (text.startsWith('PK\x03\x04')) return 'docx';
  if (text.startsWith('PK')) throw unsupported('an empty or partial ZIP archive');
  if (text.startsWith('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1')) throw oldOffice(start);
  const binary = binaries.find(([, magic]) => text.startsWith(magic));
  if (binary) throw unsupported(binary[0]);
  if (!isText(start)) throw unsupported('no document that can be read as text');
  return textFormat(start, announced);
}

/** An encrypted DOCX comes wrapped in the container of old Office files. */
function oldOffice(start: Buffer): DocumentError {
  return start.includes(Buffer.from('EncryptedPackage', 'utf16le'))
    ? new DocumentError(
        'document_encrypted',
        'The Word document is protected by a password. Save a copy without it and upload that.',
      )
    : unsupported('an old Office document');
}

function isText(start: Buffer): boolean {
  const mark = start.subarray(0, 2).toString('hex');
  if (mark === 'fffe' || mark === 'feff') return true;
  const controls = start.filter((byte) => byte < 0x20 && ![0x09, 0x0a, 0x0c, 0x0d, 0x1b].includes(byte)).length;
  return !start.includes(0) && controls * 100 < start.length;
}

function textFormat(start: Buffer, announced: Announced): ManualFormat {
  if (
    /^(?:\uFEFF|\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--[^]{0,2000}?-->\s*)*<(?:!doctype\s+html|html[\s>])/i.test(
      start.toString('latin1'),
    )
  ) {
    return 'html';
  }
  const extension = /\.([A-Za-z0-9]{1,10})$/.exec(announced.filename ?? '')?.[1]?.toLowerCase() ?? '';
  const type = (announced.contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const byName = extensions[extension];
  const byType = Object.hasOwn(manualTypes, type) ? manualTypes[type as keyof typeof manualTypes] : undefined;
  for (const format of [byName, byType])
    if (format !== undefined && format !== 'pdf' && format !== 'docx') return format;
  const claimed = byName ?? byType;
  if (claimed !== undefined) {
    throw new DocumentError(
      'document_unreadable',
      `The file is said to be a ${claimed.toUpperCase()} but its content is not one; it may be damaged or cut off. Save it again and upload that.`,
    );
  }
  if (extension === '' && vague.has(type)) return 'txt';
  throw unsupported(extension === '' ? `of the type ${type.slice(0, 100)}` : `a .${extension} file`);
}

const unsupported = (what: string): DocumentError =>
  new DocumentError('unsupported_media_type', `The file is ${what}. ${supported}`);
