const typeWords = ({ type, across }) => (across === undefined ? type : `${type} (${across})`);

const row = (cells) => `| ${cells.join(' | ')} |`;

const code = (text) => `\`${text}\``;

const labelWords = (labels) =>
  Object.entries(labels)
    .map(([label, values]) => `${code(label)}: ${values.join(', ')}`)
    .join('; ');

const subject = ([title, metrics], nameOf) => [
  '',
  `## ${title}`,
  '',
  row(['StatsD', 'Prometheus', 'type', 'unit', 'labels', 'meaning']),
  row(['---', '---', '---', '---', '---', '---']),
  ...Object.entries(metrics).map(([name, { unit, labels = {}, meaning, ...kind }]) =>
    row([code(name), code(nameOf(name)), typeWords(kind), unit, labelWords(labels), meaning]),
  ),
];

/** `docs/metrics.md`, from the table of metrics. */
export const metricsMarkdown = (subjects, nameOf) =>
  `${[
    '# Metrics',
    '',
    '<!-- Made by `npm run docs` from src/telemetry/metrics.ts. -->',
    '',
    'One table for both: StatsD, to `statsd.host`, and Prometheus, which asks ([operations.md](operations.md#prometheus)).',
    "The names that begin with `ws_` are those of Superset's websocket sidecar.",
    '',
    '- **Units** are those of StatsD. Prometheus has seconds where it says ms.',
    '- **Labels** have the values that are listed, and no others: a word that a version does not know is `other`. No',
    '  channel, user or socket is ever a label.',
    '- **With several workers** counters and histograms add up, those of workers that have ended included, and a gauge is',
    '  the sum, the greatest or the least of theirs, as its type says.',
    "- **Histograms** are timings (`ms`) or histograms (`h`) in StatsD: each value, or 100 of a second's values with their",
    '  rate. In Prometheus they are `_bucket`, `_sum` and `_count`.',
    '- **Prometheus** also gets what prom-client knows of Node and of the process, `nodejs_…` and `process_…`, with the',
    '  label `worker`: a series for each process.',
    ...Object.entries(subjects).flatMap((entry) => subject(entry, nameOf)),
  ].join('\n')}\n`;
