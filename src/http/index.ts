// The door of the HTTP room: the server and what is put into it.
export { buildServer, type HttpServer, type ServerOptions } from './server.ts';
export { type Facade, type FacadeContext } from './facade.ts';
export { oauthDoor } from './auth/oauth.ts';
export { downloadsDoor } from './downloads/downloads-door.ts';
export { consoleApi } from './console/console-api.ts';
export { consoleDoor, type ConsoleOptions, type Readiness } from './console/console-door.ts';
export { openApiDoor } from './openapi/openapi-door.ts';
export { facades } from './facades/index.ts';
