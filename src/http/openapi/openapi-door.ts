// Serves the document of the APIs and a page to read it by. Neither needs credentials: they say what can be asked, and nothing of what is stored.
import type { FastifyInstance } from 'fastify';
import type { OpenApiDocument } from './build-document.ts';
import { documentPage } from './document-page.ts';
import { ownDocument } from './document.ts';

export const DOCUMENT_PATH = '/api/openapi.json';
export const PAGE_PATH = '/api/docs';

/** Nothing is fetched, nothing runs. */
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** A plugin for `buildServer`. The document is made when it is first asked for. */
export function openApiDoor(version: string): (app: FastifyInstance) => void {
  let document: OpenApiDocument | null = null;
  let [text, page] = ['', ''];
  const make = (): void => {
    if (document !== null) return;
    document = ownDocument(version);
    text = JSON.stringify(document);
    page = documentPage(document, DOCUMENT_PATH);
  };
  return (app) => {
    app.get(DOCUMENT_PATH, (_request, reply) => {
      make();
      return reply.type('application/json; charset=utf-8').send(text);
    });
    app.get(PAGE_PATH, (_request, reply) => {
      make();
      return reply.type('text/html; charset=utf-8').header('content-security-policy', PAGE_POLICY).send(page);
    });
  };
}
