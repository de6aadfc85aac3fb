import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { settingsWith } from '@manuel/settings';
import { makePdf } from '@manuel/testing';
import { strToU8, zipSync } from 'fflate';
import { inspectManual, manualLimits, readManual } from './inspect-manual.ts';
import type { ManualLimits } from './inspect-manual.ts';

const limits = manualLimits(settingsWith());
const inspect = (bytes: Uint8Array | string, filename = 'manual', over: Partial<ManualLimits> = {}) =>
  readManual(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, { filename, limits: { ...limits, ...over } });
const refused = (code: string, detail = /./) => ({ code, detail: expect.stringMatching(detail) });

const docx = (body: string): Uint8Array =>
  zipSync({
    '[Content_Types].xml': strToU8('<Types/>'),
    'word/document.xml': strToU8(`<w:document><w:body>${body}</w:body></w:document>`),
  });

test('a PDF of 120 pages: pages as a reader counts, title, and each page’s own text', async () => {
  const pages = Array.from(
    { length: 120 },
    (_, index) => `Descaling step ${index + 1}\nPress the lever marked L${index + 1}.`,
  );
  const bytes = await makePdf({ pages, title: 'Espresso machine' });
  const facts = await inspect(bytes, 'wrong-extension.exe');
  expect(facts).toMatchObject({
    format: 'pdf',
    content_type: 'application/pdf',
    pages: 120,
    title: 'Espresso machine',
    bytes: bytes.length,
  });
  expect(facts.textByPage[76]).toContain('L77');
  expect(facts.sample).toMatch(/lever/);
});

test('a PDF from a path, with a title that a program wrote, is titled by its first page', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'inspect-'));
  const path = join(dir, 'upload');
  await writeFile(
    path,
    await makePdf({ pages: ['Fridge Freezer FX-300\nKeep upright.'], title: 'Microsoft Word - fx300.docx' }),
  );
  expect(await inspectManual({ path }, { limits })).toMatchObject({
    format: 'pdf',
    pages: 1,
    title: 'Fridge Freezer FX-300',
  });
  await rm(dir, { recursive: true });
});

test('PDFs that cannot be used say why and what to do', async () => {
  await expect(inspect(await makePdf({ pages: ['secret'], password: 'p' }))).rejects.toMatchObject(
    refused('document_encrypted', /password/),
  );
  await expect(inspect(await makePdf({ pages: ['', '', ''] }))).rejects.toMatchObject(
    refused('document_without_text', /OCR/),
  );
  await expect(inspect('%PDF-1.7\nnothing of the kind')).rejects.toMatchObject(
    refused('document_unreadable', /damaged/),
  );
  await expect(inspect('just text', 'manual.pdf')).rejects.toMatchObject(refused('document_unreadable', /PDF/));
  await expect(
    inspect(await makePdf({ pages: Array.from({ length: 5 }, () => 'words') }), 'm.pdf', { maxPages: 4 }),
  ).rejects.toMatchObject(refused('payload_too_large', /5 pages/));
});

test('Word documents: pages where they break, encrypted and foreign ones refused by name', async () => {
  const body =
    '<w:p><w:pPr><w:pStyle w:val="Title"/></w:pPr><w:r><w:t>Mixer &amp; bowl</w:t></w:r></w:p>' +
    '<w:p><w:r><w:t>Whisk</w:t><w:br w:type="page"/><w:t>Beat slowly</w:t></w:r></w:p>';
  expect(await inspect(docx(body), 'm.docx')).toMatchObject({ format: 'docx', pages: 2, title: 'Mixer & bowl' });
  await expect(inspect(zipSync({ 'xl/workbook.xml': strToU8('x') }))).rejects.toMatchObject(
    refused('unsupported_media_type', /Excel/),
  );
  await expect(inspect(docx(body).subarray(0, 150))).rejects.toMatchObject(refused('document_unreadable', /damaged/));
  const ole = Buffer.concat([
    Buffer.from('d0cf11e0a1b11ae1', 'hex'),
    Buffer.alloc(600),
    Buffer.from('EncryptedPackage', 'utf16le'),
  ]);
  await expect(inspect(ole)).rejects.toMatchObject(refused('document_encrypted'));
});

test('text of every kind and encoding; a form feed ends a page', async () => {
  expect(await inspect('Intro\fSecond\fThird\f', 'a.txt')).toMatchObject({ format: 'txt', pages: 3, title: 'Intro' });
  expect(await inspect('intro\n\n# Toaster\n', 'a.md')).toMatchObject({ format: 'md', pages: 1, title: 'Toaster' });
  expect(await inspect('part,price\nlid,3', 'a.csv')).toMatchObject({
    format: 'csv',
    content_type: 'text/csv',
    pages: 1,
  });
  expect(await inspect(Buffer.from('\uFEFFKettle manual', 'utf16le'), 'a.txt')).toMatchObject({
    encoding: 'utf-16le',
    title: 'Kettle manual',
  });
  expect(await inspect(Buffer.from('K\xfchlschrank', 'latin1'), 'a.txt')).toMatchObject({
    encoding: 'windows-1252',
    title: 'Kühlschrank',
  });
  const html = await inspect(
    '<!-- x --><!DOCTYPE html><head><title>Oven &#8211; guide</title></head><script>bad()</script><p>Heat İt</p><style>',
    'a.txt',
  );
  expect(html).toMatchObject({ format: 'html', title: 'Oven – guide', textByPage: ['Heat İt'] });
});

test('what is no manual is refused by what it is', async () => {
  await expect(inspect('', 'a.pdf')).rejects.toMatchObject(refused('document_unreadable', /empty/));
  await expect(inspect(' \n\f ', 'a.txt')).rejects.toMatchObject(refused('document_without_text'));
  await expect(inspect(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), 'a.pdf')).rejects.toMatchObject(
    refused('unsupported_media_type', /PNG/),
  );
  await expect(inspect('alert(1)', 'a.js')).rejects.toMatchObject(refused('unsupported_media_type', /\.js/));
  await expect(inspect(createHash('sha512').update('noise').digest(), 'a.txt')).rejects.toMatchObject(
    refused('unsupported_media_type'),
  );
  await expect(inspect('too long', 'a.txt', { maxBytes: 3 })).rejects.toMatchObject(refused('payload_too_large'));
});

test('a zip bomb is not unpacked, honest or lying about its size', async () => {
  const zeros = new Uint8Array(101 * 1024 * 1024);
  const bomb = zipSync({ 'word/document.xml': zeros }, { level: 6 });
  expect(bomb.length).toBeLessThan(1024 * 1024);
  await expect(inspect(bomb, 'a.docx')).rejects.toMatchObject(refused('document_unreadable', /unpacks/));
  // The directory at the end says that it unpacks to 100 bytes.
  const lying = Buffer.from(bomb);
  lying.writeUInt32LE(100, lying.indexOf(Buffer.from('PK\x01\x02', 'latin1')) + 24);
  await expect(inspect(lying, 'a.docx', { memoryMb: 256 })).rejects.toMatchObject({
    code: expect.stringMatching(/^document_/),
  });
});

test('a parser beyond its time or memory is killed; an aborted one ends at once', async () => {
  const pages = Array.from({ length: 60 }, (_, index) => `Page ${index} `.repeat(40));
  const bytes = await makePdf({ pages });
  await expect(inspect(bytes, 'a.pdf', { timeoutMs: 20 })).rejects.toMatchObject(
    refused('document_unreadable', /longer than/),
  );
  await expect(inspect(bytes, 'a.pdf', { memoryMb: 40 })).rejects.toMatchObject(
    refused('document_unreadable', /memory/),
  );
  const stop = new AbortController();
  const running = inspectManual(bytes, { limits, signal: stop.signal });
  stop.abort();
  await expect(running).rejects.toThrow();
});
