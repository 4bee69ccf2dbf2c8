import { describe, expect, test } from '@jest/globals';
import { claimsOf, testNames } from './claims.ts';

const file = 'test/docs/claims.test.ts';

describe('what pages claim', () => {
  test('is read from the last two cells of a row', () => {
    const page = `| theirs | here | test file | name |\n| --- | --- | --- | --- |\n| \`a\` | b | ${file} | c \\| d |\n`;
    expect(claimsOf(page)).toEqual([{ what: '`a`', file, name: 'c | d' }]);
  });

  test("is shown by a test of that very name, be there a quote in it like a dog's", () => {
    const names = testNames(file);
    expect(names).toContain("is shown by a test of that very name, be there a quote in it like a dog's");
    expect(names).not.toContain('is shown by a test');
    expect(testNames('test/no-such.test.ts').size).toBe(0);
  });
});
