const typeWords = ({ type, across }) => (across === undefined ? type : `${type} (${across})`);

const row = (cells) => `| ${cells.join(' | ')} |`;

/** `docs/metrics.md`, from the table of metrics. */
export const metricsMarkdown = (metrics) =>
  `${[
    '# Metrics',
    '',
    '<!-- Made by `npm run docs` from src/telemetry/metrics.ts. -->',
    '',
    "Sent over StatsD to `statsd.host`. The names without a prefix are those of Superset's websocket sidecar.",
    'No channel, user or socket is ever a label. With several workers, counters add up, and a gauge is the sum or the',
    'greatest of theirs, as its type says.',
    '',
    row(['metric', 'type', 'unit', 'labels', 'meaning']),
    row(['---', '---', '---', '---', '---']),
    ...Object.entries(metrics).map(([name, { unit, labels = [], meaning, ...kind }]) =>
      row([`\`${name}\``, typeWords(kind), unit, labels.map((label) => `\`${label}\``).join(', '), meaning]),
    ),
  ].join('\n')}\n`;
