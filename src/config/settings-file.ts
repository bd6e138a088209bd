// leafvault.yaml as plain values, with the line of each for messages.
import { isMap, LineCounter, parseDocument, type Document } from 'yaml';

export interface SettingsFile {
  readonly path: string;
  /** Dotted path of a single setting -> value. */
  value(dotted: string): unknown;
  readonly organizations: unknown;
  readonly exportTargets: unknown;
  /** Line (from 1) of the nearest node that exists on this path. */
  lineOf(path: readonly PropertyKey[]): number | null;
  /** Dotted paths of all keys outside `organizations` and `exportTargets`. */
  readonly keys: readonly string[];
  /** Problems of the text itself. */
  readonly problems: readonly { readonly line: number; readonly message: string }[];
}

export function parseSettingsFile(path: string, text: string): SettingsFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const problems = document.errors.map((error) => ({ line: lineAt(error.pos[0]), message: error.message }));
  const tree: unknown = problems.length > 0 ? null : document.toJS();
  if (problems.length === 0 && tree !== null && !isMap(document.contents)) problems.push({ line: 1, message: 'expected settings such as "home: ./leafvault-data"' });
  const root = isRecord(tree) ? tree : {};
  return {
    path,
    value: (dotted) => dotted.split('.').reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), root),
    organizations: root.organizations,
    exportTargets: root.exportTargets,
    lineOf: (at) => lineOf(document, at, lineAt),
    keys: leafKeys(Object.fromEntries(Object.entries(root).filter(([key]) => key !== 'organizations' && key !== 'exportTargets'))),
    problems,
  };
}

function lineOf(document: Document, path: readonly PropertyKey[], lineAt: (offset: number) => number): number | null {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true) as { range?: readonly [number, number, number] } | undefined;
    if (node?.range) return lineAt(node.range[0]);
  }
  return null;
}

/** `listen.host`; a reference to a secret counts as a value. */
function leafKeys(value: Readonly<Record<string, unknown>>, prefix = ''): string[] {
  return Object.entries(value).flatMap(([key, each]) => {
    const inside = isRecord(each) && !('env' in each) && !('file' in each) && Object.keys(each).length > 0;
    return inside ? leafKeys(each, `${prefix}${key}.`) : [`${prefix}${key}`];
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
