/** One label matcher of a selector: `state=~"live|stale"`. */
export interface Matcher {
  readonly label: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

/** What an expression asks for: a metric, and those of its series that match. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

export interface Expression {
  readonly selectors: readonly Selector[];
  /** What series are grouped or joined by. */
  readonly groupings: readonly string[];
}

const MATCHER = /\s*([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)/y;
const GROUPING = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;
/** A name that is neither called nor a keyword. */
const NAME = /(?<![\w"$.])([a-zA-Z_:][\w:]*)(?!\w)\s*(\{[^}]*\}|\()?/g;
const KEYWORDS = new Set(['and', 'or', 'unless', 'offset', 'bool', 'inf', 'nan']);

/**
 * Finds the metrics and labels that a PromQL expression names. It is no parser: what it does not take for a call, a
 * keyword, a duration or a grouping is a metric, so that nothing passes because it was not understood.
 */
export function readPromql(text: string): Expression {
  const groupings = [...text.matchAll(GROUPING)].flatMap(([, list = '']) =>
    list.split(',').flatMap((label) => label.trim() || []),
  );
  const rest = text.replace(GROUPING, ' ').replace(/\[[^\]]*\]/g, ' ');
  const selectors = [...rest.matchAll(NAME)]
    .filter(([, name = '', next = '']) => next !== '(' && !isFunction(name, rest) && !KEYWORDS.has(name))
    .map(([, metric = '', braces]) => ({ metric, matchers: readMatchers(braces) }));
  return { selectors, groupings };
}

/** Also where a grouping stood between it and its parenthesis. */
function isFunction(name: string, text: string): boolean {
  return new RegExp(`(?<!\\w)${name}\\s*\\(`).test(text);
}

function readMatchers(braces = ''): Matcher[] {
  const text = braces.replace(/^\{|\}$/g, '');
  const matchers: Matcher[] = [];
  MATCHER.lastIndex = 0;
  for (let at = 0; at < text.length; at = MATCHER.lastIndex) {
    const [, label, operator, value] = MATCHER.exec(text) ?? [];
    if (label === undefined || value === undefined) throw new Error(`not a matcher: ${braces}`);
    matchers.push({ label, operator: operator as Matcher['operator'], value });
  }
  return matchers;
}
