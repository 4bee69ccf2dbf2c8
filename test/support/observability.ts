/** A query of the dashboard, as Prometheus is asked it. */
export interface DashboardQuery {
  /** Of its panel. */
  readonly title: string;
  readonly query: string;
  readonly legend: string;
}

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
  readonly annotations: { readonly list: readonly { readonly expr: string; readonly titleFormat: string }[] };
}

/** All queries of a Grafana dashboard, with its variables filled in. */
export function dashboardQueries(json: string): DashboardQuery[] {
  const { panels, annotations } = JSON.parse(json) as Dashboard;
  const queries = [
    ...panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr, legendFormat }) => ({ title, query: expr, legend: legendFormat })),
    ),
    ...annotations.list.map(({ expr, titleFormat }) => ({
      title: 'annotations',
      query: expr,
      legend: titleFormat,
    })),
  ];
  return queries.map((of) => ({
    ...of,
    query: of.query.replaceAll('$__rate_interval', '1m').replaceAll(/\$(job|instance)/g, '.+'),
  }));
}

export interface AlertRule {
  readonly name: string;
  readonly query: string;
  /** All of it. */
  readonly text: string;
}

/** The rules of `alerts.yml`, which is written as this reads it: each begins with `- alert:`, and has an `expr`. */
export function alertRules(yaml: string): AlertRule[] {
  return yaml
    .split(/^ *- alert: /m)
    .slice(1)
    .map((text) => {
      const name = text.slice(0, text.indexOf('\n'));
      const expr = /^( *)expr: (?:\|\n((?:\1 {2}.*\n)+)|(.+)\n)/m.exec(text);
      const query = expr?.[2] ?? expr?.[3];
      if (query === undefined) throw new Error(`${name} has no expr`);
      return { name, query, text };
    });
}
