import { addExactness, NOTHING_DUE } from '../ledger.ts';
import { openPanel, PANEL_ENV } from '../open-panel.ts';
import { bySize, type Row, type Scenario } from '../scenario.ts';
import { spread } from '../summary.ts';
import { measure } from './flow.ts';

/** Many sockets, of which an operator has the panel open: in turn open and closed, so that pairs can be compared. */
export const panel: Scenario = {
  name: 'panel',
  subjects: ['signalbox'],
  env: () => PANEL_ENV,
  async run(stage, size) {
    const clients = bySize(size, 200, 10_000);
    await stage.prepare('c', clients, 1);
    await stage.connect('c');
    const flow = { group: 'c', channels: 1, rate: bySize(size, 20, 8) };
    const rows: { readonly open: Row; readonly closed: Row }[] = [];
    for (let pair = 0; pair < bySize(size, 1, 9); pair += 1) {
      const isOpenFirst = pair % 2 === 0;
      const close = isOpenFirst ? await openPanel() : undefined;
      const first = await measure(stage, size, 'pair', flow);
      close?.();
      const closeSecond = isOpenFirst ? undefined : await openPanel();
      const second = await measure(stage, size, 'pair', flow);
      closeSecond?.();
      rows.push(isOpenFirst ? { open: first, closed: second } : { open: second, closed: first });
    }
    const cpu = ({ figures }: Row): number => figures['cpuUsPerDelivery'] ?? Number.NaN;
    const rate = ({ figures }: Row): number => figures['deliveriesPerS'] ?? Number.NaN;
    const median = (of: (pair: (typeof rows)[number]) => number): number => spread(rows.map(of)).median;
    return [
      {
        case: `${clients} sockets`,
        figures: {
          cpuUsOpen: median(({ open }) => cpu(open)),
          cpuUsClosed: median(({ closed }) => cpu(closed)),
          cpuOpenToClosed: median(({ open, closed }) => cpu(open) / cpu(closed)),
          rateOpenToClosed: median(({ open, closed }) => rate(open) / rate(closed)),
          // How far two measurements without the panel are from each other: what the others are to be held to.
          cpuClosedSpread:
            spread(rows.map(({ closed }) => cpu(closed))).max / median(({ closed }) => cpu(closed)),
        },
        exactness: rows.reduce(
          (sum, { open, closed }) => addExactness(addExactness(sum, open.exactness), closed.exactness),
          NOTHING_DUE,
        ),
      },
    ];
  },
};
