import { element } from '../xml.ts';
import type { ObjectStore } from './object-store.ts';
import { field, malformed, readXml, text } from './read-xml.ts';

const maxKeys = 1000;

/** DeleteObjects: deletes the keys of the XML body and answers the XML result. Throws MalformedXML. */
export async function deleteObjects(store: ObjectStore, bucket: string, body: Buffer): Promise<string> {
  const { keys, quiet } = parseDelete(body);
  for (const key of keys) await store.delete(bucket, key);
  const deleted = quiet ? '' : keys.map((key) => `<Deleted>${element('Key', key)}</Deleted>`).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${deleted}</DeleteResult>`;
}

function parseDelete(body: Buffer): { keys: string[]; quiet: boolean } {
  const root = readXml(body, 'Delete');
  const objects = field(root, 'Object');
  if (!Array.isArray(objects) || objects.length > maxKeys) throw malformed();
  const keys = objects.map((object: unknown) => {
    const key = text(object, 'Key');
    if (key === undefined || key === '') throw malformed();
    return key;
  });
  return { keys, quiet: text(root, 'Quiet') === 'true' };
}
