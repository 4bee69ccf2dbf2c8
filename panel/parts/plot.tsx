import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Sample } from '../figures/rates.ts';
import { columnsOf, type Figure, SPAN_MS } from '../figures/samples.ts';
import { NOTHING } from '../figures/format.ts';

export interface Curve {
  readonly figure: Figure;
  readonly name: string;
  readonly colour: 'green' | 'yellow' | 'blue';
}

interface PlotProps {
  readonly title: string;
  readonly curves: readonly Curve[];
  readonly samples: readonly Sample[];
  readonly write: (value: number | null) => string;
  /** The scale is never smaller than up to this, so that noise is no mountain. */
  readonly least: number;
  /** Between two lines of the scale; left out: round decimals. */
  readonly steps?: readonly number[];
}

const HEIGHT = 118;
const COLOURS = { green: '#57e391', yellow: '#ffc44d', blue: '#8ab4ff' } as const;
/** The second curve is broken, not only of another colour. */
const DASHES: readonly (number[] | undefined)[] = [undefined, [6, 4]];
const FONT = '11px ui-monospace, "DejaVu Sans Mono", monospace';

const axis = {
  stroke: '#a9bcb5',
  font: FONT,
  ticks: { stroke: '#2c4540', size: 4 },
  grid: { stroke: '#22352f', width: 1 },
};

function optionsOf(
  { curves, write, least, steps }: PlotProps,
  width: number,
  onCursor: (at: number | null) => void,
): uPlot.Options {
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    padding: [8, 8, 0, 0],
    scales: {
      x: { time: true, range: (_, __, max) => [max - SPAN_MS / 1000, max] },
      y: { range: (_, __, max) => [0, Math.max(least, (max ?? 0) * 1.1)] },
    },
    axes: [
      { ...axis, space: 70, size: 24, values: '{HH}:{mm}' },
      {
        ...axis,
        space: 32,
        size: 62,
        ...(steps && { incrs: [...steps] }),
        values: (_, values) => values.map((value) => write(value)),
      },
    ],
    series: [
      {},
      ...curves.map(({ colour, name }, at) => ({
        label: name,
        stroke: COLOURS[colour],
        width: 1.75,
        points: { show: false },
        ...(DASHES[at] && { dash: DASHES[at] }),
        ...(at === 0 && { fill: `${COLOURS[colour]}1c` }),
      })),
    ],
    hooks: { setCursor: [({ cursor }) => onCursor(cursor.idx ?? null)] },
  };
}

const highest = (values: readonly (number | null)[]): number | null =>
  values.reduce((most, value) => (value !== null && value > (most ?? 0) ? value : most), null);

/** One figure, or two, over the last five minutes. What it says is also there as text. */
export function Plot(props: PlotProps): VNode {
  const { title, curves, samples, write } = props;
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [cursor, setCursor] = useState<number | null>(null);
  const columns = columnsOf(
    samples,
    curves.map(({ figure }) => figure),
  );

  useEffect(() => {
    const place = frame.current;
    if (place === null) return;
    const drawn = new uPlot(optionsOf(props, place.clientWidth, setCursor), [[]], place);
    plot.current = drawn;
    const watching = new ResizeObserver(() => drawn.setSize({ width: place.clientWidth, height: HEIGHT }));
    watching.observe(place);
    return () => {
      watching.disconnect();
      drawn.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(columns), [samples]);

  const values = columns.slice(1);
  const at = cursor ?? samples.length - 1;
  const words = curves.map(
    ({ name }, index) =>
      `${name} now ${write(values[index]?.at(-1) ?? null)}, at most ${write(highest(values[index] ?? []))}`,
  );
  return (
    <figure class="plot">
      <figcaption>
        <h3>{title}</h3>
        <p>
          {curves.map(({ figure, name, colour }, index) => (
            <span key={figure} class="reading">
              <b data-figure={figure}>
                {samples.length === 0 ? NOTHING : write(values[index]?.[at] ?? null)}
              </b>
              {curves.length > 1 && <span class={`key ${colour}${index > 0 ? ' broken' : ''}`}>{name}</span>}
            </span>
          ))}
        </p>
      </figcaption>
      <div ref={frame} role="img" aria-label={`${title}, the last five minutes: ${words.join('; ')}`} />
    </figure>
  );
}
