import type { VNode } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Chart, ChartNode, Transition } from '../../src/inspect/api.ts';
import { usePolled } from '../server/polled.ts';
import { aspectOfPath } from './aspect.ts';
import { type Box, layoutChart, litPaths, ROW, type Track } from './layout.ts';

const CHARACTER = 6.7;
const TITLE_CHARACTER = 9;
const LONGEST = 27;
const LONGEST_NARROW = 24;
/** Below this, regions stand below each other. */
const NARROW = 620;

interface StatechartProps {
  /** Which machine. */
  readonly machine: string;
  readonly active: readonly string[];
  readonly last: Transition | undefined;
}

const isWithin = (paths: readonly string[], box: string): boolean =>
  paths.some((path) => path === box || path.startsWith(`${box}.`));

const isTaken = ({ event, from, to }: Track, last: Transition | undefined): boolean =>
  last !== undefined && last.event === event && isWithin(last.from, from) && isWithin(last.to, to);

function TrackPath({ track, last }: { readonly track: Track; readonly last: Transition | undefined }): VNode {
  const { x, fromX, fromY, toX, toY } = track;
  const down = toY > fromY ? 1 : -1;
  // Rounded where it turns, as rails are.
  const turn = Math.min(6, Math.abs(toY - fromY) / 2);
  const way = `M${fromX} ${fromY}H${x - turn}q${turn} 0 ${turn} ${down * turn}V${toY - down * turn}q0 ${down * turn} ${-turn} ${down * turn}H${toX + 6}`;
  return (
    <g class={isTaken(track, last) ? 'track taken' : 'track'}>
      <path d={way} />
      <path class="head" d={`M${toX + 1} ${toY}l7 -4v8z`} />
    </g>
  );
}

function BoxShape({
  box,
  lit,
  leaves,
}: {
  readonly box: Box;
  readonly lit: ReadonlySet<string>;
  readonly leaves: readonly string[];
}): VNode {
  const isActive = leaves.includes(box.path);
  const isLit = box.path === '' || lit.has(box.path);
  const classes = [
    'box',
    box.type,
    isLit ? 'lit' : '',
    isActive ? `active ${aspectOfPath(box.path)}` : '',
    box.isRegion ? 'region' : '',
  ];
  const titleEnd = box.x + 16 + (isActive ? 16 : 0) + box.title.length * TITLE_CHARACTER;
  return (
    <g class={classes.join(' ')} data-path={box.path}>
      <rect
        x={box.x + 0.5}
        y={box.y + 0.5}
        width={box.width - 1}
        height={box.height - 1}
        rx={box.isRegion ? 4 : 9}
      />
      {box.type === 'final' && (
        <rect
          class="final-edge"
          x={box.x + 4}
          y={box.y + 4}
          width={box.width - 8}
          height={box.height - 8}
          rx="6"
        />
      )}
      {isActive && <circle class="lamp-on" cx={box.x + 18} cy={box.y + 16} r="6" />}
      <text class="title" x={box.x + (isActive ? 30 : 13)} y={box.y + 20}>
        {box.title}
      </text>
      {box.isInitial && !isActive && (
        <text class="mark" x={titleEnd} y={box.y + 20}>
          ◂ start
        </text>
      )}
      {isActive && (
        <text class="mark now" x={titleEnd} y={box.y + 20}>
          ◂ now
        </text>
      )}
      {box.lines.map((line, at) => (
        <text key={at} class="edge">
          <title>{line.whole}</title>
          {line.rows.map((row, below) => (
            <tspan key={below} x={box.x + 13} y={line.y + below * ROW}>
              {row}
            </tspan>
          ))}
        </text>
      ))}
    </g>
  );
}

function Outline({
  nodes,
  leaves,
}: {
  readonly nodes: readonly ChartNode[];
  readonly leaves: readonly string[];
}): VNode {
  return (
    <ul>
      {nodes.map((node) => (
        <li key={node.path}>
          <b>{node.key}</b>
          {node.type !== 'atomic' && node.type !== 'compound' && ` (${node.type})`}
          {leaves.includes(node.path) && ' — now'}
          {node.transitions.length > 0 &&
            `: ${node.transitions.map(({ event, targets }) => `${event} → ${targets.join(', ') || 'itself'}`).join('; ')}`}
          {node.states.length > 0 && <Outline nodes={node.states} leaves={leaves} />}
        </li>
      ))}
    </ul>
  );
}

/** A machine as the machine itself says it is, with what is active lit. */
export function Statechart({ machine, active, last }: StatechartProps): VNode {
  const { answer: chart, refusal } = usePolled<Chart>(`/inspect/api/machines/${encodeURIComponent(machine)}`);
  const heading = useId();
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(900);
  useEffect(() => {
    const watching = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 900));
    if (frame.current !== null) watching.observe(frame.current);
    return () => watching.disconnect();
  }, []);
  const layout =
    chart &&
    layoutChart(chart, {
      columns: width < NARROW ? 1 : 3,
      characterWidth: CHARACTER,
      maxCharacters: width < NARROW ? LONGEST_NARROW : LONGEST,
    });
  const lit = litPaths(active);
  const scale = layout === undefined ? 1 : Math.max(0.78, Math.min(1.1, width / layout.width));
  return (
    <section class="board chart" aria-labelledby={heading}>
      <div class="plate">
        <h2 id={heading}>Its machine</h2>
        <p class="engraved">
          now <b>{active.join(' · ') || 'nowhere'}</b>
        </p>
      </div>
      {refusal !== undefined && <p class="engraved">✗ {refusal.message}</p>}
      <div ref={frame} class="chart-frame" tabIndex={0} role="group" aria-label="Statechart">
        {layout !== undefined && (
          <svg
            role="img"
            aria-label={`Statechart of the ${machine} machine. Active: ${active.join(', ')}`}
            viewBox={`0 0 ${layout.width} ${layout.height}`}
            width={layout.width * scale}
            height={layout.height * scale}
          >
            {layout.boxes.map((box) => (
              <BoxShape key={box.path} box={box} lit={lit} leaves={active} />
            ))}
            {layout.tracks.map((track, at) => (
              <TrackPath key={at} track={track} last={last} />
            ))}
          </svg>
        )}
      </div>
      {chart !== undefined && (
        <details class="outline">
          <summary>The same as text</summary>
          <Outline nodes={chart.root.states} leaves={active} />
        </details>
      )}
    </section>
  );
}
