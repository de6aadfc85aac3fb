import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { AwsError } from '../service.ts';
import { element } from '../xml.ts';
import type { ObjectStore } from './object-store.ts';

const maxKeys = 1000;
const parser = new XMLParser({ parseTagValue: false, trimValues: false, isArray: (name) => name === 'Object' });

/** DeleteObjects: deletes the keys of the XML body and answers the XML result. Throws MalformedXML. */
export async function deleteObjects(store: ObjectStore, bucket: string, body: Buffer): Promise<string> {
  const { keys, quiet } = parseDelete(body.toString('utf8'));
  for (const key of keys) await store.delete(bucket, key);
  const deleted = quiet ? '' : keys.map((key) => `<Deleted>${element('Key', key)}</Deleted>`).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${deleted}</DeleteResult>`;
}

function parseDelete(xml: string): { keys: string[]; quiet: boolean } {
  if (XMLValidator.validate(xml) !== true) throw malformed();
  const parsed: unknown = parser.parse(xml);
  const root = field(parsed, 'Delete');
  const objects = field(root, 'Object');
  if (!Array.isArray(objects) || objects.length > maxKeys) throw malformed();
  const keys = objects.map((object: unknown) => {
    const key = field(object, 'Key');
    if (typeof key !== 'string' || key === '') throw malformed();
    return key;
  });
  return { keys, quiet: field(root, 'Quiet') === 'true' };
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function malformed(): AwsError {
  return new AwsError(
    'MalformedXML',
    'The XML you provided was not well-formed or did not validate against our published schema',
  );
}
