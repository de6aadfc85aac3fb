import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { AwsError } from '../service.ts';

const parser = new XMLParser({ parseTagValue: false, trimValues: false, isArray: (name) => lists.has(name) });
/** Elements that may come several times; all others are read as one. */
const lists = new Set(['Object', 'Rule']);

/** The element `root` of a request's body. Throws MalformedXML. */
export function readXml(body: Buffer, root: string): unknown {
  const xml = body.toString('utf8');
  if (XMLValidator.validate(xml) !== true) throw malformed();
  const parsed: unknown = parser.parse(xml);
  const element = field(parsed, root);
  if (element === undefined) throw malformed();
  return element;
}

/** A child of an element; undefined where there is none. */
export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** The text of a child; undefined where there is none. */
export function text(value: unknown, name: string): string | undefined {
  const child = field(value, name);
  return typeof child === 'string' ? child : undefined;
}

export function malformed(): AwsError {
  return new AwsError(
    'MalformedXML',
    'The XML you provided was not well-formed or did not validate against our published schema',
  );
}
