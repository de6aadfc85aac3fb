import { expect, test } from '@jest/globals';
import { assert, property, string } from 'fast-check';
import { isOwnStagingKey, manualKey, parseManualKey, sidecarKey } from './manual-keys.ts';
import { displayFilename, safeFilename } from './manual-names.ts';

const storage = { manuals_prefix: 'manuals', uploads_prefix: 'uploads' };
const owner = { userId: 'u-1', manualId: 'man_01K0000000000000000000000A' };

test('names are shown as they are, less what could deceive, and are harmless in keys', () => {
  const shown: [given: string, display: string, safe: string][] = [
    ['Oven (2024).pdf', 'Oven (2024).pdf', 'Oven-2024.pdf'],
    ['../../etc/passwd', 'passwd', 'passwd.pdf'],
    ['C:\\manuals\\Kühl schrank.PDF', 'Kühl schrank.PDF', 'Kuhl-schrank.pdf'],
    ['☕🫖.pdf', '☕🫖.pdf', 'manual.pdf'],
    ['exe\u202Efdp.exe', 'exefdp.exe', 'exefdp.pdf'],
    ['a\u0000b\r\nc.pdf', 'abc.pdf', 'abc.pdf'],
    ['..', 'manual', 'manual.pdf'],
    ['x.metadata.json', 'x.metadata.json', 'x.metadata.pdf'],
  ];
  for (const [given, display, safe] of shown) {
    expect([given, displayFilename(given), safeFilename(given, 'pdf')]).toEqual([given, display, safe]);
  }
  const long = displayFilename(`${'n'.repeat(300)}.pdf`);
  expect([long.length, long.slice(-5)]).toEqual([255, 'n.pdf']);
});

test('no name leads out of its manual’s folder or becomes a sidecar', () => {
  assert(
    property(string({ unit: 'binary', maxLength: 400 }), (name) => {
      const key = manualKey(storage, owner, name, 'pdf');
      expect(key).toMatch(/^manuals\/u-1\/man_01K0000000000000000000000A\/[A-Za-z0-9_][A-Za-z0-9._-]{0,110}\.pdf$/);
      expect(key).not.toContain('..');
      expect(parseManualKey(storage, key)).toEqual(owner);
      expect(displayFilename(name)).not.toMatch(/[\p{Cc}/\\]/u);
    }),
  );
});

test('keys are read back strictly, and a user’s staging is his own', () => {
  expect(parseManualKey(storage, sidecarKey('manuals/u/man_1/a.pdf'))).toEqual({ userId: 'u', manualId: 'man_1' });
  for (const key of [
    'manuals/a.pdf',
    'manuals/u/x/a.pdf',
    'other/u/man_1/a.pdf',
    'manuals/u/man_1/b/a.pdf',
    'manuals/u/man_1/',
  ]) {
    expect(parseManualKey(storage, key)).toBeUndefined();
  }
  expect(isOwnStagingKey(storage, 'u', 'uploads/u/upl_1.pdf')).toBe(true);
  for (const key of ['uploads/v/upl_1', 'uploads/u', 'uploads/u2/upl_1', 'uploads/u/../v/x', 'audio/u/x']) {
    expect(isOwnStagingKey(storage, 'u', key)).toBe(false);
  }
});
