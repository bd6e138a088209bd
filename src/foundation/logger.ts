// Structured logs. Secrets are cut by path here and by `redactUri` where text is built.
import { pino, type Logger as PinoLogger } from 'pino';

export type Logger = PinoLogger;

const SECRET_PATHS = ['password', 'privateKey', 'clientSecret', 'secret', 'token', 'authorization', 'uri', 'authtoken'];

/** A logger that writes JSON lines to stderr; level `silent` for tests. */
export function createLogger(level: string = 'info'): Logger {
  return pino(
    {
      level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: SECRET_PATHS.flatMap((path) => [path, `*.${path}`, `req.headers.${path}`]), censor: '[secret]' },
    },
    pino.destination({ dest: 2, sync: false }),
  );
}
