// A JSON schema as nested lists.
import type { Json } from './operation-parts.ts';

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

export function schemaHtml(schema: Json): string {
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    const name = escapeHtml(reference.slice(reference.lastIndexOf('/') + 1));
    return `<a href="#schema-${name}"><code>${name}</code></a>`;
  }
  const choices = schema['anyOf'] as readonly Json[] | undefined;
  if (choices !== undefined) return choices.map(schemaHtml).join(' or ');
  const properties = schema['properties'] as Readonly<Record<string, Json>> | undefined;
  if (properties !== undefined) return objectHtml(properties, (schema['required'] as readonly string[] | undefined) ?? []);
  if (schema['type'] === 'array') return `list of ${schemaHtml((schema['items'] as Json | undefined) ?? {})}`;
  return `<span class="said">${escapeHtml(scalarWords(schema))}</span>`;
}

function objectHtml(properties: Readonly<Record<string, Json>>, required: readonly string[]): string {
  const rows = Object.entries(properties).map(([name, schema]) => `<li><code>${escapeHtml(name)}</code>${required.includes(name) ? '' : '?'} ${schemaHtml(schema)}</li>`);
  return rows.length === 0 ? '<span class="said">nothing</span>' : `<ul class="schema">${rows.join('')}</ul>`;
}

function scalarWords(schema: Json): string {
  const { type, format, pattern, const: only, minimum, maximum } = schema;
  const choices = schema['enum'] as readonly unknown[] | undefined;
  if (choices !== undefined) return choices.map(String).join(' | ');
  if (only !== undefined) return String(only);
  if (type === undefined) return 'anything';
  const least = typeof minimum === 'number' && Number.isSafeInteger(minimum) && minimum > -Number.MAX_SAFE_INTEGER ? `from ${minimum}` : '';
  const most = typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER ? `to ${maximum}` : '';
  return [String(type), format ?? (pattern === undefined ? '' : `like ${String(pattern)}`), least, most].filter((each) => each !== '').join(' ');
}
