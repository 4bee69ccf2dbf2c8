import type { ComponentChildren, VNode } from 'preact';
import { useId } from 'preact/hooks';

export interface TableColumn<Row> {
  readonly name: string;
  readonly isNumber?: boolean;
  readonly cell: (row: Row) => ComponentChildren;
}

interface TableProps<Row> {
  readonly title: string;
  readonly columns: readonly TableColumn<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** What to say, and to do, where there are no rows. */
  readonly empty: ComponentChildren;
}

/** A short table; on a narrow screen each row is a card of names and values. */
export function Table<Row>({ title, columns, rows, keyOf, empty }: TableProps<Row>): VNode {
  const heading = useId();
  return (
    <section class="card" aria-labelledby={heading}>
      <h2 id={heading}>{title}</h2>
      {rows.length === 0 ? (
        <p class="empty">{empty}</p>
      ) : (
        <div class="wide" tabIndex={0} role="group" aria-labelledby={heading}>
          <table>
            <thead>
              <tr>
                {columns.map(({ name, isNumber }) => (
                  <th key={name} scope="col" class={isNumber ? 'number' : ''}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={keyOf(row)}>
                  {columns.map(({ name, isNumber, cell }) => (
                    <td key={name} data-name={name} class={isNumber ? 'number' : ''}>
                      {cell(row)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
