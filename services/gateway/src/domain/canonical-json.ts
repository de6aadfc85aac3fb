import { hash } from 'node:crypto';

/** JSON with sorted keys, so that two bodies that mean the same give the same text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    let text = '';
    // By code units, whatever the language.
    for (const name of Object.keys(value).sort((a, b) => (a < b ? -1 : 1))) {
      const field: unknown = Reflect.get(value, name);
      if (field !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${canonicalJson(field)}`;
    }
    return `{${text}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

export const sha256Hex = (data: string | Uint8Array): string => hash('sha256', data);
