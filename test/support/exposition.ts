/** One line of a Prometheus text. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a Prometheus text says of one metric. */
export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const HEAD = /^# HELP (\S+) (.+)\n# TYPE (\S+) (counter|gauge|histogram|summary)$/;
const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\.)*)"(,|$)/y;

/** Reads the text format of Prometheus (0.0.4), strictly: whatever is not as it should be throws. */
export function readExposition(text: string): ReadonlyMap<string, Family> {
  const families = new Map<string, Family>();
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  for (const block of text.trimEnd().split('\n\n')) {
    const [help = '', type = '', ...lines] = block.split('\n');
    const [, name = '', words = '', typed, kind = ''] = HEAD.exec(`${help}\n${type}`) ?? [];
    if (name === '' || name !== typed) throw new Error(`no HELP and TYPE of one metric: ${help}`);
    if (families.has(name)) throw new Error(`${name} is there twice`);
    const samples = lines.map(readSample);
    for (const sample of samples) {
      const own = kind === 'histogram' || kind === 'summary' ? /_(?:bucket|sum|count)$/ : /$/;
      if (sample.name !== name && sample.name.replace(own, '') !== name)
        throw new Error(`${sample.name} is not of ${name}`);
    }
    families.set(name, { name, type: kind, help: words, samples });
  }
  return families;
}

/** The value of one sample; undefined: there is none of these labels. */
export function valueOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const wanted = keyOf(labels);
  for (const { samples } of families.values()) {
    const found = samples.find((sample) => sample.name === name && keyOf(sample.labels) === wanted);
    if (found !== undefined) return found.value;
  }
  return undefined;
}

const keyOf = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map((label) => label.join('='))
    .sort()
    .join(',');

function readSample(line: string): Sample {
  const [, name, text = '', number = ''] = SAMPLE.exec(line) ?? [];
  if (name === undefined) throw new Error(`not a sample: ${line}`);
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  for (let at = 0; at < text.length; at = LABEL.lastIndex) {
    const [, label, value] = LABEL.exec(text) ?? [];
    if (label === undefined || value === undefined || label in labels) throw new Error(`bad labels: ${line}`);
    labels[label] = value;
  }
  const value = number === '+Inf' ? Infinity : Number(number);
  // What was not observed yet.
  if (Number.isNaN(value) && !/^nan$/i.test(number)) throw new Error(`not a number: ${line}`);
  return { name, labels, value };
}
