import winston from 'winston';
import { gatheredOutput } from './gathered-output.ts';
import { currentLogContext } from './log-context.ts';

export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  readonly service: string;
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  /** Where the lines go; standard output unless given. */
  readonly stream?: NodeJS.WritableStream;
}

/** Errors as data: name, message, code, stack and cause; a stack is for logs only, never for clients. */
function plainError(error: Error, depth = 0): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  return {
    name,
    message,
    ...(code === undefined ? {} : { code }),
    stack,
    ...(cause instanceof Error && depth < 3 ? { cause: plainError(cause, depth + 1) } : {}),
  };
}

const secretName = /authorization|password|secret|token$|^token|cookie|api_?key|credential/i;
const isCount = (value: unknown): boolean => typeof value === 'number' || typeof value === 'boolean';

const namesRemembered = 1000;
const secretNames = new Map<string, boolean>();
/** Names of fields stand in the code, so there are few: each is judged once. */
function isSecret(name: string): boolean {
  const known = secretNames.get(name);
  if (known !== undefined) return known;
  const secret = secretName.test(name);
  if (secretNames.size < namesRemembered) secretNames.set(name, secret);
  return secret;
}

function addClean(line: Record<string, unknown>, fields: LogFields): void {
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    if (isSecret(name) && !isCount(value)) line[name] = '(hidden)';
    else line[name] = value instanceof Error ? plainError(value) : value;
  }
}

function wrap(logger: winston.Logger, service: string, bound: LogFields): Logger {
  const write = (level: string, message: string, fields?: LogFields): void => {
    const timestamp = new Date().toISOString();
    const line: winston.LogEntry = { timestamp, level, service, message, ...currentLogContext() };
    addClean(line, bound);
    if (fields) addClean(line, fields);
    // A field must not take the place of what every line has.
    line['timestamp'] = timestamp;
    line.level = level;
    line['service'] = service;
    line.message = message;
    logger.log(line);
  };
  return {
    error: (message, fields) => write('error', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    info: (message, fields) => write('info', message, fields),
    debug: (message, fields) => {
      if (logger.isDebugEnabled()) write('debug', message, fields);
    },
    child: (fields) => wrap(logger, service, { ...bound, ...fields }),
  };
}

/** One JSON object a line: timestamp, level, service, message, then request_id, job_id, user_id and the line's own fields. */
export function createLogger(options: LoggerOptions): Logger {
  const line = winston.format.printf((entry) => JSON.stringify(entry));
  const transport = new winston.transports.Stream({ stream: options.stream ?? gatheredOutput() });
  return wrap(
    winston.createLogger({ level: options.level, format: line, transports: [transport] }),
    options.service,
    {},
  );
}

/** Logs nothing: for tests and the bench. */
export function silentLogger(): Logger {
  const nothing = (): void => undefined;
  const logger: Logger = { error: nothing, warn: nothing, info: nothing, debug: nothing, child: () => logger };
  return logger;
}
