/** The fields of a server's answer; none: it is no object of JSON. */
export function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** What a refusal says, and what is wrong with each field. */
export function refusalWords({ detail, problems }: Readonly<Record<string, unknown>>): string {
  const faults = Array.isArray(problems) ? (problems as { path: unknown[]; message: string }[]) : [];
  return [detail, ...faults.map(({ path, message }) => `${path.join('.')}: ${message}.`)].join(' ');
}
