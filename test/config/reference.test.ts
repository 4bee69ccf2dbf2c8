import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { leaves } from '../../src/config/leaf.ts';
import { configJsonSchema, configurationMarkdown, errorsMarkdown } from '../../src/config/reference.ts';
import { defaultWords } from '../../src/config/words.ts';

const committed = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

describe('reference', () => {
  test.each([
    ['docs/configuration.md', configurationMarkdown],
    ['docs/errors.md', errorsMarkdown],
    ['config.schema.json', configJsonSchema],
  ])('%s is what the schema says', (path, text) => {
    expect(committed(path)).toBe(text());
  });

  test('docs/configuration.md has a row for every key, with variable and default', () => {
    const rows = configurationMarkdown().split('\n');
    for (const leaf of leaves) {
      const row = rows.find((line) => line.startsWith(`| \`${leaf.path}\` | \`${leaf.meta.env}\` |`));
      expect(row).toContain(defaultWords(leaf));
      expect(row).toContain(leaf.meta.description.slice(0, 20));
    }
  });

  test('a default that depends on the machine is in no generated file', () => {
    const schema = JSON.parse(configJsonSchema()) as { properties: Record<string, { default?: unknown }> };
    expect(schema.properties.maxTotalBufferBytes).not.toHaveProperty('default');
    expect(schema.properties.port).toHaveProperty('default', 8080);
  });
});
