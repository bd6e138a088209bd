// The document as one page to read: no script, no style or font from elsewhere. What an address leads to by `#` stands
// inside of its fold, so that browsers open it.
import type { OpenApiDocument } from './build-document.ts';
import type { Json } from './operation-parts.ts';
import { escapeHtml, schemaHtml } from './schema-html.ts';

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d5dbd8, #39423e); --soft: light-dark(#f3f6f4, #1d2421); --green: light-dark(#0b6b43, #5cc794); }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; display: grid; grid-template-columns: 17rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1rem; border-right: 1px solid var(--line); background: var(--soft); }
nav a { display: block; padding: .2rem 0; color: inherit; text-decoration: none; }
nav a:hover { color: var(--green); }
main { padding: 1rem 2rem 4rem; max-width: 72rem; }
h1 { font-size: 1.4rem; } h2 { margin: 2rem 0 .5rem; font-size: 1.15rem; border-bottom: 1px solid var(--line); }
details.operation { border: 1px solid var(--line); border-radius: 6px; margin: .4rem 0; background: var(--soft); }
details.operation > summary { cursor: pointer; padding: .4rem .7rem; display: flex; gap: .7rem; align-items: baseline; flex-wrap: wrap; }
details.operation > div { padding: .2rem .9rem .8rem; border-top: 1px solid var(--line); }
.method { font: 600 .8rem ui-monospace, monospace; min-width: 3.6rem; color: var(--green); }
.path { font: .85rem ui-monospace, monospace; overflow-wrap: anywhere; }
.said { opacity: .75; } .deprecated .path { text-decoration: line-through; }
code, pre { font: .82rem ui-monospace, monospace; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .15rem .8rem .15rem 0; vertical-align: top; }
ul.schema { margin: .1rem 0 .3rem; padding-left: 1.2rem; list-style: none; border-left: 1px solid var(--line); }
h3 { font-size: .9rem; margin: .8rem 0 .2rem; }
@media (max-width: 50rem) { body { display: block; } nav { position: static; height: auto; } main { padding: 1rem; } }
`;

interface Shown { readonly method: string; readonly path: string; readonly operation: Json }

export function documentPage(document: OpenApiDocument, documentPath: string): string {
  const all = Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })));
  const groups = document.tags.map(({ name }) => ({ tag: String(name), shown: all.filter(({ operation }) => (operation['tags'] as readonly string[])[0] === name) })).filter(({ shown }) => shown.length > 0);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(String(document.info['title']))}</title><style>${STYLE}</style></head>
<body><nav><strong>Leafvault ${escapeHtml(String(document.info['version']))}</strong>${groups.map(({ tag, shown }) => `<a href="#${anchorOf(tag)}">${escapeHtml(tag)} <span class="said">${shown.length}</span></a>`).join('')}<a href="#schemas">Schemas</a><a href="${documentPath}">openapi.json</a></nav>
<main><h1>${escapeHtml(String(document.info['title']))}</h1><p>${escapeHtml(String(document.info['description']))}</p>
${groups.map(({ tag, shown }) => `<section><h2 id="${anchorOf(tag)}">${escapeHtml(tag)}</h2>${shown.map(operationHtml).join('')}</section>`).join('\n')}
<section><h2 id="schemas">Schemas</h2>${Object.entries(document.components.schemas).map(([name, schema]) => `<details class="operation"><summary><code>${escapeHtml(name)}</code></summary><div id="schema-${escapeHtml(name)}">${schemaHtml(schema)}</div></details>`).join('')}</section>
</main></body></html>`;
}

function operationHtml({ method, path, operation }: Shown): string {
  const id = String(operation['operationId']);
  const roles = operation['x-required-role'] as readonly string[] | undefined;
  return `<details class="operation${operation['deprecated'] === true ? ' deprecated' : ''}"><summary><span class="method">${method}</span><span class="path">${escapeHtml(path)}</span><span class="said">${escapeHtml(String(operation['summary'] ?? ''))}</span></summary><div id="${escapeHtml(id)}">
<p class="said">${roles === undefined ? 'Whoever is known' : `Needs ${roles.map((role) => `<code>${escapeHtml(role)}</code>`).join(' or ')}`}${operation['deprecated'] === true ? '; the vendor retires it, Leafvault does not' : ''}</p>
${parametersHtml(operation['parameters'] as readonly Json[])}${contentHtml('Body', (operation['requestBody'] as Json | undefined)?.['content'] as Json | undefined)}${answersHtml(operation['responses'] as Readonly<Record<string, Json>>)}</div></details>`;
}

function parametersHtml(parameters: readonly Json[]): string {
  if (parameters.length === 0) return '';
  return `<h3>Parameters</h3><table>${parameters.map(({ name, in: where, schema }) => `<tr><td><code>${escapeHtml(String(name))}</code></td><td>${escapeHtml(String(where))}</td><td>${schemaHtml(schema as Json)}</td></tr>`).join('')}</table>`;
}

function answersHtml(responses: Readonly<Record<string, Json>>): string {
  return Object.entries(responses).map(([status, response]) => {
    const { $ref, content } = response;
    return $ref === undefined ? contentHtml(`Answer ${status}`, content as Json | undefined) || `<h3>Answer ${status}</h3><p>Without a body</p>` : '';
  }).join('');
}

function contentHtml(title: string, content: Json | undefined): string {
  if (content === undefined) return '';
  return Object.entries(content).map(([type, media]) => `<h3>${title}, <code>${escapeHtml(type)}</code></h3>${schemaHtml((media as { readonly schema: Json }).schema)}`).join('');
}

function anchorOf(tag: string): string {
  return tag.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
}
