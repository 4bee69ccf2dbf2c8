import type { ComponentChildren, TargetedInputEvent, VNode } from 'preact';
import { Signal, wordOfState } from '../parts/signal.tsx';
import { aspectOfState } from '../chart/aspect.ts';

/** The search box of a list. `/` leads here. */
export function Search({
  value,
  hint,
  onChange,
}: {
  readonly value: string;
  readonly hint: string;
  readonly onChange: (text: string) => void;
}): VNode {
  return (
    <div class="field search">
      <label for="search">
        Search <kbd aria-hidden="true">/</kbd>
      </label>
      <input
        id="search"
        type="search"
        value={value}
        placeholder={hint}
        autocomplete="off"
        spellcheck={false}
        maxLength={500}
        onInput={(event) => onChange(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur();
          if (event.key === 'ArrowDown') document.querySelector<HTMLElement>('[role=grid]')?.focus();
        }}
      />
    </div>
  );
}

interface StateChoiceProps<State extends string> {
  readonly states: readonly State[];
  readonly chosen: readonly State[];
  readonly onChange: (states: readonly State[]) => void;
}

/** Which states are shown; none chosen: all. */
export function StateChoice<State extends string>({
  states,
  chosen,
  onChange,
}: StateChoiceProps<State>): VNode {
  return (
    <fieldset class="choice">
      <legend>State</legend>
      {states.map((state) => (
        <label key={state}>
          <input
            type="checkbox"
            checked={chosen.includes(state)}
            onChange={({ currentTarget }) =>
              onChange(currentTarget.checked ? [...chosen, state] : chosen.filter((other) => other !== state))
            }
          />
          <Signal aspect={aspectOfState(state)} />
          <span>{wordOfState(state)}</span>
        </label>
      ))}
    </fieldset>
  );
}

interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly type?: 'text' | 'number';
  readonly onChange: (text: string) => void;
}

export function Field({ name, label, value, type = 'text', onChange }: FieldProps): VNode {
  const common = {
    id: name,
    value,
    autocomplete: 'off',
    spellcheck: false,
    maxLength: 500,
    onInput: (event: TargetedInputEvent<HTMLInputElement>) => onChange(event.currentTarget.value),
  } as const;
  return (
    <div class="field">
      <label for={name}>{label}</label>
      {type === 'number' ? <input {...common} type="number" min={0} /> : <input {...common} type="text" />}
    </div>
  );
}

interface SortChoiceProps {
  readonly sorts: readonly (readonly [string, string])[];
  readonly sort: string;
  readonly isDescending: boolean;
  readonly onSort: (sort: string, isDescending: boolean) => void;
}

/** The order, where there is no room for the columns' own buttons. */
export function SortChoice({ sorts, sort, isDescending, onSort }: SortChoiceProps): VNode {
  return (
    <div class="field sort">
      <label for="sort">Sort by</label>
      <span>
        <select id="sort" value={sort} onChange={(event) => onSort(event.currentTarget.value, isDescending)}>
          {sorts.map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
        <button
          type="button"
          class="quiet"
          aria-pressed={isDescending}
          onClick={() => onSort(sort, !isDescending)}
        >
          {isDescending ? '▼ Descending' : '▲ Ascending'}
        </button>
      </span>
    </div>
  );
}

/** Everything that narrows a list; its fields take effect as they are typed. */
export function FilterForm({ children }: { readonly children: ComponentChildren }): VNode {
  return (
    <form class="filter" role="search" onSubmit={(event) => event.preventDefault()}>
      {children}
    </form>
  );
}
