const row = (cells) => `| ${cells.join(' | ')} |`;

/** `docs/metrics.md`, from the table of metrics. */
export const metricsMarkdown = (metrics) =>
  `${[
    '# Metrics',
    '',
    '<!-- Made by `npm run docs` from src/telemetry/metrics.ts. -->',
    '',
    "Sent over StatsD to `statsd.host`. The names without a prefix are those of Superset's websocket sidecar.",
    'No channel, user or socket is ever a label.',
    '',
    row(['metric', 'type', 'unit', 'labels', 'meaning']),
    row(['---', '---', '---', '---', '---']),
    ...Object.entries(metrics).map(([name, { type, unit, labels = [], meaning }]) =>
      row([`\`${name}\``, type, unit, labels.map((label) => `\`${label}\``).join(', '), meaning]),
    ),
  ].join('\n')}\n`;
