import { describe, expect, test } from '@jest/globals';
import { hookKey } from '../../src/config/hook-key.ts';
import { loaded, problems, secret } from './loading.ts';

const url = 'https://app.example/hooks';
const given = (hooks: object) => ({ env: { JWT_SECRET: secret }, config: { hooks } });

describe('hooks', () => {
  test('any of them needs a secret, and the problem names those that are set', () => {
    expect(problems(given({ ask: url, disconnect: url }))).toEqual([
      expect.objectContaining({
        code: 'secret_missing',
        key: 'hooks.secret',
        got: 'no secret beside hooks.disconnect, hooks.ask',
        advice: expect.stringContaining('SIGNALBOX_HOOKS_SECRET_FILE'),
      }),
    ]);
    expect(loaded(given({ ask: url, secret })).config.hooks).toMatchObject({ ask: url, connect: '' });
    expect(loaded(given({})).config.hooks.secret).toBe('');
  });

  test.each([
    'ftp://app.example',
    'app.example/hooks',
    'https://user:pass@app.example/',
    'https://app.example/#here',
    'http://',
    '/hooks',
  ])('%s is no URL of a hook', (text) => {
    expect(problems(given({ subscribe: text, secret }))).toEqual([
      expect.objectContaining({ code: 'bad_value', key: 'hooks.subscribe' }),
    ]);
  });

  test.each([
    ['less than 24 characters', 'x'.repeat(23)],
    ['whsec_ and less than 24 bytes', `whsec_${Buffer.alloc(23).toString('base64')}`],
    ['whsec_ and more than 64 bytes', `whsec_${Buffer.alloc(65).toString('base64')}`],
    ['whsec_ and what is no base64', `whsec_${'?'.repeat(40)}`],
    ['whsec_ and base64 with a letter mistyped', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS*'],
  ])('a secret of %s is refused, unseen', (_, text) => {
    const found = problems(given({ subscribe: url, secret: text }));
    expect(found).toEqual([expect.objectContaining({ code: 'bad_value', key: 'hooks.secret' })]);
    expect(JSON.stringify(found)).not.toContain(text);
    expect(problems(given({ subscribe: url, secret, previousSecret: text }))).toHaveLength(1);
  });
});

describe('the key of a secret', () => {
  test('is the bytes after whsec_, with or without padding, or the text itself', () => {
    const bytes = Buffer.from('0123456789abcdef01234567');
    expect(hookKey(`whsec_${bytes.toString('base64')}`)).toEqual(bytes);
    const odd = Buffer.from('0123456789abcdef0123456789');
    expect(hookKey(`whsec_${odd.toString('base64').replace(/=/g, '')}`)).toEqual(odd);
    expect(hookKey(secret)).toEqual(Buffer.from(secret));
  });
});
