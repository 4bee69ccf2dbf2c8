import { z } from 'zod';
import { EXIT } from './exit-code.ts';
import { fieldsOf, isListOfObjects } from './item-problems.ts';
import { type Leaf, leaves, leavesOf } from './leaf.ts';
import { PROBLEMS } from './problem.ts';
import { configSchema, sections } from './schema.ts';
import { defaultWords } from './words.ts';

const typeWords = (leaf: Leaf): string => {
  const { type } = leaf;
  if (type.type !== 'array') return type.enum?.join(', ') ?? [type.type, ...(type.words ?? [])].join(', ');
  if (isListOfObjects(leaf)) return 'list of objects';
  return type.items?.enum === undefined ? 'list' : `list of ${type.items.enum.join(', ')}`;
};

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

const code = (text: string): string => `\`${text}\``;

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map(row).join('\n');

const leafRow = (leaf: Leaf): readonly string[] => [
  code(leaf.path),
  code(leaf.meta.env),
  cell(typeWords(leaf)),
  cell(defaultWords(leaf)),
  leaf.meta.unit ?? '',
  cell(leaf.meta.description),
];

/** The fields of the objects in a list, a table of its own. */
const fieldTable = (leaf: Leaf): string =>
  table(
    ['field', 'default', 'meaning'],
    Object.entries(fieldsOf(leaf)).map(([name, field]) => [
      code(name),
      fieldDefault(field),
      cell(String(field.meta()?.description)),
    ]),
  );

const fieldDefault = (field: z.ZodType): string => {
  const { default: value } = z.toJSONSchema(field, { io: 'input' });
  if (value === undefined || value === '') return '';
  return typeof value === 'object' ? 'none' : code(typeof value === 'string' ? value : JSON.stringify(value));
};

const secrets = leaves
  .filter(({ meta }) => meta.secret === true)
  .map(({ meta }) => code(meta.env))
  .join(', ');

const introduction = `# Configuration

<!-- Made by \`npm run docs\` from src/config/schema. -->

Signalbox reads \`config.json\` in the working directory (or the file that \`--config\` or \`SIGNALBOX_CONFIG\`
names), then the environment, which wins. The names are those of Superset's websocket sidecar, whose
\`config.json\` and environment are taken as they are. A dot in a key is an object in the file:
\`redis.host\` is \`{"redis": {"host": "…"}}\`.

- An empty or blank variable is unset. Lists are comma-separated in a variable and arrays in the file.
- A secret (${secrets}) may be given
  as a file: \`JWT_SECRET_FILE=/run/secrets/jwt\`.
- An unknown key, a wrong type or a value out of range stops the start. All problems are printed, with where each
  came from and what to do, before any port is opened; the exit code is ${EXIT.config}. With \`strict\` false an unknown
  key is only a warning. An unknown \`SIGNALBOX_\` variable is always only a warning.
- \`signalbox --check\` says whether a configuration is valid; \`signalbox --print-config\` prints every value and where
  it came from, secrets masked. \`"$schema": "./config.schema.json"\` in the file lets an editor complete it.
- With no redis key, no secret, no config file and \`NODE_ENV\` not \`production\` it is development mode: the embedded
  broker, a random secret, this machine only. Otherwise it is production mode, and \`jwtSecret\` is required.
`;

const compatibility = `## What is read differently from Superset's sidecar

- \`eventYieldBatchSize\` (\`EVENT_YIELD_BATCH_SIZE\`) is known and ignored, with a note.
- In the file, a text that is exactly a number, \`true\` or \`false\` is accepted where one is expected, with a note.
- Log levels may be in any case; winston's \`http\`, \`verbose\` and \`silly\` are read as the nearest level here.
- \`maxSocketBufferBytes\` 0 and \`redisStreamReadCount\` 0 mean the default; \`redisStreamReadBlockMs\` 0 is read as 30 s.
- A \`*_PORT\` variable of the form \`tcp://10.0.0.1:6379\` is what Kubernetes sets for a service of that name: ignored.
- \`PING_SOCKETS_INTERVAL_MS=20s\` and the like, which were no number and so no limit, are refused.
`;

/** `docs/configuration.md`: every key, by subject. */
export const configurationMarkdown = (): string => {
  const parts = Object.entries(sections).map(
    ([title, shape]) =>
      `## ${title}\n\n${table(
        ['key', 'variable', 'type', 'default', 'unit', 'meaning'],
        leavesOf(shape).map(leafRow),
      )}\n${leavesOf(shape)
        .filter(isListOfObjects)
        .map((leaf) => `\n${fieldTable(leaf)}\n`)
        .join('')}`,
  );
  return [introduction, ...parts, compatibility].join('\n');
};

/** `docs/errors.md`: what can be wrong with a configuration, and the exit codes. */
export const errorsMarkdown = (): string =>
  [
    '# Errors\n\n<!-- Made by `npm run docs` from src/config. -->\n',
    '## Exit codes\n',
    `${table(
      ['code', 'meaning'],
      [
        [
          `${EXIT.ok}`,
          'Ended as asked, by a signal for example, or answered `--check`, `--help` and the like.',
        ],
        [
          `${EXIT.failed}`,
          'Could not listen, was ended by a fault of its own, or was told a second time to end. A command: the server was not there, or refused.',
        ],
        [`${EXIT.usage}`, 'The command line was not understood.'],
        [
          `${EXIT.config}`,
          'The configuration has problems. All were printed, and no port was opened. A command: what it needs is not configured.',
        ],
      ],
    )}\n`,
    '## Problems of a configuration\n',
    `${table(
      ['code', 'meaning'],
      Object.entries(PROBLEMS).map(([name, meaning]) => [code(name), meaning]),
    )}\n`,
  ].join('\n');

/** `config.schema.json`: the config file, for editors. */
export const configJsonSchema = (): string => {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      // What depends on the machine or on another key is no default that an editor could write.
      if (typeof jsonSchema.defaultText === 'string') delete jsonSchema.default;
      for (const name of ['secret', 'expected', 'defaultText']) delete jsonSchema[name];
      if (jsonSchema.type !== 'object') return;
      delete jsonSchema.default;
    },
  });
  const { properties, ...rest } = schema;
  const whole = {
    ...rest,
    title: 'Configuration of Signalbox',
    properties: { $schema: { type: 'string' }, ...properties },
  };
  return `${JSON.stringify(whole, null, 2)}\n`;
};
