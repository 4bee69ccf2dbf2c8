import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { createLogger, type LogLevel } from '../../src/telemetry/logger.ts';

class Lines {
  readonly texts: string[] = [];
  write(text: string): void {
    this.texts.push(text);
  }
  get parsed(): Record<string, unknown>[] {
    return this.texts.map((text) => JSON.parse(text) as Record<string, unknown>);
  }
}

const loggerTo = (output: Lines, options: { level?: LogLevel; filename?: string } = {}) =>
  createLogger({
    level: options.level ?? 'info',
    toFile: options.filename !== undefined,
    filename: options.filename ?? '',
    output,
  });

describe('the log', () => {
  test('has a line of JSON for each message: level in a word, timestamp in ISO 8601, message', () => {
    const lines = new Lines();
    loggerTo(lines).warn({ key: 'port' }, 'something');
    expect(lines.parsed).toEqual([
      { level: 'warn', timestamp: expect.any(String), pid: process.pid, key: 'port', message: 'something' },
    ]);
    const { timestamp } = lines.parsed[0] as { timestamp: string };
    expect(new Date(timestamp).toISOString()).toBe(timestamp);
  });

  test('says in each line which worker it is from, where there are several', () => {
    const lines = new Lines();
    createLogger({ level: 'info', toFile: false, filename: '', worker: 2, output: lines }).info(
      {},
      'something',
    );
    expect(lines.parsed).toEqual([expect.objectContaining({ pid: process.pid, worker: 2 })]);
  });

  test.each([
    ['error', ['error']],
    ['warn', ['error', 'warn']],
    ['info', ['error', 'warn', 'info']],
    ['debug', ['error', 'warn', 'info', 'debug']],
  ] as const)('at level %s has %j', (level, expected) => {
    const lines = new Lines();
    const logger = loggerTo(lines, { level });
    for (const name of ['error', 'warn', 'info', 'debug'] as const) logger[name]('x');
    expect(lines.parsed.map((line) => line['level'])).toEqual(expected);
  });

  test('never has tokens, cookies, passwords or payloads', () => {
    const lines = new Lines();
    const logger = loggerTo(lines);
    const secret = 'hunter2';
    logger.info({ token: secret, cookie: secret, headers: { cookie: secret, authorization: secret } }, 'x');
    logger.info({ event: { payload: secret, data: secret }, config: { redis: { password: secret } } }, 'x');
    logger.child({ ticket: secret }).info('x');
    expect(lines.texts.join('')).not.toContain(secret);
    expect(lines.texts.join('')).toContain('[redacted]');
  });

  test('has of an error its type, code, message and stack, and not the command it failed with', () => {
    const lines = new Lines();
    const error = Object.assign(new TypeError('no', { cause: new Error('deeper') }), {
      code: 'ENO',
      command: { name: 'auth', args: ['hunter2'] },
    });
    loggerTo(lines).error({ err: error }, 'failed');
    expect(lines.parsed[0]).toMatchObject({
      err: { type: 'TypeError', code: 'ENO', message: 'no', stack: error.stack, cause: 'Error: deeper' },
    });
    expect(lines.texts.join('')).not.toContain('hunter2');
  });

  test('goes to the file as well, after what is there', () => {
    const filename = join(mkdtempSync(join(tmpdir(), 'signalbox-log-')), 'app.log');
    const lines = new Lines();
    loggerTo(lines, { filename }).info('first');
    loggerTo(lines, { filename }).info('second');
    expect(readFileSync(filename, 'utf8')).toBe(lines.texts.join(''));
    expect(lines.parsed.map((line) => line['message'])).toEqual(['first', 'second']);
  });

  test('goes on without a file that cannot be opened, and says so once', () => {
    const lines = new Lines();
    const logger = loggerTo(lines, { filename: join(tmpdir(), 'no', 'such', 'folder', 'app.log') });
    logger.info('x');
    logger.info('y');
    expect(lines.parsed).toMatchObject([
      { level: 'error', message: 'The log file cannot be written', err: { code: 'ENOENT' } },
      { message: 'x' },
      { message: 'y' },
    ]);
  });

  test('goes on beside a disk that is full, and says so once', () => {
    const lines = new Lines();
    const logger = loggerTo(lines, { filename: '/dev/full' });
    logger.info('x');
    logger.info('y');
    const reports = lines.parsed.filter((line) => line['message'] === 'The log file cannot be written');
    expect(reports).toMatchObject([{ err: { code: 'ENOSPC' } }]);
    expect(lines.parsed.filter((line) => line['level'] === 'info')).toHaveLength(2);
  });
});
