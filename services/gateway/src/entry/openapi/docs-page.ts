import { escapeHtml } from '../html.ts';

// A readable page of an OpenAPI document: plain HTML without script, everything from outside escaped.

type Json = Record<string, unknown>;

interface DescribedOperation {
  readonly tags: string[];
  readonly summary: string;
  readonly description?: string;
  readonly security: unknown[];
  readonly parameters?: { name: string; in: string; required: boolean; description?: string; schema: Json }[];
  readonly requestBody?: { content: Record<string, { schema: Json; example?: unknown }> };
  readonly responses: Record<string, { description: string; content?: Record<string, { example?: unknown }> }>;
}

/** Back-quoted words as code. */
const prose = (text: string): string => escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>');
const shown = (value: unknown): string =>
  `<pre tabindex="0"><code>${escapeHtml(typeof value === 'string' ? value : JSON.stringify(value, null, 2))}</code></pre>`;

function parameters(operation: DescribedOperation): string {
  if (!operation.parameters) return '';
  const rows = operation.parameters.map((parameter) => {
    const {
      type = '',
      enum: allowed,
      pattern,
    } = parameter.schema as { type?: string; enum?: string[]; pattern?: string };
    const facts = allowed ? allowed.join(', ') : (pattern ?? type);
    const note = parameter.description ?? '';
    const need = parameter.required ? 'required' : 'optional';
    return `<tr><th scope="row"><code>${escapeHtml(parameter.name)}</code></th><td>${parameter.in}, ${need}</td><td>${prose(note)} <code>${escapeHtml(facts)}</code></td></tr>`;
  });
  return `<table><caption>Parameters</caption><tbody>${rows.join('')}</tbody></table>`;
}

function body(operation: DescribedOperation): string {
  const json = operation.requestBody?.content['application/json'];
  if (!json) return '';
  const example = json.example === undefined ? '' : shown(json.example);
  return `<h4>Body</h4>${example}<details><summary>Schema</summary>${shown(json.schema)}</details>`;
}

function answers(operation: DescribedOperation): string {
  return Object.entries(operation.responses)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([status, answer]) => {
      const example = Object.values(answer.content ?? {})[0]?.example;
      const detail = example === undefined ? '' : `<details><summary>Example</summary>${shown(example)}</details>`;
      return `<dt class="s${status.charAt(0)}">${status}</dt><dd>${prose(answer.description)}${detail}</dd>`;
    })
    .join('');
}

function section(path: string, method: string, operation: DescribedOperation): string {
  const lock =
    operation.security.length > 0 ? '<span class="lock">token</span>' : '<span class="lock open">open</span>';
  return `<article><h3><span class="method ${method}">${method.toUpperCase()}</span> <code>${escapeHtml(path)}</code> ${lock}</h3>
<p><strong>${prose(operation.summary)}.</strong> ${prose(operation.description ?? '')}</p>${parameters(operation)}${body(operation)}<h4>Answers</h4><dl>${answers(operation)}</dl></article>`;
}

/** The page; its style sheet is `/docs.css`. */
export function docsPage(description: Json): string {
  // What describeApi has made.
  const { info, paths } = description as {
    info: { title: string; version: string; description: string };
    paths: Record<string, Record<string, DescribedOperation>>;
  };
  const byTag = new Map<string, string[]>();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags[0] ?? '';
      byTag.set(tag, [...(byTag.get(tag) ?? []), section(path, method, operation)]);
    }
  }
  const tags = [...byTag.keys()];
  const nav = tags.map((tag) => `<li><a href="#${tag}">${escapeHtml(tag)}</a></li>`).join('');
  const sections = tags.map(
    (tag) => `<section id="${tag}"><h2>${escapeHtml(tag)}</h2>${byTag.get(tag)?.join('')}</section>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(info.title)} API</title><link rel="icon" href="/icon.svg" type="image/svg+xml"><link rel="stylesheet" href="/docs.css"></head>
<body><header><h1>${escapeHtml(info.title)} API <small>${escapeHtml(info.version)}</small></h1><p>${prose(info.description)}</p>
<p>Machine readable: <a href="/openapi.json">/openapi.json</a></p><nav aria-label="Sections"><ul>${nav}</ul></nav></header>
<main>${sections.join('\n')}</main></body></html>
`;
}
